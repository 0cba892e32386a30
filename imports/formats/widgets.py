"""Strict widgets: a cell becomes the value of its field, or a `CellError` says what would be right.

Every widget takes a trimmed cell that is not blank.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pycountry
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from import_export.widgets import Widget

from imports.errors import CellError
from imports.template import Kind, TemplateField
from lookups.validators import currencies

if TYPE_CHECKING:
    from collections.abc import Callable

TRUE_WORDS = frozenset({"yes", "y", "true", "t", "1", "on"})
FALSE_WORDS = frozenset({"no", "n", "false", "f", "0", "off"})

# What people write beside the ISO names; ISO names and codes come from pycountry.
EVERYDAY_COUNTRIES = {
    "uk": "GB",
    "great britain": "GB",
    "britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "u.s.": "US",
    "united states of america": "US",
    "america": "US",
    "russia": "RU",
    "turkey": "TR",
    "south korea": "KR",
    "korea": "KR",
    "north korea": "KP",
    "taiwan": "TW",
    "czech republic": "CZ",
    "holland": "NL",
    "the netherlands": "NL",
    "vietnam": "VN",
    "iran": "IR",
    "syria": "SY",
    "laos": "LA",
    "bolivia": "BO",
    "venezuela": "VE",
    "tanzania": "TZ",
    "moldova": "MD",
    "macedonia": "MK",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "brunei": "BN",
    "vatican": "VA",
    "palestine": "PS",
    "macau": "MO",
    "hong kong sar": "HK",
    "uae": "AE",
    "republic of ireland": "IE",
    "eire": "IE",
}

COUNTRIES = {
    name.casefold(): country.alpha_2
    for country in pycountry.countries
    for name in (
        getattr(country, field, "") for field in ("alpha_2", "alpha_3", "name", "official_name", "common_name")
    )
    if name
} | EVERYDAY_COUNTRIES
"""Spellings, case-folded, to ISO 3166-1 alpha-2."""

_DISCOUNT = re.compile(r"([0-9]+)(?:[.,]0+)?\s?%?", re.ASCII)
_validate_url = URLValidator(schemes=["http", "https"])

# Most addresses are plain; these accept only what Django's validators accept too, many times faster.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]{1,63}\.){1,4}[a-z]{2,12}", re.ASCII | re.IGNORECASE
)
_PLAIN_WEBSITE = re.compile(r"https?://(?:[a-z0-9]{1,63}\.){1,4}[a-z]{2,12}", re.ASCII | re.IGNORECASE)


def _is_valid(validate: Callable[[str], None], value: str) -> bool:
    """Whether a validator of Django's takes the value.

    Its errors hold themselves, and with them all frames they came through; no cycles are collected while importing.
    """
    try:
        validate(value)
    except ValidationError as error:
        held: BaseException | None = error
        while held is not None:
            if isinstance(held, ValidationError):
                held.error_list.clear()
            held = held.__context__
        return False
    return True


class TextWidget(Widget):
    """Any text up to the field's length in characters."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()
        self.max_length = field.max_length or 0

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        if len(value) > self.max_length:
            raise CellError("too_long", f"{len(value)} characters; at most {self.max_length} are allowed.")
        return value


class IntegerWidget(Widget):
    """A whole percentage: 10, 10%, 10.00 and 10,00 are ten. Row `discount`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        match = _DISCOUNT.fullmatch(value)
        if not match or len(match[1]) > 9 or int(match[1]) > 100:
            raise CellError("invalid_integer", "must be a whole number from 0 to 100, such as 10 or 10%.")
        return int(match[1])


class BooleanWidget(Widget):
    """An explicit list of spellings; anything else is an error."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        word = value.lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise CellError("invalid_boolean", "must be yes or no (also y/n, true/false, t/f, 1/0, on/off).")


class AddressTypeWidget(Widget):
    """B or S in any case. Row `address_type`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        if value.upper() not in ("B", "S"):
            raise CellError("invalid_choice", "must be B (billing) or S (shipping).")
        return value.upper()


class CurrencyWidget(Widget):
    """ISO 4217 in any case, stored in capitals. Row `price_type_currency_%`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        code = value.upper()
        if code not in currencies():
            raise CellError("invalid_currency", "must be a currency code of ISO 4217, such as USD or EUR.")
        return code


class CountryWidget(TextWidget):
    """ISO 3166-1 alpha-2 or alpha-3, an ISO or everyday English name, in any case; stored as alpha-2."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        super().clean(value)
        code = COUNTRIES.get(" ".join(value.casefold().split()))
        if code is None:
            raise CellError("invalid_country", "is not a country of ISO 3166, such as FR, FRA or France.")
        return code


class EmailWidget(TextWidget):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        super().clean(value)
        if _PLAIN_EMAIL.fullmatch(value):
            return value
        if not _is_valid(validate_email, value):
            raise CellError("invalid_email", "must be an e-mail address, such as name@example.com.")
        return value


class WebsiteWidget(TextWidget):
    """http or https; a bare host name is stored with https:// in front. Row `website`."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        address = value if "://" in value else f"https://{value}"
        super().clean(address)
        if _PLAIN_WEBSITE.fullmatch(address):
            return address
        is_email_or_login = "@" in address.partition("://")[2].partition("/")[0]
        if is_email_or_login or not _is_valid(_validate_url, address):
            raise CellError("invalid_website", "must be a web address, such as https://www.example.com.")
        return address


WIDGETS: dict[Kind, type[Widget]] = {
    Kind.TEXT: TextWidget,
    Kind.CODE: TextWidget,
    Kind.INTEGER: IntegerWidget,
    Kind.BOOLEAN: BooleanWidget,
    Kind.ADDRESS_TYPE: AddressTypeWidget,
    Kind.CURRENCY: CurrencyWidget,
    Kind.COUNTRY: CountryWidget,
    Kind.EMAIL: EmailWidget,
    Kind.WEBSITE: WebsiteWidget,
}

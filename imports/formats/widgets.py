"""Strict widgets: a cell becomes the value of its field, or a `CellError` says what would be right.

Every widget takes a trimmed cell that is not blank.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from import_export.widgets import Widget

from imports.errors import CellError
from imports.formats.countries import LANGUAGES, find_country, suggest_countries
from imports.formats.currencies import suggest_currencies
from imports.formats.mangling import SHORTENED
from imports.template import Group, Kind, TemplateField
from lookups.validators import currencies

if TYPE_CHECKING:
    from collections.abc import Callable

TRUE_WORDS = frozenset({"yes", "y", "true", "t", "1", "on"})
FALSE_WORDS = frozenset({"no", "n", "false", "f", "0", "off"})

_DISCOUNT = re.compile("(?=.*[0-9])([0-9]*)(?:[.,](0+))?[ \t\u00a0\u2009\u202f]?%?")
_validate_url = URLValidator(schemes=["http", "https"])

# Most addresses are plain; these accept only what Django's validators accept too, many times faster.
# Their groups are not possessive, which Python misreads before 3.11.5.
_PLAIN_EMAIL = re.compile(r"[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*@(?:[A-Za-z0-9]{1,63}+\.){1,4}[A-Za-z]{2,12}")
_IN_BRACKETS = re.compile(r"[<\[(]([^<>\[\]()]*)[>\])]")
_AT = re.compile(r"\s*(?:[(\[{<]\s*(?:at|ät|arobase|chiocciola|arroba|@)\s*[)\]}>]|\s(?:at|AT)\s)\s*", re.IGNORECASE)
_DOT = re.compile(r"\s*(?:[(\[{<]\s*(?:dot|punkt|point|punto|ponto|\.)\s*[)\]}>]|\s(?:dot|DOT)\s)\s*", re.IGNORECASE)
_POINTS = re.compile(r"\s*[.,;]+\s*")
_BETWEEN_EMAILS = re.compile(r"(?:[;,/|\s]|(?<=\s)(?:[&+]|and|or|und|oder|et|ou|e|o|y|u|en|of)(?=\s))+", re.IGNORECASE)
_AROUND_EMAIL = " \t.,;:'\"<>\N{NO-BREAK SPACE}"
_PLAIN_WEBSITE = re.compile(r"(?ai:https?)://(?:[A-Za-z0-9]{1,63}+\.){1,4}[A-Za-z]{2,12}")


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


def _explain_form(value: str) -> str:
    """Words for the first character that only looks like one of ASCII, which nobody sees; "" for none."""
    for sign in value if not value.isascii() else "":
        plain = normalize("NFKC", sign)
        if not sign.isascii() and plain.isascii() and plain.strip():
            return f" The {sign!r} in it is U+{ord(sign):04X}, another character than {plain!r}."
    return ""


class TextWidget(Widget):
    """Any text up to the field's length in characters."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()
        self.max_length = field.max_length or 0

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        if len(value) > self.max_length:
            raise CellError("too_long", f"{len(value)} characters; at most {self.max_length} are allowed.")
        return value


class CodeWidget(TextWidget):
    """Any text that is no number as spreadsheets shorten it."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        super().clean(value)
        if not value.isalnum() and SHORTENED.fullmatch(value):
            raise CellError(
                "mangled_code",
                "is a number as a spreadsheet shortens it: its last digits are lost. Send the code itself, as text.",
            )
        return value


class IntegerWidget(Widget):
    """A whole percentage: 10, 10%, 10.00 and 10,00 are ten, and .00 is zero, as IBM i writes it. Row `discount`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        match = _DISCOUNT.fullmatch(value)
        percent = int(match[1] or 0) if match and len(match[1]) < 10 else None
        may_be_thousands = bool(match and match[2] == "000" and percent)
        if percent is None or percent > 100 or may_be_thousands:
            hint = _explain_form(value)
            raise CellError("invalid_integer", f"must be a whole number from 0 to 100, such as 10 or 10%.{hint}")
        return percent


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
        why = f"must be yes or no (also y/n, true/false, t/f, 1/0, on/off).{_explain_form(value)}"
        raise CellError("invalid_boolean", why)


class AddressTypeWidget(Widget):
    """B or S in any case. Row `address_type`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        if value.upper() not in ("B", "S"):
            raise CellError("invalid_choice", f"must be B (billing) or S (shipping).{_explain_form(value)}")
        return value.upper()


class CurrencyWidget(Widget):
    """ISO 4217 in any case, stored in capitals. Row `price_type_currency_%`."""

    def __init__(self, field: TemplateField) -> None:
        super().__init__()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        code = value.upper()
        if code not in currencies():
            hint = suggest_currencies(value)
            raise CellError("invalid_currency", f"must be a currency code of ISO 4217, such as USD or EUR.{hint}")
        return code


class CountryWidget(TextWidget):
    """ISO 3166-1 alpha-2 or alpha-3, or a name in English or the languages of the format; stored as alpha-2."""

    def __init__(self, field: TemplateField, languages: tuple[str, ...] = ()) -> None:
        super().__init__(field)
        self.languages = languages
        self.named_in = "".join(f" or in {LANGUAGES[language]}" for language in languages)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        code = find_country(value, self.languages)
        if not code:
            super().clean(value)
            example = f"such as FR, FRA or France{self.named_in}."
            hint = suggest_countries(value, self.languages)
            raise CellError("invalid_country", f"is not a country of ISO 3166, {example}{hint}")
        return code


class EmailWidget(TextWidget):
    """One e-mail address, also as mail programs write it: Name <a@b.example>, mailto:a@b.example, a@b.example;"""

    def __init__(self, field: TemplateField) -> None:
        super().__init__(field)
        self.is_buyer = field.group is Group.BUYERS

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        if _PLAIN_EMAIL.fullmatch(value) and len(value) <= self.max_length:
            return value
        addresses = find_emails(value)
        valid = [address for address in addresses if _is_valid(validate_email, address)]
        if len(valid) == len(addresses) > 1:
            more = "Send one in each field, " if self.is_buyer else "Send one here, and those of buyers in "
            count = f"{len(addresses)} addresses ({', '.join(addresses[:3])}{', …' if len(addresses) > 3 else ''})"
            raise CellError("invalid_email", f"holds {count}. {more}buyer_email_1, buyer_email_2 and so on.")
        if len(addresses) == 1:
            super().clean(addresses[0])
        if not len(valid) == len(addresses) == 1:
            hint = _suggest_email(value) or _explain_form(value)
            why = f"must be an e-mail address, such as name@example.com.{hint}"
            raise CellError("invalid_email", why)
        return valid[0]


def _suggest_email(value: str) -> str:
    """Words for the address that a text may mean in which its signs are written as words, or mistyped; "" for none."""
    text = _DOT.sub(".", _AT.sub("@", value.strip(_AROUND_EMAIL)))
    name, _, host = re.sub("@+", "@", text).partition("@")
    meant = f"{name.strip()}@{_POINTS.sub('.', host).strip('. ')}"
    return f" {meant!r} may be meant." if meant != value and _is_valid(validate_email, meant) else ""


def find_emails(value: str) -> list[str]:
    """The different texts of a cell that stand where an e-mail address does: in brackets, or alone.

    A name stands outside of the brackets. What stands beside an address without any may be a part of it.
    """
    bracketed = [text for text in _IN_BRACKETS.findall(value) if "@" in text]
    outside = _IN_BRACKETS.sub(" ", value)
    parts = [outside, *bracketed] if "@" in outside else bracketed
    addresses: dict[str, str] = {}
    for part in parts:
        listed = [text for text in _BETWEEN_EMAILS.split(part.strip(_AROUND_EMAIL)) if text]
        is_list = len(listed) > 1 and all(_is_valid(validate_email, _bare_email(text)) for text in listed)
        for text in listed if is_list else [part]:
            address = _bare_email(text)
            addresses.setdefault(address.lower(), address)
    return list(addresses.values())


def _bare_email(text: str) -> str:
    """An address without what programs write around it."""
    bare = text.strip(_AROUND_EMAIL)
    if bare[:7].lower() == "mailto:":
        bare = bare[7:].partition("?")[0].strip(_AROUND_EMAIL)
    return bare


class WebsiteWidget(TextWidget):
    """http or https; a bare host name is stored with https:// in front. Row `website`."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> object:
        address = value if "://" in value else f"https://{value}"
        super().clean(address)
        if _PLAIN_WEBSITE.fullmatch(address):
            return address
        is_email_or_login = "@" in address.partition("://")[2].partition("/")[0]
        if is_email_or_login or not _is_valid(_validate_url, address):
            why = f"must be a web address, such as https://www.example.com.{_explain_form(value)}"
            raise CellError("invalid_website", why)
        return address


WIDGETS: dict[Kind, type[Widget]] = {
    Kind.TEXT: TextWidget,
    Kind.CODE: CodeWidget,
    Kind.INTEGER: IntegerWidget,
    Kind.BOOLEAN: BooleanWidget,
    Kind.ADDRESS_TYPE: AddressTypeWidget,
    Kind.CURRENCY: CurrencyWidget,
    Kind.COUNTRY: CountryWidget,
    Kind.EMAIL: EmailWidget,
    Kind.WEBSITE: WebsiteWidget,
}


def make_widget(field: TemplateField, languages: tuple[str, ...] = ()) -> Widget:
    """The widget of a field; `languages` are those in which a format's countries are named beside English."""
    return CountryWidget(field, languages) if field.kind is Kind.COUNTRY else WIDGETS[field.kind](field)

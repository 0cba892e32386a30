"""Rules for single values of the lists, shared by forms, files and programs."""

from __future__ import annotations

from functools import cache

import pycountry
from django.core.exceptions import ValidationError

from lookups.texts import find_controls, name_controls


@cache
def currencies() -> frozenset[str]:
    """The currency codes of ISO 4217."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def validate_currency(value: str) -> None:
    if value not in currencies():
        raise ValidationError("must be a currency code of ISO 4217 in capitals, such as EUR.", code="invalid_currency")


def validate_trimmed(value: str) -> None:
    """Files are compared after trimming, so a stored value with spaces around it could never be found."""
    if value != value.strip():
        raise ValidationError("must not begin or end with a space.", code="not_trimmed")
    if "\0" in value:
        raise ValidationError("must not contain NUL characters.", code="nul")


def validate_text(value: str) -> None:
    """Text may have lines and tabs."""
    _refuse_controls(find_controls(value, is_key=False))


def validate_key(value: str) -> None:
    _refuse_controls(find_controls(value, is_key=True))


def _refuse_controls(found: list[str]) -> None:
    if found and found != ["\0"]:  # which has its own word
        raise ValidationError(f"must not contain {name_controls(found)}.", code="control_character")


def lower_ascii(text: str) -> str:
    """A text as it is compared in any case: ASCII letters only, just as the "C" collation of the constraints lowers."""
    return text.encode().lower().decode()

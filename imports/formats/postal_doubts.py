"""Doubts of postal codes: what seems wrong with one that has not the form of its country, and what may be meant."""

from __future__ import annotations

from connections.nothing import NOT_YET, ZEROS, says_nothing
from imports.formats.postal_codes import (
    count_digits,
    find_confused,
    find_full_code,
    has_no_digit,
    is_incomplete,
    lacks_letters,
)

_EXAMPLES = {"CA": "K1A 0B1", "GB": "SW1A 1AA", "NL": "1017 AB"}


def doubt_postal_code(code: str, country: str) -> str:
    """What seems wrong with a postal code, and what may be meant; "" for nothing."""
    if full := find_full_code(code, country):
        return (
            f"has too few digits for a postal code of {country}; {full!r} may be meant, whose zeros a spreadsheet took "
            "off. Send it as text."
        )
    if meant := find_confused(code, country):
        return (
            f"is no postal code of {country}; {meant!r} may be meant, with a digit for the letter that looks like it, "
            "or the other way round."
        )
    if has_no_digit(code, country) and code not in NOT_YET and code not in ZEROS and not says_nothing(code):
        return f"holds no digit, and so no postal code of {country}. Send the code, or leave the cell blank."
    if lacks_letters(code, country):
        return f"holds no letter, and so no postal code of {country}. Send the code as the post writes it."
    if is_incomplete(code, country):
        return f"is no whole postal code of {country}, which is like {_EXAMPLES[country]}. Send all of it."
    if lengths := count_digits(code, country):
        wanted = " or ".join(map(str, lengths))
        return f"is no postal code of {country}, which has {wanted} digits. Send the whole code, as text."
    return ""

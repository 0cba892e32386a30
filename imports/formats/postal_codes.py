"""Postal codes: in which countries they are digits that may begin with zeros, which spreadsheets take off."""

from __future__ import annotations

import re

_FIVE = "AX DE EE ES FI FR GP GT IT KR LA LK LT MC MM MQ MX MY PE PL PM RE SA SK SM TR UA VA YT"
_LENGTHS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_FIVE.split(), (5,)),
    **dict.fromkeys(("AS", "GU", "MP", "PR", "US", "VI"), (5, 9)),
    **dict.fromkeys(("AM", "AU", "DK", "GE", "NO", "NZ", "PH", "ZA"), (4,)),
    **dict.fromkeys(("CN", "CO", "EC", "KZ", "RO", "SG"), (6,)),
    "JP": (7,),
    "BR": (8,),
}
"""How many digits they have, by country."""
_BETWEEN = re.compile("[- ]")


def find_full_code(code: str, country: str) -> str:
    """A trimmed postal code with the zeros that it seems to lack in front; "" where it seems to lack none."""
    lengths = _LENGTHS.get(country)
    if lengths is None or (len(code) in lengths and code.isdigit()):
        return ""
    digits = _BETWEEN.sub("", code)
    if not digits.isdigit() or not digits.isascii():
        return ""
    wanted = next((length for length in lengths if length >= len(digits)), 0)
    lost = wanted - len(digits)
    return "0" * lost + code if lost > 0 and not code.startswith("0") else ""

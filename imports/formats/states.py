"""States: which there are in the US and Canada, and countries that are called like one of the US.

GA is Gabon and Georgia, CA is Canada and California: where state and postal code are American, the state was meant.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from imports.formats.postal_codes import is_foreign

_STATES = {
    "US": """
        AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR
        PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR VI GU AS MP UM AA AE AP FM MH PW
    """,
    "CA": "AB BC MB NB NL NF LB NS NT NU ON PE QC PQ SK YT YK",
}
"""By country, the codes of its states, with territories, posts of the army and codes that are no longer used."""
_CODES = {country: frozenset(codes.split()) for country, codes in _STATES.items()}
_CODE = re.compile(r"[A-Za-z]{2}|[^A-Za-z]+", re.ASCII)

_LIKE_COUNTRIES = """
AL Alabama 350-369
AR Arkansas 716-729
AZ Arizona 850-865
CA California 900-961
CO Colorado 800-816
DE Delaware 197-199
GA Georgia 300-319 398-399
ID Idaho 832-838
IL Illinois 600-629
IN Indiana 460-479
KY Kentucky 400-427
LA Louisiana 700-714
MA Massachusetts 010-027 055-055
MD Maryland 206-219
ME Maine 039-049
MN Minnesota 550-567
MO Missouri 630-658
MS Mississippi 386-397
MT Montana 590-599
NC North_Carolina 270-289
NE Nebraska 680-693
PA Pennsylvania 150-196
SC South_Carolina 290-299
SD South_Dakota 570-577
TN Tennessee 370-385
VA Virginia 201-201 220-246
"""
"""States of the US whose codes are also those of countries, each with how its postal codes begin."""
_US_ZIP = re.compile(r"([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?", re.ASCII)


class _State(NamedTuple):
    code: str
    name: str
    zips: tuple[tuple[str, ...], ...]
    """The first and last three digits with which its postal codes begin."""


def _read_states() -> dict[str, _State]:
    states = {}
    for line in _LIKE_COUNTRIES.split("\n")[1:-1]:
        code, name, *zips = line.split()
        states[code] = _State(code, name.replace("_", " "), tuple(tuple(part.split("-")) for part in zips))
    return states | {"GE": states["GA"]}


_LIKE = _read_states()
"""By the code of a country, the state that has its code or its name."""


def find_state_meant(country: str, state: str, code: str) -> str:
    """The state of the US that is meant by the country of an address, as its state and postal code say; "" for none."""
    if (found := _LIKE.get(country)) is None:
        return ""
    says_state = state.casefold() in (found.code.casefold(), found.name.casefold())
    if not code:  # a state that only repeats the country tells nothing
        is_told = says_state and state.upper() != country and (country, state.casefold()) != ("GE", "georgia")
        return found.name if is_told else ""
    if not (zip_code := _US_ZIP.fullmatch(code)) or not (says_state or is_foreign(code, country)):
        return ""
    return found.name if any(first <= zip_code[1] <= last for first, last in found.zips) else ""


def is_no_state(state: str, country: str) -> bool:
    """Whether the state of an address in the US or Canada is a code that neither has, or has no letter: XX, 00."""
    codes = _CODES.get(country)
    if codes is None or state in codes:
        return False
    return _CODE.fullmatch(state) is not None and state.upper() not in codes

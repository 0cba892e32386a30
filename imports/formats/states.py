"""States: which there are in countries that require them, and countries that are called like one of the US.

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
    "AU": "ACT NSW NT QLD SA TAS VIC WA JBT",
    "JP": "",
}
"""By country, the codes of its states, with territories, posts of the army and codes that are no longer used."""
_NAMES = {
    "US": """
        alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|georgia|hawaii|idaho|illinois
        indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri
        montana|nebraska|nevada|new hampshire|new jersey|new mexico|new york|north carolina|north dakota|ohio|oklahoma
        oregon|pennsylvania|rhode island|south carolina|south dakota|tennessee|texas|utah|vermont|virginia|washington
        west virginia|wisconsin|wyoming|district of columbia
    """,
    "CA": """
        alberta|british columbia|manitoba|new brunswick|newfoundland|newfoundland and labrador|nova scotia|ontario
        prince edward island|quebec|québec|saskatchewan|northwest territories|nunavut|yukon
    """,
    "AU": """
        new south wales|victoria|queensland|south australia|western australia|tasmania|northern territory
        australian capital territory
    """,
    "JP": "tokyo|osaka|kyoto|hokkaido|東京都|大阪府|京都府|北海道",
}
_CODES = {country: frozenset(codes.split()) for country, codes in _STATES.items()}
_COUNTRY_OF = {
    name: country
    for country, names in _NAMES.items()
    for name in map(str.strip, names.strip().replace("\n", "|").split("|"))
}
"""By the name of a state, in small letters, its country."""
_FORMS = {"AU": r"[A-Za-z]{2,3}|[^A-Za-z]+", "JP": "[A-Za-z]{2}"}
_FORM = {country: re.compile(_FORMS.get(country, r"[A-Za-z]{2}|[^A-Za-z]+"), re.ASCII) for country in _STATES}
"""What is a code of a state there, or nothing that may be one: states of Japan have numbers."""

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
    """Whether the state of an address in the US, Canada, Australia or Japan is a code that the country does not have
    (XX, 00), or the name of a state of another one of these.
    """
    codes = _CODES.get(country)
    if codes is None or state in codes:
        return False
    if _FORM[country].fullmatch(state):
        return state.upper() not in codes
    return _COUNTRY_OF.get(state.lower(), country) != country

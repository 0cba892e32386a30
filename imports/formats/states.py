"""States: which there are in countries that require them, and countries that are called like one of the US.

GA is Gabon and Georgia, CA is Canada and California: where state and postal code are American, the state was meant.
"""

from __future__ import annotations

import re
from functools import lru_cache

from connections.rules import country_names
from imports.formats.postal_codes import is_foreign
from imports.formats.us_states import STATES

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

_WORD = re.compile(r"[^\W_]+")
_FEWEST_LETTERS = 3
_JOINED_NAMES = frozenset("".join(state.name.casefold().split()) for state in STATES.values())
_NAMED_TOO = """
fla penna nmex ndak sdak armed forces army puerto rico virgin islands guam samoa mariana marianas
"""
_NAMING = frozenset(f"{' '.join(state.name for state in STATES.values())} {_NAMED_TOO}".casefold().split()) - {
    "new", "north", "south", "west", "of",
}  # fmt: skip
"""Words that name a state of the US, or a territory or post of the army."""

_LIKE = {code: state for code, state in STATES.items() if code in country_names()} | {"GE": STATES["GA"]}
"""By the code of a country, the state that has its code or its name."""


def find_state_meant(country: str, state: str, code: str) -> str:
    """The state of the US that is meant by the country of an address, as its state and postal code say; "" for none."""
    if (found := _LIKE.get(country)) is None:
        return ""
    says_state = state.casefold() in (found.code.casefold(), found.name.casefold())
    if not code:  # a state that only repeats the country tells nothing
        is_told = says_state and state.upper() != country and (country, state.casefold()) != ("GE", "georgia")
        return found.name if is_told else ""
    return found.name if found.has(code) and (says_state or is_foreign(code, country)) else ""


@lru_cache(maxsize=4096)
def is_no_state(state: str, country: str) -> bool:
    """Whether the state of an address in the US, Canada, Australia or Japan is a code that the country does not have
    (XX, 00), or the name of a state of another one of these.
    """
    codes = _CODES.get(country)
    if codes is None or state in codes:
        return False
    if _FORM[country].fullmatch(state):
        return state.upper() not in codes
    if (known := _COUNTRY_OF.get(state.lower())) is not None:
        return known != country
    return country == "US" and state != "" and not _may_be_us_state(state)


def _may_be_us_state(text: str) -> bool:
    """Whether a text that is no state's name may mean one: Calif., N.Y., NJ - New Jersey, So. Carolina, Puerto Rico."""
    words = _WORD.findall(text.casefold().replace(".", ""))
    joined = "".join(words)
    if len(joined) >= _FEWEST_LETTERS and any(name.startswith(joined) for name in _JOINED_NAMES):
        return True
    return any(word in _NAMING or word.upper() in _CODES["US"] for word in [*words, joined])

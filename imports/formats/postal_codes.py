"""Postal codes: what spreadsheets and hands make of them, by country: zeros lost in front, letters for digits."""

from __future__ import annotations

import re
from itertools import product

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
_FOUR = "AT BE BG CH CY HU LI LU SI TN"
_ALL_LENGTHS = {
    **dict.fromkeys(_FOUR.split(), (4,)), **dict.fromkeys(("HR", "RS", "GR", "SE", "CZ"), (5,)),
    **dict.fromkeys(("IN", "RU", "VN", "BY"), (6,)), "PT": (4, 7), **_LENGTHS,
}  # fmt: skip
"""The same of countries, too, whose codes never begin with a zero."""
_FORMS = {
    "CA": re.compile(r"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ -]?[0-9][ABCEGHJ-NPRSTV-Z][0-9]"),
    "GB": re.compile(r"[A-Z]{1,2}[0-9](?:[0-9]|[A-Z])? ?[0-9][ABD-HJLNP-UW-Z]{2}|BFPO ?[0-9]+|GIR ?0AA"),
    "NL": re.compile(r"[1-9][0-9]{3} ?[A-Z]{2}"),
    **{
        country: re.compile("|".join(f"(?:[A-Z]{{1,2}}-)?(?:[0-9][ -]?){{{length - 1}}}[0-9]" for length in lengths))
        for country, lengths in _ALL_LENGTHS.items()
    },
}
"""What postal codes are like, in capitals."""
_MIXED = ("CA", "GB", "NL")
"""Countries whose codes are made of letters and digits."""
_ALIKE = {"O": "O0", "0": "0O", "I": "I1", "L": "L1", "1": "1I"}
MOST_ALIKE = 8
"""How many such letters are tried in all ways."""


def has_form(code: str, country: str) -> bool:
    """Whether a trimmed postal code has the form of its country, in capitals: nothing else is to be asked about it."""
    form = _FORMS.get(country)
    return form is not None and form.fullmatch(code) is not None


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


def find_confused(code: str, country: str) -> str:
    """A trimmed postal code in which digits stand for the letters that look like them, or letters for digits, as it may
    be meant (SW1A 0AA for SW1A OAA); "" where it has the form of its country, or none can be told.
    """
    form = _FORMS.get(country)
    if form is None or code.isdigit():
        return ""
    capitals = code.upper()
    choices = [_ALIKE.get(letter, letter) for letter in capitals]
    if sum(len(choice) > 1 for choice in choices) > MOST_ALIKE or form.fullmatch(capitals):
        return ""
    meant = {text for letters in product(*choices) if form.fullmatch(text := "".join(letters))}
    return meant.pop() if len(meant) == 1 else ""


def is_foreign(code: str, country: str) -> bool:
    """Whether a trimmed postal code has another form than those of its country, where that is known."""
    return country in _FORMS and not has_form(code.upper(), country)


def is_incomplete(code: str, country: str) -> bool:
    """Whether a trimmed postal code with letters and digits has another form than those of its country have, which are
    made of both: 1017 A in the Netherlands. What stands between its parts does not matter, nor does the country's sign.
    """
    if country not in _MIXED or not any(map(str.isalpha, code)) or not any(map(str.isdigit, code)):
        return False
    letters = "".join(filter(str.isalnum, code.upper()))
    return not has_form(letters, country) and not has_form(letters.removeprefix(country), country)


def has_no_digit(code: str, country: str) -> bool:
    """Whether a postal code of a country whose codes are known, all of which have digits, has none: a city, say."""
    return country in _FORMS and not any(map(str.isdigit, code))


_TELLING = {
    "CA": _FORMS["CA"], "GB": _FORMS["GB"], "NL": _FORMS["NL"],
    "IE": re.compile(r"(?:[AC-FHKNPRTV-Y][0-9]{2}|D6W) ?[AC-FHKNPRTV-Y0-9]{4}"),
    "JP": re.compile(r"[0-9]{3}-[0-9]{4}"), "BR": re.compile(r"[0-9]{5}-[0-9]{3}"),
    "PL": re.compile(r"[0-9]{2}-[0-9]{3}"), "PT": re.compile(r"[0-9]{4}-[0-9]{3}"),
    "US": re.compile(r"[0-9]{5}-[0-9]{4}"),
}  # fmt: skip
"""What postal codes are like that no other country has."""
_CHANGED = frozenset({"KR", "KZ", "LT", "RS", "SA", "SG", "VN"})
"""Countries whose codes had, or have beside the usual ones, other numbers of digits, so that old ones still come."""
_SHARED = dict.fromkeys(("GG", "IM", "JE"), "GB") | dict.fromkeys(("AS", "GU", "MP", "PR", "VI"), "US")
"""Countries with postal codes of another one."""


def find_country(code: str) -> str:
    """The country whose postal codes alone are like a trimmed one; "" where several have such."""
    return next((country for country, form in _TELLING.items() if form.fullmatch(code.upper())), "")


def find_other_country(code: str, country: str) -> str:
    """The country that a trimmed postal code is of which has not the form of its own; "" where none can be told.

    Five digits in Canada are of the US, which more often than not is meant.
    """
    if not is_foreign(code, country) or find_full_code(code, country):
        return ""
    other = find_country(code) or ("US" if country == "CA" and not is_foreign(code, "US") else "")
    return "" if other == postal_country(country) else other


def count_digits(code: str, country: str) -> tuple[int, ...]:
    """How many digits postal codes of a country have, where a trimmed one has another number of them; () elsewhere."""
    lengths = _ALL_LENGTHS.get(country, ())
    digits = _BETWEEN.sub("", code)
    is_wrong = country not in _CHANGED and digits.isdecimal() and digits.isascii() and len(digits) not in lengths
    return lengths if is_wrong else ()


def lacks_letters(code: str, country: str) -> bool:
    """Whether a trimmed postal code is of digits alone, in a country whose codes all begin with letters."""
    return country in ("CA", "GB") and code.isdecimal()


def postal_country(country: str) -> str:
    """The country whose postal codes a country has, which is another one for Jersey or Puerto Rico."""
    return _SHARED.get(country, country)

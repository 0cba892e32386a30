"""Near-keys: what is left of a customer code without what spreadsheets, keyboards and other programs change of it.

Codes are compared exactly. Two that differ but have the same near-key look like one: somebody should be told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from django.utils.text import get_text_list

from lookups.texts import BRAILLE_BLANK, drop_controls, drop_invisible

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 100
"""Characters of a near-key; compatibility forms can be many times as long as their code."""
MOST_NAMED = 3
"""How many characters a sentence names."""

_QUOTES = (
    "'\"`\u00b4\u00ab\u00bb\u02b9\u02ba\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
    "\u2032\u2033\u2035\u2036\u2039\u203a\u275b\u275c\u275d\u275e\u300c\u300d\u301d\u301e\u301f\uff02\uff07"
)
_IN_FRONT = f"=+{_QUOTES}"
_DASHES = "\u02d7\u2043\u2212\u2796"
_THOUSANDS = re.compile(r"^([1-9][0-9]{0,2})((?P<mark>[.,'])[0-9]{3}(?:(?P=mark)[0-9]{3})*)(?=[.,]0*$|$)")
_DECIMALS = re.compile(r"(?<=[^.,])[.,]0*$")
_LEADING_ZEROS = re.compile(r"^0+(?=\w)")
_PLAIN = re.compile(r"0*([1-9A-Za-z][0-9A-Za-z_/-]*)", re.ASCII)
"""A code of which nothing but case and leading zeros can be taken."""
_SEPARATORS = re.compile(r"(?<=[^\W_])[-_/.,:#\\|]+(?=[^\W_])")
_FORM = "the form of its characters"
_ALIKE_LETTERS = ("авекмнорстухѕіјԛԝһ" + "αβεζηικμνορτυχ", "abekmhopctyxsijqwh" + "abezhikmnoptyx")
_LETTERS_ALIKE = {
    **str.maketrans(*_ALIKE_LETTERS),
    **str.maketrans(*(letters.upper() for letters in _ALIKE_LETTERS)),
}
"""Cyrillic and Greek letters, and those of ASCII that they look like, as small or as capital letters."""


def near_key(code: str) -> str:
    """The near-key of a trimmed code that is not blank; it is not blank either.

    It is stored with every connection: who changes what it comes to has a migration fill `near_key` anew, and
    empty `MatchingProgress`, so that what connections are found by is written anew, too.
    """
    if plain := _PLAIN.fullmatch(code):
        return _with_plain_separators(plain[1].lower())[:LONGEST]
    return _take_away(code)[0][:LONGEST]


def name_differences(first: str, second: str) -> str:
    """What two different codes with the same near-key differ in: "case and leading zeros"."""
    kinds = {*_take_away(first)[1], *_take_away(second)[1]}
    telling = [
        kind for kind, _ in _STEPS if kind in kinds and _take_away(first, kind)[0] != _take_away(second, kind)[0]
    ]
    shared = {*first.casefold()} & {*second.casefold()}
    characters = sorted(char for char in {*first} ^ {*second} if not _is_plain(char, shared))
    named = ", ".join(f"U+{ord(char):04X}" for char in characters[:MOST_NAMED])
    more = ", …" if len(characters) > MOST_NAMED else ""
    return get_text_list(telling or [_FORM], "and") + (f" ({named}{more})" if named else "")


def _is_plain(char: str, shared: set[str]) -> bool:
    """Whether a character says for itself what it is, or is the other case of one that both codes have."""
    return (char.isascii() and char.isprintable()) or ({*char.casefold()} <= shared and _in_one_form(char) == char)


def _take_away(code: str, left_out: str = "") -> tuple[str, list[str]]:
    """What is left of a code after all steps but one, and the kinds of those that took something away."""
    kinds = []
    for kind, reduce in _STEPS:
        if kind != left_out and (reduced := reduce(code)) != code and reduced:
            kinds.append(kind)
            code = reduced
    return code, kinds


class _Characters(dict[int, str]):
    """What dashes, quotes and the digits of all scripts are in ASCII, for `str.translate`; each is looked up once."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        category = unicodedata.category(char)
        if category == "Nd":
            self[point] = str(unicodedata.decimal(char))
        elif category == "Pd" or char in _DASHES:
            self[point] = "-"
        else:
            self[point] = "'" if char in _QUOTES else char
        return self[point]


_ALIKE = _Characters()


def _in_one_form(code: str) -> str:
    """NFKC, with dashes, quotes and digits as they stand in ASCII. Some quotes are no characters in NFKC, so twice."""
    return unicodedata.normalize("NFKC", code.translate(_ALIKE)).translate(_ALIKE)


def _in_one_case(code: str) -> str:
    """Folded, and as Turkish folds its I."""
    return _composed(code.casefold().replace("i\u0307", "i").replace("ı", "i"), code)


def _without_spaces(code: str) -> str:
    return _composed("".join(code.split()), code)


def _composed(code: str, before: str) -> str:
    """What came of a code in one form, in that form again. What did not change is left, whatever its form is."""
    return code if code == before else unicodedata.normalize("NFKC", code)


def _with_plain_separators(code: str) -> str:
    """One hyphen between digits, as 10-1 is not 101, and no separator where letters tell the parts of a code."""
    return code if code.isalnum() else _SEPARATORS.sub(_hyphen_between_digits, code)


def _hyphen_between_digits(found: re.Match[str]) -> str:
    return "-" if found.string[found.start() - 1].isdigit() and found.string[found.end()].isdigit() else ""


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("invisible characters", lambda code: drop_controls(drop_invisible(code).replace(BRAILLE_BLANK, ""))),
    (_FORM, _in_one_form),
    ("spaces", _without_spaces),
    ("case", _in_one_case),
    ("letters of another script", lambda code: code.translate(_LETTERS_ALIKE)),
    ("marks around it", lambda code: code.lstrip(_IN_FRONT).rstrip(_QUOTES)),
    ("leading zeros", lambda code: _LEADING_ZEROS.sub("", code)),
    ("separators of thousands", lambda code: _THOUSANDS.sub(_join_thousands, code)),
    ("zeros behind a decimal point", lambda code: _DECIMALS.sub("", code)),
    ("separators", _with_plain_separators),
)
"""What two codes may differ in, each with a function that takes it away. Each goes on with what the last one left."""


def _join_thousands(found: re.Match[str]) -> str:
    return found[1] + found[2].replace(found["mark"], "")

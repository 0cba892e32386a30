"""Months as senders write them in names of files, in most languages of Europe."""

from __future__ import annotations

import unicodedata
from functools import cache

from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_ALT, MONTHS_AP

LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "pt")
MORE_LANGUAGES = ("sv", "da", "nb", "pl", "cs", "sk", "hu", "ro", "tr", "el", "ru")
"""What these call a month is looked for where none of the others has such a word: Finnish, in which March is not "mar",
and Croatian, in which "listopad" is not November, would contradict them.
"""
SHORTEST = 3
"""Letters of an abbreviation."""
_OTHER_SPELLINGS = {"maerz": 3, "mrz": 3, "mae": 3, "janner": 1, "jaenner": 1, "jaen": 1, "aout": 8}
"""Of German without its letters, and of Austria."""


def read_month(name: str) -> int | None:
    """The number of a month by its name or an abbreviation, with or without accents and a dot; none for neither."""
    plain = _plain(name)
    numbers = _numbers(LANGUAGES) | _OTHER_SPELLINGS
    return numbers[plain] if plain in numbers else _numbers(MORE_LANGUAGES).get(plain)


@cache
def _numbers(languages: tuple[str, ...]) -> dict[str, int | None]:
    """By name; an abbreviation that two months have is none, unless it is the whole name of one."""
    names: dict[str, set[int]] = {}
    short: dict[str, set[int]] = {}
    for language in languages:
        with translation.override(language):
            for number in range(1, 13):
                full = _plain(str(MONTHS[number]))
                for name in (full, _plain(str(MONTHS_ALT[number]))):
                    names.setdefault(name, set()).add(number)
                beginnings = (full[:end] for end in range(SHORTEST, len(full)))
                for name in (_plain(str(MONTHS_3[number])), _plain(str(MONTHS_AP[number])), *beginnings):
                    short.setdefault(name, set()).add(number)
    return {name: min(found) if len(found) == 1 else None for name, found in (short | names).items()}


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalpha())

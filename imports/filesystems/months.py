"""Months as senders write them in names of files, in the languages that onboarding reads."""

from __future__ import annotations

import unicodedata
from functools import cache

from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_AP

LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "pt")
SHORTEST = 3
"""Letters of an abbreviation."""
_OTHER_SPELLINGS = {"maerz": 3, "mrz": 3, "mae": 3, "janner": 1, "jaenner": 1, "jaen": 1, "aout": 8}
"""Of German without its letters, and of Austria."""


def read_month(name: str) -> int | None:
    """The number of a month by its name or an abbreviation, with or without accents and a dot; none for neither."""
    return _numbers().get(_plain(name))


@cache
def _numbers() -> dict[str, int]:
    """By name; an abbreviation that two months have is none."""
    names: dict[str, set[int]] = {}
    for language in LANGUAGES:
        with translation.override(language):
            for number in range(1, 13):
                full = _plain(str(MONTHS[number]))
                for name in (full, _plain(str(MONTHS_3[number])), _plain(str(MONTHS_AP[number]))):
                    names.setdefault(name, set()).add(number)
                for end in range(SHORTEST, len(full)):
                    names.setdefault(full[:end], set()).add(number)
    return {name: min(found) for name, found in names.items() if len(found) == 1} | _OTHER_SPELLINGS


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalpha())

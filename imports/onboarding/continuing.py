"""Continuing: rows that go on with the customer of the row above, as lists of contacts below a customer do.

The customer's code stands on its first row alone, and so does what else is the customer's.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imports.onboarding.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 2
MOST = 0.8
"""How many rows, and which share of all of them, continue others."""
ALMOST_ALL = 0.9
MANY = 0.3
"""The share of different values from which on codes may be those of customers."""


def find_continued(rows: Sequence[Sequence[str]]) -> tuple[list[int], list[int]]:
    """The rows that continue the one above, and the columns that they leave blank; nothing where none does.

    On all of them the same columns are blank, on no other row one of these: among them a code, and a name. Where each
    row has a code, it is the customer's, and what is blank is another address.
    """
    blank: dict[int, list[int]] = defaultdict(list)
    for index in range(len(rows[0])):
        pattern = 0
        for number, cells in enumerate(rows):
            if not cells[index].strip():
                pattern |= 1 << number
        blank[pattern].append(index)
    if any(_may_be_code(Profile([cells[index] for cells in rows])) for index in blank.get(0, ())):
        return [], []
    for pattern, columns in blank.items():
        is_first = pattern & 1
        if is_first or len(columns) < 2 or not FEWEST <= pattern.bit_count() <= len(rows) * MOST:
            continue
        profiles = [Profile([cells[index] for cells in rows]) for index in columns]
        has_code = any(profile.uniqueness == 1 and profile.codes > ALMOST_ALL for profile in profiles)
        if has_code and any(profile.letters > ALMOST_ALL and profile.uniqueness > ALMOST_ALL for profile in profiles):
            lasting = [
                index
                for other, indexes in blank.items()
                if not other & 1 and other & pattern == pattern
                for index in indexes
            ]
            return [number for number in range(len(rows)) if pattern >> number & 1], lasting
    return [], []


def _may_be_code(profile: Profile) -> bool:
    return profile.codes > ALMOST_ALL and not profile.emails and profile.uniqueness > MANY


def fill_down(rows: list[list[str]]) -> tuple[list[list[str]], bool]:
    """The rows with what they continue written out, and whether some do."""
    continued, columns = find_continued(rows) if rows else ([], [])
    filled = list(rows)
    for number in continued:
        cells = list(filled[number])
        for index in columns:
            cells[index] = filled[number - 1][index]
        filled[number] = cells
    return filled, bool(continued)

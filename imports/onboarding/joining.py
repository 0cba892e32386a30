"""Joining: columns that make one field together, first and last name, or a street and the number of the house."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.onboarding.proposals import SURE
from imports.template import Target, normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.columns import Column

JOINED = 0.9
"""The confidence of a name that is joined from first and last name."""
PERSONS = ("contact", "", "customer", "billing")
"""Whose first and last name may be the buyer's."""
MOST_BARE = 0.8
"""The share of streets that must lack a number, and of numbers behind them that may be it."""


def settle_last_name(columns: Sequence[Column]) -> None:
    """A bare "Name" beside "First name" is the person's, where another column may be the customer's."""
    first = _find_part(columns, "first_name")
    last = _find_last_name(columns, first) if first else None
    others = [column for column in columns if Target("profile_name") in column.candidates and column is not last]
    if last is not None and any(column.candidates[Target("profile_name")].confidence > SURE for column in others):
        last.candidates.pop(Target("profile_name"), None)
        last.candidates.pop(Target("buyer_name"), None)


def _find_part(columns: Sequence[Column], part: str) -> Column | None:
    by_owner = {
        column.best.owner: column
        for column in reversed(columns)
        if column.best and column.best.part == part and not column.profile.is_blank
    }
    return next((by_owner[owner] for owner in PERSONS if owner in by_owner), None)


def _find_last_name(columns: Sequence[Column], first: Column) -> Column | None:
    """The last name: by its own words, or a bare "Name" beside the first name where another names the customer."""
    if last := _find_part(columns, "last_name"):
        return last
    for index in (first.index - 1, first.index + 1):
        column = columns[index] if 0 <= index < len(columns) else None
        if column and column.best and column.best.part == "name" and column.best.owner in PERSONS:
            return column
    return None


class Joiner:
    """Joins columns that were given their fields: `templates` and `notes` are by the index of the column."""

    def __init__(
        self, columns: Sequence[Column], chosen: dict[int, Target], templates: dict[int, str], notes: dict[int, str]
    ) -> None:
        self.columns = columns
        self.chosen = chosen
        self.templates = templates
        self.notes = notes

    def join(self) -> None:
        self._join_names()
        self._join_house_numbers()

    def _join_names(self) -> None:
        """First and last name make one field: the buyer's, or the customer's where no column names the customer."""
        first = _find_part(self.columns, "first_name")
        last = _find_last_name(self.columns, first) if first else None
        if first is None or last is None:
            return
        taken = set(self.chosen.values())
        target = Target("buyer_name") if Target("buyer_email") in taken else None
        if Target("profile_name") not in taken and target is None:
            target = Target("profile_name")
        holder = next((index for index, of_column in self.chosen.items() if of_column == target), None)
        if target is None or self.chosen.get(last.index, target) == Target("profile_name"):
            return
        if holder is not None and self.columns[holder].candidates[target].confidence >= JOINED:
            return
        if holder is not None:
            del self.chosen[holder]
            self.notes[holder] = f"{first.header!r} and {last.header!r} are the {target} rather"
        self.chosen.pop(last.index, None)
        self.chosen[first.index] = target
        first.propose(target, JOINED, "first and last name make the full name")
        if first.header and last.header:
            self.templates[first.index] = f"{{{first.header}}} {{{last.header}}}"
            self.notes[last.index] = f"joined into {target} with {first.header!r}"

    def _join_house_numbers(self) -> None:
        """A street without its number, and the number behind it, are one line: neither may be lost."""
        headers = Counter(normalize(column.header) for column in self.columns)
        for street, house in pairwise(self.columns):
            target = self.chosen.get(street.index)
            names = (street.header, house.header)
            if (
                target is None
                or target.field.part != "address_1"
                or not all(headers[normalize(name)] == 1 for name in names)
            ):
                continue
            bare = street.profile.share(lambda cell: not any(letter.isdigit() for letter in cell))
            if bare < MOST_BARE or house.profile.house_numbers < MOST_BARE or house.is_decided or not all(names):
                continue
            self.chosen.pop(house.index, None)
            self.templates[street.index] = f"{{{street.header}}} {{{house.header}}}"
            self.notes[house.index] = f"the house's number, joined into {target} with {street.header!r}"

"""Header drift: how a file's header differs from the one its format was approved for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from imports.errors import Problem
from imports.template import normalize

if TYPE_CHECKING:
    from collections.abc import Collection

    from imports.formats.spec import Column, FormatSpec

LONGEST_SHOWN = 40
"""Characters of a header in a message."""
LIKENESS = 60
"""From 0 to 100: how alike two headers must be for one to be taken for the other's new name."""


def shorten(text: str) -> str:
    """A header as messages show it."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


class HeaderDrift:
    """Compares the header of a file with the columns of an onboarded format that has a header."""

    def __init__(self, spec: FormatSpec, header: list[str], ignored: Collection[int]) -> None:
        self.columns = spec.columns or ()
        self.marks = spec.policies.row_marks
        self.approved = spec.header
        self.header = header
        self.places: dict[str, list[int]] = {}
        for index, text in enumerate(header):
            if index in ignored:
                continue
            self.places.setdefault(normalize(text), []).append(index)
        self.new = self._find_new(ignored)

    def _find_new(self, ignored: Collection[int]) -> list[int]:
        """Indexes of the columns that neither the approved header nor the mapping knows."""
        known = {normalize(text) for text in self.approved}
        known |= {normalize(text) for column in self.columns for text in column.headers}
        known |= set(map(normalize, self.marks))
        positions = set() if self.approved else {column.source for column in self.columns}
        return [
            index
            for index, text in enumerate(self.header)
            if normalize(text) not in known and index not in ignored and index + 1 not in positions
        ]

    def find_problems(self) -> list[Problem]:
        """An error for every mapped column that is missing, renamed or doubled."""
        problems: list[Problem] = []
        for column in self.columns:
            found = (
                [self._find_moved(column)]
                if isinstance(column.source, int)
                else [self._find_absent(name, column) for name in column.headers]
            )
            problems += [
                Problem(code=code, message=message, column=name, field=str(column.target))
                for name, code, message in found
                if code
            ]
        return problems + [problem for name in self.marks if (problem := self._find_lost_marks(name))]

    def _find_lost_marks(self, name: str) -> Problem | None:
        """What is wrong with a column that marks rows; none where it is there."""
        places = self.places.get(normalize(name), [])
        is_position = not places and name.isascii() and name.isdigit()
        if len(places) == 1 or (is_position and 0 < int(name) <= len(self.header)):
            return None
        code, what = ("doubled_column", "stands in the header twice") if places else ("missing_column", "is missing")
        message = f"The column {name!r}, by which the format leaves rows out, {what}."
        return Problem(code=code, message=message, column=name)

    def _find_absent(self, name: str, column: Column) -> tuple[str, str, str]:
        """Header, code and message of what is wrong with a column found by its header; no code when nothing is."""
        places = self.places.get(normalize(name), [])
        if len(places) == 1:
            return name, "", ""
        if places:
            where = " and ".join(str(index + 1) for index in places)
            message = (
                f"Columns {where} are both named {name!r}; the format reads one of that name into {column.target}."
            )
            return name, "doubled_column", message
        likely = self._find_likely(name)
        if likely is None:
            return name, "missing_column", f"The column {name!r}, read into {column.target}, is missing."
        message = (
            f"The column {name!r}, read into {column.target}, is missing; the new column {likely + 1}, "
            f"{shorten(self.header[likely])!r}, looks like it."
        )
        return name, "renamed_column", message

    def _find_moved(self, column: Column) -> tuple[str, str, str]:
        """The same for a column found by its position."""
        index = int(column.source or 0) - 1
        if index >= len(self.header):
            message = f"{column.target} is read from column {index + 1}; the header has {len(self.header)} columns."
            return str(index + 1), "missing_column", message
        if index < len(self.approved) and normalize(self.approved[index]) != normalize(self.header[index]):
            message = (
                f"Column {index + 1}, read into {column.target}, is named {shorten(self.header[index])!r}; "
                f"{shorten(self.approved[index])!r} is approved there."
            )
            return self.header[index].strip(), "renamed_column", message
        return "", "", ""

    def _find_likely(self, name: str) -> int | None:
        """The new column that is most like a missing one: by its name, else by standing in its place.

        None where the whole header is one cell, because it was cut at the wrong delimiter.
        """
        if len(self.header) < 2:
            return None
        choices = {index: normalize(self.header[index]) for index in self.new}
        best = process.extractOne(normalize(name), choices, scorer=fuzz.WRatio, score_cutoff=LIKENESS)
        if best:
            return int(best[2])
        same_place = [index for index, text in enumerate(self.approved) if normalize(text) == normalize(name)]
        same_width = len(self.header) == len(self.approved)
        return same_place[0] if same_width and same_place and same_place[0] in self.new else None

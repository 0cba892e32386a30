"""Repeat: warnings that many customers have of one column are said once, with how many more there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imports.errors import Problem

REPEATING = frozenset(
    {"control_character", "encoded_twice", "lost_character", "mangled_value", "short_row", "word_for_nothing"}
)


class Repeated:
    """The warnings that are said once for a column, each of its first line in the file."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], Problem] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def sift(self, problems: Iterable[Problem]) -> list[Problem]:
        """The other problems, which are said each."""
        others: list[Problem] = []
        for problem in problems:
            if problem.code not in REPEATING or problem.severity == "error":
                others.append(problem)
                continue
            kind = problem.code, problem.field
            first = self.first.setdefault(kind, problem)
            if (problem.line or 0) < (first.line or 0):
                self.first[kind] = problem
            self.counts[kind] = self.counts.get(kind, 0) + 1
        return others

    def __iter__(self) -> Iterator[Problem]:
        for kind, first in self.first.items():
            more = self.counts[kind] - 1
            where = "The column has" if first.column else "The file has"
            said = f" {where} {more:,} more like this, of this customer or others." if more else ""
            yield replace(
                first, message=f"{first.message}{said}", more=more, customer_code="" if more else first.customer_code
            )

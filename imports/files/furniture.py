"""Furniture: what belongs to the pages of a file and to no customer: the header again, a line for spreadsheets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imports.template import FIELDS, Group, Target, find_target, names_of, normalize, spell_name
from lookups.texts import drop_invisible, read_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imports.files.marks import RowMarks


_OF_ADDRESSES = {Group.ADDRESS, Group.BILLING, Group.SHIPPING}
_TEMPLATE_NAMES = [name for field in FIELDS.values() for name in names_of(field)]
_SEPARATOR = re.compile(r'\s*"?sep=(?P<mark>[^\r\n])"?[,;|\t ]*', re.IGNORECASE)
_BEGINNINGS = frozenset({"sep=", *(f"sep={mark}" for mark in ",;|^~:")})
"""What is left of such a line in its first cell."""


def find_separator(line: str) -> str:
    """The delimiter that a line "sep=;" names, which spreadsheets obey; "" for any other line."""
    found = _SEPARATOR.fullmatch(drop_invisible(line.rstrip("\r\n")))
    return found["mark"] if found else ""


class Furniture:
    """What a row of a file may be instead of a customer's, given the file's header.

    Of a file without one, `targets` are the fields of its columns by their index: a row that names them is a header.
    `marks` are the columns by which rows are left out; false where there are none.
    """

    def __init__(
        self,
        header: Sequence[str],
        code_index: int,
        delimiter: str,
        targets: Mapping[int, Target] | None = None,
        marks: RowMarks | None = None,
    ) -> None:
        self.header = as_compared(header)
        self.targets = {} if self.header else targets or {}
        self.code_index = code_index
        self.delimiter = delimiter
        self.marks = marks
        self.without_code = bool(self.header) and not any(self.header[code_index : code_index + 1])
        """Whether the header has nothing where customers have their code."""
        named = _TEMPLATE_NAMES if self.targets else header
        names = {spelling for text in named for spelling in (read_key(text).casefold(), normalize(text))}
        names |= {name.replace("_", " ") for name in names} | {read_key(text) for text in named} | _BEGINNINGS
        self.suspects = frozenset(spelling for name in names - {""} for spelling in spell_name(name))
        """What stands in the place of the code of a row that may be furniture; to look here must cost little."""

    def has(self, cells: Sequence[str]) -> bool:
        """Whether a row is the header again, or a line that names the delimiter."""
        return self.is_header(cells) or self._is_separator(cells)

    def leaves_out(self, cells: Sequence[str]) -> bool:
        """Whether the format leaves a row out for a mark in it."""
        return self.marks is not None and self.marks.leaves_out(cells)

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a row is the header again, compared as headers are, or one where the file has none."""
        if not self._may_be_header(cells):
            return False
        return self._names_fields(cells) if self.targets else as_compared(cells) == self.header

    def is_other_header(self, cells: Sequence[str]) -> bool:
        """Whether a row is a header with other columns: most of its cells are names that this one has, or fields."""
        if self.targets:
            return self.is_header(cells) and self.find_misplaced(cells) is not None
        if not self._may_be_header(cells) or self.is_header(cells):
            return False
        named = [cell for cell in as_compared(cells) if cell]
        known = sum(cell in self.header or find_target(cell) is not None for cell in named)
        has_code = not {"customer_code", *self.header[self.code_index : self.code_index + 1]}.isdisjoint(named)
        return has_code and len(set(named)) > 1 and known * 2 > len(named)

    def find_misplaced(self, cells: Sequence[str]) -> int | None:
        """The index of the first cell of a header that names another field than its column is read into."""
        named = [
            (index, find_target(cells[index]), target)
            for index, target in sorted(self.targets.items())
            if index < len(cells)
        ]
        return next((index for index, name, target in named if name and not _is_same(name, target)), None)

    def _names_fields(self, cells: Sequence[str]) -> bool:
        """Whether most cells are names of fields, the customer's code among them."""
        names = [find_target(cell) for cell in cells if cell.strip()]
        found = {name for name in names if name}
        return Target("customer_code") in found and len(found) > 1 and len(found) * 2 > len(names)

    def _may_be_header(self, cells: Sequence[str]) -> bool:
        if not (self.header or self.targets) or len(cells) <= self.code_index:
            return False
        code = read_key(cells[self.code_index])
        return code in self.suspects if code else self.without_code

    def _is_separator(self, cells: Sequence[str]) -> bool:
        is_likely = bool(cells) and cells[0].lstrip(' "')[:4].casefold() == "sep="
        return is_likely and find_separator(self.delimiter.join(cells)) == self.delimiter


def _is_same(name: Target, target: Target) -> bool:
    """Whether a name means a field; those of the three kinds of address mean each other."""
    groups = {name.field.group, target.field.group}
    is_alike = groups <= _OF_ADDRESSES and (name.field.part, name.number) == (target.field.part, target.number)
    return name == target or (is_alike and Group.ADDRESS in groups)


def as_compared(cells: Sequence[str]) -> list[str]:
    """The cells as headers are compared, without blank ones at the end."""
    names = [normalize(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names

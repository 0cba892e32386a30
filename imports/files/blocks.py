"""Blocks: the columns of one group and number, and what the cells of a row make of them.

A block's cells that came before are not cleaned again: most rows of a customer repeat the same connection fields, and
most customers share few terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from imports.errors import CellError
from imports.formats.spec import Blank, Column, FormatSpec, Ownership, fold_value_map
from imports.template import ADDRESSES, Group, Kind, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEMORY = 8192
"""How many different rows of cells a block remembers."""

ANY_TEXT = (Kind.TEXT, Kind.CODE)


class Clear:
    """The value of a cell that empties what is stored."""

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR = Clear()


class CellProblem(NamedTuple):
    """What is wrong with a cell, by the names of `Problem`."""

    column: str
    field: str
    code: str
    message: str
    value: str


class Cleaned(NamedTuple):
    """A block of a row: values by part of the group (blank ones left out), and what was wrong."""

    values: dict[str, Any]
    problems: tuple[CellProblem, ...]


NOTHING = Cleaned({}, ())


@dataclass(slots=True)
class BoundColumn:
    """A column of the format at its place in the file."""

    column: Column
    label: str
    indexes: tuple[int, ...]
    clean: Callable[[str], Any]
    pieces: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        return self.column.target

    def compose(self, cells: Sequence[str]) -> str:
        """The cell; for a template of headers its text, blank where all its cells are."""
        if not self.pieces:
            return cells[0]  # a column of one cell
        if not any(cell.strip() for cell in cells):
            return ""
        text = self.pieces[0]
        for cell, piece in zip(cells, self.pieces[1:], strict=True):
            text += cell.strip() + piece
        return " ".join(text.split())


class Block:
    """The columns of one group and number."""

    def __init__(
        self, group: Group, number: int, columns: list[BoundColumn], constants: dict[str, Any], spec: FormatSpec
    ) -> None:
        self.group = group
        self.number = number
        self.columns = columns
        self.constants = constants
        self.spec = spec
        self.clear_token = spec.policies.clear_token
        self.cells = cells_at([index for column in columns for index in column.indexes])
        parts = {column.target.field.part: column.column for column in columns}
        self.clear_parts = frozenset(part for part, column in parts.items() if column.blank is Blank.CLEAR)
        self.fill_parts = frozenset(part for part, column in parts.items() if column.ownership is Ownership.IF_BLANK)
        self.needs_cell = group in ADDRESSES or group is Group.BUYERS
        # By column: part of the group, length up to which any text will do, widget, and the column with its value
        # map where it has more to say (a value map or a default).
        self.plan = [
            (
                bound.target.field.part,
                (bound.target.field.max_length or 0) if bound.target.field.kind in ANY_TEXT else 0,
                bound.clean,
                (bound.column, fold_value_map(bound.column.value_map))
                if bound.column.value_map or bound.column.default
                else None,
            )
            for bound in columns
        ]
        self.memory: dict[tuple[str, ...], Cleaned] = {}

    def clean(self, row: Sequence[str]) -> Cleaned:
        """The block's values of a row; the same object for the same cells."""
        cells = self.cells(row)
        cleaned = self.memory.get(cells)
        if cleaned is None:
            if len(self.memory) >= MEMORY:
                self.memory.clear()
            cleaned = self.memory[cells] = self._clean(cells)
        return cleaned

    def _clean(self, cells: tuple[str, ...]) -> Cleaned:
        values: dict[str, Any] = {}
        problems: list[CellProblem] = []
        blank = True
        for raw, (part, fits, clean, more) in zip(self._compose(cells), self.plan, strict=True):
            text = raw.strip()
            if more is not None:
                column, mapped = more
                text = mapped[text] if text in mapped else mapped.get(text.casefold(), text)
            if text and text != self.clear_token:
                blank = False  # a record needs more than cells that clear
            if more is not None:
                text = text or column.default
            if not text:
                continue
            if text == self.clear_token:
                values[part] = CLEAR
            elif len(text) <= fits:
                values[part] = text
            else:
                try:
                    values[part] = clean(text)
                except CellError as error:
                    problems.append(self._problem(part, error, raw))
        if blank and self.needs_cell:
            return NOTHING
        if self.constants and (values or problems or not self.columns):
            values = self.constants | values
        return Cleaned(values, tuple(problems)) if values or problems else NOTHING

    def _compose(self, cells: tuple[str, ...]) -> Sequence[str]:
        """A text for each column: its cell, or what its template of headers makes of its cells."""
        if len(cells) == len(self.columns):
            return cells
        texts, start = [], 0
        for bound in self.columns:
            end = start + len(bound.indexes)
            texts.append(bound.compose(cells[start:end]))
            start = end
        return texts

    def _problem(self, part: str, error: CellError, value: str) -> CellProblem:
        bound = next(bound for bound in self.columns if bound.target.field.part == part)
        what = f"{bound.target} has" if error.code == "too_long" else f"{bound.target} {value.strip()[:100]!r}"
        message = f"{what} {error}{self._name_map(bound)}"
        return CellProblem(column=bound.label, field=str(bound.target), code=error.code, message=message, value=value)

    def _name_map(self, bound: BoundColumn) -> str:
        """Who else can mend a cell: where the format translates cells, whoever keeps it."""
        is_named = bound.target.field.kind is Kind.COUNTRY and self.spec.policies.languages
        if not bound.column.value_map and not is_named:
            return ""
        return (
            f" The value map of the column {bound.label!r} in the format {self.spec.name} has nothing for it: "
            "correct the cell, or have whoever keeps the format add it."
        )


def cells_at(indexes: list[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A function that takes these cells of a row, always as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda row: tuple(row[index] for index in indexes)

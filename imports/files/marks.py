"""Row marks: the columns of a file by which rows are left out, or that seem to say that customers are deleted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imports.formats.marks import MarkKind, find_mark_kind, find_suspects, fold_mark
from imports.formats.policies import RowMark
from imports.template import normalize
from lookups.texts import read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from imports.formats.spec import FormatSpec

MOST_VALUES = 1000
"""So many different values of a column are kept; one that has more holds no marks."""


class Seen(NamedTuple):
    """How many rows have a value, and the line of the first."""

    rows: int
    line: int


class MarkedRows(NamedTuple):
    """Rows that have one value in a column: how many, and the line of the first."""

    column: str
    value: str
    rows: int
    line: int


@dataclass
class MarkColumn:
    """A column at its place in the file, what the format says of its values, and which of them were seen."""

    index: int
    label: str
    kind: MarkKind
    meanings: Mapping[str, RowMark]
    seen: dict[str, Seen] = field(default_factory=dict)

    def note(self, cell: str, rows: int, line: int) -> None:
        cell = read_text(cell)
        known = self.seen.get(cell)
        if known is not None:
            self.seen[cell] = Seen(known.rows + rows, known.line)
        elif len(self.seen) < MOST_VALUES and normalize(cell) != normalize(self.label):  # the header again is no row
            self.seen[cell] = Seen(rows, line)

    def leaves_out(self, cell: str) -> bool:
        return self.meanings.get(fold_mark(cell)) is RowMark.LEAVE_OUT

    def find(self, values: Collection[str]) -> Iterator[MarkedRows]:
        return (MarkedRows(self.label, value, *self.seen[value]) for value in values)


class RowMarks:
    """The columns of a file that mark rows, bound to its header; without any it is false.

    Those are the ones that the format names, and of those that no field is read from the ones whose header says that
    they mark rows. `width` is how many cells a row has: of a wider one no cell is where it should be.
    """

    def __init__(self, spec: FormatSpec, header: Sequence[str], mapped: Collection[int], width: int) -> None:
        self.width = width
        self.columns: list[MarkColumn] = []
        places: dict[str, list[int]] = {}
        for index, text in enumerate(header):
            places.setdefault(normalize(text), []).append(index)
        named = {}
        for name, meanings in spec.policies.row_marks.items():
            index = places[normalize(name)][0] if normalize(name) in places else int(name) - 1
            named[index] = {fold_mark(value): meaning for value, meaning in meanings.items()}
        for index, text in enumerate(header or [""] * width):
            kind = find_mark_kind(text)
            if index in named or (kind and index not in mapped):
                label = text.strip() or str(index + 1)
                self.columns.append(MarkColumn(index, label, kind or MarkKind.STATUS, named.get(index, {})))

    def __bool__(self) -> bool:
        return bool(self.columns)

    def note_lines(self, lines: Sequence[bytes], first: int, delimiter: bytes) -> bool:
        """Note what plain lines hold, unless one of them is left out: then nothing is noted, and True is returned."""
        noted: list[tuple[MarkColumn, str, int, int]] = []
        for column in self.columns:
            cut = column.index + 1
            cells = [line.split(delimiter, cut)[column.index :][:1] for line in lines]
            values = [cell[0] if cell else b"" for cell in cells]
            for raw, rows in Counter(values).items():
                cell = raw.decode(errors="replace")
                if column.leaves_out(cell):
                    return True
                noted.append((column, cell, rows, first + values.index(raw)))
        for column, cell, rows, line in noted:
            column.note(cell, rows, line)
        return False

    def note_row(self, cells: Sequence[str], line: int) -> None:
        for column in self.columns:
            if column.index < len(cells):
                column.note(cells[column.index], 1, line)

    def leaves_out(self, cells: Sequence[str]) -> bool:
        """Whether the format leaves a row out; never one in which cells may have moved."""
        if any(cell.strip() for cell in cells[self.width :]):
            return False
        return any(column.leaves_out(cells[column.index]) for column in self.columns if column.index < len(cells))

    def find_left_out(self) -> Iterator[MarkedRows]:
        """The rows that were left out."""
        for column in self.columns:
            yield from column.find([value for value in column.seen if column.leaves_out(value)])

    def find_suspects(self) -> Iterator[MarkedRows]:
        """The rows that seem to be marked as deleted, of which the format does not say what they are."""
        for column in self.columns:
            suspects = find_suspects(column.kind, column.seen) if len(column.seen) < MOST_VALUES else []
            yield from column.find([value for value in suspects if fold_mark(value) not in column.meanings])

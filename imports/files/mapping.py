"""Map: cells → cleaned values, by django-import-export fields with strict widgets, built from a format.

A file's columns are bound to its header once; what a cell costs afterwards is an index and a call. Columns of one
group and number form a block, and a block's cells that came before are not cleaned again: most rows of a customer
repeat the same connection fields, and most customers share few terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from import_export import fields

from imports.errors import CellError, FileHeld, FileRejected, HeldFor
from imports.files.drift import HeaderDrift
from imports.formats.spec import SOURCE_HEADERS, Blank, Column, FormatSpec, Ownership
from imports.formats.widgets import WIDGETS
from imports.template import ADDRESSES, Group, Kind, Target, find_target, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REJECT_COLUMNS = ("_line", "_code", "_field", "_message")
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
        self, group: Group, number: int, columns: list[BoundColumn], constants: dict[str, Any], clear_token: str
    ) -> None:
        self.group = group
        self.number = number
        self.columns = columns
        self.constants = constants
        self.clear_token = clear_token
        self.cells = cells_at([index for column in columns for index in column.indexes])
        parts = {column.target.field.part: column.column for column in columns}
        self.clear_parts = frozenset(part for part, column in parts.items() if column.blank is Blank.CLEAR)
        self.fill_parts = frozenset(part for part, column in parts.items() if column.ownership is Ownership.IF_BLANK)
        self.needs_cell = group in ADDRESSES or group is Group.BUYERS
        # By column: part of the group, length up to which any text will do, widget, and the column where it
        # has more to say (a value map or a default).
        self.plan = [
            (
                bound.target.field.part,
                (bound.target.field.max_length or 0) if bound.target.field.kind in ANY_TEXT else 0,
                bound.clean,
                bound.column if bound.column.value_map or bound.column.default else None,
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
        for raw, (part, fits, clean, bound) in zip(self._compose(cells), self.plan, strict=True):
            text = raw.strip()
            if bound is not None:
                text = bound.value_map.get(text, text)
            if text and text != self.clear_token:
                blank = False  # a record needs more than cells that clear
            if bound is not None:
                text = text or bound.default
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
        return CellProblem(
            column=bound.label, field=str(bound.target), code=error.code, message=f"{what} {error}", value=value
        )


def cells_at(indexes: list[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A function that takes these cells of a row, always as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda row: tuple(row[index] for index in indexes)


def find_reject_columns(header: Sequence[str], spec: FormatSpec) -> frozenset[int]:
    """Indexes of the columns that rejects brought along, by their names exactly as they are written.

    A format whose files have such a column themselves keeps the first of that name.
    """
    own = {text.strip() for column in spec.columns or () for text in column.headers}
    own |= {text.strip() for text in spec.header}
    found = set()
    for index, text in enumerate(header):
        name = text.strip()
        if name in own:
            own.discard(name)
        elif name in REJECT_COLUMNS:
            found.add(index)
    return frozenset(found)


def _without_trailing(header: list[str], spec: FormatSpec) -> list[str]:
    """The header without what stands behind a delimiter too many, where the format allows one."""
    is_surplus = spec.policies.allow_trailing_delimiter and len(header) != len(spec.header)
    return header[:-1] if is_surplus and header and not header[-1].strip() else header


class CustomerMapping:
    """The fields of a format as django-import-export has them, and the blocks the pipeline reads rows by.

    Raises FileRejected when a header of the standard template lacks the customer code or has a field twice, and
    FileHeld when the header of an onboarded format differs from the approved one in a mapped column.
    """

    def __init__(self, spec: FormatSpec, header: list[str]) -> None:
        self.spec = spec
        self.header = header = _without_trailing(header, spec)
        self.unknown_headers: list[tuple[int, str]] = []
        self.reject_indexes: frozenset[int] = find_reject_columns(header, spec)
        self.header_indexes: dict[str, list[int]] = {}
        for index, text in enumerate(header):
            if index in self.reject_indexes:
                continue
            self.header_indexes.setdefault(normalize(text), []).append(index)
        if spec.columns is not None and spec.dialect.has_header:
            drift = HeaderDrift(spec, header, self.reject_indexes)
            if problems := drift.find_problems():
                raise FileHeld(HeldFor.HEADER, problems)
            self.unknown_headers = [(index, header[index]) for index in drift.new]
        bound, constants = self._bind()
        self.fields = {
            str(column.target): fields.Field(
                attribute=str(column.target),
                column_name=column.label,
                widget=WIDGETS[column.target.field.kind](column.target.field),
            )
            for column in bound
        }
        self.columns = {column.target: column for column in bound}
        try:
            code = self.columns[Target("customer_code")]
            self.code_index = code.indexes[0]
            self.no_codes = frozenset(code.column.value_map) | {spec.policies.clear_token}
        except KeyError:
            raise FileRejected(
                "missing_column",
                "No column is customer_code. The header must name it (Customer Code or customer_code); "
                f"it names {', '.join(repr(text) for text in header[:8])}{', …' if len(header) > 8 else ''}. "
                f"The delimiter must be {spec.dialect.delimiter!r}.",
            ) from None
        self.blocks = self._blocks(bound, constants)

    @property
    def original_header(self) -> list[str]:
        """The header without the four columns that rejects have behind it."""
        return [text for index, text in enumerate(self.header) if index not in self.reject_indexes]

    def column_label(self, target: Target) -> str:
        """How an issue names the column of a target; "" when the file has none."""
        column = self.columns.get(target)
        return column.label if column else ""

    def _bind(self) -> tuple[list[BoundColumn], dict[Target, Any]]:
        columns = self.spec.columns if self.spec.columns is not None else self._standard_columns()
        bound: list[BoundColumn] = []
        constants: dict[Target, Any] = {}
        for column in columns:
            widget = WIDGETS[column.target.field.kind](column.target.field)
            if column.constant is not None:
                constants[column.target] = widget.clean(column.constant)
            elif column.ownership is not Ownership.NEVER:
                label, indexes, pieces = self._locate(column)
                bound.append(BoundColumn(column, label, indexes, widget.clean, pieces))
        return bound, constants

    def _standard_columns(self) -> list[Column]:
        """A column for every header that means a template field; the others are kept as unknown."""
        columns: dict[Target, Column] = {}
        for index, text in enumerate(self.header):
            target = find_target(text)
            if index in self.reject_indexes:
                continue
            if target is None:
                self.unknown_headers.append((index, text))
            elif target in columns:
                raise FileRejected(
                    "doubled_column",
                    f"Columns {columns[target].source} and {index + 1} are both {target}. Send each field once.",
                    column=text.strip(),
                )
            else:
                columns[target] = Column(target=target, source=index + 1)
        return list(columns.values())

    def _locate(self, column: Column) -> tuple[str, tuple[int, ...], tuple[str, ...]]:
        """The label, cell indexes and template pieces of a column that the header is known to have."""
        source = column.source or ""
        if isinstance(source, int):
            label = self.header[source - 1].strip() if self.header else ""
            return label or str(source), (source - 1,), ()
        indexes = tuple(self.header_indexes[normalize(name)][0] for name in column.headers)
        pieces = tuple(SOURCE_HEADERS.split(source)[::2]) if SOURCE_HEADERS.search(source) else ()
        return source, indexes, pieces

    def _blocks(self, bound: list[BoundColumn], constants: dict[Target, Any]) -> list[Block]:
        keys = dict.fromkeys((target.field.group, target.number) for target in [*self.columns, *constants])
        return [
            Block(
                group,
                number,
                [column for column in bound if (column.target.field.group, column.target.number) == (group, number)],
                {
                    target.field.part: value
                    for target, value in constants.items()
                    if (target.field.group, target.number) == (group, number)
                },
                self.spec.policies.clear_token,
            )
            for group, number in keys
        ]

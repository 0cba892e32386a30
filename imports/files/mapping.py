"""Map: cells → cleaned values, by the strict widgets of the template's fields, as a format and a header place them.

A file's columns are bound to its header once; what a cell costs afterwards is an index and a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from connections.nothing import says_nothing
from imports.errors import FileHeld, FileRejected, HeldFor
from imports.files.blocks import Block
from imports.files.columns import BoundColumn
from imports.files.drift import HeaderDrift
from imports.files.furniture import Furniture
from imports.files.marks import RowMarks
from imports.formats.policies import WordsForNothing
from imports.formats.spec import SOURCE_HEADERS, Column, FormatSpec, Ownership, fold_value_map
from imports.formats.widgets import make_widget
from imports.template import Kind, Target, find_target, normalize
from lookups.texts import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW_VALUES = frozenset({Kind.ADDRESS_TYPE, Kind.BOOLEAN, Kind.COUNTRY, Kind.CURRENCY, Kind.INTEGER})
"""Kinds of fields of which a file has the same few cells again and again."""
REJECT_COLUMNS = ("_line", "_code", "_field", "_message")


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


@dataclass(frozen=True, slots=True)
class NoCodes:
    """Cells in the place of a customer's code that are none: the clear token as it stands, what the value map blanks in
    any case, and, where the format reads them as blank, words for nothing that the value map does not keep.
    """

    clear_token: str
    mapped: dict[str, str]
    blanks_words: bool

    def __contains__(self, cell: object) -> bool:
        text = str(cell)
        if self.mapped and (value := self.mapped.get(text.casefold())) is not None:
            return not value
        return text == self.clear_token or (self.blanks_words and says_nothing(text))


class CustomerMapping:
    """The columns of a format at their places in a file's header, and the blocks that rows are read by.

    Raises FileRejected when a header of the standard template lacks the customer code or has a field twice, and
    FileHeld when the header of an onboarded format differs from the approved one in a mapped column.
    """

    def __init__(self, spec: FormatSpec, header: list[str]) -> None:
        self.spec = spec
        self.sent_header = header
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
        self.columns = {column.target: column for column in bound}
        try:
            code = self.columns[Target("customer_code")]
            self.code_index = code.indexes[0]
            mapped = fold_value_map(code.column.value_map)
            blanks_words = spec.policies.words_for_nothing is WordsForNothing.BLANK
            self.no_codes = NoCodes(spec.policies.clear_token, mapped, blanks_words)
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

    @cached_property
    def furniture(self) -> Furniture:
        """What rows of the file may be instead of customers'."""
        targets = {column.indexes[0]: target for target, column in self.columns.items() if len(column.indexes) == 1}
        return Furniture(self.header, self.code_index, self.spec.dialect.delimiter, targets, self.marks)

    @cached_property
    def marks(self) -> RowMarks:
        """The columns of the file that say which rows are no customers, or seem to."""
        mapped = {index for column in self.columns.values() for index in column.indexes} | self.reject_indexes
        width = len(self.header) if self.header else self.spec.width
        return RowMarks(self.spec, self.header, mapped, width)

    def sent_cells(self, cells: Sequence[str]) -> list[str]:
        """The cells below the original header: what rejects had behind them says nothing of the row."""
        columns = len(self.header) or len(cells)
        return [cell for index, cell in enumerate(cells[:columns]) if index not in self.reject_indexes]

    def column_label(self, target: Target) -> str:
        """How an issue names the column of a target; "" when the file has none."""
        column = self.columns.get(target)
        return column.label if column else ""

    def _bind(self) -> tuple[list[BoundColumn], dict[Target, Any]]:
        columns = self.spec.columns if self.spec.columns is not None else self._standard_columns()
        bound: list[BoundColumn] = []
        constants: dict[Target, Any] = {}
        for column in columns:
            widget = make_widget(column.target.field, self.spec.policies.languages)
            if column.constant is not None:
                constants[column.target] = widget.clean(read_text(column.constant))
            elif column.ownership is not Ownership.NEVER:
                label, indexes, pieces = self._locate(column)
                clean = lru_cache(widget.clean) if column.target.field.kind in FEW_VALUES else widget.clean
                bound.append(BoundColumn(column, self.spec, label, indexes, clean, pieces))
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
                self.spec,
            )
            for group, number in keys
        ]

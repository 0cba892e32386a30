"""How one ERP's file is read: dialect, columns, policies. The pipeline takes a frozen `FormatSpec`."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from imports.errors import CellError
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.masks import COUNTED, PLACEHOLDERS, compile_masks
from imports.formats.policies import LATER, FormatError, Policies
from imports.formats.widgets import WIDGETS
from imports.template import Kind, Target, normalize
from lookups.texts import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SKIPPED_LINES = 1000
MOST_CELLS = 10_000
SOURCE_HEADERS = re.compile(r"\{([^{}]+)\}")
"""The headers in a source that is a template of them."""
NO_CHARACTER = re.compile(r"[\0\ud800-\udfff]")


class Blank(StrEnum):
    """What a blank cell does to the stored value."""

    KEEP = "keep"
    CLEAR = "clear"


class Ownership(StrEnum):
    """Whether the file or what is stored wins."""

    ALWAYS = "always"
    IF_BLANK = "if_blank"
    NEVER = "never"


class BadValue(StrEnum):
    """What a cell costs whose value the field cannot have: its customer, or the field alone."""

    REJECT = "reject"
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How bytes become cells. `quotechar` and `escapechar` may be none.

    `skip_lines` physical lines before the header are passed over; `footer` is a mask with * and ? that the line after
    the last record matches ("TRAILER*"), "" for files that end with their last record; it may count what came before it
    ("T|{rows}"). With `allow_spaced_delimiter`
    a delimiter that a space follows is part of the cell, as some ERPs write it without quotes ("24, place Kléber").
    `width` is how many cells a row has in a file without a header; 0 where the last mapped column is the last cell.
    With `spaces_around_quotes` a quote may stand behind spaces and be followed by some. `ignore_lines` are masks of
    lines that are no rows, wherever they stand.
    """

    encoding: str = "utf-8"
    delimiter: str = "|"
    quotechar: str | None = '"'
    escapechar: str | None = None
    has_header: bool = True
    skip_lines: int = 0
    footer: str = ""
    allow_spaced_delimiter: bool = False
    width: int = field(default=0, metadata=LATER)
    spaces_around_quotes: bool = field(default=False, metadata=LATER)
    ignore_lines: tuple[str, ...] = field(default=(), metadata=LATER)

    def __post_init__(self) -> None:
        marks = {"delimiter": self.delimiter, "quotechar": self.quotechar, "escapechar": self.escapechar}
        given = [mark for mark in marks.values() if mark is not None]
        for name, mark in marks.items():
            if mark is not None and (len(mark) != 1 or mark in "\r\n\0"):
                raise FormatError(f"{name} must be one character and no line end, not {mark!r}.")
        if len(set(given)) < len(given):
            raise FormatError("Delimiter, quote and escape must be different characters.")
        if self.allow_spaced_delimiter and self.delimiter == " ":
            raise FormatError("Where spaces are the delimiter, no space can follow one.")
        try:
            find_encoding(self.encoding)
        except UnknownEncoding as error:
            raise FormatError(str(error)) from None
        if not 0 <= self.skip_lines <= MOST_SKIPPED_LINES:
            raise FormatError(f"skip_lines must be from 0 to {MOST_SKIPPED_LINES}, not {self.skip_lines}.")
        if not 0 <= self.width <= MOST_CELLS:
            raise FormatError(f"width must be from 0 to {MOST_CELLS:,}, not {self.width}.")
        if self.width and self.has_header:
            raise FormatError("width is for files without a header; with one, its columns are counted.")
        self._check_masks()

    def _check_masks(self) -> None:
        if self.footer and not self.footer.strip("*? "):
            raise FormatError(f"The footer mask {self.footer!r} matches every line; give what only the footer has.")
        counted = PLACEHOLDERS.findall(self.footer)
        if unknown := [name for name in counted if name not in COUNTED]:
            raise FormatError(f"The footer can count {{rows}} and {{customers}}, not {{{unknown[0]}}}.")
        if len(set(counted)) < len(counted) or "}{" in self.footer:
            raise FormatError("The footer can count rows and customers once each, with something between the two.")
        for mask in self.ignore_lines:
            if not mask.strip("*? "):
                raise FormatError(f"The mask {mask!r} of lines to ignore matches every line; give what only they have.")
            if any(name in COUNTED for name in PLACEHOLDERS.findall(mask)):
                raise FormatError(f"Only the footer counts; the mask {mask!r} is one of lines to ignore.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file and the template field it goes to.

    `source` is a header text, a position counted from 1, or a template such as "{First} {Last}"; a column without
    a source has a `constant`. The value map is applied to the trimmed cell, in any case; then the default to a blank
    one.
    """

    target: Target
    source: str | int | None = None
    constant: str | None = None
    value_map: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    blank: Blank = Blank.KEEP
    ownership: Ownership = Ownership.ALWAYS
    bad_value: BadValue = field(default=BadValue.REJECT, metadata=LATER)

    def __post_init__(self) -> None:
        if (self.source is None) == (self.constant is None):
            raise FormatError(f"{self.target} needs either a source or a constant.")
        if self.target.field.required and self.ownership is Ownership.NEVER:
            raise FormatError(f"{self.target} is required, so its ownership cannot be 'never'.")
        if self.target.field.required and self.blank is Blank.CLEAR:
            raise FormatError(f"{self.target} is required, so a blank cell cannot clear it.")
        if self.target.field.is_key and self.ownership is Ownership.NEVER:
            raise FormatError(f"{self.target} is what records are found by, so its ownership cannot be 'never'.")
        if self.target.field.is_key and self.blank is Blank.CLEAR:
            raise FormatError(f"{self.target} is what records are found by, so a blank cell cannot clear it.")
        if self.bad_value is BadValue.LEAVE_OUT and (self.target.field.required or self.target.field.is_key):
            raise FormatError(f"{self.target} is needed, so a bad value of it cannot be left out.")
        if self.bad_value is BadValue.LEAVE_OUT and self.target.field.kind is Kind.ADDRESS_TYPE:
            raise FormatError(f"{self.target} says which address is meant, so a bad value of it cannot be left out.")
        if isinstance(self.source, int) and self.source < 1:
            raise FormatError(f"{self.target}: positions are counted from 1, not {self.source}.")
        if self.source == "" or self.constant == "":
            raise FormatError(f"{self.target} has a blank source or constant.")
        if untrimmed := next((cell for cell in self.value_map if cell != cell.strip()), None):
            raise FormatError(
                f"{self.target}: no cell is {untrimmed!r}, because cells are trimmed before they are mapped."
            )
        for what, value in [("constant", self.constant), ("default", self.default), *self._mapped()]:
            if value:
                self._check(what, value)

    def _mapped(self) -> list[tuple[str, str]]:
        return [(f"value map of {cell!r}", value) for cell, value in self.value_map.items()]

    def _check(self, what: str, value: str) -> None:
        """Raise FormatError for a value that no cell of the field could have."""
        field = self.target.field
        if value != value.strip():
            raise FormatError(f"{self.target}, {what}: {value!r} has spaces around it; cells are trimmed.")
        if field.kind is Kind.TEXT and len(value) <= (field.max_length or 0):
            return
        try:
            WIDGETS[field.kind](field).clean(value)
        except CellError as error:
            raise FormatError(f"{self.target}, {what}: {value!r} {error}") from None

    @property
    def headers(self) -> tuple[str, ...]:
        """The header texts that the source names."""
        if not isinstance(self.source, str):
            return ()
        return tuple(SOURCE_HEADERS.findall(self.source)) or (self.source,)


def fold_value_map(value_map: Mapping[str, str]) -> dict[str, str]:
    """A value map by its cells as they stand, and in no case.

    As they stand comes first: older formats may have cells that differ in case only, which `check_value_map` refuses.
    """
    return {_fold(cell): value for cell, value in value_map.items()} | {
        read_text(cell): value for cell, value in value_map.items()
    }


def check_value_map(value_map: Mapping[str, str]) -> None:
    """Raise FormatError where cells that differ in case only would become different values."""
    known: dict[str, str] = {}
    for cell, value in value_map.items():
        other = known.setdefault(_fold(cell), cell)
        if value_map[other] != value:
            raise FormatError(
                f"value_map: {other!r} and {cell!r} differ in case only, in which cells are not compared, "
                f"but become {value_map[other]!r} and {value!r}. Give one of them."
            )


def _fold(cell: str) -> str:
    return read_text(cell).casefold()


@dataclass(frozen=True, slots=True)
class FormatDraft:
    """A format as far as it is written, which need not be complete."""

    dialect: Dialect
    columns: tuple[Column, ...]
    policies: Policies
    header: tuple[str, ...] = ()

    def complete(self, name: str) -> FormatSpec:
        """The format. Raises FormatError that says what is missing or contradicts itself."""
        return FormatSpec(name, self.dialect, self.columns, self.policies, self.header)


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """A format as the pipeline takes it.

    `columns` is none for the standard template, whose columns are whatever template fields the header names.
    `header` is the approved header, all of it, where it is known: what a file has beyond it is new.
    """

    name: str
    dialect: Dialect = field(default_factory=Dialect)
    columns: tuple[Column, ...] | None = None
    policies: Policies = field(default_factory=Policies)
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.columns is None:
            if not self.dialect.has_header:
                raise FormatError("A file without a header needs its columns mapped by position.")
            return
        targets = Counter(column.target for column in self.columns)
        if doubled := [str(target) for target, count in targets.items() if count > 1]:
            raise FormatError(f"More than one column goes to {', '.join(sorted(doubled))}.")
        self._check_texts()
        self._check_header()
        for column in self.columns:
            self._check_number(column)
        code = next((column for column in self.columns if column.target == Target("customer_code")), None)
        if code is None:
            raise FormatError("No column goes to customer_code.")
        if code.source is None or code.default or "{" in str(code.source):
            raise FormatError("customer_code must be one plain column: customers are found by it before mapping.")
        if any(value not in ("", cell) for cell, value in code.value_map.items()):
            raise FormatError(
                "customer_code: a value map can only blank cells that name no customer, such as {'NULL': ''}, "
                "or keep a code that is a word for nothing, such as {'NONE': 'NONE'}."
            )
        if not self.dialect.has_header:
            self._check_positions(self.columns)

        self._check_marks()
        named = Counter(map(normalize, self.header))
        for column in self.columns:
            for text in column.headers:
                if named[normalize(text)] > 1:
                    raise FormatError(f"The header has {text!r} more than once; give the position of the one you mean.")

    def _check_texts(self) -> None:
        """Some characters are none: neither a file nor the database has them."""
        dialect = self.dialect
        texts = [self.name, dialect.footer, *dialect.ignore_lines, self.policies.clear_token, *self.header]
        texts += [dialect.delimiter, dialect.quotechar or "", dialect.escapechar or ""]
        for column in self.columns or ():
            texts += [str(column.source), column.constant or "", column.default, *column.value_map]
            texts += column.value_map.values()
        for name, marks in self.policies.row_marks.items():
            texts += [name, *marks]
        for text in texts:
            if wrong := NO_CHARACTER.search(text):
                raise FormatError(f"{text!r} holds {wrong[0]!r}, which is no character of a text.")

    def _check_header(self) -> None:
        ignores = compile_masks(self.dialect.ignore_lines)
        if ignores and self.header and ignores(self.dialect.delimiter.join(self.header).encode()):
            raise FormatError("The approved header matches a mask of ignore_lines, so it would never be found.")

    def _check_marks(self) -> None:
        """Without a header, columns that mark rows are named by position, too."""
        for name in () if self.dialect.has_header else self.policies.row_marks:
            if not (name.isascii() and name.isdigit() and 0 < int(name) <= self.width):
                raise FormatError(f"row_marks: {name!r} is no position of a row, whose cells are 1 to {self.width}.")

    def _check_positions(self, columns: tuple[Column, ...]) -> None:
        if any(isinstance(column.source, str) for column in columns):
            raise FormatError("Without a header, columns are named by position.")
        last = max(int(column.source or 0) for column in columns)
        if last > MOST_CELLS:
            raise FormatError(f"Position {last:,} is more than a row can have; at most {MOST_CELLS:,} cells are read.")
        if 0 < self.dialect.width < last:
            raise FormatError(f"The rows have {self.dialect.width} cells, so no column can be at position {last}.")

    @property
    def width(self) -> int:
        """How many cells a row of a file without a header has. It is never learned from a row.

        Where the format does not say, they end with the last mapped column: a row with more may have shifted.
        """
        return self.dialect.width or max(int(column.source or 0) for column in self.columns or ())

    def _check_number(self, column: Column) -> None:
        if column.target.number > 1 and not column.target.field.repeats:
            raise FormatError(f"{column.target.name} does not repeat, so it has no number.")

    @property
    def digest(self) -> bytes:
        """32 bytes that differ when anything of the format differs."""
        return hashlib.blake2b(repr(_plain(self)).encode(), digest_size=32).digest()


def _plain(value: object) -> object:
    """The value with mappings as sorted pairs, so that equal formats have equal representations."""
    if isinstance(value, FormatSpec | Dialect | Column | Policies):
        plain: list[object] = []
        for item in fields(value):
            held = getattr(value, item.name)
            if not item.metadata.get("later"):
                plain.append(_plain(held))
            elif held != item.default and (item.default is not MISSING or held):  # a mapping is empty by default
                plain.append([item.name, _plain(held)])
        return plain
    if isinstance(value, dict):
        return sorted((str(key), _plain(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value)


STANDARD = FormatSpec(name="standard template")
"""Pipe-delimited UTF-8 with a header of template field names or labels, any subset of them in any order."""

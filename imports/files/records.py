"""Records: lines in which quotes or escapes may stand → rows.

A quote that opens in one line and is followed by text where it seems to close, some lines further, was a stray one:
the line it stands in is faulted alone and reading goes on with the next, so that the customers between are not lost.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from imports.errors import FileRejected
from imports.files.quoting import (
    BACKSLASH_BEFORE_QUOTE,
    OUTSIDE,
    QUOTED,
    SPACES_AROUND_QUOTES,
    TEXT_BEHIND_QUOTE,
    quotes_of,
)
from imports.formats.masks import compile_masks
from imports.formats.misreading import find_written
from lookups.texts import read_key

if TYPE_CHECKING:
    from _csv import Reader as CellReader
    from collections.abc import Callable, Iterable, Iterator

    from imports.formats.spec import Dialect

LONGEST_RECORD = 1 << 20
MOST_READ_AGAIN = 1 << 26
"""Bytes of records that failed within others that had failed before; sound files have none."""
LONGEST_CELL = 4 * LONGEST_RECORD
"""More than a record may have, so that a long one is refused by its record, with the line of its quote."""

FILE_MARKS = "\ufeff\x1a"
"""A byte order mark, and the end mark of DOS."""
_HIDDEN = "\0\x7f\0"
"""Stands for a delimiter that is part of a cell while the csv module cuts; no sound row has a NUL."""


class Row(NamedTuple):
    """One record: its first physical line, its cells and bytes as they stand, and what is wrong with its quoting.

    A record with wrong quoting is one line, or a whole record where spaces around its quotes are all that is wrong. It
    is cut as well as it can be, so that its customer can still be named; `fault` says what is wrong and what to do.
    `swallowed` is how many line ends stand in its cells together with delimiters, `hidden_rows` how many of its lines
    after the first could be rows themselves.
    """

    line: int
    cells: list[str]
    raw: bytes
    fault: str = ""
    swallowed: int = 0
    hidden_rows: int = 0


def read_cells(
    lines: Iterable[str],
    *,
    delimiter: str,
    quotechar: str | None,
    escapechar: str | None = None,
    strict: bool = True,
) -> CellReader:
    """A reader of the csv module that takes cells of any length that we do.

    The module has one limit for the whole process, and looks at it whenever it reads. So the limit is never put back:
    a reader in another thread would meet the low one in the middle of its file. Nobody makes it lower than this, and
    raising it twice at once changes nothing.
    """
    if csv.field_size_limit() < LONGEST_CELL:
        csv.field_size_limit(LONGEST_CELL)
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quotechar,
        quoting=csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE,
        escapechar=escapechar,
        strict=strict,
    )


def is_blank(row: Row) -> bool:
    """Whether a row is nothing but delimiters and what cannot be seen, or a line to ignore, which has no cells."""
    return not any(read_key(cell) for cell in row.cells)


def decode(data: bytes, line: int) -> str:
    """The text of one line. Raises FileRejected naming the byte that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise undecodable("utf-8", line, f"Byte 0x{data[error.start]:02X}", find_written(data, error.start)) from None


def decode_record(data: bytes, line: int) -> str:
    """The text of a line that begins a record, without the marks that stand where files were joined.

    A byte order mark begins a file and a DOS end mark ends one. Raises FileRejected as `decode` does.
    """
    return decode(data, line).lstrip(FILE_MARKS)


def decode_records(lines: list[bytes], first: int) -> list[str]:
    """The texts of lines that begin records, as `decode_record` gives them; `first` is the number of the first."""
    try:
        return [line.decode().lstrip(FILE_MARKS) for line in lines]
    except UnicodeDecodeError:  # one of them is told of
        return [decode_record(line, number) for number, line in enumerate(lines, first)]


def undecodable(encoding: str, line: int, what: str, written: str = "") -> FileRejected:
    """That bytes are not of an encoding; `written` are words for the one that they seem to be of."""
    return FileRejected(
        "wrong_encoding",
        f"{what} is not {encoding}{written}. Send the file as {encoding}, or change the format's encoding.",
        line=line,
    )


def without_line_end(line: bytes) -> bytes:
    """The line without the one line end it has; an escaped one before it stays."""
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line.removesuffix(b"\r")


class RecordReader:
    """Reads records from lines, the first of which has the number `line`. `width` is that of the header, if any.

    `record` holds the lines of the record being read; it is empty where the next line begins one.
    """

    def __init__(self, dialect: Dialect, width: int, lines: Iterable[bytes], line: int) -> None:
        self.dialect = dialect
        self.width = width
        self.spaced = f"{dialect.delimiter} " if dialect.allow_spaced_delimiter else ""
        self.quotes = quotes_of(dialect)
        self.trims = self.quotes if dialect.spaces_around_quotes else None
        self.refuses = self.quotes if not dialect.spaces_around_quotes else None
        self.inside = OUTSIDE
        self.ignores = compile_masks(dialect.ignore_lines)
        self.lines = iter(lines)
        self.ahead: deque[bytes] = deque()
        self.record: list[bytes] = []
        self.number = line - 1
        self.doomed = 0
        self.read_again = 0

    def __iter__(self) -> Iterator[Row]:
        """Raises FileRejected for a quote that is never closed, and for bytes that are not UTF-8."""
        reader = self._read_cells(self._feed())
        record = self.record
        while True:
            record.clear()
            if self.ignores and (row := self._ignored_line(self.ignores)):
                yield row
                continue
            if self.number + 1 < self.doomed and (row := self._fault_doomed_line()):
                yield row
                continue
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise self._unterminated() from None
                yield self._find_spaces() or self._fault_first_line()
                continue
            if self.spaced:
                cells = [cell.replace(_HIDDEN, self.dialect.delimiter) for cell in cells]
            raw = record[0] if len(record) == 1 else b"".join(record)
            if self.refuses and self.refuses.may_be_spaced(cells, raw) and self.refuses.are_spaced(self._text(raw)):
                yield self.fault(raw, self.number - len(record) + 1)
            elif len(record) == 1:
                yield Row(self.number, cells, raw)
            else:
                swallowed, hidden = self._find_swallowed(cells)
                yield Row(self.number - len(record) + 1, cells, raw, "", swallowed, hidden)

    def _read_cells(self, lines: Iterable[str]) -> Iterator[list[str]]:
        dialect = self.dialect
        return read_cells(
            lines, delimiter=dialect.delimiter, quotechar=dialect.quotechar, escapechar=dialect.escapechar
        )

    def _feed(self) -> Iterator[str]:
        record, size = self.record, 0
        while True:
            line = self.ahead.popleft() if self.ahead else next(self.lines, None)
            if line is None:
                return
            self.number += 1
            if not record:
                size, self.inside = 0, OUTSIDE
            size += len(line)
            if record and size > LONGEST_RECORD:
                self.number -= 1
                raise self._unterminated()
            record.append(line)
            text = decode(line, self.number) if len(record) > 1 else decode_record(line, self.number)
            text = self._hide_spaced(text)
            if self.trims:
                text, self.inside = self.trims.trim(text, self.inside)
            yield text

    def _ignored_line(self, ignores: Callable[[bytes], bool]) -> Row | None:
        """The next line as a row without cells, where the dialect ignores it; quotes in it mean nothing."""
        line = self.ahead.popleft() if self.ahead else next(self.lines, None)
        if line is None:
            return None
        if ignores(line):
            self.number += 1
            return Row(self.number, [], line)
        self.ahead.appendleft(line)
        return None

    def _hide_spaced(self, text: str) -> str:
        """Hide delimiters that are part of a cell; a line with NULs is faulty as it is."""
        return text.replace(self.spaced, f"{_HIDDEN} ") if self.spaced and "\0" not in text else text

    def _text(self, raw: bytes) -> str:
        """The text of a record, without its line end."""
        return self._hide_spaced(decode_record(without_line_end(raw), self.number))

    # -- stray quotes

    def _find_spaces(self) -> Row | None:
        """A faulty row of the record that failed, where spaces around quotes are all that is wrong with it.

        Not of one that takes in what may be rows: they are read by themselves.
        """
        if self.refuses is None or len(self.record) == 1:
            return None
        raw = b"".join(self.record)
        text = self._text(raw)
        trimmed, inside = self.refuses.trim(text)
        if trimmed == text or inside == QUOTED:
            return None
        try:
            (cells,) = self._read_cells(trimmed.splitlines(keepends=True))
        except (csv.Error, ValueError):
            return None
        if self._find_swallowed(cells)[1]:
            return None
        return self.fault(raw, self.number - len(self.record) + 1)

    def _fault_first_line(self) -> Row:
        """A faulty row of the first line that was read; the others are read again."""
        first, *others = self.record
        if others:
            if self.number < self.doomed:
                self.read_again += sum(map(len, others))
            self.doomed = max(self.doomed, self.number)
            self.number -= len(others)
            self.ahead.extendleft(reversed(others))
            if self.read_again > MOST_READ_AGAIN:
                raise self._unterminated()
        return self.fault(first, self.number)

    def _fault_doomed_line(self) -> Row | None:
        """A faulty row of the next line, where a quote is open at its end.

        All lines up to `doomed` were read within quotes before, and what then stands behind the next quote is known.
        """
        line = self.ahead.popleft()
        self.number += 1
        text = self._hide_spaced(decode_record(line, self.number))
        text = self.trims.trim(text)[0] if self.trims else text
        letter = next(letter for letter in "xyz" if letter not in (self.dialect.delimiter, self.dialect.escapechar))
        try:
            next(self._read_cells([text, f"{self.dialect.quotechar}{letter}\n"]))
        except csv.Error:
            return self.fault(line, self.number)
        self.ahead.appendleft(line)
        self.number -= 1
        return None

    def fault(self, raw: bytes, line: int) -> Row:
        """A row with wrong quotes, that begins on a line."""
        text = self._text(raw)
        cells = self.quotes.cut(text) if self.quotes else text.split(self.dialect.delimiter)
        if self.spaced:
            cells = [cell.replace(_HIDDEN, self.dialect.delimiter) for cell in cells]
        is_spaced = self.refuses is not None and self.refuses.are_spaced(text)
        is_escaped = not self.dialect.escapechar and f"\\{self.dialect.quotechar}" in text
        why = BACKSLASH_BEFORE_QUOTE if is_escaped else TEXT_BEHIND_QUOTE
        return Row(line, cells, raw, SPACES_AROUND_QUOTES if is_spaced else why)

    def refault(self) -> Row:
        """The faulty row that the lines begin with, when it is read once more."""
        lines = list(self.lines)
        reader = RecordReader(self.dialect, self.width, lines, self.number + 1)
        try:
            row = next(iter(reader))
        except FileRejected:  # its quote is open at the end, which has been seen to
            row = None
        return row if row and row.fault else self.fault(lines[0], self.number + 1)

    def _find_swallowed(self, cells: list[str]) -> tuple[int, int]:
        """How many line ends stand in cells that hold delimiters too, and how many further lines look like rows.

        A row that a stray quote took in still has all its delimiters on one line; a text of several lines has not.
        """
        delimiter = self.dialect.delimiter
        swallowed = sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in cells if delimiter in cell)
        needed = max(1, (self.width or len(cells)) - 1)
        wide = sum(line.count(delimiter.encode()) >= needed for line in self.record)
        hidden = max(0, wide - 1)
        return max(swallowed, hidden), hidden

    def _unterminated(self) -> FileRejected:
        text = "".join(self._hide_spaced(line.decode(errors="replace")) for line in self.record)
        text = self.trims.trim(text)[0] if self.trims else text
        before = text[: _find_open_quote(text, self.dialect)]
        line = self.number - len(self.record) + 1 + before.count("\n") + before.count("\r") - before.count("\r\n")
        if self.dialect.quotechar:
            remedy = (
                "Double every quote inside a quoted cell, or read the file with a format that has no quote character."
            )
            message = f"A quote opens in this row and is never closed. {remedy}"
        else:
            message = f"The escape {self.dialect.escapechar!r} stands at the end of this row, with nothing to escape."
        return FileRejected("unterminated_quote", message, line=line)


def _find_open_quote(text: str, dialect: Dialect) -> int:
    """Where the quote opens that is open at the end of a record; its start where none is."""
    if not dialect.quotechar:
        return 0
    quote, delimiter = re.escape(dialect.quotechar), re.escape(dialect.delimiter)
    escape = re.escape(dialect.escapechar) if dialect.escapechar else ""
    escaped = f"|{escape}." if escape else ""
    quoted = re.compile(f"{quote}(?:[^{quote}{escape}]|{quote}{quote}{escaped})*+", re.DOTALL)
    plain = re.compile(f"(?:[^{delimiter}{escape}]{escaped})*+", re.DOTALL)
    start = opened = 0
    while start < len(text):
        found = quoted.match(text, start)
        if found:
            opened = start
            start = found.end() + 1
            if start < len(text):
                start += 1  # past the delimiter
        else:
            start = plain.match(text, start).end() + 1  # type: ignore[union-attr]  # it matches nothing, too
    return opened

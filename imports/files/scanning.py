"""Scan: two reads of one file. First where each customer's rows are and a digest of them, then the rows themselves.

What the first read keeps does not grow with what is no customer: blank lines cost nothing, and adjacent rows of one
customer cost as much as one.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from typing import TYPE_CHECKING

from imports.files.records import Row, decode, decode_record, is_blank
from imports.files.sources import count_line_ends
from imports.formats.encodings import BLOCK
from lookups.texts import drop_controls, read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from imports.files.sources import Source

_AS_IT_STANDS = bytes(byte for byte in range(0x21, 0x7F) if byte != ord("="))
"""Characters of codes that need no reading: visible ASCII, but for what may be a spreadsheet's formula."""
_BLANKS, _FAULTY = 1, 2
"""What a span holds beside sound rows of its customer."""


class Scan:
    """Where each customer's rows are and a digest of them: what the first read keeps.

    Adjacent rows of one customer are one span, with the blank lines among and after them; a row with wrong quotes is
    one by itself. `previous` chains a customer's spans backwards. `nameless` is the number of the rows that name no
    customer, if there are any. Per customer that is the code, 16 bytes of digest and 4 bytes more, per span 17.
    """

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.customers: dict[str, int] = {}
        self.digests: list[bytes] = []
        self.last_span = array("i")
        self.lines, self.offsets, self.previous, self.marks = array("I"), array("Q"), array("i"), bytearray()
        self.records = 0
        self.end = 0
        self.nameless: int | None = None

    def digest_of(self, code: str, raw: bytes) -> hashlib.blake2b:
        """The digest of a customer's rows so far, gone on with these."""
        number = self.customers.get(code)
        before = raw if number is None else self.digests[number] + raw
        return hashlib.blake2b(before, digest_size=16, person=self.seed)

    def add_span(self, code: str, line: int, offset: int, marks: int, digest: bytes) -> None:
        """Append a span that ends where the next one begins."""
        span = len(self.lines)
        self.lines.append(line)
        self.offsets.append(offset)
        self.marks.append(marks)
        number = self.customers.setdefault(code, len(self.digests))
        if number == len(self.digests):
            self.digests.append(digest)
            self.previous.append(-1)
            self.last_span.append(span)
        else:
            self.digests[number] = digest
            self.previous.append(self.last_span[number])
            self.last_span[number] = span

    def spans(self, customer: int) -> Sequence[int]:
        """The spans of a customer's rows, in file order."""
        spans = array("i", [self.last_span[customer]])
        while (span := self.previous[spans[-1]]) >= 0:
            spans.append(span)
        spans.reverse()
        return spans

    def size(self, span: int) -> int:
        following = span + 1
        return (self.offsets[following] if following < len(self.offsets) else self.end) - self.offsets[span]


class _SpanWriter:
    """Makes spans of rows as they come; `rows` are those that are not in the digest yet."""

    def __init__(self, scan: Scan, source: Source) -> None:
        self.scan = scan
        self.offset = source.body
        self.code: str | None = None
        self.rows: list[bytes] = []
        self.line = self.start = self.marks = 0
        self.digest: hashlib.blake2b | None = None

    def begin(self, code: str, line: int) -> None:
        self.end()
        self.code, self.line, self.start, self.marks = code, line, self.offset, 0

    def fold(self) -> None:
        """Take the rows so far into the digest, so that they need not be kept."""
        if not self.rows:
            return
        raw = b"".join(self.rows)
        self.rows.clear()
        self.offset += len(raw)
        if self.digest is None:
            self.digest = self.scan.digest_of(self.code or "", raw)
        else:
            self.digest.update(raw)

    def skip(self, size: int) -> None:
        """Leave out blank lines; they stay within the span that is open."""
        self.fold()
        self.offset += size
        self.marks |= _BLANKS

    def end(self) -> None:
        self.fold()
        if self.code is not None and self.digest is not None:
            self.scan.add_span(self.code, self.line, self.start, self.marks, self.digest.digest())
        self.code = self.digest = None

    def add_faulty(self, code: str, row: Row) -> None:
        self.begin(code, row.line)
        self.rows.append(row.raw)
        self.marks = _FAULTY
        self.end()


class _FirstRead:
    """Lines are cut by hand in blocks where no quote or escape occurs, and read as records in the others."""

    def __init__(
        self,
        source: Source,
        code_index: int,
        scan: Scan,
        progress: Callable[[int], None],
        no_codes: Container[str],
    ) -> None:
        self.source = source
        self.code_index = code_index
        self.scan = scan
        self.progress = progress
        self.no_codes = no_codes
        self.writer = _SpanWriter(scan, source)
        self.blocks = source.blocks()
        self.line = source.body_line - 1
        self.waiting: list[bytes] = []
        self.is_plain = True
        self.in_record = False

    def go(self) -> None:
        while lines := self.waiting or self._next_lines():
            self.waiting = []
            if self.is_plain:
                self._scan_plain(lines)
            else:
                self._scan_records(lines)
        self.writer.end()
        self.scan.end = self.writer.offset

    def _next_lines(self) -> list[bytes]:
        """The lines of the next block that has any but blank ones; whether it is plain is noted."""
        for block in self.blocks:
            self.progress(len(block))
            self.is_plain = self.source.is_plain(block)
            if not self.is_plain or self.in_record or block.strip(self.source.blank):
                return block.splitlines(keepends=True)
            self.writer.skip(len(block))
            self.line += count_line_ends(block)
        return []

    def _find_code(self, cell: str) -> str:
        """The code of a cell, or "" for what stands for none or PostgreSQL could not even be asked about.

        Control characters make a code wrong, but leave no doubt about whose row it is.
        """
        code = read_key(cell)
        return "" if code in self.no_codes or "\0" in code else drop_controls(code)

    def _scan_plain(self, lines: list[bytes]) -> None:
        writer, code_index, delimiter = self.writer, self.code_index, self.source.delimiter
        maxsplit, line, rows, no_codes = code_index + 1, self.line, writer.rows, self.no_codes
        previous: bytes | None = None
        blanks = 0
        for raw in lines:
            line += 1
            try:
                cell = raw.split(delimiter, maxsplit)[code_index]
            except IndexError:
                cell = b""
            if cell != previous:
                if cell.translate(None, _AS_IT_STANDS):
                    code = self._find_code(decode(cell, line))
                else:
                    code = cell.decode()
                    code = "" if code in no_codes else code
                previous = cell if code else None
                if not code and self.source.is_blank_line(raw, line):
                    writer.skip(len(raw))
                    blanks += 1
                    continue
                if code != writer.code:
                    writer.begin(code, line)
            rows.append(raw)
        writer.fold()
        self.scan.records += len(lines) - blanks
        self.line = line

    def _scan_records(self, lines: list[bytes]) -> None:
        """Scan records until a block is plain that begins where a record does."""
        writer, code_index = self.writer, self.code_index

        def go_on() -> Iterator[bytes]:
            yield from lines
            self.in_record = True  # a blank line may be part of one
            while more := self._next_lines():
                if self.is_plain and not reader.record:
                    self.waiting = more
                    break
                yield from more
            self.in_record = False

        reader = self.source.records(go_on(), self.line + 1)
        for row in reader:
            code = self._find_code(row.cells[code_index]) if len(row.cells) > code_index else ""
            if not code and is_blank(row):
                writer.skip(len(row.raw))
                continue
            self.scan.records += 1
            if row.fault:
                writer.add_faulty(code, row)
                continue
            if code != writer.code:
                writer.begin(code, row.line)
            writer.rows.append(row.raw)
        writer.fold()
        self.line = reader.number


def scan_customers(
    source: Source, code_index: int, seed: bytes, progress: Callable[[int], None], no_codes: Container[str] = ()
) -> Scan:
    """First read: find every customer's rows and digest their bytes; the seed (16 bytes) goes into each digest.

    `no_codes` are the cells that stand for no code. Raises FileRejected for an unterminated quote, a line without
    end, a customer code that cannot be decoded.
    """
    scan = Scan(seed)
    _FirstRead(source, code_index, scan, progress, no_codes).go()
    scan.nameless = scan.customers.pop("", None)
    return scan


def read_rows(source: Source, scan: Scan, spans: Iterable[int]) -> Iterator[Row]:
    """Second read: the rows of some spans, without blank lines. Raises FileRejected for a byte that is not text."""
    for span in spans:
        size, marks = scan.size(span), scan.marks[span]
        if size > BLOCK:
            rows: Iterable[Row] = source.records(_lines_of(source, scan.offsets[span], size), scan.lines[span])
        else:
            raw = os.pread(source.file.fileno(), size, scan.offsets[span])
            rows = _rows_of(source, raw, scan.lines[span], is_faulty=bool(marks & _FAULTY))
        yield from (row for row in rows if not is_blank(row)) if marks & _BLANKS else rows


def _rows_of(source: Source, raw: bytes, line: int, *, is_faulty: bool) -> Iterator[Row]:
    if is_faulty:
        yield source.records(raw.splitlines(keepends=True), line).refault()
    elif source.is_plain(raw):
        delimiter = source.dialect.delimiter
        for number, text in enumerate(raw.splitlines(), line):
            yield Row(number, decode_record(text, number).split(delimiter), text)
    else:
        yield from source.records(raw.splitlines(keepends=True), line)


def _lines_of(source: Source, offset: int, size: int) -> Iterator[bytes]:
    """The lines of a span too large to be read at once."""
    rest = b""
    while size and (block := os.pread(source.file.fileno(), min(BLOCK, size), offset)):
        size, offset = size - len(block), offset + len(block)
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop()
        yield from lines
    yield from rest.splitlines(keepends=True)

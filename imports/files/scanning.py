"""Scan: two reads of one file. First where each customer's rows are and a digest of them, then the rows themselves.

What the first read keeps does not grow with what is no customer: blank lines cost nothing, and adjacent rows of one
customer cost as much as one.
"""

from __future__ import annotations

import os
from collections import deque
from itertools import compress, count, groupby, islice, pairwise, takewhile
from operator import ne
from typing import TYPE_CHECKING

from imports.errors import FileHeld, FileRejected, HeldFor, Problem
from imports.files.furniture import Furniture
from imports.files.records import Row, decode, decode_record, decode_records, is_blank, without_line_end
from imports.files.sources import count_line_ends
from imports.files.spans import FAULTY, LEFT_OUT, NOBODY, Scan, SpanWriter
from imports.formats.encodings import BLOCK
from lookups.texts import drop_controls, read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from imports.files.sources import Source

_AS_IT_STANDS = bytes(byte for byte in range(0x21, 0x7F) if byte != ord("="))
"""Characters of codes that need no reading: visible ASCII, but for what may be a spreadsheet's formula."""


def _never(cells: Sequence[str]) -> bool:
    return False


def _look_away(scan: Scan) -> None:
    pass


class _FirstRead:
    """Lines are cut by hand in blocks where no quote or escape occurs, and read as records in the others."""

    def __init__(
        self,
        source: Source,
        code_index: int,
        scan: Scan,
        progress: Callable[[int], None],
        no_codes: Container[str],
        continues: Callable[[Sequence[str]], bool],
        watch: Callable[[Scan], None],
    ) -> None:
        self.source = source
        self.code_index = code_index
        self.scan = scan
        self.progress = progress
        self.no_codes = no_codes
        self.continues = continues
        self.watch = watch
        self.furniture = scan.furniture
        self.marks = scan.furniture.marks
        self.writer = SpanWriter(scan, source)
        self.blocks = source.blocks()
        self.line = source.body_line - 1
        self.waiting: list[bytes] = []
        self.is_plain = True
        self.in_record = False

    def go(self) -> None:
        while lines := self.waiting or self._next_lines():
            self.waiting = []
            if not self.is_plain or self._leaves_out_any(lines):
                self._scan_records(lines)
            elif self.source.ignores:
                self._scan_unignored(lines, self.source.ignores)
            else:
                self._scan_plain(lines)
        self.writer.end()
        self.scan.end = self.writer.offset

    def _leaves_out_any(self, lines: list[bytes]) -> bool:
        """Whether one of some plain lines is left out for a mark; what they hold of marks is noted where none is."""
        if not self.marks:
            return False
        ignores = self.source.ignores
        rows = lines if ignores is None else [line for line in lines if not ignores(line)]
        return self.marks.note_lines(rows, self.line + 1, self.source.delimiter)

    def _next_lines(self) -> list[bytes]:
        """The lines of the next block that has any but blank ones; whether it is plain is noted."""
        for block in self.blocks:
            self.progress(len(block))
            self.watch(self.scan)
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

    def _find_owner(self, code: str, cells: Sequence[str], line: int) -> str | None:
        """The code of whom a row belongs to, "" for nobody; none for a row that is none.

        Raises FileRejected or FileHeld for a header with other columns: the rows below it would be misread.
        """
        if self.furniture.is_other_header(cells):
            raise (
                _misplaced(self.furniture, cells, line) if self.furniture.targets else _other_header(self.source, line)
            )
        if self.furniture.has(cells):
            if self.furniture.is_header(cells):
                self.scan.repeated_headers += 1
                self.scan.first_repeat = self.scan.first_repeat or line
            return None
        if code or not self.writer.above or not self.continues(cells):
            return code
        if self.writer.above == NOBODY:
            self.scan.left_out[""] += 1
            return None
        return self.writer.above

    def _find_owner_of_line(self, code: str, raw: bytes, line: int) -> str | None:
        """The same for a line that is not cut yet."""
        if not code:
            if self.source.is_blank_line(raw, line):
                return None
            if not self.writer.above and not self.furniture.without_code:
                return ""
        cells = decode_record(without_line_end(raw), line).split(self.source.dialect.delimiter)
        return self._find_owner(code, cells, line)

    def _scan_unignored(self, lines: list[bytes], ignores: Callable[[bytes], bool]) -> None:
        """Scan the lines that the dialect does not ignore."""
        for is_ignored, some in groupby(lines, ignores):
            if is_ignored:
                for raw in some:
                    self.line += 1
                    self.writer.skip(len(raw))
            else:
                self._scan_plain(list(some))

    def _scan_plain(self, lines: list[bytes]) -> None:
        """Scan lines of one row each; adjacent ones with the same code are taken together."""
        writer, suspects, line, left_out = self.writer, self.furniture.suspects, self.line + 1, 0
        cells = self._cut_codes(lines)
        changes = compress(count(1), map(ne, cells, islice(cells, 1, None)))
        for start, end in pairwise((0, *changes, len(lines))):
            code = self._read_code(cells[start], line + start)
            if not code or code in suspects:
                left_out += self._scan_doubtful(code, lines[start:end], line + start)
            else:
                writer.write(code, line + start, b"".join(lines[start:end]))
        self.scan.records += len(lines) - left_out
        self.line += len(lines)

    def _cut_codes(self, lines: list[bytes]) -> list[bytes]:
        """The cells of the code; blank where a row ends before."""
        index, delimiter = self.code_index, self.source.delimiter
        cuts = index + 1
        try:
            return [raw.split(delimiter, cuts)[index] for raw in lines]
        except IndexError:
            return [cells[index] if len(cells := raw.split(delimiter, cuts)) > index else b"" for raw in lines]

    def _read_code(self, cell: bytes, line: int) -> str:
        if cell.translate(None, _AS_IT_STANDS):
            return self._find_code(decode(cell, line))
        code = cell.decode()
        return "" if code in self.no_codes else code

    def _scan_doubtful(self, code: str, lines: list[bytes], line: int) -> int:
        """Scan lines without a code, or with one that may be no customer's; returns how many are no rows."""
        left_out = 0
        for number, raw in enumerate(lines, line):
            owner = self._find_owner_of_line(code, raw, number)
            if owner is None:
                self.writer.skip(len(raw))
                left_out += 1
            else:
                self.writer.write(owner, number, raw)
        return left_out

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
            if self.marks and not row.fault and not is_blank(row):
                self.marks.note_row(row.cells, row.line)
                if self.marks.leaves_out(row.cells):
                    self.scan.left_out[code] += 1
                    writer.leave_out(len(row.raw))
                    continue
            owner: str | None = code
            if not code or code in self.furniture.suspects:
                owner = None if is_blank(row) else self._find_owner(code, row.cells, row.line)
            if owner is None:
                writer.skip(len(row.raw))
                continue
            code = owner
            self.scan.records += 1
            if row.fault:
                writer.add_faulty(code, row)
                continue
            writer.write(code, row.line, row.raw)
        self.line = reader.number


def scan_customers(
    source: Source,
    code_index: int,
    seed: bytes,
    progress: Callable[[int], None],
    no_codes: Container[str] = (),
    continues: Callable[[Sequence[str]], bool] = _never,
    furniture: Furniture | None = None,
    watch: Callable[[Scan], None] = _look_away,
) -> Scan:
    """First read: find every customer's rows and digest their bytes; the seed (16 bytes) goes into each digest.

    `no_codes` are the cells that stand for no code, and `continues` says of the cells of a row without one whether it
    belongs to the customer of the row above; `furniture` tells rows that are no customers', and `watch` is shown what
    is found so far, block by block. Raises FileRejected for an unterminated quote, a line without end, a customer code
    that cannot be decoded, another header among the rows, and FileHeld for a header that comes unasked and names other
    columns.
    """
    scan = Scan(seed, furniture or Furniture(source.header, code_index, source.dialect.delimiter))
    _FirstRead(source, code_index, scan, progress, no_codes, continues, watch).go()
    return scan


def read_rows(source: Source, scan: Scan, spans: Iterable[int]) -> Iterator[Row]:
    """Second read: the rows of some spans. Raises FileRejected for a byte that is not text."""
    for span in spans:
        size, marks = scan.size(span), scan.marks[span]
        if size > BLOCK:
            rows: Iterable[Row] = source.records(_lines_of(source, scan.offsets[span], size), scan.lines[span])
        else:
            raw = os.pread(source.file.fileno(), size, scan.offsets[span])
            rows = _rows_of(source, raw, scan.lines[span], is_faulty=bool(marks & FAULTY))
        if marks & LEFT_OUT:
            rows = takewhile(lambda row: not scan.furniture.leaves_out(row.cells), rows)
            rows = (row for row in rows if not is_blank(row) and not scan.furniture.has(row.cells))
        yield from rows


def read_open_row(source: Source, scan: Scan) -> Row | None:
    """The last row of a file that ends within it, without a line end; none where rows end as they should."""
    if not source.is_open or not scan.lines:
        return None
    span = len(scan.lines) - 1
    row = next(iter(deque(read_rows(source, scan, [span]), maxlen=1)), None)
    if row is None:
        return None
    behind = row.line + count_line_ends(without_line_end(row.raw))
    return row if behind == source.line_at(source.end) else None


def _other_header(source: Source, line: int) -> FileRejected:
    return FileRejected(
        "other_header",
        f"Line {line} is a header with other columns than that of line {source.header_line}: two files seem to be put "
        "together. Send each as a file of its own, or both with the same columns in the same order.",
        line=line,
    )


def _misplaced(furniture: Furniture, cells: Sequence[str], line: int) -> FileHeld:
    index = furniture.find_misplaced(cells) or 0
    message = (
        f"Line {line} is a header, where the format expects none, and it names other columns than the format reads: "
        f"column {index + 1} is {cells[index].strip()!r}, and is read into {furniture.targets[index]}. Send the file "
        "with the columns as agreed, or let a version of the format read the header."
    )
    return FileHeld(HeldFor.HEADER, [Problem(code="other_header", message=message, line=line)])


def _rows_of(source: Source, raw: bytes, line: int, *, is_faulty: bool) -> Iterable[Row]:
    if is_faulty:
        return [source.records(raw.splitlines(keepends=True), line).refault()]
    if not source.is_plain(raw):
        return source.records(raw.splitlines(keepends=True), line)
    delimiter, ignores, lines = source.dialect.delimiter, source.ignores, raw.splitlines()
    if ignores is not None:
        return [
            Row(number, [] if ignores(text) else decode_record(text, number).split(delimiter), text)
            for number, text in enumerate(lines, line)
        ]
    texts = decode_records(lines, line)
    return [
        Row(number, text.split(delimiter), each)
        for number, (text, each) in enumerate(zip(texts, lines, strict=True), line)
    ]


def _lines_of(source: Source, offset: int, size: int) -> Iterator[bytes]:
    """The lines of a span too large to be read at once."""
    rest = b""
    while size and (block := os.pread(source.file.fileno(), min(BLOCK, size), offset)):
        size, offset = size - len(block), offset + len(block)
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop()
        yield from lines
    yield from rest.splitlines(keepends=True)

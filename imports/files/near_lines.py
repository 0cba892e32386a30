"""Near lines: which lines around a short row make one together with it, as a line break inside a cell leaves them."""

from __future__ import annotations

import os
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.files.records import Row, decode_record, without_line_end
from imports.files.scanning import read_open_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.files.sources import Source
    from imports.files.spans import Scan

CHUNK = 1 << 12
"""Bytes that are read before a row, and read at once to find it; eight times as many are kept behind it."""
MOST_PARTS = 5
"""Lines that one row may have been broken into."""


class NearLines:
    """The lines around rows of a file that was scanned. Rows are best asked for in the order of the file."""

    def __init__(self, source: Source, scan: Scan) -> None:
        self.source = source
        self.scan = scan
        self.seen = (0, 0)
        self.lines: list[bytes] = []
        self.first = self.begin = self.end = 0
        """The number of the first line that is kept, and the bytes of the file that these are."""
        self.rows: dict[int, Row | None] = {}

    @cached_property
    def open_row(self) -> Row | None:
        """The last row of a file that may have been cut off within it."""
        return read_open_row(self.source, self.scan)

    def find_parts(self, row: Row, width: int) -> Iterator[list[Row]]:
        """The lines around a row of fewer cells that make one of so many together with it, in every way they can."""
        if len(row.raw.splitlines()) > 1 or not self._keep_around(row.line):
            return
        near = [*reversed(self._read_short(range(row.line - 1, row.line - MOST_PARTS, -1), width)), row]
        place = len(near) - 1
        near += self._read_short(range(row.line + 1, row.line + MOST_PARTS), width)
        cells = [len(each.cells) for each in near]
        for size in range(2, MOST_PARTS + 1):
            for start in range(max(0, place - size + 1), min(place, len(near) - size) + 1):
                if sum(cells[start : start + size]) - size + 1 == width:
                    yield near[start : start + size]

    def _read_short(self, numbers: range, width: int) -> list[Row]:
        """The rows of these lines, up to the first that has no fewer cells or cannot be read by itself."""
        found: list[Row] = []
        for number in numbers:
            row = self._read_row(number)
            if row is None or len(row.cells) >= width:
                break
            found.append(row)
        return found

    def _read_row(self, number: int) -> Row | None:
        if number in self.rows:
            return self.rows[number]
        raw = self.lines[number - self.first] if 0 <= number - self.first < len(self.lines) else None
        row = None if raw is None else self._cut(raw, number)
        self.rows[number] = row
        return row

    def _cut(self, raw: bytes, number: int) -> Row | None:
        try:
            if self.source.is_plain(raw):
                text = decode_record(without_line_end(raw), number)
                return Row(number, text.split(self.source.dialect.delimiter), raw)
            row = next(iter(self.source.records([raw], number)), None)
        except FileRejected:  # a quote that is open at its end, or what is no text
            return None
        return None if row is None or row.fault else row

    def _keep_around(self, line: int) -> bool:
        """Read the lines before and behind one, unless they are kept. Returns whether it could be found."""
        last = self.first + len(self.lines) - 1
        is_begun = self.begin <= self.source.body or self.first + MOST_PARTS <= line
        is_ended = self.end >= self.source.end or line + MOST_PARTS <= last
        if self.lines and self.first <= line <= last and is_begun and is_ended:
            return True
        offset = self._find_offset(line)
        if offset is None:
            return False
        begin = max(self.source.body, offset - CHUNK)
        before = self._read(begin, offset).splitlines(keepends=True)
        if begin > self.source.body:
            begin += len(before.pop(0)) if before else 0  # it may have begun before
        end = min(self.source.end, offset + 8 * CHUNK)
        behind = self._read(offset, end).splitlines(keepends=True)
        if end < self.source.end and behind:
            end -= len(behind.pop())
        self.lines, self.first = before + behind, line - len(before)
        self.begin, self.end = begin, end
        self.rows.clear()
        return bool(behind)

    def _find_offset(self, line: int) -> int | None:
        """Where a line begins; none behind lines that are too long."""
        scan = self.scan
        span = bisect_right(scan.lines, line) - 1
        at, offset = scan.lines[span], scan.offsets[span]
        if at < self.seen[0] <= line:
            at, offset = self.seen
        while at < line:
            passed = self._read(offset, offset + CHUNK).splitlines(keepends=True)[:-1][: line - at]
            if not passed:
                return None
            at, offset = at + len(passed), offset + sum(map(len, passed))
        self.seen = (at, offset)
        return offset

    def _read(self, start: int, end: int) -> bytes:
        return os.pread(self.source.file.fileno(), end - start, start)

"""Widths: how many cells a row has, how many it should have, and what is said of one that has others."""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.files.records import is_blank
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.files.mapping import CustomerMapping
    from imports.files.records import Row
    from imports.files.sources import Source
    from imports.files.spans import Scan

LOOKED_AT = 100
"""Rows that tell whether anything stands below columns without a name."""
CHUNK = 1 << 12
"""Bytes that are read before a row and behind it to find lines that belong to it; it costs time for every short row."""
MOST_PARTS = 5
"""Lines that one row may have been broken into."""
AMBIGUOUS = 3
"""Columns of a file in which two rows that lack a cell each have as many as a broken one."""
MOST_NAMED = 3


def drop_columns_behind(header: list[str], rows: Iterable[Row]) -> list[str]:
    """The header without the nameless cells at its end that none of its first rows has a cell below.

    A row that ends with a blank cell may have lost another one, so one that does not must show where rows end.
    """
    named = len(header)
    while named and not read_key(header[named - 1]):
        named -= 1
    if named in (0, len(header)):
        return header
    try:
        sound = [
            row.cells for row in islice(rows, LOOKED_AT) if not row.fault and not is_blank(row) and row.cells != header
        ]
    except FileRejected:  # whoever reads the rows will say so
        return header
    width = max(map(len, sound), default=0)
    is_end = any(len(cells) == width and read_key(cells[-1]) for cells in sound)
    return header[:width] if named <= width < len(header) and is_end else header


class Widths:
    """Judges how many cells rows have, by the columns and policies of a mapping."""

    def __init__(self, mapping: CustomerMapping, lines: NearLines | None = None) -> None:
        spec = mapping.spec
        self.header = mapping.header
        self.width = len(mapping.header) or spec.width
        self.can_quote = spec.dialect.quotechar is not None
        self.trailing = spec.policies.allow_trailing_delimiter
        self.short = spec.policies.allow_short_rows
        self.is_said = bool(mapping.header or spec.dialect.width)
        self.lines = lines

    def explain(self, row: Row) -> str:
        """What is wrong with the number of a row's cells; "" where nothing is."""
        found, width = len(row.cells), self.width
        if found == width or (found < width and self.short):
            return ""
        blanks = 0
        while found - blanks > width and not read_key(row.cells[-1 - blanks]):
            blanks += 1
        if blanks == 1 == found - width and self.trailing:
            return ""
        source = "" if self.is_said else " by the last column that the format maps, since it says no width"
        what = f"The row has {_count(found)}; {width} {'is' if width == 1 else 'are'} expected{source}"
        return f"{what}{self._explain_more(found, blanks) if found > width else self._explain_less(row)}"

    def _explain_more(self, found: int, blanks: int) -> str:
        more = found - self.width
        if blanks == more == 1:
            return (
                ": a delimiter too many stands at its end, with nothing behind it. Leave it out, "
                "or let the format allow it (allow_trailing_delimiter)."
            )
        if blanks == more:
            return f": {more} blank cells too many stand at its end. Leave them out."
        return f".{' A cell that holds the delimiter must be in quotes.' * self.can_quote}"

    def _explain_less(self, row: Row) -> str:
        broken = self.find_break(row)
        left_out = "" if broken and self.width > AMBIGUOUS else self._explain_left_out(len(row.cells))
        return f".{broken and f' {broken}'}{left_out}"

    def _explain_left_out(self, found: int) -> str:
        """Words for a row that may lack blank cells at its end; none for one that lacks most of its cells."""
        missing = self.width - found
        if found < missing:
            return ""
        names = [name.strip() for name in self.header[found : found + MOST_NAMED] if name.strip()]
        named = f" ({', '.join(names)}{', …' * (missing > MOST_NAMED)})" if names else ""
        which, verb = (f"the last {missing}", "were") if missing > 1 else ("the last one", "was")
        remedy = "send the delimiters all the same, or let the format allow it (allow_short_rows)"
        return f" If {which}{named} {verb} left out as blank, {remedy}."

    def find_break(self, row: Row) -> str:
        """Words for a row that makes one of the right width together with its neighbours; "" where it does not."""
        lines = self.lines.find_parts(row, self.width) if self.lines else ()
        if not lines:
            return ""
        others = [str(line) for line in lines if line != row.line]
        named = f"line{'s' * (len(others) > 1)} {', '.join(others[:-1])}{' and ' * (len(others) > 1)}{others[-1]}"
        remedy = (
            "Put that cell in quotes, or send its text on one line" if self.can_quote else "Send its text on one line"
        )
        return (
            f"Together with {named} it makes one row of {self.width} cells: a line break seems to stand inside a cell. "
            f"{remedy}."
        )

    def pad(self, cells: list[str]) -> list[str]:
        """The cells of a short row, with those that were left out."""
        return cells + [""] * (self.width - len(cells))

    def may_be_half(self, cells: Sequence[str]) -> bool:
        """Whether a short row is no more than half of one, so that it may be the smaller part of one that is broken."""
        return len(cells) * 2 <= self.width + 1


class NearLines:
    """The lines around rows of a file that was scanned. Rows are best asked for in the order of the file."""

    def __init__(self, source: Source, scan: Scan) -> None:
        self.source = source
        self.scan = scan
        self.seen = (0, 0)

    def find_parts(self, row: Row, width: int) -> Sequence[int]:
        """The lines that make one row of so many cells together with a row of fewer; none where no lines do."""
        offset = self._find_offset(row.line) if self.source.is_plain(row.raw) else None
        after = [] if offset is None else self._count_after(offset, width)
        if offset is None or not after:
            return ()
        before = self._count_before(offset, width)
        counts, place = [*reversed(before), *after], len(before)
        for size in range(2, MOST_PARTS + 1):
            for start in range(max(0, place - size + 1), min(place, len(counts) - size) + 1):
                if sum(counts[start : start + size]) - size + 1 == width:
                    first = row.line + start - place
                    return range(first, first + size)
        return ()

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

    def _count_before(self, offset: int, width: int) -> list[int]:
        """How many cells the lines before have, the nearest first, as far as they have too few."""
        start = max(self.source.body, offset - CHUNK)
        lines = self._read(start, offset).splitlines()
        return self._count(reversed(lines[start > self.source.body :]), width)

    def _count_after(self, offset: int, width: int) -> list[int]:
        """The same of the line at an offset and those that follow."""
        end = min(self.source.end, offset + CHUNK)
        lines = self._read(offset, end).splitlines()
        return self._count(lines[:-1] if end < self.source.end else lines, width)

    def _count(self, lines: Iterable[bytes], width: int) -> list[int]:
        counts = []
        for line in islice(lines, MOST_PARTS):
            count = line.count(self.source.delimiter) + 1
            if count >= width or not self.source.is_plain(line):
                break
            counts.append(count)
        return counts

    def _read(self, start: int, end: int) -> bytes:
        return os.pread(self.source.file.fileno(), end - start, start)


def _count(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"

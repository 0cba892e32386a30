"""Cutting: what a delimiter and a quote make of the lines of a sample."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from imports.files.quoting import Quotes
from imports.files.records import read_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMMON_DELIMITERS = ",;|\t"
FEW_COLUMNS = 3
LEAST_SHORT = 0.1
"""The share of rows that must be short, else they are faulty ones."""
MOST_FOOTER_LINES = 6
FEWEST_WRAPPED = 2
"""How many cells an unusual quote must wrap to be tried."""
MOST_WRAP = 0.7
"""The share of a mark's places, beside another one, from which on it wraps the cells between."""
_NO_QUOTE = frozenset(" \t\r\n\0.,;:-_@/\\()[]{}<>&+?!=")
_NO_DELIMITER = frozenset("\"'._-@/()+&#*\\ \r\n\0")


@dataclass
class Cutting:
    """The records that a delimiter and a quote make of some lines, each with its first line (from 0).

    Where they are `ragged`, blank cells at the end of rows were left out: the first record is the widest, every record
    ends with a cell that is filled, and several are short.
    """

    delimiter: str
    quotechar: str | None
    spaced: bool
    around: bool
    records: list[tuple[int, list[str]]]
    broken: bool

    def __post_init__(self) -> None:
        widths = Counter(len(cells) for _, cells in self.records if any(cell.strip() for cell in cells))
        # Of two widths that are about as frequent, the wider one: a preamble or a footer is narrow.
        self.width, count = max(
            widths.items(), key=lambda item: (item[1] * math.sqrt(item[0]), item[0]), default=(0, 0)
        )
        self.share = count / max(1, widths.total())
        self.ragged = self.delimiter in COMMON_DELIMITERS and _are_ragged(self.records)
        if self.ragged:
            self.width, self.share = len(self.records[0][1]), 1.0

    def read(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str] | None]]:
        """The records of other lines, cut the same."""
        return read_records(lines, self.delimiter, self.quotechar, spaced=self.spaced, around=self.around)

    @property
    def score(self) -> float:
        """How much it looks like a table: most records as wide as the others, and the wider the better."""
        if self.width < 2:
            return 0.0
        usual = 1.0 if self.delimiter in COMMON_DELIMITERS else 0.35 if self.delimiter == " " else 0.7
        return self.share**2 * (1 - 1 / self.width) * usual * (0.6 if self.broken else 1)


def find_delimiters(lines: list[str]) -> list[str]:
    """The usual delimiters, and whatever else stands on most lines and is no letter or digit.

    A mark that stands on both sides of another one all over wraps the cells between those: |a|,|b|.
    """
    seen = Counter(letter for line in lines for letter in set(line) if not letter.isalnum())
    often = [letter for letter, count in seen.most_common(12) if count > len(lines) / 2 and letter not in _NO_DELIMITER]
    text = "".join(lines)
    found = [*COMMON_DELIMITERS, *(letter for letter in often if letter not in COMMON_DELIMITERS)]
    return [mark for mark in found if not _wraps(text, mark)] + [" "]


def _wraps(text: str, mark: str) -> bool:
    between = max(text.count(f"{mark}{delimiter}{mark}") for delimiter in COMMON_DELIMITERS if delimiter != mark)
    return between * 2 > text.count(mark) * MOST_WRAP


def find_quotes(lines: list[str], delimiter: str) -> list[str | None]:
    """The quotes that may wrap cells, the likeliest first; a mark that never wraps one is none."""
    text = "".join(lines)
    usual = _count_wrapped(text, '"', delimiter)
    others = {mark: _count_wrapped(text, mark, delimiter) for mark in _marks(text, delimiter)}
    other, often = max(others.items(), key=lambda item: item[1], default=("", 0))
    if often > max(len(lines), usual):
        return [other]
    found: list[str | None] = ['"']
    if usual * 2 < text.count('"') - usual:  # not nearly all of them wrap cells
        found.append(None)
    return [*found, other] if often >= FEWEST_WRAPPED else found


def _marks(text: str, delimiter: str) -> list[str]:
    """What may wrap cells beside the usual quote: an apostrophe, "~", "|", but no letter and no space."""
    marks = (mark for mark in sorted(set(text)) if mark.isascii() and not mark.isalnum() and mark not in _NO_QUOTE)
    return [mark for mark in marks if mark not in ('"', delimiter) and f"{delimiter}{mark}" in text]


def _count_wrapped(text: str, quote: str, delimiter: str) -> int:
    """How many cells begin and end with a mark."""
    mark, wrap = re.escape(delimiter), re.escape(quote)
    return len(
        re.findall(rf"(?:^|{mark}){wrap}(?:[^{wrap}\r\n]|{wrap}{wrap})*{wrap}(?=\r?$|{mark})", text, re.MULTILINE)
    )


def _are_ragged(records: list[tuple[int, list[str]]]) -> bool:
    """Whether blank cells were left out at the end of rows, and no line break cut them in two."""
    if not records:
        return False
    (_, header), *rows = records
    width = len(header)
    while rows and len(rows[-1][1]) * 2 < width and len(records) - len(rows) < MOST_FOOTER_LINES:
        rows.pop()
    counts = [len(cells) for _, cells in rows]
    short = sum(count < width for count in counts)
    halves = any(first < width and first + second - 1 == width for first, second in pairwise(counts))
    return (
        width > FEW_COLUMNS
        and short >= max(2, len(rows) * LEAST_SHORT)
        and width / 2 <= min(counts) < max(counts) <= width
        and all(cells[-1].strip() for cells in [header, *(cells for _, cells in rows)])
        and not halves
    )


def cut(lines: list[str], delimiter: str, quote: str | None, *, spaced: bool = False, around: bool = False) -> Cutting:
    records: list[tuple[int, list[str]]] = []
    broken = False
    for line, cells in read_records(lines, delimiter, quote, spaced=spaced, around=around):
        if cells is None:
            broken = True
        else:
            records.append((line, cells))
    return Cutting(delimiter, quote, spaced, around, records, broken)


def cut_around_quotes(lines: list[str], best: Cutting) -> Cutting:
    """The lines with the spaces around their quotes left out, where they have some and are cut no worse so."""
    quotechar = best.quotechar or '"'
    quotes = Quotes(best.delimiter, quotechar, None)
    if not any(map(quotes.are_spaced, lines)):
        return best
    around = cut(lines, best.delimiter, quotechar, around=True)
    is_worse = around.width < 2 or around.share < best.share or (around.broken and not best.broken)
    return best if is_worse else around


def read_records(
    lines: Iterable[str], delimiter: str, quote: str | None, *, spaced: bool, around: bool = False
) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with its first line; none for one whose quotes are wrong. A quote that never closes ends it all.

    With `spaced` a delimiter that a space follows is part of the cell; with `around` spaces around quotes are none.
    """
    hidden = (line.replace(f"{delimiter} ", "\0 ") for line in lines) if spaced else lines
    if around and quote:
        hidden = Quotes(delimiter, quote, None).trim_lines(hidden)
    reader = read_cells(hidden, delimiter=delimiter, quotechar=quote)
    while True:
        line = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
        else:
            yield line, [cell.replace("\0", delimiter) for cell in cells] if spaced else cells

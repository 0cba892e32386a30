"""Cutting: what a delimiter and a quote make of the lines of a sample."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imports.files.records import read_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMON_DELIMITERS = ",;|\t"
_NO_DELIMITER = frozenset("\"'._-@/()+&#*\\ \r\n\0")


@dataclass
class Cutting:
    """The records that a delimiter and a quote make of some lines, each with its first line (from 0)."""

    delimiter: str
    quotechar: str | None
    spaced: bool
    records: list[tuple[int, list[str]]]
    broken: bool

    def __post_init__(self) -> None:
        widths = Counter(len(cells) for _, cells in self.records if any(cell.strip() for cell in cells))
        # Of two widths that are about as frequent, the wider one: a preamble or a footer is narrow.
        self.width, count = max(
            widths.items(), key=lambda item: (item[1] * math.sqrt(item[0]), item[0]), default=(0, 0)
        )
        self.share = count / max(1, widths.total())

    @property
    def score(self) -> float:
        """How much it looks like a table: most records as wide as the others, and the wider the better."""
        if self.width < 2:
            return 0.0
        usual = 1.0 if self.delimiter in COMMON_DELIMITERS else 0.35 if self.delimiter == " " else 0.7
        return self.share**2 * (1 - 1 / self.width) * usual * (0.6 if self.broken else 1)


def find_delimiters(lines: list[str]) -> list[str]:
    """The usual delimiters, and whatever else stands on most lines and is no letter or digit."""
    seen = Counter(letter for line in lines for letter in set(line) if not letter.isalnum())
    often = [letter for letter, count in seen.most_common(12) if count > len(lines) / 2 and letter not in _NO_DELIMITER]
    return [*COMMON_DELIMITERS, *(letter for letter in often if letter not in COMMON_DELIMITERS), " "]


def find_quotes(lines: list[str], delimiter: str) -> list[str | None]:
    """The quotes that may wrap cells, the likeliest first; a mark that never wraps one is none."""
    text = "".join(lines)
    mark = re.escape(delimiter)
    wraps = {
        quote: len(re.findall(rf"(?:^|{mark}){quote}[^{quote}\r\n]*{quote}(?=$|{mark})", text, re.MULTILINE))
        for quote in "\"'"
    }
    if wraps["'"] > len(lines) and wraps["'"] > wraps['"']:
        return ["'"]
    return ['"', None] if '"' in text else ['"']


def cut(lines: list[str], delimiter: str, quote: str | None, *, spaced: bool = False) -> Cutting:
    records: list[tuple[int, list[str]]] = []
    broken = False
    for line, cells in read_records(lines, delimiter, quote, spaced=spaced):
        if cells is None:
            broken = True
        else:
            records.append((line, cells))
    return Cutting(delimiter, quote, spaced, records, broken)


def read_records(
    lines: list[str], delimiter: str, quote: str | None, *, spaced: bool
) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with its first line; none for one whose quotes are wrong. A quote that never closes ends it all.

    With `spaced` a delimiter that a space follows is part of the cell.
    """
    hidden = (line.replace(f"{delimiter} ", "\0 ") for line in lines) if spaced else lines
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

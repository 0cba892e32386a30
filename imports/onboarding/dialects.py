"""Dialect: how the lines of a sample are cut into cells, and where the header and the footer are."""

from __future__ import annotations

import csv
import fnmatch
import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.files.records import read_cells
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.onboarding import vocabulary
from imports.onboarding.headers import knows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from imports.onboarding.sampling import Sample

COMMON_DELIMITERS = ",;|\t"
MOST_COLUMNS = 1000
PROBED_LINES = 300
READ_ROWS = 2000
_NO_DELIMITER = frozenset("\"'._-@/()+&#*\\ \r\n\0")


@dataclass
class Table:
    """A sample cut into cells: the header, if there is one, and rows of as many cells."""

    dialect: Dialect
    header: list[str]
    header_line: int | None
    rows: list[list[str]]
    footer_lines: int
    trailing_delimiter: bool

    @property
    def width(self) -> int:
        return len(self.header) or len(self.rows[0])


@dataclass
class _Cutting:
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


def find_table(sample: Sample) -> Table:
    """Cut the sample. Raises FileRejected where it is no table of two to a thousand columns with a row."""
    lines = sample.lines[:PROBED_LINES]
    cuttings = [
        _cut(lines, delimiter, quote) for delimiter in _delimiters(lines) for quote in _quotes(lines, delimiter)
    ]
    best = max(cuttings, key=lambda cutting: cutting.score, default=None)
    if best is not None and best.share < 1 and best.delimiter != " ":
        spaced = _cut(lines, best.delimiter, best.quotechar, spaced=True)
        if spaced.width > 1 and spaced.share > best.share:
            best = spaced
    if best is None or best.score < 0.15:
        raise FileRejected(
            "one_column",
            "No delimiter was found that cuts the lines into as many cells each; the file seems to have one column. "
            "Cells must stand between commas, semicolons, pipes, tabs or another character that they do not contain.",
        )
    if best.width > MOST_COLUMNS:
        raise FileRejected(
            "too_many_columns",
            f"The file has {best.width:,} columns; at most {MOST_COLUMNS:,} are looked at. Is it a customer file with "
            "one customer or address per row? Leave out the columns that are not about customers.",
        )
    return _read_table(sample, best)


def _delimiters(lines: list[str]) -> list[str]:
    """The usual delimiters, and whatever else stands on most lines and is no letter or digit."""
    seen = Counter(letter for line in lines for letter in set(line) if not letter.isalnum())
    often = [letter for letter, count in seen.most_common(12) if count > len(lines) / 2 and letter not in _NO_DELIMITER]
    return [*COMMON_DELIMITERS, *(letter for letter in often if letter not in COMMON_DELIMITERS), " "]


def _quotes(lines: list[str], delimiter: str) -> list[str | None]:
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


def _cut(lines: list[str], delimiter: str, quote: str | None, *, spaced: bool = False) -> _Cutting:
    records: list[tuple[int, list[str]]] = []
    broken = False
    for line, cells in _records(lines, delimiter, quote, spaced=spaced):
        if cells is None:
            broken = True
        else:
            records.append((line, cells))
    return _Cutting(delimiter, quote, spaced, records, broken)


def _records(
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


def _read_table(sample: Sample, cutting: _Cutting) -> Table:
    delimiter, quote, width = cutting.delimiter, cutting.quotechar, cutting.width
    records = [
        (line, cells)
        for line, cells in _records(sample.lines, delimiter, quote, spaced=cutting.spaced)
        if cells is not None and any(cell.strip() for cell in cells)
    ][: READ_ROWS + 50]
    footer_lines, footer = _find_footer(sample, cutting)
    if footer_lines and sample.is_whole:
        end = _last_line(sample.lines) - footer_lines
        records = [(line, cells) for line, cells in records if line <= end]
    first = _find_first(records, width)
    has_header = _is_header(records, first, width)
    header_cells = records[first][1] if has_header else []
    rows = [cells for _, cells in records[first + has_header :]]
    trailing = sum(len(cells) == width + 1 and not cells[-1].strip() for cells in rows)
    if (
        has_header
        and len(header_cells) == width - 1
        and all(not cells[-1].strip() for cells in rows if len(cells) == width)
    ):
        width, trailing = width - 1, len(rows)  # the rows end with a delimiter and the header does not
    elif (
        has_header
        and len(header_cells) == width
        and not header_cells[-1].strip()
        and all(not cells[-1].strip() for cells in rows if len(cells) == width)
    ):
        trailing = 0
    rows = [cells[:width] for cells in rows if len(cells) == width or (trailing and len(cells) == width + 1)][
        :READ_ROWS
    ]
    if not rows:
        raise _no_rows()
    line = records[first][0]
    dialect = Dialect(
        encoding=sample.encoding,
        delimiter=delimiter,
        quotechar=quote,
        has_header=has_header,
        skip_lines=line,
        footer=footer,
        allow_spaced_delimiter=cutting.spaced,
        width=0 if has_header else width,
    )
    return Table(dialect, header_cells, line + 1 if has_header else None, rows, footer_lines, trailing > 0)


def _find_first(records: list[tuple[int, list[str]]], width: int) -> int:
    """The index of the record that begins the table: the first as wide as the rest and filled like a row.

    Where none is filled, the first that is as wide; a wider one has cells that the rows below do not have.
    """
    filled = sorted(sum(bool(cell.strip()) for cell in cells) for _, cells in records if len(cells) == width)
    usual = filled[len(filled) // 2] if filled else 0
    for index, (_, cells) in enumerate(records[:PROBED_LINES]):
        count = sum(bool(cell.strip()) for cell in cells)
        wide = len(cells) in (width, width - 1) if index + 1 < len(records) else len(cells) == width
        if wide and count >= max(2, usual * 0.5):
            return index
    as_wide = next((index for index, (_, cells) in enumerate(records) if len(cells) == width), None)
    if as_wide is None:
        raise _no_rows()
    return as_wide


def _no_rows() -> FileRejected:
    return FileRejected(
        "no_rows", "The file has a header and no rows. Give a sample with some customers: their values are needed."
    )


def _is_header(records: list[tuple[int, list[str]]], first: int, width: int) -> bool:
    """Whether the first record names the columns: with known words, or as the misfit of columns that hold values."""
    cells = [cell.strip() for cell in records[first][1]]
    given = [cell for cell in cells if cell]
    known = sum(knows(cell) for cell in given)
    datalike = sum("@" in cell or bool(re.fullmatch(r"[+(]?[\d ./,()-]{3,}", cell)) for cell in given)
    below = [row for _, row in records[first + 1 : first + 100] if len(row) == width]
    repeated = sum(any(row[index].strip() == cell for row in below) for index, cell in enumerate(cells[:width]) if cell)
    if datalike > len(given) / 10 or repeated > len(given) / 4:
        return known > len(given) * 0.6 and not datalike
    return known >= max(1, len(given) * 0.3) or _differs(cells, below) > (0.6 if known < len(given) * 0.15 else 0.3)


def _differs(cells: list[str], below: list[list[str]]) -> float:
    """The share of the columns with values of one shape that the record's cell does not have."""
    shaped = misfits = 0
    for index, cell in enumerate(cells):
        values = [value for row in below if index < len(row) and (value := row[index].strip())]
        if len(values) < max(2, len(below) / 2):
            continue
        shapes = [shape for shape in _SHAPES if sum(map(shape, values)) > len(values) * 0.9]
        few = len(set(values)) <= min(len(values) / 2, 6)
        if shapes or few:
            shaped += 1
            misfits += (few and cell not in values) if not shapes else not all(shape(cell) for shape in shapes)
    return misfits / shaped if shaped else 0.0


def _is_number(cell: str) -> bool:
    return cell.replace(" ", "").replace(".", "").replace(",", "").isdigit()


_SHAPES: tuple[Callable[[str], bool], ...] = (
    lambda cell: "@" in cell,
    _is_number,
    lambda cell: any(letter.isdigit() for letter in cell),
    lambda cell: sum(letter.isdigit() for letter in cell) > len(cell) / 3,
    lambda cell: len(cell) == 2,
    lambda cell: len(cell) == 3,
    lambda cell: not cell.isupper(),
    lambda cell: " " in cell,
)
"""What all values of a column may have in common, and the name of the column has not."""


def _last_line(lines: list[str]) -> int:
    """The index of the last line that is not blank."""
    return max((index for index, line in enumerate(lines) if line.strip()), default=-1)


def _find_footer(sample: Sample, cutting: _Cutting) -> tuple[int, str]:
    """How many lines after the last record are none, and a mask that they match."""
    lines = [line.strip("\r\n") for line in (sample.lines if sample.is_whole else sample.tail)]
    while lines and not lines[-1].strip():
        lines.pop()
    footer: list[str] = []
    for line in reversed(lines[-10:]):
        if not line.strip():
            footer.append("")
            continue
        cells = next(
            (cells for _, cells in _records([line], cutting.delimiter, cutting.quotechar, spaced=cutting.spaced)), None
        )
        if cells is None:
            return 0, ""
        filled = [cell for cell in cells if cell.strip()]
        narrow = len(cells) < max(2, cutting.width * 0.7) or (len(filled) <= 2 < cutting.width / 2)
        if (
            not narrow
            or any('"' in cell for cell in filled)
            or (cutting.quotechar and cutting.quotechar in line and len(cells) > 1)
        ):
            break
        footer.append(line.strip())
    while footer and not footer[-1]:
        footer.pop()
    texts = [line for line in footer if line]
    if not texts or len(texts) >= max(3, len(lines)) or len(texts) > 5:
        return 0, ""
    rows = (line.strip() for line in lines[: -len(footer)])
    return len(footer), _mask(texts, rows)


def _mask(lines: list[str], rows: Iterable[str]) -> str:
    """A mask that all the lines match; "" where they have no words in common, or where a row would match it too.

    Numbers and names of days and months are left open, because the next file has others.
    """
    pieces = [_changing().split(line) for line in lines]
    text = "*".join(pieces[0]) if len(lines) == 1 else _common_start([of_line[0] for of_line in pieces])
    mask = re.sub(r"[\s*]*\*[\s*]*$", "*", re.sub(r"[\[\]?]", "?", text) + "*")
    mask = re.sub(r"\*(?:[^\w*]*\*)+", "*", mask)
    try:
        Dialect(footer=mask)
    except FormatError:
        return ""
    matches = re.compile(fnmatch.translate(mask)).match
    return "" if any(matches(row) for row in rows) else mask


def _common_start(texts: list[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


@cache
def _changing() -> re.Pattern[str]:
    """What differs in the last lines of two files: numbers, and the names of days and months."""
    names = "|".join(re.escape(name) for name in vocabulary.load("values")["calendar"])
    return re.compile(rf"[0-9]+|\b(?:{names})\b\.?", re.IGNORECASE)

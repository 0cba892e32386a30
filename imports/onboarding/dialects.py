"""Dialect: how the lines of a sample are cut into cells, and where the header and the footer are."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from imports.errors import FileRejected
from imports.formats.masks import compile_masks
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.onboarding.continuing import fill_down
from imports.onboarding.cutting import cut, cut_around_quotes, find_delimiters, find_quotes
from imports.onboarding.footers import find_footer, last_line
from imports.onboarding.headings import Below, find_below, find_better, find_groups, is_header
from imports.onboarding.ignoring import find_ignored, is_rule, mask_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.onboarding.cutting import Cutting
    from imports.onboarding.sampling import Sample

MOST_COLUMNS = 1000
PROBED_LINES = 300
READ_ROWS = 2000


@dataclass
class Table:
    """A sample cut into cells: the header, if there is one, and rows of as many cells, blank ones filled in."""

    dialect: Dialect
    header: list[str]
    header_line: int | None
    rows: list[list[str]]
    footer_lines: int
    trailing_delimiter: bool
    short_rows: bool = False
    continues: bool = False
    """Whether rows without a code continue the one above; what is its customer's is filled in."""
    footer: str = ""
    """The footer, where it is one line."""
    groups: list[str] = field(default_factory=list)
    """By column, what a line above the header says of several; [] where there is none."""
    labels: list[str] = field(default_factory=list)
    """By column, what a line below the header calls it as well; [] where there is none."""
    records: int = 0
    """How many records there are behind the header; 0 where the sample is only the beginning of a file."""

    @property
    def width(self) -> int:
        return len(self.header) or len(self.rows[0])


def _shape(lines: Sequence[str]) -> str:
    """What lines without a delimiter seem to be."""
    padded = sum("   " in line.strip() for line in lines)
    return "columns of a fixed width, padded with spaces" if padded > len(lines) / 2 else "one column"


def find_table(
    sample: Sample, delimiter: str = "", header_line: int | None = None, quotechar: str | None = None
) -> Table:
    """Cut the sample, by the delimiter and quote and with the header that are given, else as is likeliest.

    `header_line` counts from 1, and 0 says that there is no header; a quote of "" is none. Raises FileRejected where it
    is no table of two to a thousand columns with a row, FormatError where delimiter and quote are the same.
    """
    if quotechar and quotechar == delimiter:
        raise FormatError(f"Delimiter and quote must be different characters, not both {delimiter!r}.")
    lines = [line for line in sample.lines[:PROBED_LINES] if not is_rule(line)]
    delimiters = [delimiter] if delimiter else find_delimiters(lines)
    given = None if quotechar is None else [quotechar or None]
    marks = [(mark, quote) for mark in delimiters for quote in given or find_quotes(lines, mark) if mark != quote]
    cuttings = [cut(lines, mark, quote) for mark, quote in marks]
    best = max(cuttings, key=lambda cutting: cutting.score, default=None)
    if best is not None and quotechar != "":
        best = cut_around_quotes(lines, best)
    if best is not None and best.share < 1 and best.delimiter != " ":
        spaced = cut(lines, best.delimiter, best.quotechar, spaced=True)
        if spaced.width > 1 and spaced.share > best.share:
            best = spaced
    if best is None or best.width < 2 or (best.score < 0.15 and not delimiter):
        raise FileRejected(
            "one_column",
            "No delimiter was found that cuts the lines into as many cells each; the file seems to have "
            f"{_shape(lines)}. "
            "Cells must stand between commas, semicolons, pipes, tabs or another character that they do not contain.",
        )
    if best.width > MOST_COLUMNS:
        raise FileRejected(
            "too_many_columns",
            f"The file has {best.width:,} columns; at most {MOST_COLUMNS:,} are looked at. Is it a customer file with "
            "one customer or address per row? Leave out the columns that are not about customers.",
        )
    return _read_table(sample, best, header_line)


def _read_table(sample: Sample, cutting: Cutting, header_line: int | None) -> Table:
    delimiter, quote, width = cutting.delimiter, cutting.quotechar, cutting.width
    filled = ((line, cells) for line, cells in cutting.read(sample.lines) if cells and any(map(str.strip, cells)))
    found = list(islice(filled, READ_ROWS + 50))
    records = [(line, cells) for line, cells in found if not is_rule(sample.lines[line])]
    if header_line:
        first, has_header = _find_line(records, header_line, width), True
    else:
        first = _find_first(records, width)
        has_header = header_line is None and is_header(records, first, width)
        if has_header:
            first += find_better(records[first][1], [cells for _, cells in records[first + 1 :]])
    header = records[first][1] if has_header else []
    line = records[first][0]
    below = find_below([cells for _, cells in records[first + 1 :]]) if has_header else Below(0, [])
    ignored = find_ignored(sample.lines, found, line)
    ignored += mask_lines(sample.lines, records, first + 1, below.lines)
    ignores = compile_masks(ignored)
    footer_lines, mask, footer = find_footer(sample, cutting, ignores)
    end = last_line(sample.lines) - footer_lines if footer_lines and sample.is_whole else len(sample.lines)
    rows = [
        cells
        for number, cells in records[first + has_header :]
        if number <= end and cells != header and not (ignores and ignores(sample.lines[number].encode()))
    ]
    count = len(rows) if sample.is_whole and len(found) < READ_ROWS else 0
    short = cutting.ragged and has_header and len(header) == width
    if short:
        rows = [cells + [""] * (width - len(cells)) for cells in rows]
    width, trailing = _settle_width(header, rows, width)
    header = header[:width]
    groups = find_groups([cells for _, cells in records[:first]], width) if has_header else []
    rows = [cells[:width] for cells in rows if len(cells) == width or (trailing and len(cells) == width + 1)]
    rows, continues = fill_down(rows[:READ_ROWS])
    if not rows:
        raise _no_rows()
    dialect = Dialect(
        encoding=sample.encoding,
        delimiter=delimiter,
        quotechar=quote,
        has_header=has_header,
        skip_lines=line,
        footer=mask,
        ignore_lines=ignored,
        allow_spaced_delimiter=cutting.spaced,
        width=0 if has_header else width,
        spaces_around_quotes=cutting.around,
    )
    number = line + 1 if has_header else None
    return Table(
        dialect, header, number, rows, footer_lines, trailing, short, continues, footer, groups, below.labels, count
    )


def _settle_width(header: list[str], rows: list[list[str]], width: int) -> tuple[int, bool]:
    """How many cells belong to a row, and whether the rows or the header end with a delimiter that others lack."""
    surplus = sum(len(cells) == width + 1 and not cells[-1].strip() for cells in rows)
    last_is_blank = header and all(not cells[-1].strip() for cells in rows if len(cells) == width)
    if last_is_blank and len(header) == width - 1:
        return width - 1, True
    if last_is_blank and len(header) == width and not header[-1].strip():
        return width, False
    return width, surplus > 0 or len(header) > width


def _is_wide(cells: list[str], width: int) -> bool:
    """Whether a record may be the header of rows of a width: it may lack the last delimiter, or have some too many."""
    return len(cells) in (width, width - 1) or (len(cells) > width and not any(cell.strip() for cell in cells[width:]))


def _find_first(records: list[tuple[int, list[str]]], width: int) -> int:
    """The index of the record that begins the table: the first as wide as the rest and filled like a row.

    Where none is filled, the first that is as wide; a wider one has cells that the rows below do not have.
    """
    filled = sorted(sum(bool(cell.strip()) for cell in cells) for _, cells in records if len(cells) == width)
    usual = filled[len(filled) // 2] if filled else 0
    for index, (_, cells) in enumerate(records[:PROBED_LINES]):
        count = sum(bool(cell.strip()) for cell in cells)
        wide = _is_wide(cells, width) if index + 1 < len(records) else len(cells) == width
        if wide and count >= max(2, usual * 0.5):
            return index
    as_wide = next((index for index, (_, cells) in enumerate(records) if len(cells) == width), None)
    if as_wide is None:
        raise _no_rows()
    return as_wide


def _find_line(records: list[tuple[int, list[str]]], number: int, width: int) -> int:
    """The index of the record that begins on a line, counted from 1."""
    for index, (line, cells) in enumerate(records):
        if line == number - 1 and _is_wide(cells, width):
            return index
    raise FileRejected(
        "no_header",
        f"Line {number} is no header of this file: its rows have {width} cells, and it has not.",
        line=number,
    )


def _no_rows() -> FileRejected:
    return FileRejected(
        "no_rows", "The file has a header and no rows. Give a sample with some customers: their values are needed."
    )

"""Reading a file of lookups: bytes → rows, with everything that is wrong on the way."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

COLUMNS = ("list", "code", "name", "currency", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong in the file; `message` says what would be right. Lines are counted from 1."""

    line: int | None = None
    column: str = ""
    code: str
    value: str = ""
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its first physical line, and its trimmed cells by column."""

    line: int
    cells: dict[str, str]

    def problem(self, column: str, code: str, message: str) -> Problem:
        return Problem(code=code, message=message, line=self.line, column=column, value=self.cells[column])


@dataclass(slots=True)
class Table:
    """A file: its header in small letters, the rows that have its shape, and a problem for each that has not."""

    header: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_rows(path: Path) -> tuple[list[Row], list[Problem]]:
    """The rows that have the right shape, and a problem for each that has not.

    Raises OSError where there is no file to read.
    """
    table = read_table(path.read_bytes(), _judge_header)
    if not table.header and not table.problems:
        message = f"The file is empty; the first line must be {','.join(COLUMNS)}."
        table.problems.append(Problem(code="empty_file", message=message))
    return table.rows, table.problems


def read_table(content: bytes, judge: Callable[[int, list[str]], Iterable[Problem]] = lambda line, header: ()) -> Table:
    """A file of lists, whatever its columns are; `judge` says what is wrong with the header, with which it ends."""
    text, problem = _decode(content)
    if problem:
        return Table(problems=[problem])
    table = Table()
    for line, cells in _records(text, table.problems):
        if not any(cells):
            continue
        if not table.header:
            table.header = [name.lower() for name in cells]
            table.problems += [*judge(line, table.header), *_find_doubles(line, table.header)]
            if table.problems:
                break
            continue
        if problem := _judge_cells(line, cells, table.header):
            table.problems.append(problem)
        else:
            table.rows.append(Row(line, dict(zip(table.header, cells, strict=True))))
    return table


def _judge_cells(line: int, cells: list[str], header: list[str]) -> Problem | None:
    if len(cells) != len(header):
        message = f"has {len(cells)} cells where the header has {len(header)}."
        return Problem(code="wrong_number_of_cells", message=message, line=line, value=",".join(cells)[:200])
    if nul := next((name for name, cell in zip(header, cells, strict=True) if "\0" in cell), None):
        return Problem(code="nul", message="contains a NUL character; text must not.", line=line, column=nul)
    return None


def _decode(content: bytes) -> tuple[str, Problem | None]:
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        # The codec counts from behind the byte order mark.
        data = error.object
        line = len(data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
        value = data[error.start : error.end].hex(" ")
        message = f"The byte {value} is not UTF-8; save the file as UTF-8."
        return "", Problem(code="wrong_encoding", message=message, line=line, value=value)


def _records(text: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Each record with its first line. Where the quotes go wrong nothing behind can be trusted, so it ends there."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(_quoting_problem(line, str(error)))
            return
        yield line, [read_key(cell) for cell in cells]


def _quoting_problem(line: int, reason: str) -> Problem:
    if "unexpected end" in reason:
        return Problem(code="unterminated_quote", message="A quote that opens in this row is never closed.", line=line)
    if "field larger" in reason:
        message = "A cell of this row is longer than any code or name may be."
        return Problem(code="too_long", message=message, line=line)
    message = "A quote within a quoted cell must be doubled, and a comma or line end must follow the last."
    return Problem(code="malformed_quote", message=message, line=line)


def _judge_header(line: int, header: list[str]) -> Iterator[Problem]:
    known = ", ".join(COLUMNS)
    for name in COLUMNS:
        if name not in header:
            message = f"The column is missing; the header must name {known}."
            yield Problem(code="missing_column", message=message, line=line, column=name)
    for name in dict.fromkeys(header):
        if name not in COLUMNS:
            message = f"is not a column of this file; they are {known}."
            yield Problem(code="unknown_column", message=message, line=line, column=name, value=name)


def _find_doubles(line: int, header: list[str]) -> Iterator[Problem]:
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            message = "The column stands in the header more than once."
            yield Problem(code="duplicate_column", message=message, line=line, column=name, value=name)

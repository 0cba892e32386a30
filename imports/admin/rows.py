"""A row as the file has it, read from the kept copy, with what is wrong beside each cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imports.choosing import find_version_of, read_spec
from imports.copies import fetched
from imports.errors import FileRejected, SettingsWrong
from imports.files.excerpts import LARGEST_SEARCHED, read_row_at
from imports.formats.spec import SOURCE_HEADERS, STANDARD
from imports.storage import StorageUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imports.files.excerpts import Excerpt
    from imports.formats.spec import FormatSpec
    from imports.models import Issue, Run


@dataclass
class Cell:
    """One cell as it stands, and what is wrong with it."""

    header: str
    text: str
    wrong: list[str] = field(default_factory=list)


def read_row(run: Run, line: int, issues: Iterable[Issue]) -> dict[str, Any]:
    """The cells of the row that begins on a line, with what the issues of that line say of them, and notes.

    A note alone where the row cannot be shown.
    """
    try:
        spec, excerpt = _read_copy(run, line)
    except (SettingsWrong, FileRejected, StorageUnreachable) as problem:
        return {"line": line, "notes": [str(problem)]}
    if excerpt.row is None:
        return {"line": line, "notes": ["The kept copy has no row that begins on this line."]}
    cells = [Cell(header, text) for header, text in _pair(excerpt)]
    for issue in issues:
        if issue.line == line:
            for index in _find_cells(issue.column, excerpt.header, len(cells)):
                cells[index].wrong.append(issue.message)
    return {"line": line, "cells": cells, "notes": list(_find_notes(run, spec, excerpt))}


def _read_copy(run: Run, line: int) -> tuple[FormatSpec, Excerpt]:
    """Raises SettingsWrong, FileRejected and StorageUnreachable where the row cannot be read."""
    version = find_version_of(run)
    spec = read_spec(version) if version else STANDARD
    if not run.kept_file_id:
        raise SettingsWrong(f"No copy of {run.file_name} is kept any more, so its rows cannot be shown.")
    if run.file_size > LARGEST_SEARCHED:
        raise SettingsWrong(f"{run.file_name} is too large to look into here. Download it from the page of its run.")
    with fetched(run.kept_file, run.file_name) as path:
        return spec, read_row_at(path, spec.dialect, line)


def _pair(excerpt: Excerpt) -> Iterator[tuple[str, str]]:
    """Header and text of each cell; those that one side lacks are said to be missing."""
    cells = excerpt.row.cells if excerpt.row else []
    for index in range(max(len(cells), len(excerpt.header))):
        header = excerpt.header[index].strip() if index < len(excerpt.header) else ""
        yield header or f"column {index + 1}", cells[index] if index < len(cells) else "(missing)"


def _find_cells(column: str, header: list[str], width: int) -> Iterator[int]:
    """The places of the cells that a column's name means: a header, several in a template, or a position."""
    names = {name.strip().casefold() for name in SOURCE_HEADERS.findall(column) or [column]}
    found = [index for index, text in enumerate(header[:width]) if text.strip().casefold() in names]
    if not found and column.isdecimal() and 0 < int(column) <= width:
        found = [int(column) - 1]
    yield from found


def _find_notes(run: Run, spec: FormatSpec, excerpt: Excerpt) -> Iterator[str]:
    if excerpt.row is not None and excerpt.row.fault:
        yield f"The line is cut as well as it can be: {excerpt.row.fault}"
    digest = run.format_digest
    if digest is not None and bytes(digest) != spec.digest:
        yield "It is read as the format says now; when the file was imported, the format said something else."

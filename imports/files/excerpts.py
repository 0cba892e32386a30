"""Excerpt: one row of a file as it stands, found by its line without reading its customers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from imports.errors import FileRejected
from imports.files.opening import open_source
from imports.files.records import Row
from imports.files.sources import count_line_ends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imports.files.sources import Source
    from imports.formats.spec import Dialect

LARGEST_SEARCHED = 300_000_000
"""Bytes of a file in which a line is looked for while somebody waits."""


class Excerpt(NamedTuple):
    """The header (blank where the file has none) and a row; no row where the file has no such line."""

    header: list[str]
    row: Row | None


def read_row_at(path: Path, dialect: Dialect, line: int) -> Excerpt:
    """The row that begins on a physical line. Raises FileRejected where the file cannot be read so far."""
    with open_source(path, dialect) as source:
        if line == source.header_line:
            return Excerpt(source.header, Row(line, source.header, b""))
        if line < source.body_line:
            return Excerpt(source.header, None)
        return Excerpt(source.header, _find_row(source, line))


def _find_row(source: Source, line: int) -> Row | None:
    number, blocks = source.body_line, source.blocks()
    for block in blocks:
        ends = count_line_ends(block)
        if line >= number + ends and block.endswith((b"\n", b"\r")):
            number += ends
            continue
        lines = block.splitlines(keepends=True)[line - number :]
        return _first(source, chain(lines, _lines_of(blocks)), line) if lines else None
    return None


def _first(source: Source, lines: Iterator[bytes], line: int) -> Row | None:
    """The row that the lines begin with; one whose quote is never closed as its first line stands."""
    first = next(lines)
    try:
        return next(iter(source.records(chain([first], lines), line)), None)
    except FileRejected:
        text = first.decode(errors="replace").rstrip("\r\n")
        return Row(line, text.split(source.dialect.delimiter), first)


def _lines_of(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield from block.splitlines(keepends=True)

"""Recognise: what a file seems to be that is not what its format expects."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from imports.drift import HeaderDrift, shorten
from imports.formats import STANDARD
from imports.template import find_target, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.formats import FormatSpec
    from imports.reading import Source

LOOKED_AT = 1 << 16
"""Bytes of the file's beginning."""
MOST_LINES = 40
"""Among how many lines a header that has moved is looked for."""
NAMES = {",": "commas", ";": "semicolons", "|": "pipes", "\t": "tabs", " ": "spaces", "^": "carets", "~": "tildes"}


def explain_drift(source: Source, spec: FormatSpec, others: Iterable[FormatSpec]) -> str:
    """In one sentence, what a file is like whose header is not the approved one."""
    lines = _first_lines(source)
    name = spec.name.partition("@")[0]
    said = [_find_other_delimiter(lines, spec, name)]
    alike = next((other for other in (STANDARD, *others) if _reads(other, lines, other.dialect.skip_lines)), None)
    if alike is not None:
        said.append(f"it looks like {'the standard template' if alike is STANDARD else alike.name.partition('@')[0]}")
    if not any(said):
        said = [_find_moved(lines, spec, name) or _find_lost(source, spec, name)]
    said = [part for part in said if part] or [f"The header of this file is not the one that {name} is approved for"]
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _first_lines(source: Source) -> list[str]:
    source.file.seek(0)
    data = source.file.read(LOOKED_AT).removeprefix(b"\xef\xbb\xbf")
    return [line.decode(errors="replace") for line in data.splitlines()][:MOST_LINES]


def _cut(line: str, delimiter: str, quotechar: str | None) -> list[str]:
    """The cells of a line; nothing where its quotes are wrong."""
    if quotechar is None:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, quotechar=quotechar), [])
    except csv.Error:
        return []


def _cells(spec: FormatSpec, lines: list[str], index: int) -> list[str]:
    return _cut(lines[index], spec.dialect.delimiter, spec.dialect.quotechar) if index < len(lines) else []


def _reads(spec: FormatSpec, lines: list[str], index: int) -> bool:
    """Whether the format would take the line for its header."""
    cells = _cells(spec, lines, index)
    if spec.columns is not None:
        named = any(column.headers for column in spec.columns)
        return bool(cells) and named and spec.dialect.has_header and not HeaderDrift(spec, cells, []).find_problems()
    targets = [str(target) for cell in cells if (target := find_target(cell))]
    return "customer_code" in targets and len(targets) > len(cells) / 2


def _known(spec: FormatSpec, cells: list[str]) -> int:
    """How many of the cells are headers of the format."""
    known = {normalize(text) for text in spec.header} | {
        normalize(text) for column in spec.columns or () for text in column.headers
    }
    return sum(normalize(cell) in known for cell in cells)


def _find_other_delimiter(lines: list[str], spec: FormatSpec, name: str) -> str:
    own, index = spec.dialect.delimiter, spec.dialect.skip_lines
    if index >= len(lines):
        return ""
    widths = {mark: len(_cut(lines[index], mark, spec.dialect.quotechar)) for mark in dict.fromkeys([own, *",;|\t"])}
    widest = max(widths, key=lambda mark: widths[mark])
    expected = max(2, len(spec.header) / 2)
    if widths[own] * 2 > widths[widest] or widths[widest] < expected:
        return ""
    return f"this file uses {NAMES.get(widest, widest)}, {name} expects {NAMES.get(own, repr(own))}"


def _find_moved(lines: list[str], spec: FormatSpec, name: str) -> str:
    expected = spec.dialect.skip_lines
    moved = next((index for index in range(len(lines)) if index != expected and _reads(spec, lines, index)), None)
    if moved is None:
        return ""
    return f"the header stands on line {moved + 1} of this file, {name} expects it on line {expected + 1}"


def _find_lost(source: Source, spec: FormatSpec, name: str) -> str:
    """Data in the place of the header: no cell is a known header, and some are what no header is."""
    cells = [cell.strip() for cell in source.header if cell.strip()]
    data = [cell for cell in cells if "@" in cell or cell.isdecimal() or not any(map(str.isalpha, cell))]
    if not data or _known(spec, cells):
        return ""
    return (
        f"this file has no header: {shorten(cells[0])!r} and {shorten(data[0])!r} stand in its place, "
        f"where {name} expects the names of the columns"
    )

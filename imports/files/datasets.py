"""Datasets: rows that a program holds → a file of a format, so that they are read as any other file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from import_export.fields import Field

from imports.errors import FileHeld, FileRejected
from imports.files.mapping import CustomerMapping
from imports.formats.masks import write_footer
from imports.formats.widgets import WIDGETS
from imports.formats.writing import write_record
from imports.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from tablib import Dataset

    from imports.formats.spec import FormatSpec

Rows = dict[int, tuple[int, dict[str, Any]]]
"""Number and cells of the rows of a dataset, by the line of the file that was written of it."""


def list_fields(spec: FormatSpec) -> dict[str, Field]:
    """What a dataset may hold: the template's fields, the repeated ones with the number 1, or the format's columns."""
    if spec.columns is None:
        columns = {field.numbered(1): (field, field.numbered(1)) for field in TEMPLATE}
    else:
        columns = {
            str(column.target): (column.target.field, str(column.source or column.target))
            for column in spec.columns
            if column.constant is None
        }
    return {
        name: Field(attribute=name, column_name=header, widget=WIDGETS[field.kind](field))
        for name, (field, header) in columns.items()
    }


def write_dataset(dataset: Dataset, path: Path, spec: FormatSpec) -> Rows:
    """Write the dataset as a file of the format. Raises Unwritable or UnicodeEncodeError."""
    headers = [str(header) for header in dataset.headers or []]
    code_index = _find_code_index(spec, headers)
    rows: Rows = {}
    codes: set[str] = set()
    count = 0
    line = 1 + spec.dialect.skip_lines
    with path.open("w", encoding=spec.dialect.encoding, newline="") as file:
        file.write("\n" * spec.dialect.skip_lines)
        if headers and spec.dialect.has_header:
            line += _write(file, spec, headers)
        for number, cells in enumerate(_cells(dataset), 1):
            names = headers or [str(position) for position in range(1, len(cells) + 1)]
            rows[line] = number, dict(zip(names, cells, strict=True))
            line += _write(file, spec, cells)
            count += any(map(str.strip, cells))
            codes.update(cells[code_index : code_index + 1])
        if spec.dialect.footer:
            counts = {"rows": count, "customers": len({code.strip() for code in codes} - {""})}
            file.write(f"{write_footer(spec.dialect.footer, counts)}\n")
    return rows


def _find_code_index(spec: FormatSpec, headers: list[str]) -> int:
    """Where the customer codes are; the first column where the format does not read such a header anyway."""
    try:
        return CustomerMapping(spec, headers).code_index
    except (FileHeld, FileRejected):
        return 0


def _cells(dataset: Dataset) -> Iterator[list[str]]:
    for row in dataset:
        yield [_as_cell(value) for value in row]


def _as_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _write(file: TextIO, spec: FormatSpec, cells: list[str]) -> int:
    """Append a record; returns how many lines it takes."""
    write_record(file, spec.dialect, cells)
    return 1 + sum(len(cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1 for cell in cells)

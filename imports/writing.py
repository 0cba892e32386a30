"""Write: cells → one record of a delimited file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from imports.formats import Dialect


def write_record(file: TextIO, dialect: Dialect, newline: str, cells: Iterable[Any]) -> None:
    """Append a record that reads back as these cells.

    The csv module quotes the line end it writes and no other, so a record with another one is quoted whole.
    """
    cells = ["" if cell is None else str(cell) for cell in cells]
    broken = any("\r" in cell or "\n" in cell for cell in cells)
    csv.writer(
        file,
        delimiter=dialect.delimiter,
        quotechar=dialect.quotechar,
        escapechar=dialect.escapechar,
        quoting=csv.QUOTE_NONE if not dialect.quotechar else csv.QUOTE_ALL if broken else csv.QUOTE_MINIMAL,
        lineterminator=newline,
    ).writerow(cells)

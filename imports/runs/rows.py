"""Rows: what stood in a line of a run's file, while its copy is kept."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING

from imports.choosing import find_version_of, read_spec
from imports.copies import open_copy
from imports.formats.spec import STANDARD
from imports.storage import CopyGone

if TYPE_CHECKING:
    from imports.models import Run

LONGEST = 20
"""Lines that a row may span."""


def read_row(run: Run, line: int) -> list[str]:
    """The lines of the row that begins at a physical line, counted from 1; none where no copy is kept any more, or the
    file has no such line. What cannot be decoded is shown as such. Raises StorageUnreachable and StorageRefused.
    """
    version = find_version_of(run)
    dialect = (read_spec(version) if version else STANDARD).dialect
    try:
        file = open_copy(run.kept_file, run.file_name)
    except CopyGone:
        return []
    with file, io.TextIOWrapper(file, dialect.encoding, errors="replace") as text:
        lines: list[str] = []
        for found in islice(text, line - 1, line - 1 + LONGEST):
            lines.append(found.rstrip("\r\n"))
            if not dialect.quotechar or sum(one.count(dialect.quotechar) for one in lines) % 2 == 0:
                break
    return lines

"""Report: what was wrong, in a file that can be sent again once mended."""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from imports.models import Issue, Run
from imports.reading import is_blank, read_rows
from imports.resources import REJECT_COLUMNS
from imports.writing import write_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imports.reading import Row, Scan, Source
    from imports.resources import CustomerResource


def write_rejects(
    run: Run, source: Source, resource: CustomerResource, scan: Scan, rejected: list[int], path: Path
) -> None:
    """Write all rows of the rejected customers, and the rows that name none, in the file's own dialect and encoding.

    The original columns stand as they came, then `_line`, `_code`, `_field`, `_message`. Without a header the
    originals stand alone and the reasons go to a second file beside it, `<path>.reasons.csv`. Nothing is written
    when nothing was rejected.
    """
    numbers = [*rejected, *([scan.nameless] if scan.nameless is not None else [])]
    spans = sorted(span for number in numbers for span in scan.spans(number))
    rows = (row for row in read_rows(source, scan, spans) if not is_blank(row))
    first = next(rows, None)
    if first is None:
        return
    draft = path.with_name(f"{path.name}.part")
    encoding = "utf-8-sig" if source.has_bom and source.encoding == "utf-8" else source.encoding
    with draft.open("w", encoding=encoding, errors="backslashreplace", newline="") as file:
        _RejectsWriter(file, source, resource, _reasons(run)).write(chain([first], rows))
    if not source.header:
        _write_reasons(reasons_path(path), run)
    draft.replace(path)


def reasons_path(path: Path) -> Path:
    """The second file of rejects without a header."""
    return path.with_name(f"{path.name}.reasons.csv")


def _reasons(run: Run) -> dict[int, list[tuple[str, str, str]]]:
    """Code, field and message of the errors by line."""
    reasons: dict[int, list[tuple[str, str, str]]] = {}
    errors = run.issues.filter(severity=Issue.Severity.ERROR, line__isnull=False)
    for line, *reason in errors.values_list("line", "code", "field", "message").iterator():
        reasons.setdefault(line or 0, []).append((reason[0], reason[1], reason[2]))
    return reasons


def _write_reasons(path: Path, run: Run) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(REJECT_COLUMNS)
        for line, reasons in sorted(_reasons(run).items()):
            writer.writerows((line, *reason) for reason in reasons)


class _RejectsWriter:
    """Writes rows as they came with the four columns after them."""

    def __init__(
        self, file: TextIO, source: Source, resource: CustomerResource, reasons: dict[int, list[tuple[str, str, str]]]
    ) -> None:
        self.file = file
        self.source = source
        self.reasons = reasons
        self.dropped = set(resource.reject_indexes)

    def write(self, rows: Iterable[Row]) -> None:
        source = self.source
        self.file.write(source.preamble)
        width = len(source.header)
        if width:
            self._line(self._cells(source.header) + list(REJECT_COLUMNS))
        for row in rows:
            if not width:
                self._verbatim(row)
            elif len(row.cells) == width and not self.dropped:
                self._verbatim(row, self._why(row))
            else:
                cells = row.cells + [""] * (width - len(row.cells))
                self._line(self._cells(cells[:width]) + self._why(row) + cells[width:])
        self.file.write(source.footer)

    def _cells(self, cells: list[str]) -> list[str]:
        return [cell for index, cell in enumerate(cells) if index not in self.dropped]

    def _why(self, row: Row) -> list[str]:
        """The four cells; several reasons are joined, a row without any is rejected for another of its customer."""
        reasons = self.reasons.get(row.line) or [("", "", "")]
        return [str(row.line), *(self._plain("; ".join(parts)) for parts in zip(*reasons, strict=True))]

    def _plain(self, text: str) -> str:
        """The text on one line, and without the delimiter where nothing could quote it."""
        text = " ".join(text.split())
        return text if self.source.dialect.quotechar else text.replace(self.source.dialect.delimiter, " ")

    def _verbatim(self, row: Row, why: list[str] | None = None) -> None:
        text = row.raw.decode().rstrip("\r\n")
        if why is None:
            self.file.write(text + self.source.newline)
        else:
            self.file.write(text + self.source.dialect.delimiter)
            self._line(why)

    def _line(self, cells: list[str]) -> None:
        write_record(self.file, self.source.dialect, self.source.newline, cells)

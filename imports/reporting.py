"""Report: what became of a file, as data, as a receipt, and as rejects that can be sent again once mended."""

from __future__ import annotations

import csv
import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any, TextIO

from accounts.times import iso_utc
from imports.models import Issue, Run
from imports.reading import is_blank, read_rows
from imports.resources import REJECT_COLUMNS
from imports.writing import write_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imports.reading import Row, Scan, Source
    from imports.resources import CustomerResource


RECEIPT_ISSUES = 1000
"""How many issues a receipt lists."""
LONGEST_NAME = 150
"""Bytes of a file's own name in the names of what is written about it, of the 255 that file systems allow."""
ISSUE_FIELDS = ("line", "column", "field", "code", "severity", "message", "value", "customer_code")


def describe_run(run: Run, most_issues: int | None = None) -> dict[str, Any]:
    """The run as commands, receipts and webhooks give it, with its first issues or all."""
    issues = Issue.objects.filter(run=run).values(*ISSUE_FIELDS)
    return {
        "run": run.pk,
        "account": run.account.code,
        "feed": run.feed and run.feed.name,
        "file": run.file_name,
        "size": run.file_size,
        "sha256": run.sha256 or None,
        "format": run.format_name,
        "status": run.status,
        "message": run.message,
        "held_for": run.held_for or None,
        "dry_run": run.dry_run,
        "decision": run.decision or None,
        "released_from": run.released_from_id,
        "counts": run.counts,
        "issues": list(issues[:most_issues]),
        "started_at": iso_utc(run.started_at),
        "finished_at": run.finished_at and iso_utc(run.finished_at),
        "seconds": run.seconds,
    }


def write_receipt(run: Run) -> bytes:
    """What the sender of a file gets back, in JSON."""
    return json.dumps(describe_run(run, RECEIPT_ISSUES), ensure_ascii=False, indent=1).encode()


def receipt_name(run: Run) -> str:
    """Of a held file that is decided about later there are two receipts."""
    return f"{run.pk}-{run.status}-{_plain_name(run.file_name)}.json"


def rejects_name(run: Run) -> str:
    return f"{run.pk}-rejects-{_plain_name(run.file_name)}"


def _plain_name(name: str) -> str:
    """A name that any server takes; its end, which tells what kind of file it is, is kept."""
    return re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", name).encode()[-LONGEST_NAME:].decode(errors="ignore")


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

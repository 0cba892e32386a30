"""Report: what a run changed, counted by field, and one by one as a table for spreadsheets."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, Sum
from django.http import StreamingHttpResponse

from accounts.times import iso_utc
from connections.history.evidence import describe_changes
from connections.history.origins import made_with
from connections.models import Change
from imports.pipeline.owning import KEPT
from imports.wording import file_name
from lookups.formulas import mark_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from imports.models import Run

COLUMNS = ("customer_code", "action", "record", "key", "field", "before", "after", "line", "at")
CHUNK = 2000


def changes_of(run: Run) -> QuerySet[Change]:
    """All that the run changed, in the order in which it did."""
    return Change.objects.filter(account=run.account_id, run_id=run.pk).order_by("id")


def summarise(run: Run) -> dict[str, list[dict[str, Any]]] | None:
    """What the run changed, counted by field and with samples, as `describe_changes` gives it.

    Of a dry run or a held file, what it would change; None where it did not come so far, or that is forgotten as its
    file is.
    """
    if run.evidence is None and would_change(run):
        return None
    return run.evidence or describe_changes(run.pk)


def would_change(run: Run) -> bool:
    """Whether nothing of the run was applied, as it is a dry run, or is held or was."""
    return run.dry_run or bool(run.held_for)


def count_kept(run: Run) -> int:
    """How many values the file wanted and did not get, because it only fills their fields; each is an issue."""
    kept = run.issues.filter(code=KEPT).aggregate(listed=Count("pk", filter=Q(more=0)), more=Sum("more"))
    return int(kept["listed"] + (kept["more"] or 0))


def serve_table(run: Run, changes: QuerySet[Change]) -> StreamingHttpResponse:
    """Changes of the run as a CSV download, as they are read. What a spreadsheet would take for a formula is marked."""
    response = StreamingHttpResponse(_lines(changes), content_type="text/csv; charset=utf-8")
    name = file_name(f"{run.pk}-changes-{run.file_name}")
    response["Content-Disposition"] = f'attachment; filename="{name.encode("ascii", "replace").decode()}.csv"'
    return response


def _lines(changes: QuerySet[Change]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for change in changes.iterator(CHUNK):
        for row in _rows(change):
            yield writer.writerow([mark_formula(cell) for cell in row])


def _rows(change: Change) -> Iterator[Iterable[str]]:
    """A row for each field; of what came or went, one for the record and one for each value that it had."""
    end = iso_utc(change.at)
    if change.action == Change.Action.UPDATED:
        line = str(change.line or "")
        yield (
            change.customer_code, change.action, change.record, change.key, change.field, change.before or "",
            change.after or "", line, end,
        )  # fmt: skip
        return
    comes = change.action == Change.Action.CREATED
    for (record, key), made in made_with(change).items():
        start = change.customer_code, change.action, record, key
        line = str(made.made.line or "")
        yield *start, "", "", "", line, end
        for name, origin in made.values.items():
            value = origin.value or ""
            yield *start, name, *(("", value) if comes else (value, "")), line, end


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text

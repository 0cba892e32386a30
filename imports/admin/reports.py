"""What a run changed, in the admin: counted by field, in the list of changes, and as a table for spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode
from unfold.decorators import action

from connections.api.changes import ChangeFilter
from connections.history.shortening import say_loss
from connections.models import Change
from imports.admin.rows import read_row
from imports.admin.steps import StepPages
from imports.pipeline.owning import KEPT
from imports.runs.reporting import changes_of, count_kept, serve_table, summarise, would_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

    from imports.models import Run


ISSUES_OF_LINE = 100


class ReportPages(StepPages):
    """Of the admin of runs."""

    @action(description="Changes", url_path="report")
    def report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_visible(request, object_id)
        stands, summary = not would_change(run), summarise(run)
        counts = summary["changes"] if summary else []
        context: dict[str, Any] = {
            "step": "What it changed" if stands else "What it would change",
            "stands": stands,
            "is_known": summary is not None,
            "counts": list(_with_links(run, counts, has_links=stands)),
            "loss": say_loss(run.account, run.began_at) if stands else "",
        }
        if kept := count_kept(run):
            asked = {"run__id__exact": str(run.pk), "code": KEPT}
            url = f"{reverse('admin:imports_issue_changelist')}?{urlencode(asked)}"
            context |= {"kept": url, "kept_count": f"{kept:,}"}
        if stands and counts:
            context |= {"all": _list_of(run), "table": _table_of(run)}
        return self.show(request, run, "imports/report.html", context)

    @action(description="Row", url_path="row")
    def row(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What stood in a line of the file, which changes name."""
        run: Run = self.find_visible(request, object_id)
        asked = request.GET.get("line", "")
        line = int(asked) if asked.isascii() and asked.isdecimal() and 0 < len(asked) < 10 else 0
        if not line:
            raise Http404
        context = read_row(run, line, run.issues.filter(line=line)[:ISSUES_OF_LINE])
        return self.show(request, run, "imports/row.html", {"step": f"Line {line}", **context})

    @action(description="Changes as CSV", url_path="report-csv")
    def report_csv(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        run: Run = self.find_visible(request, object_id)
        found = ChangeFilter(request.GET, changes_of(run))
        if not found.is_valid():
            raise Http404
        return serve_table(run, found.qs)


def _with_links(run: Run, counts: list[dict[str, Any]], *, has_links: bool) -> Iterator[dict[str, Any]]:
    for counted in counts:
        asked = {name: counted[name] for name in ("record", "action", "field") if counted[name]}
        row = {
            "what": f"{Change.Record(counted['record']).label} {Change.Action(counted['action']).label}",
            "field": counted["field"].replace("_", " "),
            "count": f"{counted['count']:,}",
        }
        yield row | ({"list": _list_of(run, **asked), "table": _table_of(run, **asked)} if has_links else {})


def _list_of(run: Run, **asked: str) -> str:
    """The page of the change log that shows them."""
    filters = {"run_id__exact": str(run.pk)} | {f"{name}__exact": value for name, value in asked.items()}
    return f"{reverse('admin:connections_change_changelist')}?{urlencode(filters)}"


def _table_of(run: Run, **asked: str) -> str:
    return f"{reverse('admin:imports_run_report_csv', args=[run.pk])}?{urlencode(asked)}"

"""Admin of runs and their issues: what became of each file, and what was wrong in it. Both are only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import FileResponse, Http404
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from accounts.admin import ReadOnlyAdmin, VisibleFilter, short_time
from imports.models import Issue, Run

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

RUN_COLOURS = {
    Run.Status.RUNNING: "info",
    Run.Status.SUCCEEDED: "success",
    Run.Status.PARTIAL: "warning",
    Run.Status.REJECTED: "danger",
    Run.Status.HELD: "warning",
    Run.Status.FAILED: "danger",
    Run.Status.UNDONE: "default",
}
SEVERITY_COLOURS = {Issue.Severity.ERROR: "danger", Issue.Severity.WARNING: "warning"}
ISSUES_LOOKED_AT = 10_000


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "file_name",
        "run_status",
        "account",
        "customers",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "started",
        "duration",
    ]
    list_display_links = ["number", "file_name"]
    list_select_related = ["account"]
    list_filter = [("status", ChoicesDropdownFilter), ("account", VisibleFilter), "dry_run"]
    search_fields = ["file_name"]
    search_help_text = "File name"
    ordering = ["-id"]
    list_per_page = 50
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("file_name", "account"),
                    ("status", "issue_list"),
                    "message",
                    ("format_name", "size"),
                    "copy_of_file",
                    ("started_at", "finished_at"),
                    ("started_by", "duration"),
                    "dry_run",
                ]
            },
        ),
        (
            "Counts",
            {
                "fields": [
                    ("rows", "rows_rejected"),
                    ("customers", "rejected"),
                    ("created", "updated"),
                    ("unchanged", "skipped"),
                ]
            },
        ),
    ]
    readonly_fields = ["issue_list", "size", "duration", "copy_of_file"]
    actions_detail = ["kept_file"]

    @display(description="run", ordering="id")
    def number(self, run: Run) -> str:
        return f"{run.pk} (dry run)" if run.dry_run else str(run.pk)

    @display(description="status", ordering="status", label=RUN_COLOURS)
    def run_status(self, run: Run) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description="started", ordering="started_at")
    def started(self, run: Run) -> str:
        return short_time(run.started_at)

    @display(description="seconds", ordering="seconds")
    def duration(self, run: Run) -> str:
        return "" if run.seconds is None else f"{run.seconds:.2f}"

    @display(description="size")
    def size(self, run: Run) -> str:
        return f"{run.file_size:,} bytes"

    @display(description="kept copy")
    def copy_of_file(self, run: Run) -> str:
        if not run.kept_file:
            return "none"
        url = reverse("admin:imports_run_kept_file", args=[run.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">Download</a>', url)

    @action(description="Download the file", url_path="file")
    def kept_file(self, request: HttpRequest, object_id: str) -> FileResponse:
        """The file as it came, for whoever may see the run."""
        run = self.get_object(request, object_id)
        if run is None or not run.kept_file:
            raise Http404
        try:
            file = run.kept_file.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        return FileResponse(file, as_attachment=True, filename=run.file_name, content_type="application/octet-stream")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None: the link stands beside the file's name."""
        return []

    @display(description="issues")
    def issue_list(self, run: Run) -> str:
        """A link and no number: counting a million issues would hold up the page."""
        if not run.issues.exists():
            return "none"
        url = reverse("admin:imports_issue_changelist")
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}?run__id__exact={}">Show the issues</a>',
            url,
            run.pk,
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The issues go with their run; listing them all, as Django would, could be a million lines."""
        return [f"{run}, with its issues" for run in objs], {"runs": len(objs)}, set(), []


class ValuesOfRun(DropdownFilter):
    """Offers the values of a column that the run's first issues have; the whole table is never searched for them."""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Issue]) -> list[tuple[str, str]]:
        run = request.GET.get("run__id__exact", "")
        if not run.isdecimal():
            return [(value, value) for value in [self.value()] if value]
        issues = model_admin.get_queryset(request).filter(run=int(run)).order_by()[:ISSUES_LOOKED_AT]
        values = Issue.objects.filter(pk__in=issues.values("pk")).order_by().values_list(self.parameter_name, flat=True)
        return [(value, value) for value in sorted(set(values)) if value]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Issue]) -> QuerySet[Issue]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class CodeFilter(ValuesOfRun):
    title = "code"
    parameter_name = "code"


class FieldFilter(ValuesOfRun):
    title = "field"
    parameter_name = "field"


@admin.register(Issue)
class IssueAdmin(ReadOnlyAdmin):
    """The issues of one run in the order of the file, or of all runs with the newest first."""

    account_path = "run__account_id"
    paginator = InfinitePaginator
    list_display = ["place", "column", "field", "code", "severity_label", "message", "value", "customer_code"]
    list_display_links = ["place"]
    list_select_related = ["run"]
    list_filter = [("severity", ChoicesDropdownFilter), CodeFilter, FieldFilter]
    search_fields = ["=customer_code"]
    search_help_text = "Customer code"
    list_per_page = 100
    actions = None
    fields = ["run", "line", "column", "field", "code", "severity", "message", "value", "customer_code"]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["line", "id"] if "run__id__exact" in request.GET else ["-id"]

    @display(description="line", ordering="line")
    def place(self, issue: Issue) -> str:
        return str(issue.line) if issue.line else "file"

    @display(description="severity", ordering="severity", label=SEVERITY_COLOURS)
    def severity_label(self, issue: Issue) -> tuple[str, str]:
        return issue.severity, issue.get_severity_display()

"""Admin of issues: what was wrong in each file. They are only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from accounts.admin.owned import ReadOnlyAdmin
from accounts.models import Account
from accounts.users import user_of
from accounts.wrapping import wrapping
from connections.models import Connection
from imports.admin.rows import read_row
from imports.admin.steps import Named, StepPages, page_of
from imports.models import Issue, Run
from imports.remedies import find_remedy
from imports.runs.explaining import find_incomplete, find_runs_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

SEVERITY_COLOURS = {Issue.Severity.ERROR: "danger", Issue.Severity.WARNING: "warning", Issue.Severity.INFO: "info"}
ISSUES_LOOKED_AT = 10_000
MOST_OTHERS = 50
"""How many further issues of a customer are named."""
RUNS_OF_CUSTOMER = 20
LONGEST_CODE = 100


class ValuesOfRun(DropdownFilter):
    """Offers the values of a column that the run's first issues have; the whole table is never searched for them."""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Issue]) -> list[tuple[str, str]]:
        run = request.GET.get("run__id__exact", "")
        if not run.isdecimal():
            return [(value, value) for value in [self.value()] if value]
        issues = model_admin.get_queryset(request).filter(run=int(run)).order_by()
        values = issues.values_list(self.parameter_name, flat=True)[:ISSUES_LOOKED_AT]
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
class IssueAdmin(StepPages, ReadOnlyAdmin):
    """The issues of one run in the order of the file, or of all runs with the newest first."""

    when_empty = "Issues are what was wrong in a file. None was."

    account_path = "run__account_id"
    list_display = [
        "place",
        "file",
        "column",
        "field_name",
        "kind",
        "severity_label",
        "message",
        "value",
        "customer_code",
    ]
    list_display_links = ["place"]
    list_select_related = ["run"]
    list_filter = [("severity", ChoicesDropdownFilter), CodeFilter, FieldFilter]
    search_fields = ["customer_code__exact"]
    search_help_text = "Customer code, as it is written"
    list_per_page = 100
    actions = None
    list_before_template = "imports/issues_of_run.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Issues of one run lead back to it."""
        asked = request.GET.get("run__id__exact", "")
        visible = Run.objects.filter(account__in=Account.objects.visible_to(user_of(request)))
        run = visible.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
        of_run = {"title": f"Issues of {run}", "run": run, "run_page": page_of(run)} if run else {}
        return super().changelist_view(request, of_run | (extra_context or {}))

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["line", "id"] if "run__id__exact" in request.GET else ["-id"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Issues of all runs name their file; those of one have room for what the file calls the column."""
        left_out = "file" if "run__id__exact" in request.GET else "column"
        return [name for name in self.list_display if name != left_out]

    def get_urls(self) -> list[Any]:
        page = path("customer/", self.admin_site.admin_view(self.show_customer), name="imports_issue_customer")
        return [page, *super().get_urls()]

    def show_customer(self, request: HttpRequest) -> HttpResponse:
        """What files did with the customer of a code, also one that no connection has, and what was wrong with it."""
        code = request.GET.get("code", "").strip()[:LONGEST_CODE]
        accounts = Account.objects.visible_to(user_of(request))
        context: dict[str, Any] = {"title": f"Customer {code}" if code else "Customer", "code": code}
        if code:
            known = Connection.objects.filter(customer_code=code, account__in=accounts).select_related("account")
            context |= {
                "customers": known[:RUNS_OF_CUSTOMER],
                "runs": find_runs_of(code, accounts, RUNS_OF_CUSTOMER),
                "incomplete": find_incomplete(accounts, 3),
            }
        return TemplateResponse(request, "imports/customer.html", {**self.admin_site.each_context(request), **context})

    @display(description="line", ordering="line")
    def place(self, issue: Issue) -> str:
        return str(issue.line) if issue.line else "file"

    @display(description="file")
    def file(self, issue: Issue) -> str:
        return format_html("{} (run\xa0{})", wrapping(issue.run.file_name), issue.run_id)

    @display(description="field", ordering="field")
    def field_name(self, issue: Issue) -> str:
        return wrapping(issue.field)

    @display(description="code", ordering="code")
    def kind(self, issue: Issue) -> str:
        return wrapping(issue.code)

    @display(description="severity", ordering="severity", label=SEVERITY_COLOURS)
    def severity_label(self, issue: Issue) -> tuple[str, str]:
        return issue.severity, issue.get_severity_display()

    # -- the page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The issue, and the row as the file has it."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        issue: Issue = self.find_visible(request, object_id)
        name = f"Line {issue.line} of {issue.run.file_name}" if issue.line else issue.run.file_name
        same = issue.run.issues.filter(customer_code=issue.customer_code).order_by("line", "id")
        of_customer = list(same[:MOST_OTHERS]) if issue.customer_code else []
        context = {
            "title": name,
            "original": Named(issue, name),
            "issue": issue,
            "name": issue.code.replace("_", " "),
            "remedy": find_remedy(issue.code, issue.severity),
            "run_page": page_of(issue.run),
            "others": [_link(other) for other in of_customer if other.pk != issue.pk],
            **(read_row(issue.run, issue.line, dict.fromkeys([issue, *of_customer])) if issue.line else {}),
        }
        return self.show(request, issue, "imports/row.html", context)


def _link(issue: Issue) -> dict[str, str]:
    place = f"Line {issue.line}" if issue.line else "The file"
    return {"page": page_of(issue), "place": place, "message": issue.message}

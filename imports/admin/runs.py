"""Admin of runs: what became of each file. They are only looked at; what people can do about them are steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin.owned import KindFilter, ReadOnlyAdmin, VisibleFilter
from accounts.users import user_of
from accounts.wrapping import wrapping
from accounts.zones import show_time
from imports.admin.filters import AwaitsDecision, DayFilter
from imports.admin.reports import ReportPages
from imports.admin.run_page import describe_counts, describe_page, name_run
from imports.admin.run_steps import RunSteps
from imports.admin.steps import Named, page_of
from imports.admin.uploads import UploadPages
from imports.admin.ways_back import WayBackPages
from imports.describing import rejects_name
from imports.models import Run
from imports.runs.serving import serve_file
from imports.storage import StorageRefused, StorageUnreachable

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from imports.models import KeptFile
    from imports.querysets import RunQuerySet

RUN_COLOURS = {
    Run.Status.QUEUED: "default",
    Run.Status.RUNNING: "info",
    Run.Status.SUCCEEDED: "success",
    Run.Status.PARTIAL: "warning",
    Run.Status.REJECTED: "danger",
    Run.Status.HELD: "warning",
    Run.Status.FAILED: "danger",
    Run.Status.UNDONE: "default",
}
RELATED = ("account__sandbox_of", "feed__account", "format_version__format", "started_by", "release_asked_by",
           "released_from", "replays", "undoes")  # fmt: skip


def _serve(request: HttpRequest, run: Run, kept: KeptFile | None, name: str) -> HttpResponseBase:
    try:
        return serve_file(kept, name)
    except (StorageUnreachable, StorageRefused) as error:
        messages.error(request, str(error))
        return redirect(page_of(run))


def held_badge(request: HttpRequest) -> str:
    """How many held runs wait for a decision, for the navigation; nothing when none do."""
    visible = cast("RunQuerySet", admin.site.get_model_admin(Run).get_queryset(request))
    return str(visible.awaiting_decision().filter(account__sandbox_of=None).count() or "")


@admin.register(Run)
class RunAdmin(RunSteps, WayBackPages, UploadPages, ReportPages, ReadOnlyAdmin):
    when_empty = "A run is one file. They come from feeds, from the API, and from people who upload them."
    list_display = [
        "number",
        "name",
        "run_status",
        "account",
        "feed",
        "came_to",
        "started",
        "duration",
    ]
    list_display_links = ["number", "name"]
    list_select_related = ["account", "feed"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        AwaitsDecision,
        DayFilter,
        ("account", VisibleFilter),
        KindFilter,
        ("feed", VisibleFilter),
        "dry_run",
    ]
    search_fields = ["file_name"]
    search_help_text = "File name"
    ordering = ["-id"]
    sorted_by_index = ("number",)
    list_per_page = 50
    actions_detail = ["kept_file", "rejects_file", "release", "reject", "replay", "add_entry", "map_value", "undo",
                      "import_for_real", "report", "report_csv", "row"]  # fmt: skip

    @display(description="run", ordering="id")
    def number(self, run: Run) -> str:
        """With what it is, where it is no import of a file."""
        said = ["dry run"] if run.dry_run else []
        said += [f"{word} of {of}" for word, of in (("replay", run.replays_id), ("undo", run.undoes_id)) if of]
        return f"{run.pk} ({', '.join(said)})" if said else str(run.pk)

    @display(description="file name", ordering="file_name")
    def name(self, run: Run) -> str:
        return wrapping(run.file_name)

    @display(description="status", ordering="status", label=RUN_COLOURS)
    def run_status(self, run: Run) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description="came to")
    def came_to(self, run: Run) -> str:
        return ", ".join(part.said.replace(" ", "\xa0") for part in describe_counts(run))

    @display(description="started", ordering="started_at")
    def started(self, run: Run) -> str:
        return show_time(run.started_at)

    @display(description="seconds", ordering="seconds")
    def duration(self, run: Run) -> str:
        return "" if run.seconds is None else f"{run.seconds:.2f}"

    # -- the page

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.progress_view)
        return [path("<int:object_id>/progress/", view, name="imports_run_progress"), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found: QuerySet[Run] = self.get_queryset(request).select_related(*RELATED)
        return found.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 19 else None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        run: Run = self.find_visible(request, object_id)
        name = name_run(run)
        deletable = self.has_delete_permission(request, run)
        context = {
            **describe_page(run, user_of(request)),
            "title": name,
            "original": Named(run, name),
            "delete": reverse("admin:imports_run_delete", args=[run.pk]) if deletable else "",
        }
        return self.show(request, run, "imports/run.html", context)

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What moves on the page, asked for by the page itself."""
        run: Run = self.find_visible(request, object_id)
        return TemplateResponse(request, "imports/run_body.html", describe_page(run, user_of(request)))

    @action(description="Download the file", url_path="file")
    def kept_file(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file as it came, for whoever may see the run."""
        run: Run = self.find_visible(request, object_id)
        return _serve(request, run, run.kept_file, run.file_name)

    @action(description="Download the rejected rows", url_path="rejects")
    def rejects_file(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """In the sender's own dialect, as it may be sent again."""
        run: Run = self.find_visible(request, object_id)
        return _serve(request, run, run.rejects_file, rejects_name(run))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The issues go with their run; listing them all, as Django would, could be a million lines.

        A run stays as long as those that replay or undo it.
        """
        following = Run.objects.filter(replays__in=objs) | Run.objects.filter(undoes__in=objs)
        staying = [str(run) for run in following.exclude(pk__in=[run.pk for run in objs])]
        return [f"{run}, with its issues" for run in objs], {"runs": len(objs)}, set(), staying

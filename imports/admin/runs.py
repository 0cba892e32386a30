"""Admin of runs: what became of each file, and what people can do about it. They are only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.careful import short_time
from accounts.owned import KindFilter, ReadOnlyAdmin, VisibleFilter
from accounts.users import user_of
from imports.admin.feed_forms import ForceForm
from imports.admin.feeds import NO_WORKER, warn_without_worker
from imports.admin.filters import AwaitsDecision, DayFilter
from imports.admin.reports import ReportPages
from imports.admin.steps import link, page_of
from imports.admin.ways_back import WayBackPages, ways_back
from imports.describing import rejects_name
from imports.health import is_at_work
from imports.models import Run
from imports.queueing import request_release
from imports.runs.releasing import check_release, find_advice, find_newer, reject_run
from imports.runs.serving import serve_file

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import FileResponse, HttpRequest, HttpResponse

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


def held_badge(request: HttpRequest) -> str:
    """How many held runs wait for a decision, for the navigation; nothing when none do."""
    visible = cast("RunQuerySet", admin.site.get_model_admin(Run).get_queryset(request))
    return str(visible.awaiting_decision().filter(account__sandbox_of=None).count() or "")


@admin.register(Run)
class RunAdmin(ReportPages, WayBackPages, ReadOnlyAdmin):
    when_empty = "A run is one file. They come from feeds and from the API."
    list_display = [
        "number",
        "file_name",
        "run_status",
        "account",
        "feed",
        "customers",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "started",
        "duration",
    ]
    list_display_links = ["number", "file_name"]
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
    list_per_page = 50
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("file_name", "account"),
                    ("status", "changed", "issue_list"),
                    "message",
                    "advice",
                    ("format_name", "size"),
                    ("copy_of_file", "rejected_rows"),
                    "waiting",
                    ("started_at", "finished_at"),
                    ("started_by", "duration"),
                    ("dry_run", "related"),
                ]
            },
        ),
        (
            "Feed",
            {
                "fields": [
                    ("feed", "remote_path"),
                    ("archived_at", "archived_as"),
                    ("decision", "decided_by", "decided_at"),
                    ("release_asked_at", "release_asked_by"),
                    "release_problem",
                    "released",
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
                    "deleted",
                ]
            },
        ),
    ]
    readonly_fields = [
        "advice",
        "changed",
        "issue_list",
        "size",
        "duration",
        "copy_of_file",
        "rejected_rows",
        "released",
        "related",
        "waiting",
    ]
    actions_detail = [
        "kept_file",
        "rejects_file",
        "release",
        "reject",
        "replay",
        "add_entry",
        "undo",
        "report",
        "report_csv",
    ]

    @display(description="run", ordering="id")
    def number(self, run: Run) -> str:
        """With what it is, where it is no import of a file."""
        said = ["dry run"] if run.dry_run else []
        said += [f"{word} of {of}" for word, of in (("replay", run.replays_id), ("undo", run.undoes_id)) if of]
        return f"{run.pk} ({', '.join(said)})" if said else str(run.pk)

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
        return link(reverse("admin:imports_run_kept_file", args=[run.pk]), "Download") if run.kept_file else "none"

    @display(description="rejected rows")
    def rejected_rows(self, run: Run) -> str:
        if not run.rejects_file:
            return "none kept"
        return link(reverse("admin:imports_run_rejects_file", args=[run.pk]), "Download, with reasons")

    @display(description="what to do")
    def advice(self, run: Run) -> str:
        """What a held file needs; nothing for any other."""
        if not run.awaits_decision:
            return ""
        return find_advice(run) or "Look at the issues and release or reject the file."

    @display(description="released")
    def released(self, run: Run) -> str:
        """The run that this one released, or those that tried to release it."""
        if run.released_from:
            return format_html("This run released {}", link(page_of(run.released_from), run.released_from))
        releases = [(link(page_of(release), f"{release}, {release.status}"),) for release in run.releases.all()]
        return format_html_join(", ", "{}", releases) if releases else "no"

    @action(description="Download the file", url_path="file")
    def kept_file(self, request: HttpRequest, object_id: str) -> FileResponse:
        """The file as it came, for whoever may see the run."""
        run: Run = self.find_visible(request, object_id)
        return serve_file(run.kept_file, run.file_name)

    @action(description="Download the rejected rows", url_path="rejects")
    def rejects_file(self, request: HttpRequest, object_id: str) -> FileResponse:
        """In the sender's own dialect, as it may be sent again."""
        run: Run = self.find_visible(request, object_id)
        return serve_file(run.rejects_file, rejects_name(run))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What can be done about a run. The downloads stand beside what they are of."""
        run = self.get_object(request, str(object_id))
        if run is None or not user_of(request).may_edit(run.account_id):
            return []
        offered = set()
        if run.awaits_decision:
            offered = {"reject"} if find_advice(run) else {"release", "reject"}
        offered |= ways_back(run)
        actions = super().get_actions_detail(request, object_id)
        return [item for item in actions if item.action_name.rpartition("_run_")[2] in offered]

    @action(description="Release", url_path="release")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        if advice := find_advice(run):
            return self.show(request, run, "imports/step.html", {"title": f"Release: {run}", "text": [advice]})
        newer = find_newer(run)
        form = ForceForm(request.POST if request.method == "POST" else None) if newer else None
        text = [
            f"{run.file_name} is held: {run.message}",
            "Releasing it tries the copy that was kept once more; the limits hold as ever."
            if run.has_failed
            else "Releasing it imports the copy that was kept, whatever the limits say.",
        ]
        if newer:
            text.append(f"A newer file went in since: {newer}. Releasing this one would bring older values back.")
        if not is_at_work():
            text.append(NO_WORKER)

        def take(form: Form | None) -> str:
            check_release(run, force=form is not None)
            request_release(run, user_of(request), force=form is not None)
            warn_without_worker(request)
            return f"{run} is queued to be released. The run that does it is shown here once it has begun."

        return self.confirm(request, run, "Release", text, take, form)

    @action(description="Reject", url_path="reject")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run: Run = self.find_editable(request, object_id)
        text = [f"{run.file_name} is held: {run.message}", "Rejected, nothing of it is applied; its sender is told."]

        def take(_: Form | None) -> str:
            reject_run(run, by=user_of(request).get_username())
            return f"{run} is rejected."

        return self.confirm(request, run, "Reject", text, take)

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
        """The issues go with their run; listing them all, as Django would, could be a million lines.

        A run stays as long as those that replay or undo it.
        """
        following = Run.objects.filter(replays__in=objs) | Run.objects.filter(undoes__in=objs)
        staying = [str(run) for run in following.exclude(pk__in=[run.pk for run in objs])]
        return [f"{run}, with its issues" for run in objs], {"runs": len(objs)}, set(), staying

"""The page of a run: what happened and who must act, then what is wrong, then the files, then all the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from accounts.counting import counted
from accounts.zones import short_time
from imports.admin.groups import find_groups
from imports.admin.steps import page_of
from imports.admin.ways_back import ways_back
from imports.admin.workers import NO_WORKER
from imports.describing import say_outcome
from imports.errors import HeldFor
from imports.health import is_at_work
from imports.models import FormatVersion, Run
from imports.runs.releasing import find_advice
from imports.runs.reporting import summarise, would_change
from imports.runs.uploading import find_import_of, find_why_not_for_real

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

Status = Run.Status
AT_WORK = (Status.QUEUED, Status.RUNNING)
BAR = ("created", "updated", "unchanged", "deleted", "skipped", "rejected")
"""From the left end of the bar to its right one."""
CHANGED = ("created", "updated", "deleted")
LOOKS_WRONG = (
    HeldFor.NEAR_KEYS, HeldFor.SWALLOWED_LINES, HeldFor.ENCODED_TWICE, HeldFor.SHIFTED, HeldFor.ROW_MARKS,
)  # fmt: skip
"""Held for what a program did to the file or says in it: likelier than not it is to be sent again."""
MOST_RELATED = 20
DETAILS = (
    "started_at", "finished_at", "seconds", "format_name", "file_size", "sha256", "rows", "rows_rejected",
    "customers", "created", "updated", "unchanged", "rejected", "skipped", "deleted", "attempts", "message",
    "remote_path", "archived_at", "archived_as", "held_for", "decision", "decided_by", "decided_at", "reason",
    "release_asked_by", "release_asked_at", "release_problem",
)  # fmt: skip


def describe_page(run: Run, user: User) -> dict[str, Any]:
    """What the templates of the page say."""
    active, advice, real = find_active(run), find_advice(run), find_import_of(run)
    issues = None if run.status in AT_WORK else find_groups(run, user)
    return {
        "run": run,
        "outcome": "" if run.message and run.message in advice else say_outcome(run),
        "advice": advice,
        "reasoner": run.decided_by or run.release_asked_by or run.started_by,
        "bar": [] if run.status in AT_WORK else describe_counts(run),
        "may_edit": user.may_edit(run.account_id),
        "steps": list(find_steps(run, user, issues, real)) if user.may_edit(run.account_id) else [],
        "progress": describe_progress(active) if active else None,
        "refresh": reverse("admin:imports_run_progress", args=[run.pk]),
        "no_worker": NO_WORKER if active and active.status != Status.RUNNING and not is_at_work() else "",
        "issues": issues,
        "evidence": describe_evidence(run),
        "files": list(find_files(run)),
        "links": list(find_links(run, user, real)),
        "details": list(find_details(run)),
    }


def name_run(run: Run) -> str:
    """What title and breadcrumbs call it."""
    kind = " (dry run)" if run.dry_run else ""
    undone = f"undo of run {run.undoes_id} · " if run.undoes_id else ""
    return f"Run {run.pk} · {undone}{run.file_name} · {run.get_status_display()}{kind}"


# -- while it is at work


def find_active(run: Run) -> Run | None:
    """The run that is at work or waits for a worker: this one, or the one that is to release it."""
    if run.status in AT_WORK:
        return run
    if run.awaits_decision and run.release_asked_at:
        return run.releases.filter(status__in=AT_WORK).first() or run
    return None


def describe_progress(run: Run) -> dict[str, Any]:
    """Step, how much of it is done, how fast, and how long it will take; or what it waits for."""
    if run.status != Status.RUNNING:
        before = run.account.runs.filter(pk__lt=run.pk, status__in=AT_WORK)[:100].count()
        waits = "" if run.status == Status.QUEUED else "It waits for a worker. "  # which its outcome says
        files = f"{counted(before, 'file is,files are')} before it in this account." if before else ""
        return {"step": "Waiting", "said": f"{waits}{files}".strip()}
    done, total = run.stage_done, run.stage_total
    if not run.stage or total <= 1:
        return {"step": run.stage or "Beginning", "said": "This takes a moment."}
    is_size = run.stage == "Reading"
    said = f"{filesizeformat(done)} of {filesizeformat(total)}" if is_size else f"{done:,} of {total:,} customers"
    seconds = (run.heartbeat_at - run.stage_at).total_seconds() if run.stage_at else 0
    if seconds >= 1 and done:
        rate = done / seconds
        speed = filesizeformat(rate) if is_size else f"{rate:,.0f} customers"
        said += f", {speed} a second; this step ends in about {_duration((total - done) / rate)}"
    return {"step": run.stage, "said": f"{said}.", "done": done, "total": total}


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} seconds"
    return f"{round(seconds / 60)} minutes"


# -- what became of it


@dataclass(frozen=True)
class Part:
    """Of the bar: where it stands, in hundredths of its width."""

    name: str
    count: int
    x: float
    width: float
    is_done: bool = True
    is_undone: bool = False

    @property
    def said(self) -> str:
        said = self.name if self.is_done else f"would be {self.name}"
        return f"{self.count:,} {said}{' and taken back' if self.is_undone else ''}"


def describe_counts(run: Run) -> list[Part]:
    total = sum(getattr(run, name) for name in BAR)
    is_done = not (run.status == Status.HELD or would_change(run))
    parts, x = [], 0.0
    for name in BAR:
        if count := getattr(run, name):
            width = round(100 * count / total, 2)
            is_undone = run.status == Status.UNDONE and name in CHANGED
            parts.append(Part(name, count, round(x, 2), width, is_done, is_undone))
            x += width
    return parts


@dataclass(frozen=True)
class Step:
    """Something that can be done next; its page asks before it does."""

    name: str
    url: str
    is_first: bool = False


def find_steps(run: Run, user: User, issues: dict[str, Any] | None = None, real: Run | None = None) -> Iterator[Step]:
    """What may be done about a run, the likeliest first; `real` is the import of a dry run's file."""

    def step(label: str, name: str, *, is_first: bool = False) -> Step:
        return Step(label, reverse(f"admin:imports_run_{name}", args=[run.pk]), is_first)

    possible = ways_back(run)
    awaited = issues["awaited"] if issues else None
    if run.awaits_decision:
        is_unwanted = run.held_for in LOOKS_WRONG or 0 < run.customers == run.rejected
        if not find_advice(run):
            yield step("Release", "release", is_first=not (awaited or is_unwanted))
        yield step("Reject", "reject", is_first=is_unwanted and not awaited)
    is_unlike = _is_unlike_its_format(run) and user.may_edit(run.account.production.pk)
    if is_unlike:
        yield Step("Make a format of this file", _onboarding_page(run), is_first=run.held_for == HeldFor.HEADER)
    if real:
        yield Step(f"Go on with run {real.pk}", page_of(real), is_first=not awaited)
    elif not find_why_not_for_real(run):
        yield step("Import it for real", "import_for_real", is_first=not (awaited or is_unlike))
    elif _must_come_again(run):
        upload = f"{reverse('admin:imports_run_upload')}?account={run.account_id}"
        yield Step("Upload the file again", upload, is_first=not awaited)
    if awaited:
        yield Step(awaited[0], awaited[1], is_first=True)
    elif run.rejects_file_id and not run.dry_run:
        rejects = reverse("admin:imports_run_rejects_file", args=[run.pk])
        yield Step("Download the rejected rows", rejects, is_first=True)
    tested = run.format_version if run.account.sandbox_of_id and run.finished_at else None
    if tested and tested.status == FormatVersion.Status.TESTING and user.may_edit(tested.format.account_id):
        is_read = run.status == Status.SUCCEEDED and not run.dry_run
        yield Step(f"Go on with {tested}", page_of(tested), is_first=is_read)
    for name in ("replay", "undo"):
        if name in possible:
            yield step(name.capitalize(), name)


def _is_unlike_its_format(run: Run) -> bool:
    """Whether the file as a whole is none that its format reads, so that it may want a format of its own."""
    is_unread = run.status == Status.REJECTED and not run.rows
    is_drifted = run.status in (Status.HELD, Status.REJECTED) and run.held_for == HeldFor.HEADER
    return bool((is_unread or is_drifted) and run.kept_file_id and run.file_size)


def _onboarding_page(run: Run) -> str:
    """Where a format is made of the run's file: the next version of its feed's, or another one."""
    asked: dict[str, Any] = {"account": run.account.production.pk, "run": run.pk}
    if run.feed_id and run.format_version:
        asked["name"] = run.format_version.format.name
    return f"{reverse('admin:imports_format_add')}?{urlencode(asked)}"


def _must_come_again(run: Run) -> bool:
    """Whether nothing goes on with the file of a dry run, or of a run that failed, but another upload of it."""
    has_failed = run.status == Status.FAILED and not run.remote_path
    is_about_other = run.undoes_id is not None or run.replays_id is not None
    return run.finished_at is not None and (run.dry_run or has_failed) and not is_about_other


WORDS = {
    "connection": ("customer", "customers"),
    "address": ("address", "addresses"),
    "door": ("door", "doors"),
    "buyer": ("buyer", "buyers"),
    "price_type": ("price type", "price types"),
    "payment_term": ("payment term", "payment terms"),
    "shipping_term": ("shipping term", "shipping terms"),
    "warehouse": ("warehouse", "warehouses"),
}


def describe_evidence(run: Run) -> dict[str, Any] | None:
    """What would change, in words, and samples of values; of a run that changed something, nothing."""
    summary = summarise(run) if run.dry_run or run.status == Status.HELD else None
    if summary is None:
        return None
    return {"changes": [_say_change(**change) for change in summary["changes"]], "samples": summary["samples"]}


def _say_change(record: str, action: str, field: str, count: int) -> dict[str, str]:
    words = WORDS.get(record, (record, record))
    what = {"created": "new", "deleted": "removed"}.get(action, field)
    return {"count": f"{count:,} {words[count != 1]}", "what": what}


# -- what belongs to it


def find_files(run: Run) -> Iterator[tuple[str, str]]:
    """Downloads, and the report of what changed."""
    if run.kept_file_id:
        yield "The file as it came", reverse("admin:imports_run_kept_file", args=[run.pk])
    if run.rejects_file_id:
        yield "The rejected rows, with reasons", reverse("admin:imports_run_rejects_file", args=[run.pk])
    if run.status not in AT_WORK and (run.created or run.updated or run.deleted):
        stands = not (run.status == Status.HELD or would_change(run))
        yield f"What it {'changed' if stands else 'would change'}", reverse("admin:imports_run_report", args=[run.pk])


def find_links(run: Run, user: User, real: Run | None) -> Iterator[tuple[str, str, str]]:
    """What the run belongs to, as (what it is, name, page); the page is blank where the user may not open it."""
    yield "Account", str(run.account), page_of(run.account)
    if run.feed:
        yield "Feed", str(run.feed), page_of(run.feed)
    if run.format_version:
        may_see = user.may_see(run.format_version.format.account_id)  # of a sandbox's run, that of production
        yield "Format", str(run.format_version), page_of(run.format_version) if may_see else ""
    if run.started_by:
        yield "Started by", str(run.started_by), ""
    related = {"Releases": run.released_from, "Replays": run.replays, "Undoes": run.undoes, "Imported by": real}
    for what, other in related.items():
        if other is not None:
            yield what, f"{other}, {other.status}", page_of(other)
    others = Run.objects.filter(Q(released_from=run) | Q(replays=run) | Q(undoes=run)).order_by("pk")
    for other in others[:MOST_RELATED]:
        what = "Released" if other.released_from_id else "Replayed" if other.replays_id else "Undone"
        kind = " (dry run)" if other.dry_run else ""
        yield f"{what} by", f"{other}, {other.status}{kind}", page_of(other)


def find_details(run: Run) -> Iterator[tuple[str, str]]:
    """The fields of the run that hold anything, by their names."""
    for name in DETAILS:
        field: Any = Run._meta.get_field(name)
        value = getattr(run, name)
        if value in (None, ""):
            continue
        if isinstance(value, datetime):
            value = short_time(timezone.localtime(value))
        elif field.choices:
            value = getattr(run, f"get_{name}_display")()
        elif isinstance(value, int):
            value = f"{value:,}"
        yield str(field.verbose_name), str(value)

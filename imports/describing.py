"""Report: what became of a file, as data, as a receipt and in a sentence or two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Q, Sum

from accounts.counting import counted
from accounts.times import iso_utc
from imports.models import Issue, Run
from imports.wording import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

RECEIPT_ISSUES = 1000
"""How many issues a receipt lists."""
ISSUE_FIELDS = ("line", "column", "field", "code", "severity", "message", "value", "customer_code", "more")


def describe_run(run: Run, most_issues: int | None = None) -> dict[str, Any]:
    """The run as commands, receipts and webhooks give it, with its first issues or all."""
    issues = Issue.objects.filter(run=run)
    counted = Q(line=None, more__gt=0)
    listed = list(issues.exclude(counted).values(*ISSUE_FIELDS)[:most_issues])
    listed += issues.filter(counted).values(*ISSUE_FIELDS)
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
        "summary": say_outcome(run),
        "held_for": run.held_for or None,
        "dry_run": run.dry_run,
        "decision": run.decision or None,
        "released_from": run.released_from_id,
        "replays": run.replays_id,
        "undoes": run.undoes_id,
        "counts": run.counts,
        "issues_found": issues.exclude(counted).count() + (issues.aggregate(more=Sum("more"))["more"] or 0),
        "issues": listed,
        "started_at": iso_utc(run.started_at),
        "finished_at": run.finished_at and iso_utc(run.finished_at),
        "seconds": run.seconds,
    }


def name_runs(runs: Collection[int]) -> dict[int, str]:
    """What each of these runs is: a file, or an undo or a replay of another run; and who began it, if a person did."""
    names = {}
    fields = ("file_name", "undoes", "replays", "released_from", "attempts", "remote_path", "kept_file", "started_by")
    for run in Run.objects.filter(pk__in=runs).select_related("started_by").only(*fields, "started_by__username"):
        what = (
            f"undo of run {run.undoes_id}" if run.undoes_id
            else f"replay of run {run.replays_id}" if run.replays_id
            else f"{run.file_name} released" if run.released_from_id and run.started_by
            else f"{run.file_name} uploaded" if run.is_upload and run.started_by
            else run.file_name
        )  # fmt: skip
        names[run.pk] = f"{what} by {run.started_by}" if run.started_by else what
    return names


def say_outcome(run: Run) -> str:
    """What happened, and who must act, in two or three sentences."""
    said = _say_undo(run) if run.undoes_id else OUTCOMES[Run.Status(run.status)](run)
    if run.dry_run and run.finished_at:
        said = f"A dry run: nothing was changed. {said}"
    return said


def _say_waiting(run: Run) -> str:
    return "It waits for a worker, which imports it by itself."


def _say_running(run: Run) -> str:
    return "It is being imported. Until it ends, nothing is changed."


def _say_success(run: Run) -> str:
    if not run.customers:
        return "The file holds no customers, so there was nothing to do."
    if not (run.created or run.updated or run.skipped):
        return f"{_customers(run.customers)} came, all as they are known. Nobody has to do anything."
    went = "would go in" if run.dry_run else "went in"
    skipped = f" {_customers(run.skipped)} {_were(run, run.skipped)} left; the issues say why." if run.skipped else ""
    return f"All that the file says of {_customers(run.customers - run.skipped)} {went}.{skipped}"


def _say_partial(run: Run) -> str:
    nameless = f"{_nameless(run)} no customer" if run.rows_rejected else ""
    rejected = (
        f"{run.rejected:,} of {_customers(run.customers)} {_were(run, run.rejected)} rejected" if run.rejected else ""
    )
    accepted = "would go in" if run.dry_run else "went in"
    return (
        f"{' and '.join(filter(None, [rejected, nameless]))}; the others {accepted}. "
        "The issues say what is wrong with them and who can mend it."
    )


def _say_rejection(run: Run) -> str:
    if run.decision == Run.Decision.REJECTED:
        return f"It was held and then rejected by {run.decided_by}; nothing of it was applied. {run.message}"
    if run.message:
        return f"Nothing of the file was applied. {run.message}"
    return (
        f"No customer of the file could be taken: {run.rejected:,} {_were(run, run.rejected)} rejected"
        f"{f', and {_nameless(run)} none' if run.rows_rejected else ''}. "
        "The issues say what is wrong and who can mend it."
    )


def _say_hold(run: Run) -> str:
    if run.dry_run:
        return f"The file would be held for a person to decide. {run.message}"
    if run.decision == Run.Decision.RELEASED:
        return f"It was held and then released by {run.decided_by}. {run.message}"
    return f"{run.message} Nothing of it is applied until somebody releases or rejects it."


def _say_failure(run: Run) -> str:
    again = " The feed's next pull takes it again." if run.remote_path else ""
    return (
        f"Nothing of the file was applied, for a technical reason that the operator must look at. {run.message}{again}"
    )


def _say_taken_back(run: Run) -> str:
    return "What it changed was taken back; its counts say what it had done."


def _say_undo(run: Run) -> str:
    """Of a run that takes another one back."""
    if run.status in (Run.Status.SUCCEEDED, Run.Status.PARTIAL):
        left = (
            f" {_customers(run.skipped)} {_were(run, run.skipped)} left, as changed since; the issues name them."
            if run.skipped
            else ""
        )
        parts = ((run.updated, "as they were"), (run.deleted, "gone again"), (run.created, "back"))
        became = ", ".join(f"{_customers(count)} {_are(run, count)} {how}" for count, how in parts if count)
        said = f"Run {run.undoes_id} {_were(run, 1)} taken back: {became or 'nothing of it stood any more'}."
        return f"{said}{left}"
    if run.status == Run.Status.RUNNING:
        return f"Run {run.undoes_id} is being taken back."
    if run.status == Run.Status.QUEUED:
        return f"It waits for a worker, which takes run {run.undoes_id} back by itself."
    return OUTCOMES[Run.Status(run.status)](run)


def _nameless(run: Run) -> str:
    return counted(run.rows_rejected, "row names,rows name")


def _customers(count: int) -> str:
    return counted(count, "customer")


def _are(run: Run, count: int) -> str:
    if run.dry_run:
        return "would be"
    return "is" if count == 1 else "are"


def _were(run: Run, count: int) -> str:
    if run.dry_run:
        return "would be"
    return "was" if count == 1 else "were"


OUTCOMES: dict[Run.Status, Callable[[Run], str]] = {
    Run.Status.QUEUED: _say_waiting,
    Run.Status.RUNNING: _say_running,
    Run.Status.SUCCEEDED: _say_success,
    Run.Status.PARTIAL: _say_partial,
    Run.Status.REJECTED: _say_rejection,
    Run.Status.HELD: _say_hold,
    Run.Status.FAILED: _say_failure,
    Run.Status.UNDONE: _say_taken_back,
}


def write_receipt(run: Run) -> bytes:
    """What the sender of a file gets back, in JSON."""
    return json.dumps(describe_run(run, RECEIPT_ISSUES), ensure_ascii=False, indent=1).encode()


def receipt_name(run: Run) -> str:
    """Of a held file that is decided about later there are two receipts."""
    return f"{run.pk}-{run.status}-{file_name(run.file_name)}.json"


def rejects_name(run: Run) -> str:
    return f"{run.pk}-rejects-{file_name(run.file_name)}"

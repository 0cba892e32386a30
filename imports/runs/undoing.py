"""Undo: what a run changed is taken back, by a run of its own that can be undone itself. One door, `undo_run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.db import Error, connection, transaction

from connections.bulk import merging
from connections.bulk.undoing import Undone, undo_changes
from connections.history.evidence import describe_changes
from connections.history.shortening import say_loss
from imports.errors import Problem, SettingsWrong
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline.beating import beating
from imports.pipeline.beginning import begin_queued
from imports.pipeline.claiming import claim_account
from imports.pipeline.ending import Ending
from imports.pipeline.importing import ATTEMPTS
from imports.pipeline.issues import MOST_OF_A_CODE, store_issues
from imports.pipeline.timing import doing_run
from imports.queueing import queue_run

if TYPE_CHECKING:
    from accounts.models import User

Status = Run.Status
LEFT = "changed_since"
"""The code of the issue of what an undo leaves."""


def undo_run(
    run: Run,
    *,
    user: User | None = None,
    dry_run: bool = False,
    patient: bool = True,
    queued: Run | None = None,
    reason: str = "",
) -> tuple[Run, Undone]:
    """Take back what a run changed; returns the run that does so, and what came of it.

    Values that it changed are restored, records that it made are deleted, and those that it replaced are there again.
    What was changed again since is left as it is, and is an issue of the new run. The run undone gets the status
    `undone`; the undo of an undo gives the run that this one took back its status again. `queued` is a run that waits
    for this already.

    Raises AccountBusy as `import_file` does, TryAgainLater when the database gives up, and SettingsWrong where there is
    nothing to take back: it is undone already, a dry run, or nothing of it was applied.
    """
    check_undo(run)
    with claim_account(run.account, patient=patient):
        check_undo(run)
        undo = begin_queued(queued) if queued else _begin(run, user, reason, dry_run=dry_run)
        with doing_run(undo), beating(undo, lambda stage, done, total: None) as progress:
            ending = Ending(undo, Path(), keep=False, release=None, name_copy=lambda: None)
            progress, undone = ending.steps.follow(progress), Undone()
            with ending.recording(), ending.committing():
                progress("Writing", 0, 1)
                undone = _undo(run, undo)
                _record(run, undo, undone)
                ending.finish(Status.PARTIAL if undone.left_in_all else Status.SUCCEEDED)
                if not undo.dry_run:
                    _set_aside(run)
        return undo, undone


def queue_undo(run: Run, user: User, *, dry_run: bool = False, reason: str = "") -> Run:
    """A run that waits for a worker to take another one back. Raises SettingsWrong as above.

    Whoever asks twice gets the one that waits, or is at work.
    """
    with transaction.atomic():
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if asked := run.undone_by.filter(dry_run=dry_run, status__in=[Status.QUEUED, Status.RUNNING]).first():
            return asked
        check_undo(run)
        return queue_run(run.account, user, undoes=run, dry_run=dry_run, reason=reason, **_named_as(run))


def check_undo(run: Run) -> None:
    """Raise SettingsWrong, saying why, where there is nothing to take back."""
    run.refresh_from_db()
    if problem := find_problem(run):
        raise SettingsWrong(f"{run} cannot be undone: {problem}")


def find_problem(run: Run) -> str:
    """Why a run cannot be undone; "" where it can."""
    if run.dry_run:
        return "it is a dry run, which changed nothing."
    if run.status == Status.UNDONE:
        undo = run.undone_by.filter(dry_run=False, status__in=[Status.SUCCEEDED, Status.PARTIAL]).first()
        return f"it is undone already{f', by run {undo.pk}' if undo else ''}."
    if run.status not in (Status.SUCCEEDED, Status.PARTIAL):
        return f"it is {run.status}, and nothing of it was applied."
    return say_loss(run.account, run.began_at)


def _named_as(run: Run) -> dict[str, str]:
    return {"file_name": run.file_name, "format_name": run.format_name}


def _begin(run: Run, user: User | None, reason: str, *, dry_run: bool) -> Run:
    asked = {"started_by": user, "reason": reason, "dry_run": dry_run}
    return Run.objects.create(account=run.account, undoes=run, **asked, **_named_as(run))


def _undo(run: Run, undo: Run) -> Undone:
    """Turn the changes round as things stand now; again where somebody else was faster, or the database ended it."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                undone = undo_changes(cursor, run.account_id, run.pk, undo.pk, _find_cancelled(run), MOST_OF_A_CODE)
                if undo.dry_run:
                    undo.evidence = describe_changes(undo.pk)
                    transaction.set_rollback(True)
                return undone
        except Error as error:
            if attempt == ATTEMPTS or not merging.is_race(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def _find_cancelled(run: Run) -> list[int]:
    """The later runs that came to nothing in the end: those taken back, and those that did so."""
    later = run.account.runs.filter(pk__gt=run.pk, dry_run=False)
    undone = later.filter(status=Status.UNDONE) | later.filter(undoes__status=Status.UNDONE).exclude(undoes=None)
    return list(undone.values_list("pk", flat=True))


def _record(run: Run, undo: Run, undone: Undone) -> None:
    """Count the customers, and name what is left."""
    undo.created, undo.updated, undo.deleted = undone.created, undone.restored, undone.deleted
    undo.skipped = undone.spared
    undo.customers = undone.created + undone.restored + undone.deleted + undone.spared
    problems = [
        Problem(
            code=LEFT,
            message=f"Customer {left.customer_code!r}: {left.message}",
            severity="warning",
            column=f"{left.record} {left.key}".strip(),
            field=left.field,
            value=left.value or "",
            customer_code=left.customer_code,
        )
        for left in undone.left
    ]
    if (more := undone.left_in_all - len(undone.left)) > 0:
        message = f"{more:,} more like this; the first {len(undone.left):,} are listed."
        undo.issues.create(code=LEFT, severity="warning", message=message, more=more)
    with connection.cursor() as cursor:
        store_issues(cursor, undo.pk, problems)


def _set_aside(run: Run) -> None:
    """The run counts no more; what it had taken back itself counts again, and so on."""
    run.status = Status.UNDONE
    run.save(update_fields=["status"])
    tell_of_run(run)
    if run.undoes is not None:
        _take_up(run.undoes)


def _take_up(run: Run) -> None:
    """The run counts again, as it ended."""
    has_left = run.rejected or run.rows_rejected or run.issues.filter(code=LEFT).exists()
    run.status = Status.PARTIAL if has_left else Status.SUCCEEDED
    run.save(update_fields=["status"])
    if run.undoes is not None:
        _set_aside(run.undoes)

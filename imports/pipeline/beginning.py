"""Begin: one process begins a queued run, and what failed too often is not begun again without a person."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils import timezone

from imports.errors import FileHeld, HeldFor, Problem, TryAgainLater
from imports.models import Run
from imports.pipeline.requesting import Origin

if TYPE_CHECKING:
    from imports.formats.spec import FormatSpec
    from imports.pipeline.requesting import ImportRequest

MOST_ATTEMPTS = 3
"""How often a file is tried that fails for a technical reason, which may lie in it."""


def begin_run(request: ImportRequest, spec: FormatSpec) -> Run:
    """The run of a request, stored as running. Raises OSError where there is no file, TryAgainLater as below."""
    size = request.path.stat().st_size
    run = (
        begin_queued(request.queued)
        if request.queued is not None
        else Run(account=request.account, dry_run=request.dry_run, started_by=request.started_by, reason=request.reason)
    )
    origin = request.origin or Origin(file_name=run.file_name or request.path.name, sha256=run.sha256)
    for field in fields(origin):
        setattr(run, field.name, getattr(origin, field.name))
    run.file_name, run.file_size = origin.file_name[-255:], size
    run.released_from = request.release.held if request.release else None
    run.replays = request.replay.run if request.replay else None
    run.format_name, run.format_version, run.format_digest = spec.name, request.version, spec.digest
    if request.release:
        run.attempts = 1
    elif run.remote_path:
        count_attempt(run)
    run.save()
    return run


def begin_queued(queued: Run) -> Run:
    """The database lets one process begin a queued run. Raises TryAgainLater for any other."""
    now = timezone.now()
    waiting = Run.objects.filter(pk=queued.pk, status=Run.Status.QUEUED)
    if not waiting.update(
        status=Run.Status.RUNNING, started_at=now, heartbeat_at=now, queued_at=None, attempts=F("attempts") + 1
    ):
        raise TryAgainLater(f"{queued} was begun already.")
    queued.refresh_from_db()
    return queued


def count_attempt(run: Run) -> None:
    """Which attempt this is at a feed's file: one more than the last of the same bytes, where that one failed."""
    same = Run.objects.filter(feed=run.feed, remote_path=run.remote_path, sha256=run.sha256)
    last = same.filter(released_from=None, dry_run=False).first()
    has_failed = last is not None and last.status == Run.Status.FAILED
    run.attempts = 1 + (last.attempts if last is not None and has_failed else 0)
    run.message = last.message if last is not None and has_failed else ""


def hold_what_fails(run: Run) -> None:
    """Raise FileHeld for a file that failed too often. A run that begins carries the message of the last failure."""
    last, run.message = run.message, ""
    if run.attempts > MOST_ATTEMPTS:
        message = f"The file failed {MOST_ATTEMPTS} times for a technical reason, and is not tried again by itself."
        problem = Problem(code="failed_repeatedly", message=message)
        raise FileHeld(HeldFor.FAILURES, [problem], f"The last failure: {last}" if last else "")

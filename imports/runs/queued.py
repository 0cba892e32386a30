"""Queued: what waits for a worker is done in the order in which it came: uploads, replays and undos."""

from __future__ import annotations

import contextlib

from django.db import transaction
from django.utils import timezone

from accounts.outages import find_full_disk
from imports.choosing import STANDARD_NAME, find_version, find_version_of
from imports.copies import fetched
from imports.errors import SettingsWrong, TryAgainLater
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline import ImportRequest, import_file
from imports.pipeline.claiming import claim_account
from imports.queueing import enqueue_run, postpone_waiting
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from imports.storage import StorageUnreachable

AT_ONCE = 2_000_000
"""Bytes of a file that is imported while somebody waits; workers import larger ones."""


def import_soon(run: Run) -> None:
    """Import an uploaded file at once where it is small and its account free; let a worker do it otherwise.

    How it ended, or that it waits, stands in the run.
    """
    if run.file_size <= AT_ONCE:
        with contextlib.suppress(OSError):  # the run says it
            import_queued(run.pk)
        run.refresh_from_db()
    if run.status == Run.Status.QUEUED:
        enqueue_run(run.pk)


def import_queued(run_id: int) -> str:
    """Import the file that has waited longest of those uploaded into the account of a queued run.

    Whatever stands against it stands in the run. While the account is busy, the run waits (see `queueing`).
    """
    asked = Run.objects.filter(pk=run_id, status=Run.Status.QUEUED)
    if not asked.update(queued_at=None):
        return "It was begun already."
    account = asked.select_related("account__sandbox_of").get().account
    try:
        with claim_account(account, patient=False):
            related = ["account__sandbox_of", "format_version__format", "started_by"]
            related += ["replays__account__sandbox_of", "undoes__account"]
            waiting = account.runs.select_related(*related).filter(status=Run.Status.QUEUED)
            run = waiting.order_by("pk").first()
            return _import(run) if run else "It was begun already."
    except TryAgainLater as error:
        if isinstance(error, StorageUnreachable) or find_full_disk(error):
            postpone_waiting(account)
        return str(error)


def _import(run: Run) -> str:
    try:
        if run.undoes is not None:
            undo_run(run.undoes, queued=run)
            return f"{run}: {run.status}"
        if run.replays is not None:
            replay_run(run.replays, queued=run)
            return f"{run}: {run.status}"
        version = find_version_of(run)
        version = find_version(run.account, str(version) if version else STANDARD_NAME)
        with fetched(run.kept_file, run.file_name) as path:
            import_file(ImportRequest(account=run.account, path=path, version=version, queued=run))
    except SettingsWrong as error:
        _fail(run, str(error))
    return f"{run}: {run.status}"


def _fail(run: Run, message: str) -> None:
    """The file could not even be begun."""
    run.status, run.message, run.finished_at = Run.Status.FAILED, message, timezone.now()
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED).update(
            status=run.status, message=message, finished_at=run.finished_at
        ):
            tell_of_run(run)

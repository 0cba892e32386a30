"""Upload: a file that a program or a person sends waits on the disk, with its run, until it is imported."""

from __future__ import annotations

import contextlib
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from imports.choosing import STANDARD_NAME, find_version, find_version_of
from imports.copies import drafting, fetched, share
from imports.errors import SettingsWrong, TryAgainLater
from imports.formats.spec import STANDARD
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline import ImportRequest, import_file
from imports.pipeline.claiming import claim_account
from imports.pipeline.recognising import LOOKED_AT, find_version_for_file
from imports.queueing import enqueue_run, postpone_waiting
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from imports.storage import StorageUnreachable

AT_ONCE = 2_000_000
"""Bytes of a file that is imported while somebody waits; workers import larger ones."""

if TYPE_CHECKING:
    from django.core.files import File

    from accounts.models import Account, User
    from imports.models import FormatVersion, KeptFile


def store_upload(
    account: Account, file: File[bytes], user: User, *, format_name: str | None = None, dry_run: bool = False
) -> Run:
    """Keep the file with a queued run of its own.

    Raises SettingsWrong where no format of the name may read it or no copy can be kept, and StorageUnreachable. The
    caller puts the run into the queue once it is in the database (see `queueing.enqueue_run`).
    """
    file.open()
    version = find_version_for_file(account, format_name, file.read(LOOKED_AT))
    name = Path(file.name or "upload").name[-255:] or "upload"
    source: Any = file  # which reads as binary files do
    with drafting(account.pk, lambda: nullcontext(source), name) as draft, transaction.atomic():
        return _queue(account, draft.keep(), name, user, version=version, dry_run=dry_run)


def _queue(
    account: Account, kept: KeptFile, name: str, user: User, *, version: FormatVersion | None, dry_run: bool = False
) -> Run:
    return Run.objects.create(
        account=account,
        status=Run.Status.QUEUED,
        file_name=name,
        file_size=kept.size or 0,
        sha256=kept.sha256,
        kept_file=kept,
        format_name=str(version or STANDARD.name),
        format_version=version,
        dry_run=dry_run,
        started_by=user,
        queued_at=timezone.now(),
    )


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


def queue_for_real(dry: Run, user: User) -> Run:
    """A queued run of the file of a dry run, from its copy. Raises SettingsWrong where there is nothing to import.

    It is read with the version that the dry run was read with, and judged anew, as things stand by then.
    """
    if problem := find_why_not_for_real(dry):
        raise SettingsWrong(f"{dry} cannot be imported for real: {problem}")
    version = find_version_of(dry)
    with transaction.atomic():
        kept = share(dry.kept_file, dry.file_name)
        version = find_version(dry.account, str(version) if version else STANDARD_NAME)
        return _queue(dry.account, kept, dry.file_name, user, version=version)


def find_why_not_for_real(run: Run) -> str:
    """Why the file of a run cannot be imported as a dry run has shown it; "" where it can."""
    if not run.dry_run:
        return "it is no dry run."
    if run.replays_id or run.undoes_id:
        return f"it is about run {run.replays_id or run.undoes_id}, on whose page that is done."
    if run.status not in (Run.Status.SUCCEEDED, Run.Status.PARTIAL, Run.Status.HELD):
        return f"it is {run.status}, so nothing of the file would go in."
    if not run.kept_file_id:
        return f"no copy of {run.file_name} is kept. Upload the file again."
    return ""


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
    except StorageUnreachable as error:
        postpone_waiting(account)
        return str(error)
    except TryAgainLater as error:
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

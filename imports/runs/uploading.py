"""Upload: a file that a program or a person sends waits on the disk, with its run, until it is imported."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from imports.errors import SettingsWrong, TryAgainLater
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline import ImportRequest, import_file
from imports.pipeline.claiming import claim_account
from imports.pipeline.recognising import LOOKED_AT, find_version_for_file
from imports.queueing import enqueue_run
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from imports.versioning import STANDARD_NAME, find_version, find_version_of

AT_ONCE = 2_000_000
"""Bytes of a file that is imported while somebody waits; workers import larger ones."""

if TYPE_CHECKING:
    from accounts.models import Account, User


def store_upload(
    account: Account, file: File[bytes], user: User, *, format_name: str | None = None, dry_run: bool = False
) -> Run:
    """Keep the file with a queued run of its own. Raises SettingsWrong where no format of the name may read it.

    The caller puts the run into the queue once it is in the database (see `queueing.enqueue_run`).
    """
    file.open()
    version = find_version_for_file(account, format_name, file.read(LOOKED_AT))
    file.seek(0)
    name = Path(file.name or "upload").name[-255:] or "upload"
    with transaction.atomic():
        run = Run.objects.create(
            account=account,
            status=Run.Status.QUEUED,
            file_name=name,
            file_size=file.size or 0,
            format_name=str(version or "standard template"),
            format_version=version,
            dry_run=dry_run,
            started_by=user,
            queued_at=timezone.now(),
        )
        try:
            run.kept_file.save(name, file)
        except (OSError, SuspiciousFileOperation) as error:
            raise SettingsWrong(f"No copy of {name} can be kept in DATA_DIR: {error}.") from None
    return run


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
    try:
        with dry.kept_file.open("rb") as kept:
            name = str(version) if version else STANDARD_NAME
            return store_upload(dry.account, File(kept, name=dry.file_name), user, format_name=name)
    except OSError as error:
        raise SettingsWrong(f"The copy of {dry.file_name} cannot be read: {error.strerror}.") from None


def find_why_not_for_real(run: Run) -> str:
    """Why the file of a run cannot be imported as a dry run has shown it; "" where it can."""
    if not run.dry_run:
        return "it is no dry run."
    if run.replays_id or run.undoes_id:
        return f"it is about run {run.replays_id or run.undoes_id}, on whose page that is done."
    if run.status not in (Run.Status.SUCCEEDED, Run.Status.PARTIAL, Run.Status.HELD):
        return f"it is {run.status}, so nothing of the file would go in."
    if not run.kept_file or not Path(run.kept_file.path).is_file():
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
        name = str(version) if version else STANDARD_NAME
        path, version = Path(run.kept_file.path), find_version(run.account, name)
        import_file(ImportRequest(account=run.account, path=path, version=version, queued=run))
    except SettingsWrong as error:
        _fail(run, str(error))
    except FileNotFoundError:
        _fail(run, f"The copy of {run.file_name} is gone from DATA_DIR. Upload the file again.")
    return f"{run}: {run.status}"


def _fail(run: Run, message: str) -> None:
    """The file could not even be begun."""
    run.status, run.message, run.finished_at = Run.Status.FAILED, message, timezone.now()
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED).update(
            status=run.status, message=message, finished_at=run.finished_at
        ):
            tell_of_run(run)

"""Upload: a file that a program sends waits on the disk, with its run, until a worker imports it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import SuspiciousFileOperation
from django.db import transaction
from django.utils import timezone

from imports.errors import SettingsWrong, TryAgainLater
from imports.messages.telling import tell_of_run
from imports.models import Run
from imports.pipeline import ImportRequest, import_file
from imports.pipeline.claiming import claim_account
from imports.pipeline.recognising import LOOKED_AT, find_version_for_file
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from imports.versioning import STANDARD_NAME, find_version, find_version_of

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from accounts.models import Account, User


def store_upload(
    account: Account, file: UploadedFile[bytes], user: User, *, format_name: str | None = None, dry_run: bool = False
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

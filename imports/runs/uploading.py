"""Upload: a file that a program or a person sends waits on the disk, with its run, until it is imported."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from imports.choosing import STANDARD_NAME, find_version, find_version_of
from imports.copies import drafting, share
from imports.errors import SettingsWrong
from imports.formats.spec import STANDARD
from imports.models import Run
from imports.pipeline.recognising import LOOKED_AT, find_version_for_file
from imports.queueing import queue_run

if TYPE_CHECKING:
    from django.core.files import File

    from accounts.models import Account, User
    from imports.models import FormatVersion, KeptFile


def store_upload(
    account: Account, file: File[bytes], user: User, *, format_name: str | None = None, dry_run: bool = False
) -> Run:
    """Keep the file with a queued run of its own.

    Raises SettingsWrong where no format of the name may read it or no copy can be kept, and StorageUnreachable.
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
    return queue_run(
        account,
        user,
        file_name=name,
        file_size=kept.size or 0,
        sha256=kept.sha256,
        kept_file=kept,
        format_name=str(version or STANDARD.name),
        format_version=version,
        dry_run=dry_run,
    )


def queue_for_real(dry: Run, user: User) -> Run:
    """A queued run of the file of a dry run, from its copy; the run that imports it already, where there is one.

    It is read with the version that the dry run was read with, and judged anew, as things stand by then. Raises
    SettingsWrong where there is nothing to import.
    """
    with transaction.atomic():
        Run.objects.select_for_update(no_key=True).get(pk=dry.pk)
        if real := find_import_of(dry):
            return real
        if problem := find_why_not_for_real(dry):
            raise SettingsWrong(f"{dry} cannot be imported for real: {problem}")
        version = find_version_of(dry)
        kept = share(dry.kept_file, dry.file_name)
        version = find_version(dry.account, str(version) if version else STANDARD_NAME)
        return _queue(dry.account, kept, dry.file_name, user, version=version)


def find_import_of(dry: Run) -> Run | None:
    """The first run since a dry run that imports the same copy; none where what it did does not stand."""
    later = dry.account.runs.filter(kept_file=dry.kept_file_id, dry_run=False, undoes=None, replays=None, pk__gt=dry.pk)
    standing = later.exclude(status__in=[Run.Status.FAILED, Run.Status.REJECTED, Run.Status.UNDONE])
    return standing.order_by("pk").first() if dry.dry_run and dry.kept_file_id else None


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

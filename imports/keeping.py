"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from imports.errors import SettingsWrong
from imports.models.runs import kept_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts.models import Account
    from imports.models import Run

COPIED_AT_ONCE = 1 << 22


@contextmanager
def keeping_file(run: Run, path: Path) -> Iterator[Callable[[], None]]:
    """Copy the run's file while the block is at work, and name the copy in the run at its end.

    What the block is given waits for the copy, and raises SettingsWrong where there is no room for it.
    """
    if not settings.KEEP_FILES_DAYS or run.dry_run:
        yield lambda: None
        return
    name = run.kept_file.storage.get_available_name(kept_file_name(run, path.name))
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(_copy, path, Path(run.kept_file.storage.path(name)))
        try:
            yield lambda: _wait(copying, path)
        finally:
            if copying.exception() is None:
                run.kept_file = name
                run.save(update_fields=["kept_file"])


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    with path.open("rb") as file, target.open("xb") as copy:
        target.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        try:
            shutil.copyfileobj(file, copy, COPIED_AT_ONCE)
        except OSError:
            target.unlink()
            raise


def _wait(copying: Future[None], path: Path) -> None:
    try:
        copying.result()
    except OSError as error:
        raise SettingsWrong(f"No copy of {path.name} can be kept in DATA_DIR: {error.strerror}.") from error


def forget_old_files(account: Account) -> None:
    """Delete the copies of the account's files that are older than KEEP_FILES_DAYS; their runs stay.

    By the age of the files, so that what a killed process left without naming it in its run goes too.
    """
    oldest = timezone.now() - timedelta(days=settings.KEEP_FILES_DAYS)
    account.runs.with_kept_file().filter(started_at__lt=oldest).update(kept_file="")
    for path in Path(settings.MEDIA_ROOT, "runs", str(account.pk)).glob("*"):
        if path.stat().st_mtime < oldest.timestamp():
            path.unlink(missing_ok=True)


def delete_kept_file(sender: type[Run], instance: Run, **_: Any) -> None:
    """When a run is deleted, by itself or with its account, its copy goes too."""
    name = instance.kept_file.name
    if name:
        transaction.on_commit(lambda: instance.kept_file.storage.delete(name))

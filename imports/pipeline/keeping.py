"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from imports.errors import SettingsWrong
from imports.models import Message
from imports.models.messages import OUTBOX
from imports.models.runs import kept_file_name, rejects_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.core.files.storage import Storage
    from django.db.models import QuerySet

    from accounts.models import Account
    from imports.models import Format, Run

COPIED_AT_ONCE = 1 << 22
LONGEST_UNNAMED = timedelta(days=1)
"""How long a file may lie there before the run that names it is committed."""


@contextmanager
def keeping_file(run: Run, path: Path, *, wanted: bool = True) -> Iterator[Callable[[], None]]:
    """Copy the run's file while the block is at work.

    What the block is given waits for the copy and names it in the run, so that both are committed together; it raises
    SettingsWrong where there is no room for it.
    """
    if not wanted or run.kept_file or not settings.KEEP_FILES_DAYS:
        yield lambda: None
        return
    name = run.kept_file.storage.get_available_name(kept_file_name(run, run.file_name))
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(_copy, path, Path(run.kept_file.storage.path(name)))

        def name_copy() -> None:
            _wait(copying, run)
            run.kept_file = name

        yield name_copy


def keep_held_file(run: Run, path: Path) -> None:
    """Keep a copy of a held file even where no others are kept: without one it could not be released."""
    if run.kept_file or settings.KEEP_FILES_DAYS:
        return
    name = run.kept_file.storage.get_available_name(kept_file_name(run, run.file_name))
    try:
        _copy(path, Path(run.kept_file.storage.path(name)))
    except OSError as error:
        raise _no_room(run, error) from error
    run.kept_file = name


def keep_rejects(run: Run, write: Callable[[Path], None]) -> None:
    """Keep the rejected rows beside the copy, for the feed's outbox and whoever asks for them."""
    wanted = settings.KEEP_FILES_DAYS or (run.feed and run.feed.outbox_folder)
    if not wanted or not (run.rejected or run.rows_rejected):
        return
    name = run.rejects_file.storage.get_available_name(rejects_file_name(run, run.file_name))
    path = Path(run.rejects_file.storage.path(name))
    try:
        path.parent.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
        write(path)
        path.chmod(settings.FILE_UPLOAD_PERMISSIONS)
    except OSError as error:
        raise _no_room(run, error) from error
    run.rejects_file = name


def _no_room(run: Run, error: OSError) -> SettingsWrong:
    return SettingsWrong(f"No copy of {run.file_name} can be kept in DATA_DIR: {error.strerror}.")


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    with path.open("rb") as file, target.open("xb") as copy:
        target.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        try:
            shutil.copyfileobj(file, copy, COPIED_AT_ONCE)
        except OSError:
            target.unlink()
            raise


def _wait(copying: Future[None], run: Run) -> None:
    try:
        copying.result()
    except OSError as error:
        raise _no_room(run, error) from error


def forget_old_files(account: Account) -> None:
    """Delete the copies of the account's files that are older than KEEP_FILES_DAYS, and what they would have changed.

    Their runs stay.

    A held file stays until somebody has decided about it, and rejects until they lie in the feed's outbox. What no run
    names is the sample of a format, or was left by a killed process, and goes too, but not before it is certain that no
    run is about to name it.
    Where a transaction is rolled back, the files stay as their names do.
    """
    now = timezone.now()
    oldest = now - timedelta(days=settings.KEEP_FILES_DAYS)
    needed = (
        account.runs.awaiting_decision()
        .values("pk")
        .union(account.runs.filter(status__in=["queued", "running"]).values("pk"))
        .union(Message.objects.pending().filter(account=account, kind=OUTBOX).values("run"))
    )
    nothing = Q(kept_file="", rejects_file="", evidence__isnull=True)
    old = account.runs.filter(~nothing, started_at__lt=oldest).exclude(pk__in=needed)
    forgotten = _names_of(old)
    old.update(kept_file="", rejects_file="", evidence=None)
    spared = _names_of(account.runs.filter(pk__in=needed))
    for path in Path(settings.MEDIA_ROOT, "runs", str(account.pk)).glob("*"):
        name = f"runs/{account.pk}/{path.name.removesuffix('.reasons.csv')}"
        last = oldest if name in forgotten else min(oldest, now - LONGEST_UNNAMED)
        if name not in spared and path.stat().st_mtime < last.timestamp():
            transaction.on_commit(partial(path.unlink, missing_ok=True))


def _names_of(runs: QuerySet[Run]) -> set[str]:
    return {name for names in runs.values_list("kept_file", "rejects_file") for name in names}


def delete_kept_file(sender: type[Run], instance: Run, **_: Any) -> None:
    """When a run is deleted, by itself or with its account, what was kept of it goes too."""
    for file in (instance.kept_file, instance.rejects_file):
        if file.name:
            transaction.on_commit(partial(_delete, file.storage, file.name))


def delete_sample(sender: type[Format], instance: Format, **_: Any) -> None:
    """When a format is deleted, by itself or with its account, its sample goes too."""
    if instance.sample.name:
        transaction.on_commit(partial(instance.sample.storage.delete, instance.sample.name))


def _delete(storage: Storage, name: str) -> None:
    storage.delete(name)
    storage.delete(f"{name}.reasons.csv")

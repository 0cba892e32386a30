"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from accounts.tallies import count
from imports.errors import SettingsWrong
from imports.models.runs import kept_file_name, rejects_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.core.files.storage import Storage

    from imports.models import Format, Run

COPIED_AT_ONCE = 1 << 22
REASONS = ".reasons.csv"
"""Ends the name of the file with the reasons, beside rejects without a header."""


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
    wanted = settings.KEEP_REJECTS_DAYS or (run.feed and run.feed.outbox_folder)
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
    count("errors_total", "storage")
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


def delete_kept_file(sender: type[Run], instance: Run, **_: Any) -> None:
    """When a run is deleted, by itself or with its account, what was kept of it goes too."""
    for file in (instance.kept_file, instance.rejects_file):
        if file.name:
            transaction.on_commit(partial(delete_kept, file.storage, file.name))


def delete_sample(sender: type[Format], instance: Format, **_: Any) -> None:
    """When a format is deleted, by itself or with its account, its sample goes too."""
    if instance.sample.name:
        transaction.on_commit(partial(instance.sample.storage.delete, instance.sample.name))


def delete_kept(storage: Storage, name: str) -> None:
    """Delete a kept file, with the reasons that lie beside rejects without a header."""
    storage.delete(name)
    storage.delete(f"{name}{REASONS}")

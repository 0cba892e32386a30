"""Keep: a copy of every file as it came, for as long as the settings say."""

from __future__ import annotations

import hashlib
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


class Keeper:
    """A run's file being read beside the run: copied, where a copy is kept, and digested."""

    def __init__(self, run: Run, work: Future[str], name: str) -> None:
        self.run = run
        self.work = work
        self.name = name

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file in hexadecimal; waits for it. Raises SettingsWrong where there is no room."""
        try:
            return self.work.result()
        except OSError as error:
            raise _no_room(self.run, error) from error

    def name_copy(self) -> None:
        """Name copy and digest in the run, so that they are committed with it. Raises SettingsWrong like `sha256`."""
        sha256 = self.sha256
        self.run.sha256 = self.run.sha256 or sha256
        if self.name:
            self.run.kept_file = self.name


@contextmanager
def keeping_file(run: Run, path: Path, *, wanted: bool = True) -> Iterator[Keeper | None]:
    """Copy and digest the run's file while the block is at work; neither where nothing is to be kept of it."""
    if not wanted:
        yield None
        return
    name = ""
    if settings.KEEP_FILES_DAYS and not run.kept_file:
        name = run.kept_file.storage.get_available_name(kept_file_name(run, run.file_name))
    with ThreadPoolExecutor(1) as pool:
        if name:
            yield Keeper(run, pool.submit(_copy, path, Path(run.kept_file.storage.path(name))), name)
        else:
            yield Keeper(run, pool.submit(_digest, path), name)


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


def _copy(path: Path, target: Path) -> str:
    """Copy a file; returns its SHA-256."""
    target.parent.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("rb") as file, target.open("xb") as copy:
        target.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        try:
            while block := file.read(COPIED_AT_ONCE):
                copy.write(block)
                digest.update(block)
        except OSError:
            target.unlink()
            raise
    return digest.hexdigest()


def _digest(path: Path) -> str:
    """The SHA-256 of a file; "" where it cannot be read, of which the import tells."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


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

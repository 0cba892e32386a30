"""Folders of this machine, and whatever else fsspec knows how to reach by a URL."""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import fsspec

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    UNFINISHED,
    FolderMissing,
    PermissionRefused,
    RemoteFile,
    Server,
    ServerSettings,
    ServerUnreachable,
    quote,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1 << 20


class LocalServer(Server):
    """A folder of this machine that is never left, by no path and by no link."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        if settings.root is None:
            raise SettingsWrong("LOCAL_FEEDS names no folder of this machine, so none may be read.")
        self.root = settings.root.resolve()

    def close(self) -> None:
        """Nothing is open."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        place = self._inside(folder)
        with self._translated(folder or "/"):
            entries = [(entry.name, entry.stat(follow_symlinks=False)) for entry in os.scandir(place)]
        return [
            _describe(posixpath.join(folder, name), status) for name, status in entries if stat.S_ISREG(status.st_mode)
        ]

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path):
            try:
                status = self._inside(path).lstat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _describe(path, status) if stat.S_ISREG(status.st_mode) else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        if self.look_at(path) is None:
            raise self.vanished(path)
        with self._translated(path), self._inside(path).open("rb") as file:
            return _copy(self, path, file, out, most_bytes)

    def rename(self, source: str, target: str) -> None:
        """By a second name for the file, which never takes one that is taken, and the end of the first."""
        with self._translated(source):
            try:
                self._inside(target).hardlink_to(self._inside(source))
            except FileExistsError:
                raise self.taken(target) from None
            except FileNotFoundError:
                raise self.vanished(source) from None
            self._inside(source).unlink()

    def make_folder(self, path: str) -> None:
        with self._translated(path):
            self._inside(path).mkdir(exist_ok=True)

    def write_file(self, path: str, content: bytes) -> None:
        with self._translated(path):
            self._inside(path + UNFINISHED).write_bytes(content)
        self.rename(path + UNFINISHED, path)

    def _inside(self, path: str) -> Path:
        place = self.root / path
        try:
            leaves = place != self.root and not place.parent.resolve(strict=False).is_relative_to(self.root)
            if leaves or not place.resolve(strict=False).is_relative_to(self.root):
                raise PermissionRefused(f"{path} is not within the folder that may be read.")
        except (OSError, ValueError) as error:
            raise PermissionRefused(f"{quote(path)} is no path: {quote(error)}") from None
        return place

    @contextlib.contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise FolderMissing(f"The folder of {path} is not there.") from None
        except PermissionError as error:
            raise PermissionRefused(f"{path} may not be used: {error.strerror}") from None
        except OSError as error:
            raise ServerUnreachable(f"{path} cannot be read: {error.strerror}") from None


class URLServer(Server):
    """Another of fsspec's file systems, such as an object store, which has no rename of its own."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        scheme, _, base = settings.url.partition("://")
        if scheme not in settings.schemes:
            raise SettingsWrong(f"{scheme}:// is not among the schemes that feeds may use.")
        self.base = base.rstrip("/")
        try:
            self.filesystem: Any = fsspec.filesystem(
                scheme, skip_instance_cache=True, use_listings_cache=False, **settings.options
            )
        except ImportError as error:
            raise SettingsWrong(f"{scheme}:// needs a package that is not installed: {quote(error)}") from None
        except ValueError as error:
            raise SettingsWrong(f"fsspec cannot use {settings.where}: {self._quote(error)}") from None

    def close(self) -> None:
        """fsspec closes what it opened."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        with self._translated(folder or "/", folder=True):
            self.filesystem.invalidate_cache()
            entries = self.filesystem.ls(self._absolute(folder), detail=True)
        names = ((posixpath.basename(entry["name"].rstrip("/")), entry) for entry in entries if entry["type"] == "file")
        return [self._describe(posixpath.join(folder, name), entry) for name, entry in names if name]

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path):
            self.filesystem.invalidate_cache()
            try:
                entry = self.filesystem.info(self._absolute(path))
            except FileNotFoundError:
                return None
        return self._describe(path, entry) if entry["type"] == "file" else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        if self.look_at(path) is None:
            raise self.vanished(path)
        with self._translated(path), self.filesystem.open(self._absolute(path), "rb") as file:
            return _copy(self, path, file, out, most_bytes)

    def rename(self, source: str, target: str) -> None:
        if self.look_at(target) is not None:
            raise self.taken(target)
        if self.look_at(source) is None:
            raise self.vanished(source)
        with self._translated(source):
            self.filesystem.mv(self._absolute(source), self._absolute(target))

    def make_folder(self, path: str) -> None:
        with self._translated(path):
            self.filesystem.makedirs(self._absolute(path), exist_ok=True)

    def write_file(self, path: str, content: bytes) -> None:
        with self._translated(path):
            self.filesystem.pipe_file(self._absolute(path), content)

    def _absolute(self, path: str) -> str:
        return "/".join(filter(None, (self.base, path.strip("/"))))

    def _describe(self, path: str, entry: dict[str, Any]) -> RemoteFile:
        moments = (entry.get(name) for name in ("LastModified", "last_modified", "mtime", "modified", "created"))
        moment = next((moment for moment in moments if moment is not None), None)
        if isinstance(moment, int | float):
            moment = datetime.fromtimestamp(moment, UTC)
        modified = moment if isinstance(moment, datetime) and moment.tzinfo else None
        return RemoteFile(path, posixpath.basename(path), entry.get("size") or 0, modified)

    def _quote(self, error: object) -> str:
        return quote(error, *self.settings.options.values())

    @contextlib.contextmanager
    def _translated(self, path: str, *, folder: bool = False) -> Iterator[None]:
        where = self.settings.where
        try:
            yield
        except FileNotFoundError:
            raise FolderMissing(f"{'The folder ' if folder else ''}{path} is not on {where}.") from None
        except PermissionError as error:
            raise PermissionRefused(f"{where} does not allow that with {path}: {self._quote(error)}") from None
        except (OSError, EOFError) as error:
            raise ServerUnreachable(f"{where} cannot be reached ({path}): {self._quote(error)}") from None


def _copy(server: Server, path: str, file: BinaryIO, out: BinaryIO, most_bytes: int) -> int:
    count = 0
    while block := file.read(BLOCK):
        count += len(block)
        if count > most_bytes:
            raise server.too_large(path, most_bytes)
        out.write(block)
    return count


def _describe(path: str, status: os.stat_result) -> RemoteFile:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return RemoteFile(path, posixpath.basename(path), status.st_size, modified)

"""Folders of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    LEADS_NOWHERE,
    LEADS_TO_FOLDER,
    NO_FILE,
    UNFINISHED,
    FolderMissing,
    PermissionRefused,
    RemoteFile,
    ServerSettings,
    ServerUnreachable,
    is_utf_8,
    quote,
)
from imports.filesystems.transports import Folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

BLOCK = 1 << 20
_NO_SECOND_NAMES = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What a file system without hard links says, and Linux of a file of somebody else that we may not write."""


class LocalServer(Folder):
    """A folder of this machine that is never left, by no path and by no link."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        if settings.root is None:
            raise SettingsWrong("LOCAL_FEEDS names no folder of this machine, so none may be read.")
        self.root = settings.root.resolve()
        self.odd: dict[str, str] = {}
        """By readable path: the one on the disk, where its name is no UTF-8."""

    def close(self) -> None:
        """Nothing is open."""

    def list_files(self, folder: str) -> list[RemoteFile]:
        place = self._inside(folder)
        with self._translated(folder or "/"):
            names = os.listdir(place)  # noqa: PTH208  (names that are no UTF-8 stay as they are)
        known, files = set(names), []
        for name in names:
            readable = _readable(name, known)
            path = posixpath.join(folder, readable)
            if readable != name:
                self.odd[path] = posixpath.join(folder, name)
            try:
                status = (place / name).lstat()
            except OSError:
                continue  # it was taken away meanwhile
            if stat.S_ISLNK(status.st_mode):
                files.append(self._follow(path))
            elif not stat.S_ISDIR(status.st_mode):
                files.append(_describe(path, status))
        return files

    def _follow(self, path: str) -> RemoteFile:
        """The file that a link leads to, if that is within the folder."""
        try:
            status = self._inside(path).stat()
        except (OSError, PermissionRefused):
            return RemoteFile(path, posixpath.basename(path), 0, None, LEADS_NOWHERE)
        if stat.S_ISDIR(status.st_mode):
            return RemoteFile(path, posixpath.basename(path), 0, None, LEADS_TO_FOLDER)
        return _describe(path, status)

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path):
            try:
                file = _describe(path, self._inside(path).stat())
            except (FileNotFoundError, NotADirectoryError):
                return None
        return None if file.oddity else file

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        if self.look_at(path) is None:
            raise self.vanished(path)
        with self._translated(path), self._inside(path).open("rb") as file:
            count = 0
            while block := file.read(BLOCK):
                count += len(block)
                if count > most_bytes:
                    raise self.too_large(path, most_bytes)
                out.write(block)
        return count

    def rename(self, source: str, target: str) -> None:
        """By a second name for the file, which never takes one that is taken, and the end of the first.

        Whoever is killed between the two leaves one file with two names, and the same call again ends it.
        """
        with self._translated(source):
            old, new = self._inside(source), self._inside(target)
            try:
                new.hardlink_to(old)
            except FileExistsError:
                if not _is_one_file(old, new):
                    raise self.taken(target) from None
            except FileNotFoundError:
                raise self.vanished(source) from None
            except OSError as error:
                if error.errno not in _NO_SECOND_NAMES:
                    raise
                if os.path.lexists(new):
                    raise self.taken(target) from None
                old.rename(new)
            _sync(new.parent)
            old.unlink(missing_ok=True)
            _sync(old.parent)

    def settle_rename(self, source: str, target: str) -> bool:
        with self._translated(target):
            old, new = self._inside(source), self._inside(target)
            if _is_one_file(old, new):
                old.unlink(missing_ok=True)
                _sync(old.parent)
        return self.look_at(target) is not None

    def make_folder(self, path: str) -> None:
        with self._translated(path):
            self._inside(path).mkdir(exist_ok=True)

    def write_file(self, path: str, content: bytes) -> None:
        with self._translated(path):
            unfinished = self._inside(path + UNFINISHED)
            unfinished.unlink(missing_ok=True)
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        self.rename(path + UNFINISHED, path)

    def remove(self, path: str) -> None:
        with self._translated(path):
            self._inside(path).unlink()

    def _inside(self, path: str) -> Path:
        place = self.root / self.odd.get(path, path)
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


def _readable(name: str, others: Collection[str]) -> str:
    """A name of the disk as text; one that is no UTF-8 is read as Latin-1, or spelled out where that is another's."""
    raw = os.fsencode(name)
    if is_utf_8(raw):
        return name
    read = raw.decode("latin-1")
    return raw.decode(errors="backslashreplace") if read in others else read


def _is_one_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file."""
    try:
        return one != other and os.path.samestat(one.lstat(), other.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _sync(folder: Path) -> None:
    """Bring the names of a folder to the disk, where its file system does that by itself later."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as opened:  # some network file systems know no such thing
        number = os.open(folder, os.O_RDONLY)
        opened.callback(os.close, number)
        os.fsync(number)


def _describe(path: str, status: os.stat_result) -> RemoteFile:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    oddity = "" if stat.S_ISREG(status.st_mode) else NO_FILE
    return RemoteFile(path, posixpath.basename(path), status.st_size, modified, oddity)

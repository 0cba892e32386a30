"""Folders of FTPS: the file system that the library asks."""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from typing import TYPE_CHECKING, Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from dropbox import paths
from dropbox.errors import NotThere, OutOfOrder, Refused
from dropbox.jobs import do_and_wait
from dropbox.sessions import note
from dropbox.transfers import Incoming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_FOLDERS = "The folders are in, processed, failed and out, and no others can be made"


class Folders(AbstractedFS):
    """The folder of a login, for a library that asks a file system. None of it is on a disk here."""

    def __init__(self, root: str, cmd_channel: Any) -> None:
        super().__init__(root, cmd_channel)
        self.known: dict[str, paths.Entry] = {}
        """Of a listing that is being written."""

    def _do(self, job: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        visit = self.cmd_channel.visit
        try:
            return do_and_wait(job, visit.login, *arguments, **named)
        except Refused as error:
            if isinstance(error, OutOfOrder):
                self.cmd_channel.out_of_order = str(error)
            if not isinstance(error, NotThere):
                with contextlib.suppress(OutOfOrder):
                    do_and_wait(note, visit, refusal=str(error))
            raise FilesystemError(str(error).rstrip(".")) from None

    def _look_at(self, path: str) -> paths.Entry:
        known = self.known.get(path)
        return known if known else self._do(paths.look_at, path)

    def validpath(self, path: str) -> bool:
        return True

    def realpath(self, path: str) -> str:
        return path

    def open(self, filename: str, mode: str) -> Any:
        if mode == "rb":
            return self._do(paths.open_to_fetch, filename)
        upload = self._do(paths.open_to_write, filename, keep=not mode.startswith("w"))
        upload.appends = mode.startswith("a")
        return Incoming(upload, filename)

    def mkstemp(self, *args: Any, **kwargs: Any) -> Any:
        raise FilesystemError("Give the file a name")

    def chdir(self, path: str) -> None:
        if not self._look_at(path).is_folder:
            raise FilesystemError(f"{path} is no folder")
        self.cwd = path

    def listdir(self, path: str) -> list[str]:
        return [entry.name for entry in self._do(paths.list_folder, path)]

    def format_list(self, basedir: str, listing: list[str], ignore_err: bool = True) -> Iterator[bytes]:
        with self._knowing(basedir, listing):
            return iter(list(super().format_list(basedir, listing, ignore_err)))

    def format_mlsx(
        self, basedir: str, listing: list[str], perms: str, facts: Any, ignore_err: bool = True
    ) -> Iterator[bytes]:
        with self._knowing(basedir, listing):
            return iter(list(super().format_mlsx(basedir, listing, perms, facts, ignore_err)))

    @contextlib.contextmanager
    def _knowing(self, folder: str, listing: list[str]) -> Iterator[None]:
        """One question for all files of a listing."""
        if len(listing) > 1:
            entries = self._do(paths.list_folder, folder)
            self.known = {posixpath.join(folder, entry.name): entry for entry in entries}
        try:
            yield
        finally:
            self.known = {}

    def stat(self, path: str) -> os.stat_result:
        entry = self._look_at(path)
        kind, rights = (stat.S_IFDIR, 0o500) if entry.is_folder else (stat.S_IFREG, 0o400)
        moment = int(entry.modified_at.timestamp())
        mode = kind | rights | (0o200 if entry.may_write else 0)
        return os.stat_result((mode, entry.row or 0, 0, 1, 0, 0, entry.size, moment, moment, moment))

    lstat = stat

    def isfile(self, path: str) -> bool:
        return self._is(path, folder=False)

    def isdir(self, path: str) -> bool:
        return self._is(path, folder=True)

    def _is(self, path: str, *, folder: bool) -> bool:
        try:
            return self._look_at(path).is_folder == folder
        except FilesystemError:
            return False

    def islink(self, path: str) -> bool:
        return False

    def lexists(self, path: str) -> bool:
        return self.isfile(path) or self.isdir(path)

    def getsize(self, path: str) -> int:
        return self._look_at(path).size

    def getmtime(self, path: str) -> float:
        return self._look_at(path).modified_at.timestamp()

    def remove(self, path: str) -> None:
        self._do(paths.remove_file, path)

    def rename(self, src: str, dst: str) -> None:
        """As on Unix, a file that has the name gives way."""
        self._do(paths.rename, src, dst, replace=True)

    def mkdir(self, path: str) -> None:
        raise FilesystemError(NO_FOLDERS)

    def rmdir(self, path: str) -> None:
        raise FilesystemError(NO_FOLDERS)

    def chmod(self, path: str, mode: int) -> None:
        """Taken, and means nothing."""

    def utime(self, path: str, timeval: float) -> None:
        """Taken, and means nothing: files are in the order in which they came."""

    def get_user_by_uid(self, uid: int) -> str:
        return "dropbox"

    def get_group_by_gid(self, gid: int) -> str:
        return "dropbox"

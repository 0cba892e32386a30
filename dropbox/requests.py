"""Requests of SFTP: each is answered from the folder of a login."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import asyncssh
from asyncssh.sftp import SFTPLimits, SFTPServerHandler
from django.utils import timezone

from dropbox import paths
from dropbox.errors import NoRoom, NotThere, OutOfOrder, Refused, Taken
from dropbox.jobs import do
from dropbox.sessions import note
from dropbox.uploading import Upload, finish_upload, keep_cut_off

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from asyncssh.packet import SSHPacket

    from dropbox.paths import Entry
    from dropbox.sessions import Visit

Answer = TypeVar("Answer")

NO_FOLDERS = "The folders are in, processed, failed and out, and no others can be made."
NO_LINKS = "There are no links here."
MOST_OPEN = 100
"""Files of a session at the same time."""
BLOCK = 256 * 1024
"""Bytes of a file in one request, as OpenSSH's server has it. The library would take megabytes, and give any number."""
_CODES: tuple[tuple[type[Refused], Callable[[str], asyncssh.SFTPError]], ...] = (
    (NotThere, asyncssh.SFTPNoSuchFile),
    (Taken, asyncssh.SFTPFailure),
    (NoRoom, asyncssh.SFTPFailure),
    (OutOfOrder, asyncssh.SFTPFailure),
    (Refused, asyncssh.SFTPPermissionDenied),
)


async def _say_limits(handler: SFTPServerHandler, packet: SSHPacket) -> SFTPLimits:
    packet.check_end()
    return SFTPLimits(BLOCK + 1024, BLOCK, BLOCK, MOST_OPEN)


class Requests(SFTPServerHandler):
    """The library's, which closes files in the same way where the client does and where it is gone."""

    _extensions = [
        (b"posix-rename@openssh.com", b"1"),
        (b"fsync@openssh.com", b"1"),
        (b"lsetstat@openssh.com", b"1"),
        (b"limits@openssh.com", b"1"),
    ]

    _packet_handlers = SFTPServerHandler._packet_handlers | {b"limits@openssh.com": _say_limits}

    async def _cleanup(self, exc: Exception | None) -> None:
        if isinstance(self._server, Files):
            self._server.client_is_gone = True
        await super()._cleanup(exc)


class Files(asyncssh.SFTPServer):
    """What a login may do with its folder. Every request of the library is answered here; none reaches a disk."""

    def __init__(self, channel: Any, visit: Visit) -> None:
        super().__init__(channel)
        self.visit = visit
        self.client_is_gone = False
        self.uploads: list[Upload] = []
        self.fetched: set[BinaryIO] = set()
        """Those that are open."""

    async def _do(self, job: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
        """A job for the login; what is refused is said, and noted."""
        self.visit.touch()
        try:
            return await do(job, *arguments, **named)
        except Refused as error:
            raise await self._refuse(error) from None

    async def _refuse(self, error: Refused) -> asyncssh.SFTPError:
        if not isinstance(error, NotThere):
            with contextlib.suppress(OutOfOrder):
                await do(note, self.visit, refusal=str(error))
        kind = next(kind for refused, kind in _CODES if isinstance(error, refused))
        return kind(str(error))

    # -- files

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Upload | BinaryIO:
        where, login = await self._decode(path), self.visit.login
        if len(self.uploads) + len(self.fetched) >= MOST_OPEN:
            raise await self._refuse(Refused(f"A session may have {MOST_OPEN} files open. Close some of them first."))
        if not pflags & asyncssh.FXF_WRITE:
            content = await self._do(paths.open_to_fetch, login, where)
            self.fetched.add(content)
            return content
        upload = await self._do(
            paths.open_to_write, login, where,
            keep=not pflags & asyncssh.FXF_TRUNC, create=bool(pflags & asyncssh.FXF_CREAT),
            exclusive=bool(pflags & asyncssh.FXF_EXCL),
        )  # fmt: skip
        upload.appends = bool(pflags & asyncssh.FXF_APPEND)
        self.uploads.append(upload)
        return upload

    async def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        raise asyncssh.SFTPOpUnsupported("This server speaks version 3 of SFTP.")

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        self.visit.touch()
        if isinstance(file_obj, Upload):
            return file_obj.read(offset, min(size, BLOCK))
        return await asyncio.to_thread(_read_at, file_obj, offset, min(size, BLOCK))

    async def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        self.visit.touch()
        if not isinstance(file_obj, Upload):
            raise asyncssh.SFTPPermissionDenied("The file was opened to be read.")
        try:
            return file_obj.write(file_obj.size if file_obj.appends else offset, data)
        except Refused as error:
            raise await self._refuse(error) from None

    async def close(self, file_obj: Any) -> None:
        if not isinstance(file_obj, Upload):
            file_obj.close()
            self.fetched.discard(file_obj)
            if not self.client_is_gone:
                await self._do(note, self.visit, fetched=1)
            return
        self.uploads.remove(file_obj)
        if self.client_is_gone:
            with contextlib.suppress(asyncssh.SFTPError):  # there is nobody left to be told
                await self._do(keep_cut_off, file_obj)
            return
        size = await self._do(finish_upload, file_obj)
        await self._do(note, self.visit, files=1, count=size)

    async def fstat(self, file_obj: Any) -> asyncssh.SFTPAttrs:
        self.visit.touch()
        size = file_obj.size if isinstance(file_obj, Upload) else file_obj.seek(0, os.SEEK_END)
        return _describe(paths.Entry("", size, timezone.now(), may_write=isinstance(file_obj, Upload)))

    async def fsetstat(self, file_obj: Any, attrs: asyncssh.SFTPAttrs) -> None:
        """Times and permissions are taken and mean nothing: files are in the order in which they came."""
        if attrs.size is None:
            return
        if not isinstance(file_obj, Upload):
            raise asyncssh.SFTPPermissionDenied("The file was opened to be read.")
        try:
            file_obj.truncate(attrs.size)
        except Refused as error:
            raise await self._refuse(error) from None

    async def fsync(self, file_obj: Any) -> None:
        """It is on the disk when it is closed."""

    # -- the folder

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        where = await self._decode(path)
        for upload in self.uploads:
            if paths.split_path(where) == (paths.Folder.IN, upload.name):
                return await self.fstat(upload)
        return _describe(await self._do(paths.look_at, self.visit.login, where))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return await self.stat(path)

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self.stat(path)
        if attrs.size is not None:
            raise asyncssh.SFTPPermissionDenied("A file that was uploaded is not cut short. Send it again.")

    async def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self.setstat(path, attrs)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for entry in await self._do(paths.list_folder, self.visit.login, await self._decode(path)):
            yield asyncssh.SFTPName(entry.name.encode(), attrs=_describe(entry))

    async def realpath(self, path: bytes) -> bytes:
        return paths.normalize(await self._decode(path)).encode()

    async def remove(self, path: bytes) -> None:
        await self._do(paths.remove_file, self.visit.login, await self._decode(path))

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        old, new = await self._decode(oldpath), await self._decode(newpath)
        await self._do(paths.rename, self.visit.login, old, new, replace=False)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        old, new = await self._decode(oldpath), await self._decode(newpath)
        await self._do(paths.rename, self.visit.login, old, new, replace=True)

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise await self._refuse(Refused(NO_FOLDERS))

    async def rmdir(self, path: bytes) -> None:
        raise await self._refuse(Refused(NO_FOLDERS))

    # -- what there is not

    async def readlink(self, path: bytes) -> bytes:
        raise asyncssh.SFTPOpUnsupported(NO_LINKS)

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise await self._refuse(Refused(NO_LINKS))

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise await self._refuse(Refused(NO_LINKS))

    async def statvfs(self, path: bytes) -> Any:
        raise asyncssh.SFTPOpUnsupported("This server says nothing of its disk.")

    async def fstatvfs(self, file_obj: object) -> Any:
        raise asyncssh.SFTPOpUnsupported("This server says nothing of its disk.")

    def format_user(self, uid: int | None) -> str:
        return "dropbox"

    def format_group(self, gid: int | None) -> str:
        return "dropbox"

    async def _decode(self, path: bytes) -> str:
        try:
            return path.decode()
        except UnicodeDecodeError:
            raise await self._refuse(Refused("Names are in UTF-8 here, and this one is not.")) from None


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _describe(entry: Entry) -> asyncssh.SFTPAttrs:
    kind, rights = (stat.S_IFDIR, 0o500) if entry.is_folder else (stat.S_IFREG, 0o400)
    moment = int(entry.modified_at.timestamp())
    return asyncssh.SFTPAttrs(
        size=entry.size, uid=0, gid=0, permissions=kind | rights | (0o200 if entry.may_write else 0), atime=moment,
        mtime=moment, nlink=1,
    )  # fmt: skip

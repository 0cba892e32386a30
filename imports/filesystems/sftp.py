"""SFTP: asyncssh with the server's key pinned, and nothing taken from the keys and settings of whoever runs this."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import posixpath
from typing import TYPE_CHECKING, Any, BinaryIO

import asyncssh
from fsspec.asyn import get_loop, sync

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    LEADS_OUT,
    LIBRARY_ERRORS,
    MOST_FILES,
    UNFINISHED,
    FolderMissing,
    IdentityWrong,
    LoginRefused,
    NoFileTransfer,
    PermissionRefused,
    RemoteFile,
    ServerSettings,
    ServerUnreachable,
    quote,
)
from imports.filesystems.names import Names
from imports.filesystems.network import LEAST_RATE, PATIENCE, TimeLimit
from imports.filesystems.sftp_entries import describe, follow_link, is_file, is_folder, is_known, look_at
from imports.filesystems.sftp_keys import Client, PinnedKeys, connect_socket
from imports.filesystems.sftp_logins import Answers, read_private_keys
from imports.filesystems.transports import SFTP

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

BLOCK = 1 << 18
_NOT_THERE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, FileNotFoundError)
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
"""Servers' own words stand there as they came, and passwords with them; what goes wrong is in our errors."""


class SFTPServer(SFTP):
    """A session on an SFTP server."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        self.forget()
        pinned = PinnedKeys(settings.host_key)
        if not pinned:
            raise SettingsWrong(
                f"No host key of {settings.where} is pinned, so nobody knows whose server answers. Check the feed: its "
                "key is shown there, to be trusted if it is the one that the server's operator names."
            )
        self.client = Client(pinned, Answers(settings))
        options: dict[str, Any] = {
            "port": settings.port or 22,
            "username": settings.user,
            "password": settings.password or None,
            "client_keys": read_private_keys(settings),
            "agent_path": None,
            "config": None,
            "gss_host": None,
            "known_hosts": ([], [], []),
            "client_factory": lambda: self.client,
            "login_timeout": settings.timeout,
            "keepalive_interval": 15,
        }
        while not self._try_to_connect(options):
            """A key of another algorithm may be the pinned one."""

    def _try_to_connect(self, options: dict[str, Any]) -> bool:
        """False where a server presents a key that is not pinned, and others may be asked for. Raises IdentityWrong."""
        options["server_host_key_algs"] = self.client.algorithms
        known = len(self.client.presented)
        with self._translated("/", "open"), contextlib.ExitStack() as opened:
            self.socket = options["sock"] = opened.enter_context(connect_socket(self.settings))
            try:
                with self._limited():
                    sync(get_loop(), self._connect, options, timeout=2 * self.settings.timeout + 5)
            except asyncssh.HostKeyNotVerifiable:
                if len(self.client.presented) > known and self.client.left:
                    return False
                raise
            except (asyncssh.ConnectionLost, ConnectionError) as error:
                if not self.client.accepted and not self.client.presented:
                    raise ServerUnreachable(
                        f"{self.settings.where} ended the session before it showed a key: it has no room for now, or "
                        "serves no SFTP at this port."
                    ) from None
                if self.client.accepted or isinstance(error, ConnectionError):
                    raise
                raise asyncssh.HostKeyNotVerifiable(str(error)) from None  # it has no key of what is left
            opened.pop_all()
        return True

    async def _connect(self, options: dict[str, Any]) -> None:
        async with contextlib.AsyncExitStack() as opened:
            session = await opened.enter_async_context(asyncssh.connect(self.settings.host, **options))
            try:
                self.sftp = await asyncio.wait_for(session.start_sftp_client(), self.settings.timeout)
            except TimeoutError:
                raise ServerUnreachable(
                    f"{self.settings.where} lets {self.settings.user!r} in, and then does not answer: it took too long"
                ) from None
            except (asyncssh.Error, OSError, EOFError, *LIBRARY_ERRORS) as error:
                raise NoFileTransfer(
                    f"{self.settings.where} lets {self.settings.user!r} in, and then offers no SFTP: "
                    f"{self._quote(error)}. Ask its operator to switch it on for the user. With a ChrootDirectory, "
                    "that folder and all above it must belong to root and be writable by nobody else."
                ) from None
            opened.push_async_exit(self.sftp)
            self.opened = opened.pop_all()

    def forget(self) -> bool:
        self.names = Names()
        self.folders: set[str] = set()
        """Those that are known to be there."""
        return True

    def close(self) -> None:
        goodbye = TimeLimit(self.settings.where, self.settings.timeout, lambda: [self.socket])
        with contextlib.suppress(asyncssh.Error, OSError, TimeoutError, ServerUnreachable), goodbye:
            sync(get_loop(), self.opened.aclose)

    def list_files(self, folder: str) -> list[RemoteFile]:
        async def read(sftp: asyncssh.SFTPClient, limit: TimeLimit) -> list[tuple[bytes, asyncssh.SFTPAttrs, str]]:
            entries = []
            async for entry in sftp.scandir(self._wire(folder or ".")):
                name = entry.filename if isinstance(entry.filename, bytes) else entry.filename.encode()
                if not is_known(entry.attrs):
                    limit.extend(LEAST_RATE)
                if not name or b"/" in name:
                    entries.append((name, entry.attrs, LEADS_OUT))
                else:
                    path = posixpath.join(self._wire(folder), name)
                    entries.append((name, *await follow_link(sftp, path, entry.attrs)))
                if len(entries) > MOST_FILES:
                    raise self.too_many()
            return entries

        with self._translated(folder or "/", "ls", folder=True):
            entries = self._run(read)
        self.folders.add(folder)
        self.names.learn([name for name, *_ in entries])
        return [
            describe(posixpath.join(folder, self.names.read(name)), attributes, oddity)
            for name, attributes, oddity in entries
            if oddity or not is_folder(attributes)
        ]

    def _wire(self, path: str) -> bytes:
        return self.names.write(path)

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path, "stat"):
            attributes = self._run(lambda sftp, _: self._find(sftp, path))
        return describe(path, attributes) if attributes is not None and is_file(attributes) else None

    async def _find(self, sftp: asyncssh.SFTPClient, path: str) -> asyncssh.SFTPAttrs | None:
        """What lies at a path; where a server does not say that nothing does, its folder's listing tells.

        Servers answer a stat of what is missing with FAILURE, PERMISSION DENIED and more.
        """
        try:
            return await look_at(sftp, self._wire(path))
        except _NOT_THERE:
            return None
        except asyncssh.SFTPConnectionLost:
            raise
        except asyncssh.SFTPError:
            folder, name = posixpath.split(path.rstrip("/"))
            if not name:
                raise
            if folder and folder not in self.folders and not is_folder(await self._find(sftp, folder)):
                return None
            async for entry in sftp.scandir(self._wire(folder or ".")):
                if entry.filename == self._wire(name):
                    return (await follow_link(sftp, self._wire(path), entry.attrs))[0]
            return None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        async def read(sftp: asyncssh.SFTPClient, limit: TimeLimit) -> int:
            count = 0
            async with sftp.open(self._wire(path), "rb", block_size=BLOCK) as file:
                while block := await asyncio.wait_for(file.read(BLOCK), self.settings.timeout):
                    count += len(block)
                    limit.extend(len(block))
                    if count > most_bytes:
                        raise self.too_large(path, most_bytes)
                    out.write(bytes(block))  # type: ignore[arg-type]  # a file opened in binary gives bytes
            return count

        with self._translated(path, "get", missing=path):
            count: int = self._run(read)
        return count

    def rename(self, source: str, target: str) -> None:
        if self.look_at(target) is not None:
            raise self.taken(target)
        with self._translated(source, "rename", missing=source):
            self._run(lambda sftp, _: sftp.rename(self._wire(source), self._wire(target)))

    def make_folder(self, path: str) -> None:
        async def make(sftp: asyncssh.SFTPClient, _: TimeLimit) -> None:
            try:
                is_there = is_folder(await self._find(sftp, path))
            except asyncssh.SFTPError:  # nobody may look; if it is there, that is what is said now
                is_there = False
            if not is_there:
                await sftp.mkdir(self._wire(path))

        with self._translated(path, "mkdir"):
            self._run(make)
        self.folders.add(path)

    def write_file(self, path: str, content: bytes) -> None:
        async def write(sftp: asyncssh.SFTPClient, limit: TimeLimit) -> None:
            limit.extend(len(content))
            async with sftp.open(self._wire(path + UNFINISHED), "wb") as file:
                await file.write(content)

        with self._translated(path, "put"):
            self._run(write)
        self.rename(path + UNFINISHED, path)

    def remove(self, path: str) -> None:
        with self._translated(path, "rm", missing=path):
            self._run(lambda sftp, _: sftp.remove(self._wire(path)))

    def _run(self, work: Callable[[asyncssh.SFTPClient, TimeLimit], Coroutine[Any, Any, Any]]) -> Any:
        with self._limited() as limit:
            return sync(get_loop(), work, self.sftp, limit)

    def _limited(self) -> TimeLimit:
        """Cancelling would not do: whatever is open is closed first, which asks the server again."""
        return TimeLimit(self.settings.where, PATIENCE * self.settings.timeout, lambda: [self.socket])

    @contextlib.contextmanager
    def _translated(self, path: str, request: str, *, folder: bool = False, missing: str = "") -> Iterator[None]:
        """A refusal names the request, as OpenSSH's client calls it."""
        where, user = self.settings.where, self.settings.user
        try:
            yield
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            if str(error).startswith("No matching "):  # of anything but keys
                raise SettingsWrong(
                    f"{where} encrypts in ways that are not safe any more: {self._quote(error)}. Ask its operator to "
                    "switch on newer ones."
                ) from None
            presented = " and ".join(self.client.presented)
            said = f"it presents {presented}" if presented else quote(error)
            raise IdentityWrong(
                f"{where} is not the server whose key is pinned: {said}. Ask its operator whether it has a new key "
                "before you trust it."
            ) from None
        except asyncssh.PermissionDenied as error:
            said = f"{self._quote(error)}{self.client.answers.explain()}"
            raise LoginRefused(f"{where} refuses the login of {user!r}: {said}") from None
        except _NOT_THERE as error:
            if folder:
                raise FolderMissing(f"The folder {path} is not on {where}.") from None
            if missing and self.look_at(missing) is None:
                raise self.vanished(missing) from None
            if missing:  # what is said to be missing is something else, or nothing
                raise PermissionRefused(
                    f"{where} could not do that with {path}: {self._quote(error)} ({request})"
                ) from None
            raise FolderMissing(f"{path} is not on {where}: {self._quote(error)}") from None
        except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, PermissionError) as error:
            raise PermissionRefused(
                f"{where} does not let {user!r} do that with {path}: {self._quote(error)} ({request})"
            ) from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPBadMessage) as error:
            raise ServerUnreachable(f"{where} stopped answering ({path}): {self._quote(error)}") from None
        except asyncssh.SFTPError as error:
            if missing and self.look_at(missing) is None:
                raise self.vanished(missing) from None
            raise PermissionRefused(
                f"{where} could not do that with {path}: {self._quote(error)} ({request})"
            ) from None
        except (asyncssh.Error, OSError, EOFError, TimeoutError, *LIBRARY_ERRORS) as error:
            raise ServerUnreachable(
                f"{where} stopped answering or cannot be reached ({path}): {self._quote(error)}"
            ) from None

    def _quote(self, error: object) -> str:
        return "it took too long" if isinstance(error, TimeoutError) else quote(error, self.settings.password)

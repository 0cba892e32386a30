"""A transport: files that lie on a server which speaks XML-RPC, and presents a name that is pinned."""

from __future__ import annotations

import contextlib
import xmlrpc.client
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, BinaryIO

from imports.filesystems import (
    FolderMissing,
    Identity,
    IdentityWrong,
    RemoteFile,
    Server,
    ServerSettings,
    ServerUnreachable,
)
from imports.filesystems.network import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator


class ShelfServer(Server):
    protocol = "shelf"
    label = "shelf"
    port = 7007
    fields = ("host", "port", "user", "host_key")
    pinned_by = "host_key"
    warning = "A shelf is not encrypted. Use it within your own network alone."

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        self.shelf = _open(settings)
        identity = self.read_identity(settings)
        if identity is None or not identity.matches:
            raise IdentityWrong(f"{settings.where} is not the shelf that is pinned. Ask its operator about it.")

    @classmethod
    def read_identity(cls, settings: ServerSettings) -> Identity | None:
        with _translated(settings):
            name = str(_open(settings).present())
        pinned = settings.host_key.strip()
        return Identity("name", name, name, "the shelf's own name", name == pinned if pinned else None)

    @classmethod
    def find_pin_problems(cls, settings: ServerSettings) -> dict[str, str]:
        bad = settings.host_key and not settings.host_key.startswith("shelf-")
        return {"host_key": "The name of a shelf begins with shelf-."} if bad else {}

    def close(self) -> None:
        self.shelf("close")()

    def list_files(self, folder: str) -> list[RemoteFile]:
        with _translated(self.settings):
            found: Any = self.shelf.list_files(folder)
        if found is None:
            raise FolderMissing(f"The folder {folder} is not on {self.settings.where}.")
        return [_describe(*file) for file in found]

    def look_at(self, path: str) -> RemoteFile | None:
        with _translated(self.settings):
            found: Any = self.shelf.look_at(path)
        return _describe(*found) if found else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        file = self.look_at(path)
        if file is None:
            raise self.vanished(path)
        if file.size > most_bytes:
            raise self.too_large(path, most_bytes)
        with _translated(self.settings):
            content: Any = self.shelf.read(path)
        return out.write(content.data)

    def rename(self, source: str, target: str) -> None:
        if self.look_at(target) is not None:
            raise self.taken(target)
        if self.look_at(source) is None:
            raise self.vanished(source)
        with _translated(self.settings):
            self.shelf.rename(source, target)

    def make_folder(self, path: str) -> None:
        with _translated(self.settings):
            self.shelf.make_folder(path)

    def write_file(self, path: str, content: bytes) -> None:
        with _translated(self.settings):
            self.shelf.write(path, xmlrpc.client.Binary(content))


class _Transport(xmlrpc.client.Transport):
    """Through `open_socket`, which goes to hosts that may be reached and nowhere else."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__()
        self.settings = settings

    def make_connection(self, host: Any) -> HTTPConnection:
        where, timeout = self.settings, self.settings.timeout
        made = HTTPConnection(where.host, where.port or ShelfServer.port, timeout=timeout)
        made.sock = open_socket(made.host, made.port, timeout)
        self._connection = host, made
        return made


def _open(settings: ServerSettings) -> xmlrpc.client.ServerProxy:
    return xmlrpc.client.ServerProxy("http://shelf/", transport=_Transport(settings), allow_none=True)


@contextlib.contextmanager
def _translated(settings: ServerSettings) -> Iterator[None]:
    """What goes wrong is named after who must act, and here alone."""
    try:
        yield
    except (OSError, HTTPException, xmlrpc.client.Error) as error:
        raise ServerUnreachable(f"{settings.where} cannot be reached: {type(error).__name__}.") from None


def _describe(path: str, size: int, modified: float) -> RemoteFile:
    return RemoteFile(path, path.rpartition("/")[2], size, datetime.fromtimestamp(modified, UTC))

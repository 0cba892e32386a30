"""Servers that files are fetched from. Vendors' errors are translated here and nowhere else."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from imports.filesystems.base import (
    FileTooLarge,
    FileVanished,
    FolderMissing,
    Identity,
    IdentityWrong,
    LoginRefused,
    PermissionRefused,
    Protocol,
    RemoteFile,
    Server,
    ServerSettings,
    ServerUnreachable,
    TargetTaken,
)
from imports.filesystems.ftp import FTPServer, read_certificate
from imports.filesystems.local import LocalServer, URLServer
from imports.filesystems.sftp import SFTPServer, read_host_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "FileTooLarge",
    "FileVanished",
    "FolderMissing",
    "Identity",
    "IdentityWrong",
    "LoginRefused",
    "PermissionRefused",
    "Protocol",
    "RemoteFile",
    "Server",
    "ServerSettings",
    "ServerUnreachable",
    "TargetTaken",
    "open_server",
    "read_identity",
]

_SERVERS: dict[Protocol, Callable[[ServerSettings], Server]] = {
    Protocol.SFTP: SFTPServer,
    Protocol.FTPS: FTPServer,
    Protocol.FTPS_IMPLICIT: FTPServer,
    Protocol.FTP: FTPServer,
    Protocol.FILE: LocalServer,
    Protocol.URL: URLServer,
}


@contextmanager
def open_server(settings: ServerSettings) -> Iterator[Server]:
    """Log in, in a session of its own, which is closed whatever happens.

    Raises ServerUnreachable, LoginRefused and IdentityWrong, and SettingsWrong for settings that cannot work.
    """
    with closing(_SERVERS[Protocol(settings.protocol)](settings)) as server:
        yield server


def read_identity(settings: ServerSettings) -> Identity | None:
    """What a server presents of itself before anybody logs in; none where its protocol has no such thing."""
    protocol = Protocol(settings.protocol)
    if protocol is Protocol.SFTP:
        return read_host_key(settings)
    return read_certificate(settings) if protocol in (Protocol.FTPS, Protocol.FTPS_IMPLICIT) else None

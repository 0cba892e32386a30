"""Servers that files are fetched from. Vendors' errors are translated here and nowhere else."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    UNFINISHED,
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
    read_fingerprint,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "UNFINISHED",
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
    "find_pin_problems",
    "open_server",
    "read_fingerprint",
    "read_identity",
]

_SERVERS = {
    Protocol.SFTP: "sftp.SFTPServer",
    Protocol.FTPS: "ftp.FTPServer",
    Protocol.FTPS_IMPLICIT: "ftp.FTPServer",
    Protocol.FTP: "ftp.FTPServer",
    Protocol.FILE: "local.LocalServer",
    Protocol.URL: "urls.URLServer",
}
"""By name: fsspec and asyncssh take half a second to load, which only who opens a server shall wait for."""


@contextmanager
def open_server(settings: ServerSettings) -> Iterator[Server]:
    """Log in, in a session of its own, which is closed whatever happens.

    Raises ServerUnreachable, LoginRefused and IdentityWrong, and SettingsWrong for settings that cannot work.
    """
    server_class: type[Server] = import_string(f"{__name__}.{_SERVERS[Protocol(settings.protocol)]}")
    with closing(server_class(settings)) as server:
        yield server


def find_pin_problems(settings: ServerSettings) -> dict[str, str]:
    """What is wrong with what pins a server, by the name of the setting; nothing is asked of the server."""
    problems = {}
    protocol = Protocol(settings.protocol)
    if protocol is Protocol.SFTP and settings.host_key.strip():
        from imports.filesystems.sftp import PinnedKeys

        try:
            PinnedKeys(settings.host_key)
        except SettingsWrong as error:
            problems["host_key"] = str(error)
    if protocol in (Protocol.FTPS, Protocol.FTPS_IMPLICIT):
        from imports.filesystems.ftp_sessions import make_context

        try:
            read_fingerprint(settings.certificate_fingerprint)
        except IdentityWrong as error:
            problems["certificate_fingerprint"] = str(error)
        try:
            make_context(replace(settings, certificate_fingerprint=""))
        except IdentityWrong as error:
            problems["ca_bundle"] = str(error)
    return problems


def read_identity(settings: ServerSettings) -> Identity | None:
    """What a server presents of itself before anybody logs in; none where its protocol has no such thing."""
    protocol = Protocol(settings.protocol)
    if protocol is Protocol.SFTP:
        from imports.filesystems.sftp import read_host_key

        return read_host_key(settings)
    if protocol in (Protocol.FTPS, Protocol.FTPS_IMPLICIT):
        from imports.filesystems.ftp_sessions import read_certificate

        return read_certificate(settings)
    return None

"""Servers that files are fetched from. Vendors' errors are translated here and nowhere else."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from imports.filesystems.base import (
    UNFINISHED,
    FileTooLarge,
    FileVanished,
    FolderMissing,
    Identity,
    IdentityWrong,
    ListingUnreadable,
    LoginRefused,
    NoFileTransfer,
    PermissionRefused,
    RemoteFile,
    Server,
    ServerSettings,
    ServerUnreachable,
    TargetTaken,
    find_transport,
    find_transports,
    list_protocols,
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
    "ListingUnreadable",
    "LoginRefused",
    "NoFileTransfer",
    "PermissionRefused",
    "RemoteFile",
    "Server",
    "ServerSettings",
    "ServerUnreachable",
    "TargetTaken",
    "find_pin_problems",
    "find_transport",
    "find_transports",
    "list_protocols",
    "open_server",
    "read_fingerprint",
    "read_identities",
]


@contextmanager
def open_server(settings: ServerSettings) -> Iterator[Server]:
    """Log in, in a session of its own, which is closed whatever happens.

    Raises ServerUnreachable, LoginRefused and IdentityWrong, and SettingsWrong for settings that cannot work.
    """
    with closing(find_transport(settings.protocol).open(settings)) as server:
        yield server


def find_pin_problems(settings: ServerSettings) -> dict[str, str]:
    """What is wrong with what pins a server, by the name of the setting; nothing is asked of the server."""
    return find_transport(settings.protocol).find_pin_problems(settings)


def read_identities(settings: ServerSettings) -> list[Identity]:
    """What a server presents of itself before anybody logs in, what is pinned first.

    None where its protocol has no such thing; an SFTP server may have several keys.
    """
    return find_transport(settings.protocol).read_identities(settings)

"""What lies on an SFTP server, as far as it says so: some tell no kind, and none tells where a link leads."""

from __future__ import annotations

import posixpath
import stat
from datetime import UTC, datetime

import asyncssh

from imports.filesystems.base import LEADS_NOWHERE, LEADS_TO_FOLDER, NO_FILE, RemoteFile


def is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    if attributes.permissions is not None:
        return stat.S_ISREG(attributes.permissions)
    return attributes.type == asyncssh.FILEXFER_TYPE_REGULAR


def is_folder(attributes: asyncssh.SFTPAttrs | None) -> bool:
    if attributes is None:
        return False
    if attributes.permissions is not None:
        return stat.S_ISDIR(attributes.permissions)
    return attributes.type == asyncssh.FILEXFER_TYPE_DIRECTORY


def is_known(attributes: asyncssh.SFTPAttrs) -> bool:
    """Whether a listing tells all of an entry: of a link it does not tell where it leads, and some tell little."""
    return is_folder(attributes) or (is_file(attributes) and attributes.size is not None)


async def look_at(sftp: asyncssh.SFTPClient, path: bytes) -> asyncssh.SFTPAttrs:
    """What lies at a path. Where a server does not say of which kind it is, what can be listed is a folder."""
    found = await sftp.stat(path)
    if found.permissions is None and found.type == asyncssh.FILEXFER_TYPE_UNKNOWN:
        found.type = asyncssh.FILEXFER_TYPE_DIRECTORY
        try:
            async for _ in sftp.scandir(path):
                break
        except asyncssh.SFTPConnectionLost:
            raise
        except asyncssh.SFTPError:
            found.type = asyncssh.FILEXFER_TYPE_REGULAR
    return found


async def follow_link(
    sftp: asyncssh.SFTPClient, path: bytes, attributes: asyncssh.SFTPAttrs
) -> tuple[asyncssh.SFTPAttrs, str]:
    """What an entry is, or its link leads to, and why that can be no file to take."""
    found = attributes
    if not is_known(attributes):
        try:
            found = await look_at(sftp, path)
        except asyncssh.SFTPConnectionLost:
            raise
        except asyncssh.SFTPError:
            return attributes, LEADS_NOWHERE
    if is_folder(found):
        is_link = attributes.permissions is not None or attributes.type == asyncssh.FILEXFER_TYPE_SYMLINK
        return found, LEADS_TO_FOLDER if is_link and not is_folder(attributes) else ""
    return found, "" if is_file(found) else NO_FILE


def describe(path: str, attributes: asyncssh.SFTPAttrs, oddity: str = "") -> RemoteFile:
    modified = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    return RemoteFile(path, posixpath.basename(path), attributes.size or 0, modified, oddity)

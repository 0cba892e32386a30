"""What all servers have in common: how to log in, what lies on them, and what can go wrong."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path  # noqa: TC003  (dataclasses look at it)
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems.secrecy import holds_secret
from imports.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LONGEST_QUOTE = 200
"""Characters of a server's own words in a message."""
WITHHELD = "its words are not shown, because they hold the password"
MOST_FILES = 200_000
"""Entries of a folder; whoever lists more lists without end."""
UNFINISHED = ".part"
"""Behind the name of a file that is still being written."""


class Protocol(StrEnum):
    """How a server is spoken to."""

    SFTP = "sftp"
    FTPS = "ftps"
    FTPS_IMPLICIT = "ftps-implicit"
    FTP = "ftp"
    FILE = "file"
    URL = "url"

    @property
    def label(self) -> str:
        """How people call it."""
        return {
            "sftp": "SFTP",
            "ftps": "FTPS, explicit TLS",
            "ftps-implicit": "FTPS, implicit TLS",
            "ftp": "FTP, unencrypted",
            "file": "folder of this machine",
            "url": "another URL",
        }[self.value]

    @property
    def port(self) -> int:
        """The port that is meant when none is given; 0 for protocols without one."""
        return {"sftp": 22, "ftps": 21, "ftps-implicit": 990, "ftp": 21}.get(self.value, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where and how to log in; `timeout` in seconds is for connecting and for every silence.

    `host_key` pins an SFTP server by its keys or their SHA256 fingerprints, one per line. For FTPS,
    `certificate_fingerprint` alone decides where it is given, else `ca_bundle`, else the system's authorities.
    `root` is the folder that `file` never leaves; `url`, of one of the `schemes`, and `options` are handed to fsspec.
    """

    protocol: str
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    host_key: str = ""
    ca_bundle: str = ""
    certificate_fingerprint: str = ""
    url: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    root: Path | None = None
    schemes: tuple[str, ...] = ()
    timeout: float = 30.0

    @property
    def where(self) -> str:
        """Names the server in messages."""
        if self.protocol in (Protocol.FILE, Protocol.URL):
            return self.url.partition("?")[0].rpartition("@")[2] or "this machine"
        return f"{self.host}:{self.port or Protocol(self.protocol).port}"


class RemoteFile(NamedTuple):
    """A file as its server describes it; `modified_at` is in UTC, and none where the server does not say."""

    path: str
    name: str
    size: int
    modified_at: datetime | None


class Identity(NamedTuple):
    """What a server presents of itself; `pin` in the settings trusts exactly it. `matches` is none without a pin."""

    kind: str
    fingerprint: str
    pin: str
    details: str
    matches: bool | None


class ServerUnreachable(TryAgainLater):
    """The server does not answer, or stopped answering."""


class FileVanished(TryAgainLater):
    """A file is gone that was there before."""


class LoginRefused(SettingsWrong):
    """The server does not know the user, the password or the key."""


class IdentityWrong(SettingsWrong):
    """The server does not present the key or the certificate that is trusted."""


class FolderMissing(SettingsWrong):
    """A folder is not on the server."""


class PermissionRefused(SettingsWrong):
    """The server does not let the user do it."""


class FileTooLarge(SettingsWrong):
    """A file is larger than what may be fetched."""


class TargetTaken(SettingsWrong):
    """A file cannot get a name that another one has."""


class Server(ABC):
    """A session on a server; paths are the server's, relative to where the login leads."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    @abstractmethod
    def list_files(self, folder: str) -> list[RemoteFile]:
        """The regular files of a folder, asked anew. Raises FolderMissing."""

    @abstractmethod
    def look_at(self, path: str) -> RemoteFile | None:
        """A file as it is now; none where there is none."""

    @abstractmethod
    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        """Write a file's bytes, and return how many came. Raises FileVanished, and FileTooLarge beyond `most_bytes`."""

    @abstractmethod
    def rename(self, source: str, target: str) -> None:
        """Rename and nothing else. Raises TargetTaken and FileVanished."""

    def settle_rename(self, source: str, target: str) -> bool:
        """Whether a file lies at the target; a rename that was cut off in its middle is brought to its end."""
        return self.look_at(target) is not None

    @abstractmethod
    def make_folder(self, path: str) -> None:
        """Make a folder where it is missing."""

    @abstractmethod
    def write_file(self, path: str, content: bytes) -> None:
        """Write a file under an unfinished name, then give it its own."""

    def too_large(self, path: str, most_bytes: int) -> FileTooLarge:
        return FileTooLarge(
            f"{path} on {self.settings.where} is larger than the {most_bytes:,} bytes that are allowed."
        )

    def too_many(self) -> SettingsWrong:
        return SettingsWrong(
            f"The folder on {self.settings.where} holds more than {MOST_FILES:,} files. Have those that are done with "
            "moved away, or give another folder."
        )

    def vanished(self, path: str) -> FileVanished:
        return FileVanished(f"{path} is no longer on {self.settings.where}.")

    def taken(self, target: str) -> TargetTaken:
        return TargetTaken(f"There is a file {target} on {self.settings.where} already; nothing was overwritten.")


def is_utf_8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_fingerprint(text: str) -> str:
    """A certificate's SHA-256 as 64 hexadecimal digits, however people write it; "" for none.

    Raises IdentityWrong for anything else: what cannot be read may not mean that nothing is verified.
    """
    if not text.strip():
        return ""
    digits = re.sub(r"[:\s-]", "", re.sub(r"^\s*sha-?256(\s*fingerprint)?\s*[:=]", "", text, flags=re.I)).lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise IdentityWrong("The certificate's fingerprint is not SHA-256: give 64 hexadecimal digits.")
    return digits


def quote(error: object, *secrets: str) -> str:
    """A server's or a library's own words, short and on one line; nothing of them where they hold a secret."""
    if holds_secret(str(error), *secrets):
        return WITHHELD
    text = one_line(" ".join(str(error).split())).strip() or type(error).__name__
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"

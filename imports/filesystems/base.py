"""What all servers have in common: how to log in, what lies on them, and what can go wrong."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  (dataclasses look at it)
from struct import error as StructError  # noqa: N812  (it is a class)
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NamedTuple

from accounts.plugins import load
from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems.secrecy import holds_secret
from imports.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LONGEST_QUOTE = 200
"""Characters of a server's own words in a message."""
WITHHELD = "its words are not shown, because they hold the password"
LEADS_NOWHERE = "it is a link that leads to no file"
LEADS_TO_FOLDER = "it is a link to a folder"
LEADS_OUT = "its name leads out of the folder"
NO_FILE = "it is neither a file nor a folder"
"""Oddities."""
LIBRARY_ERRORS = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError, StructError,
)  # fmt: skip
"""What libraries raise, beside errors of their own, when a server answers what nobody who wrote them thought of."""
MOST_FILES = 200_000
"""Entries of a folder; whoever lists more lists without end."""
UNFINISHED = ".part"
"""Behind the name of a file that is still being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where and how to log in; `timeout` in seconds is for connecting and for every silence.

    `host_key` pins an SFTP server by its keys or their SHA256 fingerprints, one per line. For FTPS,
    `certificate_fingerprint` alone decides where it is given, else `ca_bundle`, else the system's authorities.
    `root` is the folder that `file` never leaves; `url`, of one of the `schemes`, and `options` are handed to fsspec.
    `feed` is the number of the feed, for transports that keep its files themselves; none before it is saved.
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
    feed: int | None = None
    timeout: float = 30.0

    @property
    def where(self) -> str:
        """Names the server in messages. Raises SettingsWrong where no app speaks the protocol."""
        return find_transport(self.protocol).name_in_messages(self)


class RemoteFile(NamedTuple):
    """A file as its server describes it; `modified_at` is in UTC, and none where the server does not say.

    An entry that can be no file to take is listed all the same: `oddity` says what it is.
    """

    path: str
    name: str
    size: int
    modified_at: datetime | None
    oddity: str = ""


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


class NoFileTransfer(SettingsWrong):
    """The server lets the user in and does not speak of files."""


class FolderMissing(SettingsWrong):
    """A folder is not on the server."""


class PermissionRefused(SettingsWrong):
    """The server does not let the user do it."""


class ListingUnreadable(SettingsWrong):
    """The server lists a folder in a way that nobody can read, so nobody knows what lies there."""


class FileTooLarge(SettingsWrong):
    """A file is larger than what may be fetched."""


class TargetTaken(SettingsWrong):
    """A file cannot get a name that another one has."""


class Server(ABC):
    """A session on a server; paths are the server's, relative to where the login leads.

    The class is the transport: what an app names in the `transports` of its AppConfig. It says how people call it and
    what it is told of a server, and knows whom it trusts.
    """

    protocol: ClassVar[str]
    """Names the transport in feeds, commands and the API; 13 characters at most."""
    label: ClassVar[str]
    """How people call it."""
    port: ClassVar[int] = 0
    """The port that is meant when none is given; 0 for transports without one."""
    fields: ClassVar[tuple[str, ...]] = ("host", "port", "user", "password")
    """Which of a feed's fields about its server it is told; one with a host needs it."""
    pinned_by: ClassVar[str] = ""
    """The field without which nobody knows whose server answers; what the server presents of itself goes there."""
    pins_in: ClassVar[str] = ""
    """The field that pins what a server presents of itself, needed or not."""
    warning: ClassVar[str] = ""
    """What whoever sets up such a feed should know."""
    keeps_times: ClassVar[bool] = True
    """Whether a file that is renamed keeps its time."""
    lists_whole_files: ClassVar[bool] = False
    """Whether nothing is listed that is still being written, so that a file need not settle."""
    settled: ClassVar[Mapping[str, Any]] = {}
    """What the fields of such a feed always hold, whatever is given for them."""
    page: ClassVar[str] = ""
    """The name of an admin page that says more of such a feed; it is given the feed's number."""

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        """Log in. A class whose libraries take long to load gives another one here."""
        return cls(settings)

    @classmethod
    def find_problems(cls, settings: ServerSettings) -> dict[str, str]:
        """What is wrong with the settings, by the name of the field; they hold no secrets, and nobody is asked."""
        from imports.filesystems.network import explain_host  # which needs the errors of this module

        problem = explain_host(settings.host) if "host" in cls.fields else ""
        return {"host": problem} if problem else {}

    @classmethod
    def find_pin_problems(cls, settings: ServerSettings) -> dict[str, str]:
        """The same of what the server is recognised by."""
        return {}

    @classmethod
    def read_identity(cls, settings: ServerSettings) -> Identity | None:
        """What a server presents of itself before anybody logs in; none where there is no such thing."""
        return None

    @classmethod
    def prepare(cls, feed: int) -> str:
        """Called in the transaction that makes a feed of this transport, with its number.

        Returns what whoever makes it has to be shown, once; "" for nothing.
        """
        return ""

    @classmethod
    def name_server(cls, settings: ServerSettings) -> str:
        """Names the server in lists; never with what logs in."""
        if "host" not in cls.fields:
            return cls.label
        return f"{cls.protocol}://{settings.host}{f':{settings.port}' if settings.port else ''}"

    @classmethod
    def name_in_messages(cls, settings: ServerSettings) -> str:
        return f"{settings.host}:{settings.port or cls.port}" if "host" in cls.fields else cls.label

    @classmethod
    def read_identities(cls, settings: ServerSettings) -> list[Identity]:
        """All that it may present, what is pinned first."""
        identity = cls.read_identity(settings)
        return [identity] if identity is not None else []

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    def forget(self) -> bool:
        """Whether the session may go on with another folder; then what was learnt of the one before is forgotten."""
        return False

    @abstractmethod
    def list_files(self, folder: str) -> list[RemoteFile]:
        """The entries of a folder but for its folders, asked anew; links to files are files.

        Raises FolderMissing, and ListingUnreadable rather than pass over what it cannot read.
        """

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

    def remove(self, path: str) -> None:
        """Remove a file that we wrote to try what the server allows; nothing else is ever removed."""
        raise PermissionRefused(f"Nothing can be removed from {self.settings.where}, so {path} stays there.")

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


def find_transports() -> dict[str, type[Server]]:
    """What the installed apps bring, by protocol."""
    return {transport.protocol: transport for transport in load("transports")}


def find_transport(protocol: str) -> type[Server]:
    """Raises SettingsWrong where no app speaks the protocol."""
    try:
        return find_transports()[protocol]
    except KeyError:
        raise SettingsWrong(
            f"No installed app speaks {protocol!r}. Choose another protocol, or have the operator install the app."
        ) from None


def list_protocols() -> list[tuple[str, str]]:
    """The choices of a form: protocol and label."""
    return [(name, transport.label) for name, transport in find_transports().items()]


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

"""Folders of FTP servers: what they hold, asked in the best way that a server knows, so that nothing is passed over.

MLSD is exact. LIST is for people, and read where its dialect is known. Else NLST gives the names, and SIZE and MDTM
tell of each what it is.
"""

from __future__ import annotations

import ftplib
import re
from typing import TYPE_CHECKING, NamedTuple

from imports.filesystems.base import (
    LEADS_NOWHERE,
    LEADS_OUT,
    LEADS_TO_FOLDER,
    MOST_FILES,
    NO_FILE,
    ListingUnreadable,
    quote,
)
from imports.filesystems.listings import Entry, Kind, UnreadableLine, read_listing, read_time
from imports.filesystems.network import LEAST_RATE

if TYPE_CHECKING:
    from datetime import datetime

    from imports.filesystems.ftp import FTPServer
    from imports.filesystems.network import TimeLimit

UNKNOWN_COMMAND = {"500", "501", "502", "504"}
_REFUSALS = {*UNKNOWN_COMMAND, "450", "550", "553"}
"""Behind which another command may be answered."""
_EMPTY = re.compile(
    r"\b(0 (files?|entries|items)|can('?t|not) find (any )?files?"
    r"|no( \w+)?( such)?( \w+)? (files?|director(y|ies)|folders?|members?|entr(y|ies)|match(es|ing)?|items?|objects?"
    r"|data ?sets?|documents?|contents?)|not (found|exist)|nothing|empty|none"
    r"|kein\w*|leer|gefunden|aucun\w*|vide|trouv\w*|nessun\w*|vuot\w*|trovat\w*"
    r"|ning\w*|vac\w*|encontr\w*|existe\w*|no hay|nenhum\w*|vazi\w*|geen|leeg|gevonden"
    r"|ing[ae]n\b|tom\b|brak\b|nie znaleziono|pust|[žz][áa]dn|nenalezen|bulunamad|bo[şs]\b)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"denied|permi|forbid|author|privileg|access|allow|refus|protect|logg?ed|busy|later|temporar|unavail|lock|time|verweig"
    r"|berecht|zugriff|interdi|acc[eè]s|autoris|negat|autoriz|acceso|acesso|toegang|geweiger|recht"
    r"|dost[ęe]p|odmow|odep[řr]en|p[řr][íi]stup|beh[öo]righet|[åa]tkomst|neka[ds]|adgang|eri[şs]im|izin|uprawn|opr[áa]vn",
    re.IGNORECASE,
)

REMEDY = (
    "Ask its operator to switch on MLSD or SIZE, or listings in the style of Unix (IBM i: LISTFMT 1; IIS: directory "
    "listing style Unix), or use SFTP where it is served"
)


class Found(NamedTuple):
    """An entry of which is known what it is: `name` over the wire, `size` in bytes, and why it is no file to take."""

    name: str
    size: int
    modified_at: datetime | None
    oddity: str = ""


def says_empty(error: ftplib.Error) -> bool:
    """Whether a folder that can be entered is answered to hold nothing, as some servers do by an error."""
    said = str(error)
    return said[:3] in ("450", "550") and bool(_EMPTY.search(said)) and not _DENIED.search(said)


class FTPFolder:
    """The folder that a server's session stands in."""

    def __init__(self, server: FTPServer, limit: TimeLimit) -> None:
        self.server, self.ftp, self.limit = server, server.ftp, limit
        self.tells_times = True
        self.command = ""
        """What the folder was listed by."""

    def read(self) -> list[Entry]:
        """What lies there. Raises ListingUnreadable, and errors of ftplib."""
        unreadable = ""
        problem: ftplib.Error | None = None
        for command in ("MLSD", "LIST", "NLST"):
            try:
                lines = self._retrieve(command)
                self.command = command
                if command != "NLST":
                    return list(read_listing(lines))
                if lines or not unreadable:
                    return [_read_name(line) for line in lines if line.rpartition("/")[2] not in ("", ".", "..")]
                problem = None
            except (ftplib.error_perm, ftplib.error_temp) as error:
                if says_empty(error) and not unreadable:
                    return []
                if str(error)[:3] not in _REFUSALS:
                    raise
                problem = error
            except UnreadableLine as error:
                unreadable = error.line
        if problem is not None and not unreadable:
            raise problem
        raise self._unreadable(unreadable, f"NLST: {quote(problem)}" if problem else "NLST names nothing")

    def find_out(self, entry: Entry) -> Found | None:
        """What an entry is, asked of the server as far as its line does not tell; none for a folder.

        Raises ListingUnreadable.
        """
        self.limit.extend(LEAST_RATE)
        if entry.kind == Kind.FOLDER:
            return None
        if entry.kind == Kind.OTHER:
            return Found(entry.name, 0, None, NO_FILE)
        if ".." in entry.name.split("/"):
            return Found(entry.name, 0, None, LEADS_OUT)
        if entry.size is None or entry.kind == Kind.LINK:  # of which it may be the link's own
            return self._ask_size(entry)
        return Found(entry.name, entry.size, entry.modified_at or self.ask_time(entry.name))

    def _ask_size(self, entry: Entry) -> Found | None:
        try:
            self.ftp.voidcmd("TYPE I")  # as others have no exact size
            size = self.ftp.size(entry.name) or 0
        except ftplib.error_perm as error:
            refusal = error
        else:
            return Found(entry.name, size, entry.modified_at or self.ask_time(entry.name))
        if self._is_folder(entry.name):
            return Found(entry.name, 0, None, LEADS_TO_FOLDER) if entry.kind == Kind.LINK else None
        if entry.kind == Kind.LINK:
            return Found(entry.name, 0, None, LEADS_NOWHERE)
        if str(refusal)[:3] in UNKNOWN_COMMAND:
            raise self._unreadable(entry.line, f"SIZE: {quote(refusal)}")
        return Found(entry.name, 0, None, f"the server does not tell its size, {quote(refusal)!r}. {REMEDY}")

    def _is_folder(self, name: str) -> bool:
        place = self.ftp.pwd()
        try:
            self.ftp.cwd(name)
        except ftplib.error_perm:
            return False
        self.ftp.cwd(place)
        return True

    def ask_time(self, path: str) -> datetime | None:
        """When a file was changed; none where the server does not tell."""
        if not self.tells_times:
            return None
        try:
            return read_time(self.ftp.voidcmd(f"MDTM {path}")[4:])
        except ftplib.error_perm as error:
            self.tells_times = str(error)[:3] not in UNKNOWN_COMMAND
            return None

    def _retrieve(self, command: str) -> list[str]:
        lines: list[str] = []

        def take(line: str) -> None:
            if len(lines) <= MOST_FILES:
                lines.append(line)

        try:
            self.ftp.retrlines(command, take)
        except ftplib.error_perm as error:
            if lines:
                raise EOFError(f"the listing broke off: {error}") from None
            raise
        if len(lines) > MOST_FILES:
            raise self.server.too_many()
        return lines

    def _unreadable(self, line: str, answer: str) -> ListingUnreadable:
        return ListingUnreadable(
            f"{self.server.settings.where} lists its files in a way that is not understood: {quote(line)!r} ({answer}"
            f"). Nothing was pulled, because nobody knows what lies there. {REMEDY}."
        )


def _read_name(line: str) -> Entry:
    """A line of NLST: a name, which some servers write with the folder in front, or with a version behind."""
    name = re.sub(r";\d+$", "", re.split(r"[/\]]", line)[-1], flags=re.ASCII)
    return Entry(name, Kind.UNSURE, None, None, line)

"""FTP and FTPS: what a server holds, in a session that is verified and encrypted where TLS is asked for."""

from __future__ import annotations

import contextlib
import ftplib
import posixpath
import re
import ssl
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from imports.errors import SettingsWrong
from imports.filesystems.base import (
    LIBRARY_ERRORS,
    UNFINISHED,
    FolderMissing,
    IdentityWrong,
    LoginRefused,
    PermissionRefused,
    RemoteFile,
    ServerSettings,
    ServerUnreachable,
    quote,
)
from imports.filesystems.ftp_folders import UNKNOWN_COMMAND, FTPFolder
from imports.filesystems.ftp_sessions import WIRE, CertificateWrong, PlainSession, TLSSession
from imports.filesystems.listings import Kind, read_facts
from imports.filesystems.names import Names
from imports.filesystems.network import PATIENCE, TimeLimit
from imports.filesystems.transports import FTP
from imports.tls import explain_tls, is_lasting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.filesystems.ftp_folders import Found
    from imports.filesystems.listings import Entry

BLOCK = 1 << 16


_TOO_MANY = re.compile(
    r"maxim|too many|try again|\blater\b|temporar|busy|overload|server (is )?full|already (logged|connect|in use)"
    r"|\b(limit|quota)\b.*\b(reached|exceeded)|\b(reached|exceed\w*)\b.*\b(limit|quota)\b"
    r"|\blimited to \d|\bno (more|further|free)\b"
    r"|zu viele|trop de|troppi|demasiad|te veel|muit[oa]s (conex|usu)|za du[żz]o|zbyt wiele|p[řr][íi]li[šs] mnoho"
    r"|t[úu]l sok|[çc]ok fazla|f[öo]r m[åa]nga|for mange"
    r"|limit\w* .*(erreicht|überschritten|atteint|d[ée]pass[ée]|raggiunt|superad|alcanzad|excedid|bereikt"
    r"|overschreden|atingid|osi[ąa]gni[ęe]t)",
    re.IGNORECASE,
)
"""What servers say to who knows the password, and comes at a bad time."""
_UNKNOWN = re.compile(r"incorrect|invalid|wrong|unknown|bad password|denied", re.IGNORECASE)
_LOCKED = re.compile(
    r"\b(locked|disabled|suspended|blocked|banned|expired|(failed|login) (attempts?|logins?|failures?)|password age)\b",
    re.IGNORECASE,
)
"""What no patience mends, whatever else is said of attempts and limits."""


_PASSIVE = ". Ask its operator to allow passive mode, as no server is let in here"
_REMEDIES = {
    "PASV": _PASSIVE,
    "EPSV": _PASSIVE,
    "AUTH": ". Ask its operator to switch on TLS, or choose another protocol",
    "PROT": ". Ask its operator to allow TLS for data too",
}
"""By the command that was refused."""


def _comes_at_a_bad_time(said: str) -> bool:
    if not _TOO_MANY.search(said) or _LOCKED.search(said):
        return False
    return not (_UNKNOWN.search(said) and "again" in said)


class FTPServer(FTP):
    """A session on an FTP server."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        self.names = Names()
        self.home = ""
        self.tells_facts = False
        """Whether the folder that was listed last was listed by MLSD."""
        self.ftp = (PlainSession if settings.protocol == FTP.protocol else TLSSession)(settings)
        try:
            with self._translated("/"):
                self.ftp.open()
                self.ftp.login(*(part.encode().decode(WIRE) for part in (settings.user, settings.password)))
                self.ftp.secure()
                self.home = self._ask_home()
        except BaseException:
            self.ftp.close()
            raise

    def _ask_home(self) -> str:
        """Where the login leads, from which paths are told."""
        refusal = None
        for command in ("PWD", "XPWD"):
            try:
                return ftplib.parse257(self.ftp.voidcmd(command)) or "/"
            except ftplib.error_perm as error:
                if str(error)[:3] not in {*UNKNOWN_COMMAND, "550"}:
                    raise
                refusal = refusal or error
            except ftplib.error_reply:  # well answered, without a path
                return "/"
        raise PermissionRefused(
            f"{self.settings.where} does not tell where the login of {self.settings.user!r} leads (PWD: "
            f"{quote(refusal, self.settings.password)}), so no folder can be found from there. Ask its operator to "
            "allow PWD, or use SFTP where it is served."
        )

    def close(self) -> None:
        if self.ftp.sock is None:
            return
        with contextlib.suppress(OSError, EOFError, ftplib.Error, ValueError, ServerUnreachable), self._limited():
            self.ftp.quit()
        self.ftp.close()

    def forget(self) -> bool:
        self.names = Names()
        return True

    def list_files(self, folder: str) -> list[RemoteFile]:
        with self._inside(folder) as opened:
            found = list(filter(None, (opened.find_out(entry) for entry in opened.read())))
            self.tells_facts = opened.command == "MLSD"
        self.names.learn([entry.name.encode(WIRE) for entry in found])
        return [self._describe(folder, entry) for entry in found]

    def _describe(self, folder: str, found: Found) -> RemoteFile:
        """A member of IBM i stands below its file, and is known by its own name."""
        name = self._decoded(found.name)
        path = posixpath.join(folder, name)
        return RemoteFile(path, posixpath.basename(name), found.size, found.modified_at, found.oddity)

    @contextlib.contextmanager
    def _inside(self, folder: str) -> Iterator[FTPFolder]:
        """Stand in a folder."""
        with self._translated(folder or "/", folder=True):
            self.ftp.cwd(self._absolute(folder))
        with self._translated(folder or "/") as limit:
            try:
                yield FTPFolder(self, limit)
            finally:
                self.ftp.cwd(self.home)

    def look_at(self, path: str) -> RemoteFile | None:
        """As it was listed, for SIZE and MDTM may tell another size and time than MLSD; else by these, and where they
        are refused by the folder, for servers say in many ways that a file is missing.
        """
        with self._translated(path) as limit:
            absolute = self._absolute(path)
            if (facts := self._ask_facts(absolute)) is not None:
                modified = facts.modified_at or FTPFolder(self, limit).ask_time(absolute)
                return RemoteFile(path, posixpath.basename(path), facts.size or 0, modified)
            self.ftp.voidcmd("TYPE I")
            try:
                size = self.ftp.size(absolute) or 0
            except (ftplib.error_perm, ftplib.error_temp):
                size = None
            if size is not None:
                modified = FTPFolder(self, limit).ask_time(absolute)
                return RemoteFile(path, posixpath.basename(path), size, modified)
        folder, name = posixpath.split(path)
        try:
            with self._inside(folder) as opened:
                entry = next((entry for entry in opened.read() if self._decoded(entry.name) == name), None)
                found = opened.find_out(entry) if entry else None
        except (FolderMissing, PermissionRefused):
            return None
        return self._describe(folder, found) if found and not found.oddity else None

    def _ask_facts(self, absolute: str) -> Entry | None:
        """What MLST tells of a file, where folders are listed by MLSD; none where it is refused, or that is no file."""
        if not self.tells_facts:
            return None
        try:
            lines = self.ftp.sendcmd(f"MLST {absolute}").splitlines()
        except (ftplib.error_perm, ftplib.error_temp) as error:
            self.tells_facts = str(error)[:3] not in UNKNOWN_COMMAND
            return None
        entry = next(filter(None, (read_facts(line.lstrip()) for line in lines[1:-1])), None)
        return entry if entry is not None and entry.kind == Kind.FILE and entry.size is not None else None

    def download(self, path: str, out: BinaryIO, most_bytes: int) -> int:
        count = 0
        with self._translated(path, missing=path) as limit:
            self.ftp.voidcmd("TYPE I")
            data = self.ftp.transfercmd(f"RETR {self._absolute(path)}")
            with data:
                while block := data.recv(BLOCK):
                    limit.extend(len(block))
                    count += len(block)
                    if count > most_bytes:
                        break
                    out.write(block)
            if count > most_bytes:
                self.ftp.close()  # no answer can be trusted behind a transfer that we broke off
                raise self.too_large(path, most_bytes)
            self.ftp.voidresp()
        return count

    def rename(self, source: str, target: str) -> None:
        if self.look_at(target) is not None:
            raise self.taken(target)
        if self.look_at(source) is None:
            raise self.vanished(source)
        with self._translated(source):
            self.ftp.rename(self._absolute(source), self._absolute(target))

    def make_folder(self, path: str) -> None:
        with self._translated(path):
            try:
                self.ftp.cwd(self._absolute(path))
            except ftplib.error_perm:
                self.ftp.mkd(self._absolute(path))
            finally:
                self.ftp.cwd(self.home)

    def write_file(self, path: str, content: bytes) -> None:
        with self._translated(path) as limit:
            limit.extend(len(content))
            self.ftp.storbinary(f"STOR {self._absolute(path + UNFINISHED)}", BytesIO(content))
        self.rename(path + UNFINISHED, path)

    def remove(self, path: str) -> None:
        with self._translated(path, missing=path):
            self.ftp.delete(self._absolute(path))

    def _absolute(self, path: str) -> str:
        """From the root, where the server has one as Unix has; else from where the login leads."""
        wire = self.names.write(path).decode(WIRE)
        return posixpath.join(self.home, wire) if self.home.startswith("/") else wire or self.home

    def _decoded(self, name: str) -> str:
        return self.names.read(name.encode(WIRE))

    def _limited(self) -> TimeLimit:
        return TimeLimit(self.settings.where, PATIENCE * self.settings.timeout, self.ftp.sockets)

    @contextlib.contextmanager
    def _translated(self, path: str, *, folder: bool = False, missing: str = "") -> Iterator[TimeLimit]:
        where, user = self.settings.where, self.settings.user
        try:
            with self._limited() as limit:
                yield limit
        except CertificateWrong as error:
            raise IdentityWrong(
                f"{where} is not the server whose certificate is pinned: {error.args[0]}. Ask its operator whether it "
                "has a new certificate before you trust it."
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise IdentityWrong(
                f"The certificate of {where} cannot be verified: {quote(error.verify_message)}. Pin its fingerprint or "
                "give its CA, after its operator has confirmed it."
            ) from None
        except ssl.SSLError as error:
            if is_lasting(error):
                raise SettingsWrong(
                    f"No TLS with {where}: {explain_tls(error)}. Check host, port and protocol, or ask its operator."
                ) from None
            raise ServerUnreachable(
                f"{where} stopped answering or cannot be reached ({path}): {explain_tls(error)}"
            ) from None
        except ftplib.error_perm as error:
            code, command = str(error)[:3], f" ({error.__notes__[0]})" if hasattr(error, "__notes__") else ""
            said = quote(self._decoded(str(error)), self.settings.password)
            if not self.home and _comes_at_a_bad_time(said):
                raise ServerUnreachable(f"{where} lets nobody else in for now: {said}") from None
            if code in ("530", "532", "331", "332"):
                if self.home:
                    raise ServerUnreachable(f"{where} ended the login of {user!r} ({path}): {said}") from None
                raise LoginRefused(f"{where} refuses the login of {user!r}: {said}") from None
            if folder:
                raise FolderMissing(
                    f"The folder {path} is not on {where}, or {user!r} may not enter it: {said}"
                ) from None
            if missing and self.look_at(missing) is None:
                raise self.vanished(missing) from None
            remedy = _REMEDIES.get(getattr(error, "__notes__", [""])[0], "")
            raise PermissionRefused(
                f"{where} does not let {user!r} do that with {path}: {said}{command}{remedy}"
            ) from None
        except (ftplib.Error, EOFError, OSError, *LIBRARY_ERRORS) as error:
            said = "it took too long" if "timed out" in str(error) else quote(error, self.settings.password)
            raise ServerUnreachable(f"{where} stopped answering or cannot be reached ({path}): {said}") from None

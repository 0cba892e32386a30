"""FTP and FTPS: what a server holds, in a session that is verified and encrypted where TLS is asked for."""

from __future__ import annotations

import contextlib
import ftplib
import posixpath
import re
import ssl
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from imports.filesystems.base import (
    MOST_FILES,
    UNFINISHED,
    FolderMissing,
    IdentityWrong,
    LoginRefused,
    PermissionRefused,
    RemoteFile,
    ServerSettings,
    ServerUnreachable,
    is_utf_8,
    quote,
)
from imports.filesystems.ftp_sessions import WIRE, CertificateWrong, PlainSession, TLSSession
from imports.filesystems.network import LEAST_RATE, PATIENCE, TimeLimit
from imports.filesystems.transports import FTP

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 16
_UNIX = re.compile(
    r"(?P<kind>[-dlbcps])\S{9,}\s+\d+\s+\S+\s+(?:\S+\s+)?(?P<size>\d+)\s+\S+\s+\d+\s+[\d:]+\s(?P<name>.+)", re.DOTALL
)
_DOS = re.compile(
    r"\d{2,4}-\d{2}-\d{2,4}\s+\d{2}:\d{2}\s*(?:[AaPp][Mm])?\s+(?:(?P<dir><DIR>)|(?P<size>\d+))\s+(?P<name>.+)",
    re.DOTALL,
)


class FTPServer(FTP):
    """A session on an FTP server."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        self.encoding = "utf-8"
        self.ftp = (PlainSession if settings.protocol == FTP.protocol else TLSSession)(settings)
        try:
            with self._translated("/"):
                self.ftp.open()
                self.ftp.login(*(part.encode().decode(WIRE) for part in (settings.user, settings.password)))
                self.ftp.secure()
                self.home = self.ftp.pwd() or "/"
        except BaseException:
            self.ftp.close()
            raise

    def close(self) -> None:
        if self.ftp.sock is None:
            return
        with contextlib.suppress(OSError, EOFError, ftplib.Error, ValueError, ServerUnreachable), self._limited():
            self.ftp.quit()
        self.ftp.close()

    def list_files(self, folder: str) -> list[RemoteFile]:
        with self._translated(folder or "/", folder=True):
            self.ftp.cwd(self._absolute(folder))
        with self._translated(folder or "/") as limit:
            try:
                entries = list(self._list_exactly())
            except ftplib.error_perm as error:
                if str(error)[:3] not in ("500", "501", "502", "504"):
                    raise
                entries = list(self._list_for_people(limit))
            finally:
                self.ftp.cwd(self.home)
        if not all(is_utf_8(name.encode(WIRE)) for name, _, _ in entries):
            self.encoding = "latin-1"
        named = [(self._decoded(name), size, modified) for name, size, modified in entries]
        return [RemoteFile(posixpath.join(folder, name), name, size, modified) for name, size, modified in named]

    def _list_exactly(self) -> Iterator[tuple[str, int, datetime | None]]:
        for line in self._retrieve("MLSD"):
            described, _, name = line.partition(" ")
            pairs = (fact.partition("=") for fact in described.split(";"))
            facts = {fact.lower(): value for fact, _, value in pairs}
            if facts.get("type", "").lower() == "file" and facts.get("size", "").isdigit():
                yield name, int(facts["size"]), _time(facts.get("modify", ""))

    def _list_for_people(self, limit: TimeLimit) -> Iterator[tuple[str, int, datetime | None]]:
        """LIST in the styles of Unix and DOS; its times are too coarse, so they are asked for one by one."""
        for line in self._retrieve("LIST"):
            match = _UNIX.fullmatch(line) or _DOS.fullmatch(line)
            kind = match.groupdict().get("kind", "-") if match else ""
            if match is not None and kind == "-" and match["size"]:
                limit.extend(LEAST_RATE)
                yield match["name"], int(match["size"]), self._modified_at(match["name"])

    def _retrieve(self, command: str) -> list[str]:
        lines: list[str] = []

        def take(line: str) -> None:
            if len(lines) <= MOST_FILES:
                lines.append(line)

        self.ftp.retrlines(command, take)
        if len(lines) > MOST_FILES:
            raise self.too_many()
        return lines

    def _modified_at(self, path: str) -> datetime | None:
        try:
            return _time(self.ftp.voidcmd(f"MDTM {path}")[4:])
        except ftplib.error_perm:
            return None

    def look_at(self, path: str) -> RemoteFile | None:
        with self._translated(path):
            absolute = self._absolute(path)
            self.ftp.voidcmd("TYPE I")
            try:
                size = self.ftp.size(absolute)
            except ftplib.error_perm:
                folder, name = posixpath.split(path)
                return next((file for file in self._list_or_nothing(folder) if file.name == name), None)
            return RemoteFile(path, posixpath.basename(path), size or 0, self._modified_at(absolute))

    def _list_or_nothing(self, folder: str) -> list[RemoteFile]:
        try:
            return self.list_files(folder)
        except (FolderMissing, PermissionRefused):
            return []

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

    def _absolute(self, path: str) -> str:
        return posixpath.join(self.home, path.encode(self.encoding).decode(WIRE))

    def _decoded(self, name: str) -> str:
        return name.encode(WIRE).decode(self.encoding, "replace")

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
        except ftplib.error_perm as error:
            code = str(error)[:3]
            said = quote(self._decoded(str(error)), self.settings.password)
            if code in ("530", "532", "331", "332"):
                raise LoginRefused(f"{where} refuses the login of {user!r}: {said}") from None
            if folder:
                raise FolderMissing(
                    f"The folder {path} is not on {where}, or {user!r} may not enter it: {said}"
                ) from None
            if missing and self._is_gone(missing):
                raise self.vanished(missing) from None
            raise PermissionRefused(f"{where} does not let {user!r} do that with {path}: {said}") from None
        except (ftplib.Error, EOFError, OSError, UnicodeError, ValueError, OverflowError) as error:
            said = quote(error, self.settings.password)
            raise ServerUnreachable(f"{where} stopped answering or cannot be reached ({path}): {said}") from None

    def _is_gone(self, path: str) -> bool:
        try:
            with self._limited():
                self.ftp.size(self._absolute(path))
        except ftplib.error_perm as error:
            return str(error).startswith("550")
        except (ftplib.Error, EOFError, OSError):
            return False
        return False


def _time(text: str) -> datetime | None:
    """A time of MLSD or MDTM: 20261124053000 or 20261124053000.123, always UTC."""
    try:
        moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    fraction = text[15:].strip()
    return moment.replace(microsecond=int(f"{fraction:0<6}"[:6])) if fraction.isdigit() else moment

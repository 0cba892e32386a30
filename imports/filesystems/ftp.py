"""FTP and FTPS: fsspec's file system with certificates verified, data encrypted and nothing cached."""

from __future__ import annotations

import contextlib
import ftplib
import hashlib
import posixpath
import re
import socket
import ssl
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from cryptography import x509
from fsspec.implementations.ftp import FTPFileSystem

from imports.filesystems.base import (
    UNFINISHED,
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
    is_utf_8,
    quote,
    read_fingerprint,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 16
WIRE = "latin-1"
"""What ftplib sends and reads in: a character per byte, so that names in any encoding come through."""
_UNIX = re.compile(
    r"(?P<kind>[-dlbcps])\S{9,}\s+\d+\s+\S+\s+(?:\S+\s+)?(?P<size>\d+)\s+\S+\s+\d+\s+[\d:]+\s(?P<name>.+)", re.DOTALL
)
_DOS = re.compile(
    r"\d{2,4}-\d{2}-\d{2,4}\s+\d{2}:\d{2}\s*(?:[AaPp][Mm])?\s+(?:(?P<dir><DIR>)|(?P<size>\d+))\s+(?P<name>.+)",
    re.DOTALL,
)


class CertificateWrong(ssl.SSLError):
    """The certificate is another one than the pinned one."""


class TLSSession(ftplib.FTP_TLS):
    """FTP over TLS, explicit or implicit, that checks both sockets and continues one TLS session on the other."""

    def __init__(self, settings: ServerSettings) -> None:
        self.pinned = read_fingerprint(settings.certificate_fingerprint)
        self.implicit = settings.protocol == Protocol.FTPS_IMPLICIT
        super().__init__(timeout=settings.timeout, context=make_context(settings), encoding=WIRE)

    def connect(self, *args: Any, **kwargs: Any) -> str:
        if not self.implicit:
            return super().connect(*args, **kwargs)
        self.host, self.port = args[:2]
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.af = plain.family
        self.sock = self._secure(plain)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def auth(self) -> str:
        if self.implicit:
            return ""
        reply = super().auth()
        self._check(self.sock)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self._secure(data, getattr(self.sock, "session", None)), size

    def _secure(self, plain: socket.socket, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        with contextlib.ExitStack() as opened:
            opened.enter_context(plain)
            plain.getpeername()  # ssl would leave a session open that is broken already
            secure = opened.enter_context(self.context.wrap_socket(plain, server_hostname=self.host, session=session))
            self._check(secure)
            opened.pop_all()
        return secure

    def _check(self, secure: Any) -> None:
        certificate = secure.getpeercert(binary_form=True) or b""
        if self.pinned and hashlib.sha256(certificate).hexdigest() != self.pinned:
            raise CertificateWrong(f"the server presents {show_fingerprint(certificate)}")


class VerifiedFTPFileSystem(FTPFileSystem):
    """fsspec's FTP with a session of our own: never shared, never cached, verified where TLS is asked for."""

    cachable = False

    def __init__(self, settings: ServerSettings) -> None:
        self.server = settings
        super().__init__(
            settings.host,
            port=settings.port or Protocol(settings.protocol).port,
            username=settings.user,
            password=settings.password,
            timeout=settings.timeout,
            encoding=WIRE,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def _connect(self) -> None:
        plain = self.server.protocol == Protocol.FTP
        self.ftp = ftplib.FTP(timeout=self.timeout, encoding=WIRE) if plain else TLSSession(self.server)
        try:
            self.ftp.connect(self.host, self.port)
            self.ftp.login(*(part.encode().decode(WIRE) for part in self.cred))
            if isinstance(self.ftp, TLSSession):
                self.ftp.prot_p()
        except BaseException:
            self.ftp.close()
            raise

    def __del__(self) -> None:
        """The session is closed by who opened it."""


def make_context(settings: ServerSettings) -> ssl.SSLContext:
    """Verifies by the pinned certificate, else by the given authorities, else by the system's."""
    try:
        context = ssl.create_default_context(cadata=settings.ca_bundle or None)
    except (ssl.SSLError, ValueError):
        raise IdentityWrong("The CA bundle is not a list of certificates in PEM.") from None
    if read_fingerprint(settings.certificate_fingerprint):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def show_fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest().upper()


class FTPServer(Server):
    """A session on an FTP server."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings)
        self.encoding = "utf-8"
        with self._translated("/"):
            self.filesystem = VerifiedFTPFileSystem(settings)
            self.ftp: ftplib.FTP = self.filesystem.ftp
        try:
            with self._translated("/"):
                self.home = self.ftp.pwd() or "/"
        except BaseException:
            self.ftp.close()
            raise

    def close(self) -> None:
        if self.ftp.sock is None:
            return
        try:
            self.ftp.quit()
        except (OSError, EOFError, ftplib.Error, ValueError):
            self.ftp.close()

    def list_files(self, folder: str) -> list[RemoteFile]:
        with self._translated(folder or "/", folder=True):
            self.ftp.cwd(self._absolute(folder))
        with self._translated(folder or "/"):
            try:
                entries = list(self._list_exactly())
            except ftplib.error_perm as error:
                if str(error)[:3] not in ("500", "501", "502", "504"):
                    raise
                entries = list(self._list_for_people())
            finally:
                self.ftp.cwd(self.home)
        if not all(is_utf_8(name.encode(WIRE)) for name, _, _ in entries):
            self.encoding = "latin-1"
        named = [(self._decoded(name), size, modified) for name, size, modified in entries]
        return [RemoteFile(posixpath.join(folder, name), name, size, modified) for name, size, modified in named]

    def _list_exactly(self) -> Iterator[tuple[str, int, datetime | None]]:
        for name, facts in self.ftp.mlsd():
            if facts.get("type", "").lower() == "file" and facts.get("size", "").isdigit():
                yield name, int(facts["size"]), _time(facts.get("modify", ""))

    def _list_for_people(self) -> Iterator[tuple[str, int, datetime | None]]:
        """LIST in the styles of Unix and DOS; its times are too coarse, so they are asked for one by one."""
        lines: list[str] = []
        self.ftp.retrlines("LIST", lines.append)
        for line in lines:
            match = _UNIX.fullmatch(line) or _DOS.fullmatch(line)
            kind = match.groupdict().get("kind", "-") if match else ""
            if match is not None and kind == "-" and match["size"]:
                yield match["name"], int(match["size"]), self._modified_at(match["name"])

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
        with self._translated(path, missing=path):
            self.ftp.voidcmd("TYPE I")
            data = self.ftp.transfercmd(f"RETR {self._absolute(path)}")
            with data:
                while block := data.recv(BLOCK):
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
        with self._translated(path):
            self.ftp.storbinary(f"STOR {self._absolute(path + UNFINISHED)}", BytesIO(content))
        self.rename(path + UNFINISHED, path)

    def _absolute(self, path: str) -> str:
        return posixpath.join(self.home, path.encode(self.encoding).decode(WIRE))

    def _decoded(self, name: str) -> str:
        return name.encode(WIRE).decode(self.encoding, "replace")

    @contextlib.contextmanager
    def _translated(self, path: str, *, folder: bool = False, missing: str = "") -> Iterator[None]:
        where, user = self.settings.where, self.settings.user
        try:
            yield
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


def read_certificate(settings: ServerSettings) -> Identity:
    """The certificate that a server presents, trusted or not."""
    where = settings.where
    session = ftplib.FTP_TLS(timeout=settings.timeout)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = settings.port or Protocol(settings.protocol).port
    try:
        if settings.protocol == Protocol.FTPS_IMPLICIT:
            with (
                socket.create_connection((settings.host, port), settings.timeout) as plain,
                context.wrap_socket(plain, server_hostname=settings.host) as secure,
            ):
                certificate = secure.getpeercert(binary_form=True) or b""
        else:
            session.context = context
            session.connect(settings.host, port)
            session.auth()
            certificate = session.sock.getpeercert(binary_form=True) or b""  # type: ignore[union-attr]  # TLS is on
    except (ftplib.Error, EOFError, OSError, UnicodeError, OverflowError) as error:
        raise ServerUnreachable(f"{where} cannot be reached: {quote(error)}") from None
    finally:
        session.close()
    parsed = x509.load_der_x509_certificate(certificate)
    fingerprint = show_fingerprint(certificate)
    details = (
        f"{parsed.subject.rfc4514_string()}, issued by {parsed.issuer.rfc4514_string()}, "
        f"valid until {parsed.not_valid_after_utc:%Y-%m-%d}"
    )
    pinned = read_fingerprint(settings.certificate_fingerprint)
    shown = ":".join(fingerprint[index : index + 2] for index in range(0, len(fingerprint), 2))
    matches = fingerprint.lower() == pinned if pinned else None
    return Identity("certificate", shown, shown, details, matches)

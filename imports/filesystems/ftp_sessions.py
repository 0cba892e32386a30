"""Sessions of FTP and FTPS: to hosts that may be reached, with certificates verified and data encrypted."""

from __future__ import annotations

import ftplib
import hashlib
import ssl
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509

from imports.filesystems.base import (
    LIBRARY_ERRORS,
    Identity,
    IdentityWrong,
    ServerSettings,
    ServerUnreachable,
    find_transport,
    quote,
    read_fingerprint,
)
from imports.filesystems.network import PATIENCE, TimeLimit, begin_tls, open_socket
from imports.filesystems.transports import ImplicitFTPS
from imports.tls import explain_tls, make_client_context

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

WIRE = "latin-1"
"""What ftplib sends and reads in: a character per byte, so that names in any encoding come through."""
MOST_LINES = 1000
"""Of one answer."""


class CertificateWrong(ssl.SSLError):
    """The certificate is another one than the pinned one."""


class PlainSession(ftplib.FTP):
    """FTP without TLS. Data come from the server's own host alone, whatever address its answers name."""

    data: socket.socket | None = None
    lines = 0
    command = ""
    """The last one that was sent, without what it was about."""
    passive = 0
    """The port that was told for data, and that nothing was asked for since."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        super().__init__(timeout=settings.timeout, encoding=WIRE)

    def open(self) -> None:
        """Connect and read the greeting."""
        self.host, self.port = self.settings.host, self.settings.port or find_transport(self.settings.protocol).port
        self.sock = self.begin(open_socket(self.host, self.port, self.settings.timeout))
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=WIRE)
        self.welcome = self.getresp()

    def begin(self, plain: socket.socket) -> socket.socket:
        """What the control session runs over from its first byte on."""
        return plain

    def secure(self) -> None:
        """Encrypt what follows, where that is wanted."""

    def sockets(self) -> Iterator[socket.socket | None]:
        yield self.sock
        yield self.data

    def putline(self, line: str) -> None:
        self.lines = 0
        self.command = line.partition(" ")[0]
        self.passive = 0
        super().putline(line)

    def getline(self) -> str:
        self.lines += 1
        if self.lines > MOST_LINES:
            raise ftplib.error_proto("its answer has no end")
        return super().getline()

    def getresp(self) -> str:
        """As the library's; a refusal notes which command it answers."""
        try:
            return super().getresp()
        except ftplib.error_perm as error:
            error.add_note(self.command)
            raise

    def size(self, filename: str) -> int | None:
        """As the library's, which stumbles over an answer that is no number."""
        answer = self.sendcmd(f"SIZE {filename}")
        code, _, size = answer.partition(" ")
        if code == "213" and size.strip().isdecimal():
            return int(size)
        raise ftplib.error_perm(f"501 {answer}")

    def makepasv(self) -> tuple[str, int]:
        """As the library's, by EPSV where PASV is not known."""
        try:
            host, self.passive = super().makepasv()
        except ftplib.error_perm as refusal:
            try:
                host, self.passive = ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())  # type: ignore[union-attr]  # it is open
            except ftplib.error_perm:
                raise refusal from None
        return host, self.passive

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        self.data, size = self.open_data(cmd, rest)
        return self.data, size

    def open_data(self, cmd: str, rest: int | str | None) -> tuple[Any, int | None]:
        """Raises OSError where the port for data cannot be reached, which is closed in many firewalls."""
        try:
            return ftplib.FTP.ntransfercmd(self, cmd, rest)
        except OSError as error:
            if not self.passive:
                raise
            raise OSError(
                f"it answers, but port {self.passive} that it gives for data cannot be reached ({error}). Ask its "
                "operator to open the ports of passive mode"
            ) from None


class TLSSession(PlainSession, ftplib.FTP_TLS):
    """FTP over TLS, explicit or implicit, that checks both sockets and continues one TLS session on the other."""

    def __init__(self, settings: ServerSettings, context: ssl.SSLContext | None = None) -> None:
        self.settings = settings
        self.pinned = "" if context else read_fingerprint(settings.certificate_fingerprint)
        self.implicit = settings.protocol == ImplicitFTPS.protocol
        context = context or make_context(settings)
        ftplib.FTP_TLS.__init__(self, timeout=settings.timeout, context=context, encoding=WIRE)

    def begin(self, plain: socket.socket) -> socket.socket:
        return self._encrypt(plain) if self.implicit else plain

    def auth(self) -> str:
        if self.implicit:
            return ""
        reply = self.voidcmd("AUTH TLS")
        self.sock = self._encrypt(cast("socket.socket", self.sock))
        self.file = self.sock.makefile("r", encoding=WIRE)
        return reply

    def secure(self) -> None:
        self.prot_p()

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        plain, size = self.open_data(cmd, rest)
        self.data = self._encrypt(plain, getattr(self.sock, "session", None))
        return self.data, size

    def _encrypt(self, plain: socket.socket, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        secure = begin_tls(self.context, plain, self.host, session)
        certificate = secure.getpeercert(binary_form=True) or b""
        if self.pinned and hashlib.sha256(certificate).hexdigest() != self.pinned:
            secure.close()
            raise CertificateWrong(f"the server presents {show_fingerprint(certificate)}")
        return secure


def make_context(settings: ServerSettings) -> ssl.SSLContext:
    """Verifies by the pinned certificate, else by the given authorities, else by the system's."""
    try:
        context = make_client_context(settings.ca_bundle)
    except (ssl.SSLError, ValueError):
        raise IdentityWrong("The CA bundle is not a list of certificates in PEM.") from None
    if read_fingerprint(settings.certificate_fingerprint):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def show_fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest().upper()


def read_certificate(settings: ServerSettings) -> Identity:
    """The certificate that a server presents, trusted or not."""
    certificate = _fetch_certificate(settings)
    parsed = x509.load_der_x509_certificate(certificate)
    fingerprint = show_fingerprint(certificate)
    details = (
        f"{parsed.subject.rfc4514_string()}, issued by {parsed.issuer.rfc4514_string()}, "
        f"valid until {parsed.not_valid_after_utc:%Y-%m-%d}"
    )
    pinned = read_fingerprint(settings.certificate_fingerprint)
    shown = ":".join(fingerprint[index : index + 2] for index in range(0, len(fingerprint), 2))
    matches = fingerprint.lower() == pinned if pinned else None
    return Identity("certificate", shown, shown, quote(details, settings.password), matches)


def _fetch_certificate(settings: ServerSettings) -> bytes:
    context = make_client_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session = TLSSession(settings, context)
    try:
        with TimeLimit(settings.where, PATIENCE * settings.timeout, session.sockets):
            session.open()
            session.auth()
            secure: Any = session.sock
            return secure.getpeercert(binary_form=True) or b""
    except (ftplib.Error, EOFError, OSError, *LIBRARY_ERRORS) as error:
        said = explain_tls(error) if isinstance(error, ssl.SSLError) else quote(error, settings.password)
        raise ServerUnreachable(f"{settings.where} cannot be reached: {said}") from None
    finally:
        session.close()

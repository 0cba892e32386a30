"""Real servers on 127.0.0.1: each serves a folder until its block ends, and misbehaves when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer as FTPDaemon

from imports.filesystems import ServerSettings
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

USER, PASSWORD = "brand", "s3cret-of-the-brand"
TIMEOUT = 60.0


@dataclass
class Running:
    """A server at work: `settings` log in, `folder` is what it serves, `misbehaviour` is what it is to do wrong.

    FTP answers a command with one of its `replies`, where it has one, or lists as `listings` say. SFTP answers with one
    of its `errors`: to a rename, a mkdir, a write, a read, or a stat of what is missing.
    """

    settings: ServerSettings
    folder: Path
    misbehaviour: set[str] = field(default_factory=set)
    sessions: set[Any] = field(default_factory=set)
    replies: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    listings: dict[str, Callable[[Path], Iterable[str]]] = field(default_factory=dict)


# -- certificates


@dataclass
class Authority:
    """A CA of the tests, and a certificate of 127.0.0.1 that it signed."""

    ca: str
    certificate: Path
    fingerprint: str


def make_authority(folder: Path, name: str, *, days_ago: int = 0) -> Authority:
    """`days_ago` it was made, which is good for two days."""
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)

    def build(subject: str, issuer: str, key: Any, signer: Any, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(*(index in (5, 6) for index in range(9)))
            builder = builder.add_extension(usage, critical=True)
        else:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = build(f"CA of {name}", f"CA of {name}", ca_key, ca_key, ca=True)
    certificate = build(name, f"CA of {name}", key, ca_key, ca=False)
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    pem = ca.public_bytes(serialization.Encoding.PEM).decode()
    return Authority(pem, path, certificate.fingerprint(hashes.SHA256()).hex().upper())


# -- FTP and FTPS


class Folders(AbstractedFS):
    """What an FTP server shows. The library's own changes the folder of the whole process, which has other threads."""

    def chdir(self, path: str) -> None:
        os.scandir(path).close()
        self.cwd = self.fs2ftp(path)


def _ftp_handler(running: Running, kind: str, authority: Authority | None) -> type[FTPHandler]:
    base = FTPHandler if authority is None else TLS_FTPHandler

    class Handler(base):  # type: ignore[misc, valid-type]  # chosen when it is made
        permit_foreign_addresses = False
        use_sendfile = False
        auth_failed_timeout = 0  # the library's own keeps whoever is wrong waiting for seconds
        abstracted_fs = Folders

        def on_connect(self) -> None:
            running.sessions.add(self)

        def on_disconnect(self) -> None:
            running.sessions.discard(self)

        def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
            if cmd in running.replies:
                self.respond(running.replies[cmd])
            elif cmd in running.listings:
                lines = running.listings[cmd](Path(self.fs.ftp2fs(self.fs.cwd)))
                self.push_dtp_data("".join(f"{line}\r\n" for line in lines).encode(), cmd=cmd)
            else:
                super().process_command(cmd, *args, **kwargs)

        def ftp_MLSD(self, path: str) -> Any:
            if "drop listing" in running.misbehaviour:
                self.close()
                return None
            return super().ftp_MLSD(path)

        def ftp_LIST(self, path: str) -> Any:
            if "drop listing" in running.misbehaviour:
                self.close()
                return None
            return super().ftp_LIST(path)

        def ftp_RETR(self, file: str) -> Any:
            if "drop transfer" in running.misbehaviour:
                self.respond("150 here it comes")
                self.close()
                return None
            if "half a transfer" in running.misbehaviour:
                half = Path(file).with_suffix(".half")
                half.write_bytes(Path(file).read_bytes()[: Path(file).stat().st_size // 2])
                return super().ftp_RETR(str(half))
            if "busy" in running.misbehaviour:
                self.respond("450 try again")
                return None
            return super().ftp_RETR(file)

        def ftp_RNTO(self, path: str) -> Any:
            if "drop before rename" in running.misbehaviour:
                self.close()
                return None
            if "drop after rename" in running.misbehaviour:
                Path(self._rnfr).rename(path)
                self.close()
                return None
            return super().ftp_RNTO(path)

    Handler.proto_cmds = dict(FTPHandler.proto_cmds if authority is None else TLS_FTPHandler.proto_cmds)
    if kind == "Latin-1":
        Handler.encoding = "latin-1"
    if kind == "DOS":
        running.listings["LIST"] = list_like_dos
    if kind in ("no MLSD", "DOS"):
        for command in ("MLSD", "MLST"):
            Handler.proto_cmds.pop(command)
    if authority is not None:

        class Data(TLS_DTPHandler):
            def _do_ssl_shutdown(self) -> None:
                if running.misbehaviour & {"no goodbye", "reset data"}:
                    self.socket.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)
                if "reset data" in running.misbehaviour:
                    self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                super()._do_ssl_shutdown()

        Handler.dtp_handler = Data
        Handler.certfile = str(authority.certificate)
        Handler.tls_control_required = Handler.tls_data_required = True
    return Handler


def list_like_dos(folder: Path) -> Iterator[str]:
    """LIST as IIS answers it."""
    for entry in folder.iterdir():
        size = "<DIR>         " if entry.is_dir() else f"{entry.stat().st_size:>14}"
        yield f"11-24-26  05:30AM {size:>20} {entry.name}"


def list_like_ibm_i(folder: Path) -> Iterator[str]:
    """LIST of IBM i, in its file system that is like that of Unix."""
    for entry in folder.iterdir():
        kind, slash = ("*DIR ", "/") if entry.is_dir() else ("*STMF", "")
        yield f"ERP     {entry.stat().st_size:>12} 11/24/26 05:30:00 {kind}      {entry.name}{slash}"


@contextmanager
def run_ftp(
    folder: Path,
    kind: str = "",
    authority: Authority | None = None,
    *,
    permissions: str = "elradfmwMT",
    password: str = PASSWORD,
) -> Iterator[Running]:
    """Plain FTP, or with an authority FTP over explicit TLS; `kind` "implicit" speaks TLS from the first byte on."""
    running = Running(ServerSettings(protocol="ftp"), folder)
    handler = _ftp_handler(running, kind, authority)
    if kind == "implicit":
        handler = _implicit(handler)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, password, str(folder), perm=permissions)
    handler.authorizer = authorizer
    daemon = FTPDaemon(("127.0.0.1", 0), handler, ioloop=IOLoop())  # of its own, for its own thread
    running.settings = ServerSettings(
        protocol="ftp" if authority is None else "ftps-implicit" if kind == "implicit" else "ftps",
        host="127.0.0.1",
        port=daemon.address[1],
        user=USER,
        password=password,
        ca_bundle=authority.ca if authority else "",
        timeout=TIMEOUT,
    )
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            daemon.ioloop.loop(timeout=0.02, blocking=False)
        daemon.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        stop.set()
        thread.join(60)


def _implicit(handler: type[FTPHandler]) -> type[FTPHandler]:
    class Handler(handler):
        tls_control_required = False

        def handle(self) -> None:
            self.secure_connection(self.ssl_context or self.get_ssl_context())

        def handle_ssl_established(self) -> None:
            super().handle()

    return Handler


# -- SFTP


@contextmanager
def run_sftp(
    folder: Path,
    *,
    read_only: bool = False,
    client_key: str = "",
    host_keys: list[Any] | None = None,
    greeting: str = "",
    questions: list[tuple[str, bool]] | None = None,
    **options: Any,
) -> Iterator[Running]:
    """SFTP by asyncssh in a thread of its own, closed in the folder; with a `greeting` it says that and no SFTP.

    With `questions`, each with whether what is typed may be seen, it asks them and takes no password otherwise.
    `options` are the library's own.
    """
    keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
    running = Running(ServerSettings(protocol="sftp"), folder)
    loop = asyncio.new_event_loop()

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            self.conn = conn
            running.sessions.add(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            running.sessions.discard(self.conn)

        def password_auth_supported(self) -> bool:
            return questions is None

        def kbdint_auth_supported(self) -> bool:
            return questions is not None

        def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
            return "", "", "", questions

        def validate_kbdint_response(self, username: str, responses: Any) -> bool:
            return list(responses) == [USER if seen else PASSWORD for _, seen in questions or []]

        def validate_password(self, username: str, password: str) -> bool:
            if "password expired" in running.misbehaviour:
                raise asyncssh.PasswordChangeRequired("Choose a new password")
            if "repeat the password" in running.misbehaviour:
                self.conn.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, f"not {password}", "en")
            return (username, password) == (USER, PASSWORD)

        def public_key_auth_supported(self) -> bool:
            return bool(client_key)

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return key.export_public_key().decode().split()[:2] == client_key.split()[:2]

    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: Any) -> None:
            super().__init__(chan, chroot=str(folder).encode())

        def _drop(self) -> None:
            self.connection.abort()
            raise asyncssh.SFTPConnectionLost("dropped")

        async def scandir(self, path: bytes) -> Any:
            while "drip" in running.misbehaviour:
                await asyncio.sleep(0.1)
                yield asyncssh.SFTPName(b"a.txt", attrs=asyncssh.SFTPAttrs(size=5, permissions=0o100644))
            if "drop listing" in running.misbehaviour:
                self._drop()
            async for entry in super().scandir(path):
                yield entry

        async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
            if "drop transfer" in running.misbehaviour and offset:
                self._drop()
            if "drip" in running.misbehaviour:
                await asyncio.sleep(0.1)
                size = 1
            data = super().read(file_obj, offset, min(size, 1000))
            assert isinstance(data, bytes)  # not awaited in this version's own files
            if "half a transfer" in running.misbehaviour and offset:
                return b""
            return data

        def _refuse(self, what: str) -> None:
            if what in running.errors:
                raise running.errors[what]

        def stat(self, path: bytes) -> Any:
            try:
                return super().stat(path)
            except FileNotFoundError:
                self._refuse("missing")
                raise

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            if pflags & asyncssh.FXF_WRITE:
                self._refuse("write")
            else:
                self._refuse("read")
            if read_only and pflags & asyncssh.FXF_WRITE:
                raise asyncssh.SFTPPermissionDenied("read only")
            return super().open(path, pflags, attrs)

        def mkdir(self, path: bytes, attrs: Any) -> None:
            self._refuse("mkdir")
            if read_only:
                raise asyncssh.SFTPPermissionDenied("read only")
            super().mkdir(path, attrs)

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            self._refuse("rename")
            if read_only:
                raise asyncssh.SFTPPermissionDenied("read only")
            if "drop before rename" in running.misbehaviour:
                self._drop()
            super().rename(oldpath, newpath)
            if "drop after rename" in running.misbehaviour:
                self._drop()

    class Greeter(asyncssh.SSHServerSession[bytes]):
        def connection_made(self, chan: Any) -> None:
            self.chan = chan

        def subsystem_requested(self, subsystem: str) -> bool:
            return greeting != "refused"

        def session_started(self) -> None:
            self.chan.write(greeting.encode())
            self.chan.exit(1)

    if greeting:
        Login.session_requested = lambda self: Greeter()  # type: ignore[method-assign]  # of this class alone

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=keys, reuse_address=True, encoding=None,
            sftp_factory=None if greeting else Files, **options,
        )  # fmt: skip

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    running.settings = ServerSettings(
        protocol="sftp",
        host="127.0.0.1",
        port=listener.get_port(),
        user=USER,
        password=PASSWORD,
        host_key=keys[0].export_public_key().decode(),
        timeout=TIMEOUT,
    )

    async def end() -> None:
        listener.close()
        for connection in list(running.sessions):
            connection.abort()
        await listener.wait_closed()
        # Whoever came last may not be let in yet; a task or a socket that is left open fails whichever test finds it.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # what these close is closed in the next turn

    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


# -- servers that others wrote, where they are installed


@contextmanager
def _run_program(command: list[str], port: int, what: str) -> Iterator[None]:
    """A server program until the block ends. Raises NotStarted where it does not listen in time."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        for _ in range(3000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 60):
                break
            if process.poll() is not None:
                said = process.stdout.read().decode(errors="replace") if process.stdout else ""
                raise NotStarted(f"{what} ended at once: {said[-300:].strip()}")
            time.sleep(0.02)
        else:
            raise NotStarted(f"{what} did not listen in time")
        yield
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout:
            process.stdout.close()


class NotStarted(Exception):
    """A server program is not installed, or does not run here."""


def _find_program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise NotStarted(f"{name} is not installed")
    return path


@contextmanager
def run_openssh(
    folder: Path, place: Path, kinds: tuple[str, ...] = ("ssh-ed25519",), options: str = ""
) -> Iterator[Running]:
    """SFTP by OpenSSH as the user of the tests, who logs in with a key; `place` holds its settings.

    It has a key of each kind, of which the first is pinned.
    """
    program = _find_program("sshd")
    user, port = pwd.getpwuid(os.getuid()).pw_name, free_port()
    client_key = asyncssh.generate_private_key("ssh-ed25519")
    host_keys = {kind: asyncssh.generate_private_key(kind) for kind in kinds}
    for name, content in (
        *((kind, key.export_private_key().decode()) for kind, key in host_keys.items()),
        ("authorized_keys", client_key.export_public_key().decode()),
        (
            "sshd_config",
            f"Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\n"
            + "".join(f"HostKey {place}/{kind}\n" for kind in kinds)
            + options
            + f"AuthorizedKeysFile {place}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
            f"KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
            f'Subsystem sftp internal-sftp -d "{folder}"\n',
        ),
    ):
        (place / name).write_text(content)
        (place / name).chmod(0o600)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it confines itself
    settings = ServerSettings(
        protocol="sftp",
        host="127.0.0.1",
        port=port,
        user=user,
        private_key=client_key.export_private_key().decode(),
        host_key=host_keys[kinds[0]].export_public_key().decode(),
        timeout=TIMEOUT,
    )
    with _run_program([program, "-D", "-e", "-f", str(place / "sshd_config")], port, "sshd"):
        yield Running(settings, folder)


@contextmanager
def run_vsftpd(folder: Path, place: Path, authority: Authority) -> Iterator[Running]:
    """FTPS by vsftpd, which wants the data sessions to continue the TLS session of the control session."""
    program = _find_program("vsftpd")
    if os.getuid() != 0:
        raise NotStarted("vsftpd needs root")
    port = free_port()
    empty = place / "empty"
    empty.mkdir()
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and parent.is_relative_to(tempfile.gettempdir()):
            parent.chmod(parent.stat().st_mode | 0o055)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "ftp")
    folder.chmod(0o555)
    options = {
        "listen": "YES", "listen_address": "127.0.0.1", "listen_port": port, "background": "NO",
        "anonymous_enable": "YES", "anon_root": folder, "no_anon_password": "NO", "secure_chroot_dir": empty,
        "anon_upload_enable": "YES", "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES",
        "anon_world_readable_only": "NO", "write_enable": "YES", "ssl_enable": "YES", "allow_anon_ssl": "YES",
        "force_anon_logins_ssl": "YES", "force_anon_data_ssl": "YES", "require_ssl_reuse": "YES",
        "rsa_cert_file": authority.certificate, "ssl_ciphers": "HIGH", "pasv_address": "127.0.0.1",
        "seccomp_sandbox": "NO", "isolate": "NO", "isolate_network": "NO",
    }  # fmt: skip
    (place / "vsftpd.conf").write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    settings = ServerSettings(
        protocol="ftps",
        host="127.0.0.1",
        port=port,
        user="anonymous",
        password="anybody@example.com",
        ca_bundle=authority.ca,
        timeout=TIMEOUT,
    )
    with _run_program([program, str(place / "vsftpd.conf")], port, "vsftpd"):
        yield Running(settings, folder)

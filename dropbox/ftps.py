"""FTPS: what pyftpdlib is asked for, answered from the folder of a login."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.exceptions import AuthenticationFailed
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer

from dropbox.errors import OutOfOrder, Refused
from dropbox.folders import Folders
from dropbox.jobs import do_and_wait
from dropbox.logins import verify_password
from dropbox.sessions import CUT_OFF, LEFT, begin_session, end_session, note
from dropbox.strangers import Stranger
from dropbox.transfers import Data

if TYPE_CHECKING:
    from dropbox.sessions import Visit

LOGIN_SECONDS = 30
"""How long somebody may be silent who has not logged in yet."""
PERMISSIONS = "elradfwT"
NOT_UTF8 = "Names are in UTF-8 here, and this one is not."


class Listener:
    """An FTPS server in threads of its own, until it is closed; DROPBOX_PLAIN_FTP lets it speak without TLS too."""

    def __init__(self, host: str, port: int, certificate: bytes) -> None:
        """Raises OSError where the port cannot be had, and SSL.Error for what is no certificate with its key."""
        handler = type("Handler", (Control,), _read_settings(certificate))
        Server._exit.clear()
        self.server = Server((host, port), handler, ioloop=IOLoop())
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve, name="ftps", daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server.address[1])

    def _serve(self) -> None:
        while not self.over.is_set():
            self.server.ioloop.loop(timeout=0.5, blocking=False)
        self.server.close_all()

    def close(self) -> None:
        """Sessions have a moment to end in."""
        self.over.set()
        self.thread.join(10)


class Server(ThreadedFTPServer):
    max_cons = 1000
    max_cons_per_ip = 0


def _read_settings(certificate: bytes) -> dict[str, Any]:
    return {
        "ssl_context": make_context(certificate),
        "tls_control_required": not settings.DROPBOX_PLAIN_FTP,
        "tls_data_required": not settings.DROPBOX_PLAIN_FTP,
        "passive_ports": settings.DROPBOX_PASSIVE_PORTS,
        "masquerade_address": settings.DROPBOX_PASSIVE_ADDRESS,
        "timeout": LOGIN_SECONDS,
    }


def make_context(certificate: bytes) -> SSL.Context:
    """TLS 1.2 or newer, with the key and the certificates of a text in PEM.

    Raises ImproperlyConfigured where they are no key and its certificates.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate)
        file.flush()
        try:
            context.use_certificate_chain_file(file.name)
            context.use_privatekey_file(file.name)
            context.check_privatekey()
        except SSL.Error:
            raise ImproperlyConfigured(
                "DROPBOX_CERTIFICATE names a file that is not a certificate, its chain and its key in PEM format."
            ) from None
    context.set_session_id(b"customersync")
    return context


class Logins(DummyAuthorizer):
    """Asks the database; everybody may do what their folder lets them."""

    def validate_authentication(self, username: str, password: str, handler: Control) -> None:
        try:
            handler.visit = do_and_wait(_enter, username, password, handler)
        except OutOfOrder as error:
            handler.out_of_order = str(error)
            raise AuthenticationFailed from None
        except Refused as error:
            raise AuthenticationFailed(str(error).rstrip(".")) from None

    def get_home_dir(self, username: str) -> str:
        return "/"

    def has_perm(self, username: str, perm: str, path: str | None = None) -> bool:
        return True

    def get_perms(self, username: str) -> str:
        return PERMISSIONS

    def get_msg_login(self, username: str) -> str:
        return "Put files into the folder in."

    def get_msg_quit(self, username: str) -> str:
        return "Goodbye."


def _enter(user_name: str, password: str, handler: Control) -> Visit:
    login = verify_password(user_name, password, handler.remote_ip)
    if login is None:
        raise Refused("The user or the password is wrong, or too many attempts failed: then try in 15 minutes.")
    return begin_session(login, "FTPS" if handler.is_encrypted else "FTP", handler.remote_ip, handler.send_away)


class Control(TLS_FTPHandler):
    """A session: the library's, which answers what a folder answers and ends with its visit."""

    authorizer = Logins()
    dtp_handler = Data
    abstracted_fs = Folders
    banner = "Customer Sync"
    use_sendfile = False
    permit_foreign_addresses = False
    auth_failed_timeout = 1
    max_login_attempts = 3
    unicode_errors = "strict"
    visit: Visit | None = None
    stranger: Stranger | None = None
    _in_buffer: list[bytes]
    _idler: Any
    _watching: Any = None
    leaves = ""
    """Why the session is to end."""
    out_of_order = ""
    """What keeps the server from doing what this command asks for."""

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self.socket, SSL.Connection)

    def touch(self) -> None:
        if self.visit is not None:
            self.visit.touch()

    def send_away(self, why: str) -> None:
        """From any thread; the session's own looks every second."""
        self.leaves = why

    def on_connect(self) -> None:
        self.stranger = Stranger(self.remote_ip)
        if self.stranger.is_one_too_many:
            self.handle_max_cons_per_ip()

    def on_login(self, username: str) -> None:
        if self.stranger is not None:
            self.stranger.leave()
        self._idler.cancel()
        self.timeout = settings.DROPBOX_IDLE_SECONDS
        self._idler = self.ioloop.call_later(self.timeout, self.handle_timeout, _errback=self.handle_error)
        self._watching = self.ioloop.call_every(1, self._look_whether_to_leave, _errback=self.handle_error)

    def _look_whether_to_leave(self) -> None:
        if self.leaves and not self._closed:
            self.respond(f"421 The session is {self.leaves}.")
            self.close()

    def found_terminator(self) -> None:
        """The library keeps a line that it cannot decode, and all that come behind it."""
        try:
            b"".join(self._in_buffer).decode(self.encoding)
        except UnicodeDecodeError:
            self._in_buffer, self._in_buffer_len = [], 0
            self._refuse(NOT_UTF8)
            self.respond(f"501 {NOT_UTF8}")
        else:
            super().found_terminator()

    def _refuse(self, why: str) -> None:
        if self.visit is not None:
            with contextlib.suppress(OutOfOrder):
                do_and_wait(note, self.visit, refusal=why)

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        self.touch()
        self.out_of_order = ""
        super().process_command(cmd, *args, **kwargs)

    def handle_auth_failed(self, msg: str, password: str) -> None:
        """Who cannot be judged is no wrong login: clients try again after 421, and may never after 530."""
        if self.out_of_order:
            self.respond(f"421 {self.out_of_order}")
            self.close_when_done()
        else:
            super().handle_auth_failed(msg, password)

    def respond(self, resp: str, *args: Any, **kwargs: Any) -> None:
        """The library takes whatever fails for something that never can be done."""
        if self.out_of_order and resp.startswith("5"):
            resp = f"451 {self.out_of_order}"
        super().respond(resp, *args, **kwargs)

    def on_file_sent(self, file: str) -> None:
        if self.visit is not None:
            with contextlib.suppress(OutOfOrder):
                do_and_wait(note, self.visit, fetched=1)

    def on_logout(self, username: str) -> None:
        self._end_visit()

    def on_disconnect(self) -> None:
        if self.visit is not None and self.visit.ended == LEFT and not self._quit_pending:
            self.visit.ended = self.ended_by_quit or CUT_OFF
        self._end_visit()

    ended_by_quit = ""

    def ftp_QUIT(self, line: str) -> None:  # noqa: N802  (named after the command)
        self.ended_by_quit = LEFT
        super().ftp_QUIT(line)

    def ftp_SIZE(self, path: str) -> None:  # noqa: N802  (named after the command)
        """Whatever the type: files are kept as they came."""
        kind = vars(self)["_current_type"]
        self._current_type = "i"
        super().ftp_SIZE(path)
        self._current_type = kind

    def _end_visit(self) -> None:
        visit, self.visit = self.visit, None
        if visit is not None:
            with contextlib.suppress(OutOfOrder):  # then the session counts as lost after a while
                do_and_wait(end_session, visit)

    def close(self) -> None:
        """The library asks its loop to tell of the end, which ends with the last socket and may not get to it."""
        was_open = not self._closed
        super().close()
        if was_open and self._closed:
            if self.stranger is not None:
                self.stranger.leave()
            self.on_disconnect()
            if self._watching is not None:
                self._watching.cancel()  # a thread of the library lasts as long as anything is to be called in it

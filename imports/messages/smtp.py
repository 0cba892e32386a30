"""SMTP with a limit over the whole exchange: a mail server that drips holds no worker, and none keeps a socket open."""

from __future__ import annotations

import smtplib
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from django.core.mail.backends import smtp

from imports.filesystems import ServerUnreachable
from imports.filesystems.network import PATIENCE, TimeLimit, TLSSocket

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator, Sequence

    from django.core.mail import EmailMessage


SILENCE = 30
"""Seconds, where EMAIL_TIMEOUT says nothing."""


class SomeRefused(smtplib.SMTPRecipientsRefused):
    """The server took the mail, but not for these recipients. Django says nothing of them."""


class EmailBackend(smtp.EmailBackend):
    """Django's, which ends what takes longer than PATIENCE times its timeout.

    What the server took is sent, however it says goodbye. Raises SomeRefused beside what Django's raises.
    """

    session: _Session | None = None

    @property
    def connection_class(self) -> Any:
        return partial(_TLSSession if self.use_ssl else _Session, self)

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super().ssl_context
        context.sslsocket_class = TLSSocket
        return context

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        try:
            with TimeLimit(str(self.host), PATIENCE * (self.timeout or SILENCE), self._sockets):
                return super().send_messages(email_messages) or 0
        except SomeRefused:
            raise
        except (OSError, ServerUnreachable):
            if self.session is None or self.session.taken < len(email_messages):
                raise
            return self.session.taken
        finally:
            if self.session is not None:
                self.session.close()

    def _sockets(self) -> Iterator[socket.socket | None]:
        """Also of a session that is only being opened."""
        yield getattr(self.session, "sock", None)


class _Session(smtplib.SMTP):
    taken = 0
    """Of how many mails the server said that it has them."""

    def __init__(self, backend: EmailBackend, *args: Any, **kwargs: Any) -> None:
        backend.session = self
        super().__init__(*args, **kwargs)

    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        refused = super().sendmail(*args, **kwargs)
        self.taken += 1
        if refused:
            raise SomeRefused(refused)
        return refused


class _TLSSession(_Session, smtplib.SMTP_SSL):
    """TLS from the first byte on."""

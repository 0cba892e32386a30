"""SMTP with a limit over the whole exchange: a mail server that drips holds no worker."""

from __future__ import annotations

import smtplib
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.mail.backends import smtp

from imports.filesystems.network import PATIENCE, TimeLimit

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from django.core.mail import EmailMessage


SILENCE = 30
"""Seconds, where EMAIL_TIMEOUT says nothing."""


class EmailBackend(smtp.EmailBackend):
    """Django's, which ends what takes longer than PATIENCE times its timeout."""

    session: smtplib.SMTP | None = None

    @property
    def connection_class(self) -> Any:
        return partial(_TLSSession if self.use_ssl else _Session, self)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with TimeLimit(str(self.host), PATIENCE * (self.timeout or SILENCE), self._sockets):
            return super().send_messages(email_messages) or 0

    def _sockets(self) -> Iterator[socket.socket | None]:
        """Also of a session that is only being opened."""
        yield getattr(self.session, "sock", None)


class _Session(smtplib.SMTP):
    def __init__(self, backend: EmailBackend, *args: Any, **kwargs: Any) -> None:
        backend.session = self
        super().__init__(*args, **kwargs)


class _TLSSession(smtplib.SMTP_SSL):
    def __init__(self, backend: EmailBackend, *args: Any, **kwargs: Any) -> None:
        backend.session = self
        super().__init__(*args, **kwargs)

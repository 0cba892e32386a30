"""Webhooks: events as JSON, posted and signed as the Standard Webhooks specification says.

A receiver computes the signature anew over `<webhook-id>.<webhook-timestamp>.<body>` with the secret's bytes, and
takes an event whose id it knows for a repetition.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
from contextlib import closing
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.times import iso_utc
from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems import ServerUnreachable
from imports.filesystems.network import (
    PATIENCE,
    HostRefused,
    TimeLimit,
    begin_tls,
    find_addresses,
    is_private,
    open_socket,
)
from imports.messages.channels import Channel, Throttled
from imports.models import Webhook
from imports.tls import explain_tls, make_client_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from imports.messages.channels import Event
    from imports.models import Message

PREFIX = "whsec_"
SILENCE = 15.0
"""Seconds that a receiver may take to let itself be reached, and be silent then."""
LATER = (429, 503)
"""Statuses of a receiver that wants nothing else either for now."""
LONGEST_THROTTLING = timedelta(days=1)


def make_webhook_secret() -> str:
    """32 random bytes, in base64 behind the prefix that tells what they are."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_webhook_url(url: str) -> None:
    """Raise ValidationError where events may not be posted to the URL: they carry customers, so https and no redirect.

    Hosts of the operator's own networks are refused unless PRIVATE_NETWORKS names them, here and, because names may
    come to mean another address, whenever something is posted. To those that it names, plain http will do.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Give a URL that begins with https://.")
    if parts.username or parts.password:
        raise ValidationError("Give no password in the URL; the signature proves who posts.")
    try:
        addresses = find_addresses(parts.hostname, _port(parts))
    except HostRefused as error:
        raise ValidationError(str(error)) from None
    except (OSError, ValueError, OverflowError):
        raise ValidationError("The host is not known. Check the URL.") from None
    if parts.scheme != "https" and not all(is_private(address) for _, address in addresses):
        raise ValidationError("Give an https URL: what is posted tells of customers.")


class WebhookChannel(Channel):
    """Programs are told of everything."""

    kind = "webhook"
    label = "webhook"

    def write(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        if Webhook.objects.filter(account=event.account, enabled=True).exists():
            now = iso_utc(timezone.now())
            yield event.what, {"type": event.name, "timestamp": now, "data": event.described}

    def find_place(self, message: Message) -> str:
        webhook = _find_webhook(message)
        return urlsplit(webhook.url).netloc if webhook else self.kind

    def deliver(self, message: Message) -> None:
        webhook = _find_webhook(message)
        if webhook is None or not webhook.enabled:
            raise SettingsWrong("The account's webhook was removed or switched off.")
        post_event(webhook, message)


def _find_webhook(message: Message) -> Webhook | None:
    return Webhook.objects.filter(account=message.account).defer("secret").first()


def post_event(webhook: Webhook, message: Message) -> None:
    """Post the message's payload. Raises TryAgainLater where it is not taken, and says why; Throttled where the
    receiver wants to be left alone.
    """
    body = json.dumps(message.payload, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Customer-Sync",
        "Connection": "close",
        **sign_event(webhook.secret, event_id(message), body),
    }
    where = urlsplit(webhook.url)
    try:
        status, retry_after = _post(where, body, headers)
    except HostRefused as error:
        raise TryAgainLater(str(error)) from None
    if status in LATER:
        until = read_retry_after(retry_after)
        named = f", and wants to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
        raise Throttled(f"{where.hostname} answered with status {status}{named}.", until)
    if not 200 <= status < 300:
        moved = "; redirects are not followed, give the final URL" if 300 <= status < 400 else ""
        raise TryAgainLater(f"{where.hostname} answered with status {status}{moved}.")


def read_retry_after(text: str) -> datetime | None:
    """Until when a receiver wants to be left alone: seconds or a date, a day at most; none where it does not say."""
    now, text = timezone.now(), text.strip()
    if text.isascii() and text.isdigit():
        return now + min(timedelta(seconds=int(text[:9])), LONGEST_THROTTLING)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, now + LONGEST_THROTTLING) if moment > now else None


def _post(where: SplitResult, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """The status that the receiver answers with, and its Retry-After. What else it says is never read."""
    host, plain = where.hostname or "", where.scheme != "https"
    receiver = (_PlainReceiver if plain else _Receiver)(host, _port(where), timeout=SILENCE)
    try:
        if plain and not all(is_private(address) for _, address in find_addresses(host, receiver.port)):
            raise TryAgainLater("The webhook's URL is not https.")
        with TimeLimit(host, PATIENCE * SILENCE, lambda: [receiver.sock]), closing(receiver):
            path = f"{where.path or '/'}{'?' if where.query else ''}{where.query}"
            receiver.request("POST", quote(path, safe="/?&=%:;,+$@!~*'()[]"), body, headers)
            answer = receiver.getresponse()
            return answer.status, answer.getheader("Retry-After", "")
    except (OSError, HTTPException, ValueError, OverflowError) as error:
        raise ServerUnreachable(f"{host} could not be reached: {_explain(error)}.") from None


def _port(where: SplitResult) -> int:
    return where.port or {"http": 80, "https": 443}[where.scheme]


class _PlainReceiver(HTTPConnection):
    """HTTP to an address that may be reached."""

    def connect(self) -> None:
        self.sock = open_socket(self.host, self.port, SILENCE)


class _Receiver(HTTPSConnection):
    """HTTPS to an address that may be reached, by no proxy of the machine's own."""

    def connect(self) -> None:
        plain = open_socket(self.host, self.port, SILENCE)
        self.sock = begin_tls(make_client_context(), plain, self.host)


def event_id(message: Message) -> str:
    """The same at every attempt."""
    return f"msg_{message.pk}_{message.created_at:%Y%m%d%H%M%S}"


def sign_event(secret: str, identifier: str, body: bytes) -> dict[str, str]:
    """The three headers that say which event it is, when it was posted and by whom."""
    moment = str(int(timezone.now().timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = hmac.digest(key, f"{identifier}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": identifier,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _explain(error: Exception) -> str:
    """What went wrong, without the URL, which may hold a secret in its path, and without the receiver's words."""
    if isinstance(error, ssl.SSLError):
        return explain_tls(error)
    if isinstance(error, TimeoutError):
        return "it gave no answer in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "its name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens at the port"
    if isinstance(error, ConnectionError):  # also where it closed without a word
        return "it ended the session without an answer"
    return "no session could be opened" if isinstance(error, OSError) else "the answer made no sense"

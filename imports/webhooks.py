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
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress, filter_host

from imports.errors import TryAgainLater
from imports.filesystems import ServerUnreachable

if TYPE_CHECKING:
    from imports.models import Message, Webhook

PREFIX = "whsec_"
TIMEOUT = (10.0, 20.0)
"""Seconds to open the session, and between two pieces of the answer."""


def make_webhook_secret() -> str:
    """32 random bytes, in base64 behind the prefix that tells what they are."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_webhook_url(url: str) -> None:
    """Raise ValidationError where events may not be posted to the URL: they carry customers, so https and no redirect.

    Hosts of the operator's own network are refused unless PRIVATE_WEBHOOKS says otherwise, here and, because names
    may come to mean another address, whenever something is posted.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Give a URL that begins with https://.")
    if parts.username or parts.password:
        raise ValidationError("Give no password in the URL; the signature proves who posts.")
    if settings.PRIVATE_WEBHOOKS:
        return
    if parts.scheme != "https":
        raise ValidationError("Give an https URL: what is posted tells of customers.")
    try:
        filter_host(parts.hostname or "", parts.port or 443, allow_loopback=False)
    except InvalidIPAddress:
        raise ValidationError(
            "The host is in a private network. Give a public one, or have the operator set PRIVATE_WEBHOOKS."
        ) from None
    except (requests.RequestException, ValueError):
        raise ValidationError("The host is not known. Check the URL.") from None


def post_event(webhook: Webhook, message: Message) -> None:
    """Post the message's payload. Raises TryAgainLater where it is not taken, and says why."""
    body = json.dumps(message.payload, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", **sign_event(webhook.secret, event_id(message), body)}
    hardened = Manager(
        Config(
            ip_filter_enable=not settings.PRIVATE_WEBHOOKS,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=TIMEOUT,
            user_agent_override="Customer-Sync",
        )
    )
    where = urlsplit(webhook.url)
    if where.scheme != "https" and not settings.PRIVATE_WEBHOOKS:
        raise TryAgainLater("The webhook's URL is not https.")
    try:
        with hardened.get_session() as session:
            session.trust_env = False  # no proxy and no password of the machine's own
            with session.post(webhook.url, data=body, headers=headers, stream=True) as answer:
                status = answer.status_code
    except InvalidIPAddress:
        raise TryAgainLater(f"{where.hostname} is in a private network, and PRIVATE_WEBHOOKS is off.") from None
    except requests.RequestException as error:
        raise ServerUnreachable(f"{where.hostname} could not be reached: {_explain(error)}.") from None
    if not 200 <= status < 300:
        moved = "; redirects are not followed, give the final URL" if 300 <= status < 400 else ""
        raise TryAgainLater(f"{where.hostname} answered with status {status}{moved}.")


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


def _explain(error: Any) -> str:
    """What went wrong, without the URL, which may hold a secret in its path."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified"
    if isinstance(error, requests.Timeout):
        return "it gave no answer in time"
    return "no session could be opened" if isinstance(error, requests.ConnectionError) else "the answer made no sense"

"""Logging in to the admin: its form, which looks at no password once there were too many attempts.

It stands beside `accounts.admin` because the site asks for it while it is made, before it has any page.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from accounts.attempts import WINDOW, begin_attempt, forget_failures

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger(__name__)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: behind a proxy, what the proxy itself wrote, which stands last.

    Some write the port behind it, which is another one for every connection.
    """
    told = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    address = str(told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))
    with_port = re.fullmatch(r"\[(.+)\](?::\d+)?|([\d.]+):\d+", address)
    return ((with_port[1] or with_port[2]) if with_port else address)[:45]


class LoginForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        attempt = begin_attempt(str(self.cleaned_data.get("username") or ""), address_of(self.request))
        if attempt is None:
            minutes = int(WINDOW.total_seconds() // 60)
            raise ValidationError(
                f"Too many attempts to log in. Try again in {minutes} minutes; whoever runs Customer Sync finds them "
                "in the log.",
                code="too_many_attempts",
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            log.warning("Login failed for %r from %s.", attempt.username, attempt.address or "an unknown address")
            raise
        forget_failures(attempt.username, attempt.address)
        return cleaned

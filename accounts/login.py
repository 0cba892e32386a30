"""Logging in: how often it may be tried. Counted in the database, so that it holds for all processes together."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import AuthenticationForm

from accounts.models import LoginAttempt

if TYPE_CHECKING:
    from django.http import HttpRequest

WINDOW = timedelta(minutes=15)
LIMITS = {("username", "address"): 5, ("address",): 50, ("username",): 100}
"""Failures in the window: of a person from one address, of an address, and of a person from wherever."""

log = logging.getLogger(__name__)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: behind a proxy, what the proxy itself wrote, which stands last."""
    told = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    address = told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    return str(address)[:45]


class LoginForm(AuthenticationForm):
    """The admin's, which looks at no password once there were too many attempts."""

    def clean(self) -> dict[str, Any]:
        attempt = begin_attempt(str(self.cleaned_data.get("username") or ""), self.request)
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
        LoginAttempt.objects.filter(username=attempt.username, address=attempt.address).delete()
        return cleaned


def begin_attempt(username: str, request: HttpRequest) -> LoginAttempt | None:
    """Count an attempt before the password is looked at, so that many at once gain nothing; None when it is refused."""
    since = timezone.now() - WINDOW
    LoginAttempt.objects.filter(at__lt=since).delete()
    attempt = LoginAttempt.objects.create(username=username.lower()[:150], address=address_of(request))
    for names, limit in LIMITS.items():
        same = {name: getattr(attempt, name) for name in names}
        if LoginAttempt.objects.filter(at__gte=since, **same).count() > limit:
            attempt.delete()  # who waits is let in again, whatever was tried meanwhile
            told = " and ".join(f"{name} {value!r}" for name, value in same.items())
            log.warning("Login refused: more than %s failed attempts of %s.", limit, told)
            return None
    return attempt

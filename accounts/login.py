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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["autofocus"] = True

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
        forget_failures(attempt.username, attempt.address)
        return cleaned


def begin_attempt(username: str, request: HttpRequest) -> LoginAttempt | None:
    """Count an attempt before the password is looked at, so that many at once gain nothing; None when it is refused."""
    LoginAttempt.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    attempt = count_failure(username, address_of(request))
    told = _find_exceeded(attempt.username, attempt.address, one_more=0)
    if told:
        attempt.delete()  # who waits is let in again, whatever was tried meanwhile
        log.warning("Login refused: more than %s failed attempts of %s.", *told)
        return None
    return attempt


def count_failure(username: str, address: str) -> LoginAttempt:
    return LoginAttempt.objects.create(username=username.lower()[:150], address=address[:45])


def forget_failures(username: str, address: str) -> None:
    LoginAttempt.objects.filter(username=username.lower()[:150], address=address[:45]).delete()


def is_locked_out(username: str, address: str) -> bool:
    """Whether one more attempt would be one too many. For logins of programs, which come many at once and go well."""
    return _find_exceeded(username.lower()[:150], address[:45], one_more=1) is not None


def _find_exceeded(username: str, address: str, *, one_more: int) -> tuple[int, str] | None:
    """The limit that is exceeded, and of whom."""
    attempt = {"username": username, "address": address}
    since = timezone.now() - WINDOW
    for names, limit in LIMITS.items():
        same = {name: attempt[name] for name in names}
        if LoginAttempt.objects.filter(at__gte=since, **same).count() + one_more > limit:
            return limit, " and ".join(f"{name} {value!r}" for name, value in same.items())
    return None

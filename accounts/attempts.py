"""Attempts to log in: how often it may be tried. Counted in the database, so that it holds for all processes."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from accounts.models import LoginAttempt

WINDOW = timedelta(minutes=15)
LIMITS = {("username", "address"): 5, ("address",): 50, ("username",): 100}
"""Failures in the window: of a person from one address, of an address, and of a person from wherever."""

log = logging.getLogger(__name__)


def begin_attempt(username: str, address: str) -> LoginAttempt | None:
    """Count an attempt before the password is looked at, so that many at once gain nothing; None when it is refused."""
    LoginAttempt.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    attempt = count_failure(username, address)
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

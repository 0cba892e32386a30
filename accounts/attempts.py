"""Attempts to log in: how often it may be tried. Counted in the database, so that it holds for all processes."""

from __future__ import annotations

import logging
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.models import LoginAttempt

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW = timedelta(minutes=15)
LIMITS: dict[tuple[str, ...], int] = {("username", "address"): 5, ("address",): 50, ("username",): 100}
"""Failures in the window: of a person from one address, of an address, and of a person from wherever."""
NETWORK_OF_ONE = 64
"""Bits by which an IPv6 address tells whose it is; the others are the owner's to choose, anew for every attempt."""

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
    return LoginAttempt.objects.create(username=username.lower()[:150], address=whose(address))


def forget_failures(username: str, address: str) -> None:
    LoginAttempt.objects.filter(username=username.lower()[:150], address=whose(address)).delete()


def is_locked_out(username: str, address: str, *, minds_others: bool = True) -> bool:
    """Whether one more attempt would be one too many. For logins of programs, which come many at once and go well.

    `minds_others`: what was tried from other addresses counts too.
    """
    limits = {names: limit for names, limit in LIMITS.items() if minds_others or "address" in names}
    return _find_exceeded(username.lower()[:150], whose(address), limits, one_more=1) is not None


def whose(address: str) -> str:
    """What an address is counted by: itself, or the network that an IPv6 address is one owner's of."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Network((int(known), NETWORK_OF_ONE), strict=False))


def _find_exceeded(
    username: str, address: str, limits: Mapping[tuple[str, ...], int] = LIMITS, *, one_more: int
) -> tuple[int, str] | None:
    """The limit that is exceeded, and of whom."""
    attempt = {"username": username, "address": address}
    since = timezone.now() - WINDOW
    for names, limit in limits.items():
        same = {name: attempt[name] for name in names}
        if LoginAttempt.objects.filter(at__gte=since, **same).count() + one_more > limit:
            return limit, " and ".join(f"{name} {value!r}" for name, value in same.items())
    return None

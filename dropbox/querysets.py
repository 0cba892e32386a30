"""Conditions on logins, sessions and what lies in drop boxes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from dropbox.models import Login, Session, StoredFile  # noqa: F401  (names used in annotations)

LONGEST_SILENCE = timedelta(minutes=2)
"""How long a session may give no sign of life before it counts as lost; its server gives one every few seconds.

By the clock of the database, as those of several servers may differ.
"""


class LoginQuerySet(models.QuerySet["Login"]):
    def open(self) -> Self:
        """Those that may log in now: neither they nor their feeds are paused, and files come by the drop box."""
        return self.filter(enabled=True, feed__enabled=True, feed__protocol="dropbox")


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self) -> Self:
        return self.filter(ended_at=None, seen_at__gte=Now() - LONGEST_SILENCE)

    def lost(self) -> Self:
        """Sessions whose server was killed."""
        return self.filter(ended_at=None, seen_at__lt=Now() - LONGEST_SILENCE)


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def whole(self) -> Self:
        return self.filter(whole=True)

    def count_bytes(self) -> int:
        return self.aggregate(total=models.Sum("size"))["total"] or 0

"""What expires: sessions, attempts to log in, and the answers to requests that are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.api.idempotency import KEPT
from accounts.attempts import WINDOW
from accounts.models import IdempotencyKey, LoginAttempt
from accounts.pruning import Prunable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from django.db.models import Model, QuerySet


class _Expiring(Prunable):
    """Rows that are worth nothing any more after a time that no setting changes, and that have an index by it."""

    model: type[Model]
    time: str
    after: timedelta | None = None

    def cutoff(self) -> datetime:
        now = timezone.now()
        return now if self.after is None else now - self.after

    def find_old(self, before: datetime) -> QuerySet[Model]:
        return self.model._base_manager.filter(**{f"{self.time}__lt": before})

    def count_old(self, before: datetime) -> int:
        return self.find_old(before).count()

    def prune_batch(self, before: datetime, most: int) -> int | None:
        found = list(self.find_old(before).values_list("pk", flat=True)[:most])
        self.find_old(before).filter(pk__in=found).delete()
        return len(found) or None


class Sessions(_Expiring):
    name = "sessions"
    label = "sessions of people that ran out"
    model = Session
    time = "expire_date"


class LoginAttempts(_Expiring):
    name = "logins"
    label = "attempts to log in that no longer count"
    model = LoginAttempt
    time = "at"
    after = WINDOW


class Answers(_Expiring):
    name = "answers"
    label = "answers to requests with an Idempotency-Key"
    model = IdempotencyKey
    time = "made_at"
    after = KEPT

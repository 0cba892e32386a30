"""Figures for Prometheus: new connections that wait for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.figures import gauge, gauges
from connections.models import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


def find() -> Iterator[Metric]:
    """Of production accounts: nobody reviews what is in a sandbox."""
    now = timezone.now()
    waiting = Connection.objects.awaiting_review().filter(account__sandbox_of=None).with_due().order_by()
    found = waiting.aggregate(
        waiting=Count("pk"),
        overdue=Count("pk", filter=Q(due_at__lte=now)),
        since=Min(Coalesce("reviewed_at", "created_at")),
    )
    since = found.pop("since")
    yield gauges(
        "reviews", "New connections that wait for a review, and those overdue.", "state", sorted(found.items())
    )
    age = max(0.0, (now - since).total_seconds()) if since else 0.0
    yield gauge("reviews_oldest_seconds", "How long the oldest of them waits.", age)

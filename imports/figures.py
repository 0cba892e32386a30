"""Figures for Prometheus: the queue, feeds, runs, messages, and whoever was seen at work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, F, Min, Q
from django.db.models.functions import Extract, Now
from django.utils import timezone
from django_q.models import OrmQ

from accounts.figures import gauge, gauges
from imports.health import LONGEST_DELAY, LONGEST_SILENCE
from imports.lanes import Lane, find_waiting
from imports.models import Feed, Heartbeat, Message, Run
from imports.querysets import CLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from prometheus_client.core import Metric


def find() -> Iterator[Metric]:
    yield from _find_queue()
    yield from _find_feeds()
    yield from _find_runs()
    yield from _find_messages()
    yield from _find_workers()


def _find_queue() -> Iterator[Metric]:
    depths, ages = [], []
    tasks = {row["key"]: row for row in OrmQ.objects.values("key").annotate(count=Count("pk"), since=Min("lock"))}
    for lane in Lane:
        waiting = [rows.order_by().aggregate(count=Count("pk"), since=Min("queued_at")) for rows in find_waiting(lane)]
        waiting += [tasks[lane]] if lane in tasks else []
        depths.append((lane.value, sum(one["count"] for one in waiting)))
        ages.append((lane.value, max((_age(one["since"]) for one in waiting), default=0)))
    yield gauges("queue_depth", "What waits for a worker.", "lane", depths)
    yield gauges("queue_oldest_seconds", "How long the oldest of it waits.", "lane", ages)


def _find_feeds() -> Iterator[Metric]:
    now = timezone.now()
    due = Q(next_pull_at=None) | Q(next_pull_at__lte=now)
    found = Feed.objects.filter(enabled=True).aggregate(
        enabled=Count("pk"),
        due=Count("pk", filter=due),
        late=Count("pk", filter=Q(next_pull_at__lt=now - LONGEST_DELAY)),
        failing=Count("pk", filter=Q(failures__gte=F("alert_after"))),
        unmoved=Count("pk", filter=~Q(move_problem="")),
        latest=Min("next_pull_at"),
    )
    latest = found.pop("latest")
    found["silent"] = Feed.objects.silent().count()
    yield gauges("feeds", "Enabled feeds: all, and those in a state.", "state", sorted(found.items()))
    yield gauge("feeds_latest_seconds", "How long the feed waits whose turn came first.", _age(latest))


def _find_runs() -> Iterator[Metric]:
    active = Run.objects.filter(status__in=["queued", "running"]).order_by()
    counts = dict.fromkeys(("queued", "running"), 0) | dict(active.values_list("status").annotate(Count("pk")))
    held = Run.objects.awaiting_decision().order_by().aggregate(count=Count("pk"), since=Min("finished_at"))
    counts["held"] = held["count"]
    yield gauges("runs_active", "Runs that are not at an end.", "status", sorted(counts.items()))
    yield gauge("held_oldest_seconds", "How long the oldest held file waits for a decision.", _age(held["since"]))
    yield gauge("runs_silent", "Runs whose process gives no sign of life.", Run.objects.silent().count())


def _find_messages() -> Iterator[Metric]:
    pending = Message.objects.pending().order_by().values("kind").annotate(count=Count("pk"), since=Min("created_at"))
    found = list(pending)
    yield gauges("messages_pending", "Messages to deliver.", "channel", [(one["kind"], one["count"]) for one in found])
    ages = [(one["kind"], _age(one["since"])) for one in found]
    yield gauges("messages_oldest_seconds", "How long the oldest of them waits.", "channel", ages)


def _find_workers() -> Iterator[Metric]:
    seen = Heartbeat.objects.exclude(name__startswith=CLOCK).order_by("name")
    ages = seen.values_list("name", Extract(Now() - F("at"), "epoch"))
    yield gauges("seen_seconds", "How long ago it was seen at work, by the database's clock.", "name", ages)
    clocks = Heartbeat.objects.clocks().filter(at__gte=Now() - LONGEST_SILENCE)
    skews = [(clock.name.partition(".")[2], clock.skew) for clock in clocks]
    yield gauges("clock_skew_seconds", "How far a machine's clock is ahead of the database's.", "machine", skews)


def _age(since: datetime | None) -> float:
    """Seconds; 0 where nothing waits, or not yet."""
    return max(0.0, (timezone.now() - since) / timedelta(seconds=1)) if since else 0.0

"""What the home page shows of imports: files and feeds that need somebody, runs of two weeks, and the feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from accounts.admin.home import Need, Panel
from accounts.users import user_of
from accounts.zones import short_time
from imports.admin.entries import offer_entries
from imports.admin.filters import TODAY, begin_of
from imports.models import Feed, Run
from imports.runs.awaiting import MOST_LOOKED_AT, find_awaited_in
from lookups.models import PriceType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from accounts.admin.home import Scope

DAYS = 14
MOST_FEEDS = 8
MOST_AWAITED = 5
HEIGHT = 96
"""Of the chart, in units of its own."""
SERIES = ("rejected", "updated", "created")
"""From the bottom of each bar to its top."""


def find_needs(request: HttpRequest, scope: Scope) -> Iterator[Need]:
    runs = Run.objects.filter(account__in=scope.accounts)
    feeds = Feed.objects.filter(account__in=scope.accounts)
    today = runs.filter(started_at__gte=begin_of(timezone.localdate()), dry_run=False)
    held = ("file is held and waits for a decision", "files are held and wait for a decision")
    yield scope.need(runs.awaiting_decision(), held, {"awaits": "yes"}, is_urgent=True)
    ended = {
        Run.Status.REJECTED: ("file was rejected today", "files were rejected today"),
        Run.Status.PARTIAL: ("file went in only in part today", "files went in only in part today"),
        Run.Status.FAILED: ("import failed today", "imports failed today"),
    }
    counts = dict(today.filter(status__in=ended).order_by().values_list("status").annotate(Count("pk")))
    for status, words in ended.items():
        count = counts.get(status, 0)
        query = {"status__exact": status.value, "day": TODAY, "dry_run__exact": "0"}
        yield Need(count, words[count != 1], scope.list_of(Run, query))
    yield scope.need(feeds.failing(), ("feed is failing", "feeds are failing"), {"state": "failing"}, is_urgent=True)
    silent = ("feed is silent: no file came", "feeds are silent: no file came")
    yield scope.need(feeds.silent(), silent, {"state": "silent"})
    unmoved = ("feed cannot move what it imported", "feeds cannot move what they imported")
    yield scope.need(feeds.unmoved(), unmoved, {"state": "unmoved"})


@dataclass(frozen=True)
class Bar:
    """One day of the chart: its counts, and where its parts stand, as (series, y, height)."""

    day: date
    x: int
    counts: dict[str, int]
    parts: list[tuple[str, float, float]]
    url: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def show_runs(request: HttpRequest, scope: Scope) -> Iterator[Panel]:
    """Customers created, updated and rejected on each of the last days."""
    last = timezone.localdate()
    days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    found = (
        Run.objects.filter(account__in=scope.accounts, dry_run=False, undoes=None, started_at__gte=begin_of(days[0]))
        .exclude(status__in=[Run.Status.HELD, Run.Status.UNDONE])
        .annotate(day=TruncDate("started_at"))
        .order_by("day")
        .values("day")
        .annotate(wrong=Sum("rejected"), changed=Sum("updated"), new=Sum("created"))
        .values_list("day", "wrong", "changed", "new")
    )
    counts = {day: dict(zip(SERIES, sums, strict=True)) for day, *sums in found}
    nothing = dict.fromkeys(SERIES, 0)
    highest = max((sum(of_day.values()) for of_day in counts.values()), default=0)
    bars = [_bar(number, day, counts.get(day, nothing), highest, scope) for number, day in enumerate(days)]
    context = {"bars": bars, "highest": highest, "days": DAYS, "height": HEIGHT, "series": SERIES}
    context |= {"price_types": scope.list_of(PriceType), "account": scope.chosen}
    yield Panel("Customers in files", "home/runs.html", context, scope.list_of(Run))


def _bar(number: int, day: date, counts: dict[str, int], highest: int, scope: Scope) -> Bar:
    parts, below = [], 0.0
    for name in SERIES:
        height = round(HEIGHT * counts[name] / highest, 1) if highest else 0.0
        if counts[name]:
            height = max(height, 1.0)
            parts.append((name, round(HEIGHT - below - height, 1), height))
        below += height
    return Bar(day, number * 20, counts, parts, scope.list_of(Run, {"day": str(day)}))


def show_awaited(request: HttpRequest, scope: Scope) -> Iterator[Panel]:
    """Entries that lists lack and customers wait for: in the chosen account, or where a file last rejected some."""
    rejecting = Run.objects.filter(account__in=scope.accounts).replayable()
    last = rejecting.select_related("account").order_by("-pk").first()
    account = last.account if last else None
    if account is None or not user_of(request).may_edit(account.pk):
        return
    if awaited := find_awaited_in(account, most=MOST_LOOKED_AT)[:MOST_AWAITED]:
        rows = list(offer_entries(account, awaited))
        yield Panel(f"What the lists of {account} lack", "home/awaited.html", {"rows": rows})


def show_feeds(request: HttpRequest, scope: Scope) -> Iterator[Panel]:
    """Feeds with their state, those that need somebody first."""
    feeds = Feed.objects.filter(account__in=scope.accounts).with_state().select_related("account")
    shown = feeds.order_by(F("is_held").desc(), "-failures", F("file_at").desc(nulls_last=True), "pk")[: MOST_FEEDS + 1]
    rows = [
        {
            "feed": feed,
            "url": reverse("admin:imports_feed_change", args=[feed.pk]),
            "state": feed.state,
            "why": feed.trouble,
            "last": short_time(feed.file_at),
            "next": short_time(feed.next_pull_at) if feed.enabled else "",
        }
        for feed in shown
    ]
    asked = {"account": scope.chosen.pk} if scope.chosen else None
    context = {
        "rows": rows[:MOST_FEEDS],
        "more": len(rows) > MOST_FEEDS,
        "add": reverse("admin:imports_feed_add", query=asked),
    }
    yield Panel("Feeds", "home/feeds.html", context, scope.list_of(Feed))

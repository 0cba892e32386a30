"""Filters of runs and feeds: by what they need, by how they are doing, and by the day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.utils import timezone
from django.utils.dateparse import parse_date

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from imports.models import Feed, Run
    from imports.querysets import FeedQuerySet, RunQuerySet

TODAY = "today"


class AwaitsDecision(admin.SimpleListFilter):
    title = "decision"
    parameter_name = "awaits"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("yes", "awaits a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return cast("RunQuerySet", queryset).awaiting_decision() if self.value() == "yes" else queryset


class DayFilter(admin.SimpleListFilter):
    """Runs that began on one day of the site's time zone: today, the days before, or any other by its date."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        last = timezone.localdate()
        days = [(str(last - timedelta(days=days)), str(last - timedelta(days=days))) for days in range(1, 14)]
        chosen = find_day(self.used_parameters.get(self.parameter_name))
        others = [(str(chosen), str(chosen))] if chosen and (str(chosen), str(chosen)) not in days else []
        return [(TODAY, TODAY), *days, *(others if chosen != last else [])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        day = find_day(self.value())
        return queryset.filter(started_at__gte=begin_of(day), started_at__lt=end_of(day)) if day else queryset


def find_day(text: Any) -> date | None:
    """The day that a parameter names; none for what is no day."""
    if text == TODAY:
        return timezone.localdate()
    try:
        return parse_date(text) if isinstance(text, str) else None
    except ValueError:
        return None


def begin_of(day: date) -> datetime:
    """When the day begins in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    return begin_of(day + timedelta(days=1)) if day < date.max else begin_of(day)


class FeedStateFilter(admin.SimpleListFilter):
    """How enabled feeds are doing."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("failing", "failing"), ("silent", "silent"), ("unmoved", "cannot move files"), ("new", "never pulled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> QuerySet[Feed]:
        feeds = cast("FeedQuerySet", queryset)
        match self.value():
            case "failing":
                return feeds.failing()
            case "silent":
                return feeds.silent()
            case "unmoved":
                return feeds.unmoved()
            case "new":
                return feeds.filter(enabled=True, pulled_at=None)
        return feeds

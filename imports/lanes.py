"""Lanes: which workers do what, so that nobody waits behind what may wait, and what waits in each, the oldest first.

What is to be done is known by feeds and runs alone: `queued_at` says since when each waits. Workers take the oldest.
"""

from __future__ import annotations

import enum
from functools import cache
from multiprocessing.sharedctypes import RawValue
from operator import itemgetter
from typing import TYPE_CHECKING

from django.conf import settings

from imports.models import Feed, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from imports.querysets import FeedQuerySet, RunQuerySet

    Rows = QuerySet[Run] | QuerySet[Feed]
    Statement = tuple[type[Run] | type[Feed], str, tuple[object, ...]]


class Lane(enum.StrEnum):
    """Each has workers of its own, which do nothing else."""

    PROMPT = "prompt"
    """What a person or a program waits for: uploads, releases, replays, undos, pulls that were asked for, messages."""
    FEEDS = "feeds"
    """Pulls by the schedule."""
    BULK = "bulk"
    """What takes long: big files, and looking for duplicates."""

    @property
    def heartbeat(self) -> str:
        """Where it stands when the lane was last seen at work, on any machine."""
        return f"workers.{self}"


TAKE = """
    WITH head AS MATERIALIZED ({first} FOR UPDATE OF {table} SKIP LOCKED),
    taken AS (UPDATE {table} SET queued_at = NULL FROM head WHERE {table}.id = head.id)
    SELECT * FROM head
"""
"""The row as it waited, which waits no more."""
closed = RawValue("b", 0)
"""Whether the workers of this process and its children take nothing more, because they are to end."""


def share_workers(total: int) -> dict[Lane, int]:
    """How many of so many workers each lane gets: at least one."""
    prompt, bulk = max(1, total // 3), max(1, total // 6)
    return {Lane.PROMPT: prompt, Lane.FEEDS: max(1, total - prompt - bulk), Lane.BULK: bulk}


def find_waiting(lane: Lane) -> Sequence[Rows]:
    """What waits in the lane for a worker, by kind, and of each kind the oldest first."""
    return [rows.all() for rows in _find(lane, settings.FEED_SESSIONS_PER_HOST)]


@cache
def _find(lane: Lane, _sessions_per_host: int) -> Sequence[Rows]:
    """What is asked all day long, and never changes while the settings do not."""
    match lane:
        case Lane.PROMPT:
            return [_find_runs().small(), _find_feeds(asked=True)]
        case Lane.FEEDS:
            return [_find_feeds(asked=False)]
        case Lane.BULK:
            return [_find_runs().big()]


def _find_runs() -> RunQuerySet:
    return Run.objects.next_in_account().only("pk", "status", "queued_at").order_by("queued_at", "pk")


def _find_feeds(*, asked: bool) -> FeedQuerySet:
    feeds = Feed.objects.waiting().with_fellows().filter(pull_asked=asked)
    known = ("name", "account", "protocol", "host", "port", "user", "queued_at")
    return feeds.only(*known).order_by("queued_at", "next_pull_at", "pk")


def take(lane: Lane) -> Run | Feed | None:
    """Take what has waited longest out of the lane; None where nothing waits, or this process is to end.

    Whoever takes it and is killed before it is begun loses nothing: the schedule finds that it is due and not queued.
    """
    statements = _compose_of_lane(lane, settings.FEED_SESSIONS_PER_HOST)
    if len(statements) > 1:
        heads = [(rows.first(), statement) for rows, statement in zip(find_waiting(lane), statements, strict=True)]
        since = [(head.queued_at, statement) for head, statement in heads if head is not None]
        statements = [statement for _, statement in sorted(since, key=itemgetter(0))]
    for statement in statements:
        if taken := _take(statement):
            return taken
    return None


def take_fellow(lane: Lane, feed: Feed) -> Feed | None:
    """The same of the feeds that may be pulled in the same session as another one."""
    found = _take(_compose(_find_feeds(asked=lane == Lane.PROMPT).of_login(feed)))
    return found if isinstance(found, Feed) else None


@cache
def _compose_of_lane(lane: Lane, sessions_per_host: int) -> Sequence[Statement]:
    """To compose them anew for every row would take longer than to execute them."""
    return [_compose(rows) for rows in _find(lane, sessions_per_host)]


def _compose(rows: Rows) -> Statement:
    """Takes the first of the rows that nobody else is taking."""
    table = rows.model._meta.db_table
    first, parameters = rows[:1].query.sql_with_params()
    return rows.model, TAKE.format(first=first, table=table), parameters


def _take(statement: Statement) -> Run | Feed | None:
    if closed.value:
        return None
    model, sql, parameters = statement
    rows: Iterable[Run | Feed] = model._default_manager.raw(sql, parameters)
    return next(iter(rows), None)

"""Lanes: which workers do what, so that nobody waits behind what may wait, and what waits in each, the oldest first.

What is to be done is known by feeds and runs alone: `queued_at` says since when each waits. Workers take the oldest.
"""

from __future__ import annotations

import enum
from multiprocessing.sharedctypes import RawValue
from operator import itemgetter
from typing import TYPE_CHECKING

from django.db import transaction

from imports.models import Feed, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from imports.querysets import FeedQuerySet, RunQuerySet


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


closed = RawValue("b", 0)
"""Whether the workers of this process and its children take nothing more, because they are to end."""


def share_workers(total: int) -> dict[Lane, int]:
    """How many of so many workers each lane gets: at least one."""
    prompt, bulk = max(1, total // 3), max(1, total // 6)
    return {Lane.PROMPT: prompt, Lane.FEEDS: max(1, total - prompt - bulk), Lane.BULK: bulk}


def find_waiting(lane: Lane) -> Sequence[QuerySet[Run] | QuerySet[Feed]]:
    """What waits in the lane for a worker, by kind, and of each kind the oldest first."""
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
    return _take(find_waiting(lane))


def take_fellow(lane: Lane, feed: Feed) -> Feed | None:
    """The same of the feeds that may be pulled in the same session as another one."""
    found = _take([_find_feeds(asked=lane == Lane.PROMPT).of_login(feed)])
    return found if isinstance(found, Feed) else None


def _take(kinds: Sequence[QuerySet[Run] | QuerySet[Feed]]) -> Run | Feed | None:
    if closed.value:
        return None
    with transaction.atomic():
        heads = [kind.select_for_update(skip_locked=True, of=("self",)).first() for kind in kinds]
        waiting = [(head.queued_at, head) for head in heads if head is not None and head.queued_at is not None]
        oldest = min(waiting, key=itemgetter(0))[1] if waiting else None
        if oldest is not None:
            type(oldest).objects.filter(pk=oldest.pk).update(queued_at=None)
    return oldest

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
    runs = Run.objects.next_in_account().only("pk", "status", "queued_at").order_by("queued_at", "pk")
    feeds = (
        Feed.objects.waiting().only("pk", "name", "account", "queued_at").order_by("queued_at", "next_pull_at", "pk")
    )
    match lane:
        case Lane.PROMPT:
            return [runs.small(), feeds.filter(pull_asked=True)]
        case Lane.FEEDS:
            return [feeds.filter(pull_asked=False)]
        case Lane.BULK:
            return [runs.big()]


def take(lane: Lane) -> Run | Feed | None:
    """Take what has waited longest out of the lane; None where nothing waits, or this process is to end.

    Whoever takes it and is killed before it is begun loses nothing: the schedule finds that it is due and not queued.
    """
    if closed.value:
        return None
    with transaction.atomic():
        heads = [kind.select_for_update(skip_locked=True, of=("self",)).first() for kind in find_waiting(lane)]
        waiting = [(head.queued_at, head) for head in heads if head is not None and head.queued_at is not None]
        oldest = min(waiting, key=itemgetter(0))[1] if waiting else None
        if oldest is not None:
            type(oldest).objects.filter(pk=oldest.pk).update(queued_at=None)
    return oldest

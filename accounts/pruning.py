"""Prune: what was kept long enough goes, by settings that say how long, and never what something still needs.

Each app names what it keeps by `prunes` of its AppConfig: classes of `Prunable`. They are asked for a small batch
again and again, each of which is committed by itself. So nothing is locked for long, and where a process is killed in
the middle the next one goes on. After each batch the database rests for as long as it took.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection, models, transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts.models import PruneTally
from accounts.outages import describe_failure
from accounts.plugins import load

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

logger = logging.getLogger(__name__)

BATCH = 2000
"""Rows that go at once: some hundredths of a second."""
LONGEST_REST = 1.0
"""Seconds."""
LONGEST_DAYS = 100 * 366
"""Beyond that no calendar goes."""
CLAIM = "customersync.pruning"


class PrunedAlready(Exception):
    """Another process prunes at this moment."""


class Postponed(Exception):
    """What a kind needs for its pruning does not work just now; the message says what. The next turn tries again."""


class Prunable(ABC):
    """Something that is kept for a time; made anew for each pruning, so that it may remember how far it is."""

    name: ClassVar[str]
    """In commands; one word."""
    label: ClassVar[str]
    setting: ClassVar[str] = ""
    """Its setting says for how many days it is kept; 0 for ever. Blank where that is no matter of taste."""
    every: ClassVar[timedelta] = timedelta()
    """How often it is worth looking for."""

    @property
    def days(self) -> float | None:
        """For how long it is kept; None for ever."""
        days: float = getattr(settings, self.setting) if self.setting else 0
        return min(days, LONGEST_DAYS) if days > 0 else None

    def cutoff(self) -> datetime | None:
        """What is older than that goes; None where nothing does."""
        return None if self.days is None else timezone.now() - timedelta(days=self.days)

    @abstractmethod
    def count_old(self, before: datetime) -> int:
        """How much would go."""

    @abstractmethod
    def prune_batch(self, before: datetime, most: int) -> int | None:
        """Delete about so many at most and commit that; returns how many they were, and None when nothing is left."""


class PrunableRows(Prunable):
    """Rows of a table whose numbers grow with time; they go as they are, in the order of their numbers."""

    model: ClassVar[type[models.Model]]
    time: ClassVar[str]
    """The field that says how old a row is; it may be one of what the row belongs to."""
    at_once: ClassVar[int] = BATCH
    """Fewer where much goes with each."""

    def __init__(self) -> None:
        self.position: Any = None
        self.last: int | None = None

    @abstractmethod
    def find_unneeded(self) -> models.QuerySet[Any]:
        """The rows that nothing needs, of any age."""

    def find_old(self, before: datetime) -> models.QuerySet[Any]:
        """Those of them that go."""
        if self.last is None:
            self.last = find_last_before(self.model._base_manager.all(), self.time, before)
        return self.find_unneeded().filter(pk__lte=self.last, **{f"{self.time}__lt": before})

    def count_old(self, before: datetime) -> int:
        return self.find_old(before).count()

    def prune_batch(self, before: datetime, most: int) -> int | None:
        old = self.find_old(before).order_by("pk")
        if self.position is not None:
            old = old.filter(pk__gt=self.position)
        with transaction.atomic():
            locked = old.select_for_update(skip_locked=True, of=("self",))
            found = list(locked.values_list("pk", flat=True)[: min(most, self.at_once)])
            self.delete(found)
        self.position = found[-1] if found else self.position
        return len(found) or None

    def delete(self, numbers: list[Any]) -> None:
        """Within the transaction of their batch."""
        self.model._base_manager.filter(pk__in=numbers).delete()


def find_last_before(rows: models.QuerySet[Any], name: str, before: datetime) -> int:
    """The number of the last row that is older, in a table whose numbers grow with time; 0 where none is.

    It is found by halves, in some looks by number, so that no index by time has to be written with every row.
    """
    low, high = 0, rows.aggregate(last=models.Max("pk"))["last"] or 0
    while low < high:
        middle = (low + high + 1) // 2
        found = rows.filter(pk__gte=middle).order_by("pk").values_list("pk", name).first()
        if found is None or found[1] >= before:
            high = middle - 1
        else:
            low = found[0]
    return low


# -- what there is to prune


def list_prunables(names: Collection[str] = ()) -> list[Prunable]:
    """What the installed apps keep for a time, in their order; those of these names, or all."""
    return [kind() for kind in load("prunes") if not names or kind.name in names]


def count_prunable(kinds: Collection[Prunable]) -> dict[str, int]:
    """How much of each kind would go, by its name."""
    return {kind.name: kind.count_old(before) for kind in kinds if (before := kind.cutoff())}


# -- pruning


@dataclass
class Pruned:
    """What a pruning came to: how much of each kind went, by its name, and what went wrong."""

    counts: dict[str, int] = field(default_factory=dict)
    is_done: bool = True
    """Whether nothing is left."""
    problems: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def prune(kinds: Collection[Prunable], *, most: int | None = None, seconds: float | None = None) -> Pruned:
    """Let go what was kept long enough, until nothing is left: so many at most, and for no longer than that.

    Raises PrunedAlready while another process does.
    """
    pruned, began = Pruned(), time.monotonic()
    with claim_pruning():
        for kind in kinds:
            if (before := kind.cutoff()) is None:
                continue
            pruned.counts[kind.name] = 0
            try:
                while (count := _prune_batch(kind, before, _left(most, pruned.total))) is not None:
                    pruned.counts[kind.name] += count
                    if _left(most, pruned.total) <= 0 or (seconds and time.monotonic() - began > seconds):
                        pruned.is_done = False
                        return pruned
            except Postponed as error:
                pruned.problems.append(f"{kind.label}: {error}")
            except (OperationalError, InterfaceError) as error:
                pruned.problems.append(f"{kind.label}: {describe_failure(error)}")
    return pruned


def prune_by_schedule(seconds: float) -> Pruned:
    """A turn of what is pruned without being asked, within what one hour may see pruned."""
    now = timezone.now()
    looked = {kind: at for kind, at in PruneTally.objects.values_list("kind", "at") if at is not None}
    kinds = [kind for kind in list_prunables() if kind.name not in looked or looked[kind.name] <= now - kind.every]
    gone = PruneTally.objects.filter(hour=_hour(now)).aggregate(rows=Sum("rows"))["rows"] or 0
    most = settings.PRUNE_ROWS_PER_HOUR - gone
    if most <= 0:
        return Pruned()
    pruned = prune(kinds, most=most, seconds=seconds)
    if pruned.total >= most:
        logger.warning("PRUNE_ROWS_PER_HOUR is used up; what is left is pruned from the next hour on.")
        pruned.is_done = True
    return pruned


def _left(most: int | None, gone: int) -> int:
    return BATCH if most is None else min(BATCH, most - gone)


def _prune_batch(kind: Prunable, before: datetime, most: int) -> int | None:
    began = time.monotonic()
    count = kind.prune_batch(before, most)
    _note(kind, count)
    if count is not None:
        time.sleep(min(time.monotonic() - began, LONGEST_REST))
    return count


def _note(kind: Prunable, count: int | None) -> None:
    """Note what went; or that nothing is left, which ends the search until it is worth another one."""
    now = timezone.now()
    tally = PruneTally.objects.get_or_create(kind=kind.name)[0]
    rows = PruneTally.objects.filter(pk=tally.pk)
    if count is not None:
        before = F("rows") if tally.hour == _hour(now) else 0
        rows.update(hour=_hour(now), rows=before + count, total=F("total") + count)
    else:
        rows.update(at=now)


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


@contextmanager
def claim_pruning(*, patient: bool = False) -> Iterator[None]:
    """One process prunes, or keeps others from it; the claim ends with the process that holds it, however that ends.

    Raises PrunedAlready, unless it is `patient` and waits.
    """
    take = "pg_advisory_lock" if patient else "pg_try_advisory_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {take}(hashtextextended(%s, 0))", [CLAIM])
        if cursor.fetchone()[0] is False:
            raise PrunedAlready(
                "Another process prunes at this moment, or makes a backup. What is left is pruned later."
            )
        try:
            yield
        finally:
            with suppress(Error):  # a lost session has given the claim back already
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [CLAIM])

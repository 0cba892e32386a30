"""Files: copies of what came, rejects, samples, and what nobody names."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.pruning import Postponed, Prunable
from imports.copies import find_unnamed, release
from imports.models import Format, Message, Run
from imports.models.messages import OUTBOX
from imports.pipeline.claiming import claim_free_accounts
from imports.storage import StorageRefused, StorageUnreachable, delete

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

AT_ONCE = 200
"""Files that go with one transaction."""
LONGEST_UNNAMED = timedelta(days=1)
"""How long a file may lie there before the run that names it is committed."""


class _Files(Prunable):
    """What runs name and keep as files. An account into which something is imported at this moment waits.

    So an import, a release or a replay reads what it found at its start.
    """

    fields: tuple[str, ...]
    """What is forgotten of a run."""

    def __init__(self) -> None:
        self.busy: set[int] = set()
        """Accounts that something goes into."""
        self.locked: set[int] = set()
        """Runs that somebody writes."""

    def cutoff(self) -> datetime:
        return timezone.now() - timedelta(days=self.days or 0)

    def find_old(self, before: datetime) -> QuerySet[Run]:
        raise NotImplementedError

    def count_old(self, before: datetime) -> int:
        return self.find_old(before).count()

    def prune_batch(self, before: datetime, most: int) -> int | None:
        while True:
            old = self.find_old(before).exclude(account__in=self.busy).exclude(pk__in=self.locked)
            found = dict(old.order_by("started_at", "pk").values_list("pk", "account_id")[: min(most, AT_ONCE)])
            with transaction.atomic():
                free = claim_free_accounts(set(found.values()))
                gone = self._forget(old.filter(pk__in=found, account__in=free))
            self.busy |= set(found.values()) - free
            self.locked |= {run for run, account in found.items() if account in free} - gone
            if gone or not found:
                return len(gone) or None

    def _forget(self, old: QuerySet[Run]) -> set[int]:
        runs = list(old.select_for_update(skip_locked=True, no_key=True, of=("self",)).only("pk", *self.fields))
        Run.objects.filter(pk__in=[run.pk for run in runs]).update(**dict.fromkeys(self.fields))
        release(getattr(run, f"{name}_id") for run in runs for name in self.fields if name.endswith("_file"))
        return {run.pk for run in runs}


class Copies(_Files):
    """Copies of files, and what a dry run or a held file would have changed. Their runs stay."""

    name = "copies"
    label = "copies of files"
    setting = "KEEP_FILES_DAYS"
    fields = ("kept_file", "evidence")

    def find_old(self, before: datetime) -> QuerySet[Run]:
        return _unneeded(before).filter(Q(kept_file__isnull=False) | Q(evidence__isnull=False))


class Rejects(_Files):
    """Rejected rows. A replay reads them beside the copy, so they stay as long as that does."""

    name = "rejects"
    label = "rejects files"
    setting = "KEEP_REJECTS_DAYS"
    fields = ("rejects_file", "reasons_file")

    def find_old(self, before: datetime) -> QuerySet[Run]:
        alone = Q(kept_file=None) | Q(started_at__lt=Copies().cutoff())
        return _unneeded(before).filter(alone, rejects_file__isnull=False)


def _unneeded(before: datetime) -> QuerySet[Run]:
    """Older runs whose files nothing needs.

    A held file stays until somebody has decided about it, what waits or is at work has its own, and that of the run
    which it releases or replays, and rejects stay until they lie in the feed's outbox.
    """
    at_work = Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    needed = (
        Exists(at_work.filter(replays=OuterRef("pk")))
        | Exists(at_work.filter(released_from=OuterRef("pk")))
        | Exists(Message.objects.pending().filter(run=OuterRef("pk"), kind=OUTBOX))
    )
    ended = Run.objects.filter(started_at__lt=before).exclude(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    return ended.exclude(status=Run.Status.HELD, decision="", dry_run=False).filter(~needed)


class Samples(Prunable):
    """Samples that formats were proposed of."""

    name = "samples"
    label = "samples of formats"
    setting = "KEEP_FILES_DAYS"

    def cutoff(self) -> datetime:
        return timezone.now() - timedelta(days=self.days or 0)

    def find_old(self, before: datetime) -> QuerySet[Format]:
        return Format.objects.filter(sample_at__lt=before)

    def count_old(self, before: datetime) -> int:
        return self.find_old(before).count()

    @transaction.atomic
    def prune_batch(self, before: datetime, most: int) -> int | None:
        old = self.find_old(before).select_for_update(skip_locked=True, no_key=True)[: min(most, AT_ONCE)]
        found = dict(old.values_list("pk", "sample_file"))
        Format.objects.filter(pk__in=found).update(sample_file=None, sample_at=None)
        release(found.values())
        return len(found) or None


class Unnamed(Prunable):
    """Bytes in the storage that no row names: killed processes left them.

    They stay until it is certain that no row is about to name them. The storage is asked once a day, as only it tells.
    """

    name = "unnamed"
    label = "files that nobody names"
    every = timedelta(days=1)

    def __init__(self) -> None:
        self.found: Iterator[str] | None = None

    def cutoff(self) -> datetime:
        return timezone.now() - LONGEST_UNNAMED

    def count_old(self, before: datetime) -> int:
        with _postponing():
            return sum(1 for _ in find_unnamed(before))

    def prune_batch(self, before: datetime, most: int) -> int | None:
        with _postponing():
            self.found = self.found or find_unnamed(before)
            keys = list(islice(self.found, min(most, AT_ONCE)))
            delete(keys)
        return len(keys) or None


@contextmanager
def _postponing() -> Iterator[None]:
    try:
        yield
    except (StorageUnreachable, StorageRefused) as error:
        raise Postponed(str(error)) from None

"""Files: copies of what came, rejects, samples, and what nobody names."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.pruning import Prunable
from imports.models import Format, Message, Run
from imports.models.messages import OUTBOX
from imports.pipeline.claiming import claim_free_accounts
from imports.pipeline.keeping import REASONS, delete_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

AT_ONCE = 200
"""Files that go with one transaction."""
LONGEST_UNNAMED = timedelta(days=1)
"""How long a file may lie there before the run that names it is committed."""
FOLDER = "runs"
KEPT = re.compile(r"(?P<run>\d+)-|sample-(?P<format>\d+)-")


class _Files(Prunable):
    """What runs name and keep as files. An account into which something is imported at this moment waits.

    So an import, a release or a replay reads what it found at its start.
    """

    fields: dict[str, Any]
    """What is forgotten of a run, and what stands there afterwards."""

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

    def prune_batch(self, before: datetime, most: int) -> int:
        while True:
            old = self.find_old(before).exclude(account__in=self.busy).exclude(pk__in=self.locked)
            found = dict(old.order_by("started_at", "pk").values_list("pk", "account_id")[: min(most, AT_ONCE)])
            with transaction.atomic():
                free = claim_free_accounts(set(found.values()))
                gone = self._forget(old.filter(pk__in=found, account__in=free))
            self.busy |= set(found.values()) - free
            self.locked |= {run for run, account in found.items() if account in free} - gone
            if gone or not found:
                return len(gone)

    def _forget(self, old: QuerySet[Run]) -> set[int]:
        runs = list(old.select_for_update(skip_locked=True, no_key=True, of=("self",)).only("pk", *self.fields))
        Run.objects.filter(pk__in=[run.pk for run in runs]).update(**self.fields)
        for run in runs:
            for name in filter(None, (getattr(run, field) for field in self.fields if field.endswith("_file"))):
                transaction.on_commit(partial(delete_kept, name.storage, name.name), robust=True)
        return {run.pk for run in runs}


class Copies(_Files):
    """Copies of files, and what a dry run or a held file would have changed. Their runs stay."""

    name = "copies"
    label = "copies of files"
    setting = "KEEP_FILES_DAYS"
    fields = {"kept_file": "", "evidence": None}

    def find_old(self, before: datetime) -> QuerySet[Run]:
        return _unneeded(before).filter(~Q(kept_file="") | Q(evidence__isnull=False))


class Rejects(_Files):
    """Rejected rows. A replay reads them beside the copy, so they stay as long as that does."""

    name = "rejects"
    label = "rejects files"
    setting = "KEEP_REJECTS_DAYS"
    fields = {"rejects_file": ""}

    def find_old(self, before: datetime) -> QuerySet[Run]:
        alone = Q(kept_file="") | Q(started_at__lt=Copies().cutoff())
        return _unneeded(before).filter(alone).exclude(rejects_file="")


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


class _Listed(Prunable):
    """Files of which only the storage tells how old they are; it is asked once a day."""

    every = timedelta(days=1)

    def __init__(self) -> None:
        self.found: Iterator[tuple[int, str]] | None = None

    def cutoff(self) -> datetime:
        return timezone.now() - timedelta(days=self.days or 0)

    def find_old(self, before: datetime) -> Iterator[tuple[int, str]]:
        """The number of the row that names a file, and the file's name."""
        raise NotImplementedError

    def forget(self, number: int, name: str) -> None:
        raise NotImplementedError

    def count_old(self, before: datetime) -> int:
        return sum(1 for _ in self.find_old(before))

    def prune_batch(self, before: datetime, most: int) -> int:
        self.found = self.found or self.find_old(before)
        count = 0
        for count, (number, name) in enumerate(self.found, 1):
            self.forget(number, name)
            if count == min(most, AT_ONCE):
                break
        return count


class Samples(_Listed):
    """Samples that formats were proposed of."""

    name = "samples"
    label = "samples of formats"
    setting = "KEEP_FILES_DAYS"

    def find_old(self, before: datetime) -> Iterator[tuple[int, str]]:
        for number, name in Format.objects.exclude(sample="").values_list("pk", "sample").iterator():
            if _is_older(name, before):
                yield number, name

    def forget(self, number: int, name: str) -> None:
        if Format.objects.filter(pk=number, sample=name).update(sample=""):
            delete_kept(default_storage, name)


class Unnamed(_Listed):
    """Files that no run and no format names: killed processes left them.

    They stay until it is certain that no run is about to name them.
    """

    name = "unnamed"
    label = "files that nobody names"

    def cutoff(self) -> datetime:
        return timezone.now() - LONGEST_UNNAMED

    def find_old(self, before: datetime) -> Iterator[tuple[int, str]]:
        for account in _list(FOLDER, folders=True):
            files = _list(f"{FOLDER}/{account}")
            for first in range(0, len(files), AT_ONCE):
                names = files[first : first + AT_ONCE]
                named = _find_named(names)
                for name in names:
                    full = f"{FOLDER}/{account}/{name}"
                    if full.removesuffix(REASONS) not in named and _is_older(full, before):
                        yield 0, full

    def forget(self, number: int, name: str) -> None:
        default_storage.delete(name)


def _list(folder: str, *, folders: bool = False) -> list[str]:
    try:
        found = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(found[0] if folders else found[1])


def _find_named(names: Iterable[str]) -> set[str]:
    """Of files of an account, those that a run or a format names: their own names say which it would be."""
    found = [match for name in names if (match := KEPT.match(name))]
    runs = Run.objects.filter(pk__in={int(match["run"]) for match in found if match["run"]})
    formats = Format.objects.filter(pk__in={int(match["format"]) for match in found if match["format"]})
    named = {name for files in runs.values_list("kept_file", "rejects_file") for name in files}
    return named | set(formats.values_list("sample", flat=True))


def _is_older(name: str, before: datetime) -> bool:
    """Whether a file was last written before; one that is gone was."""
    try:
        return default_storage.get_modified_time(name) < before
    except FileNotFoundError:
        return True

"""Rows: issues, pulls, messages, runs and what the queue keeps of tasks that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q
from django_q.models import Task

from accounts.pruning import Prunable, PrunableRows
from connections.models import Change
from imports.models import FormatVersion, Issue, Message, Pull, Run

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

AT_WORK = [Run.Status.QUEUED, Run.Status.RUNNING]
LEFT = "changed_since"
"""The code of what an undo left, which says how its run ended when the undo is taken back itself."""


def _asked_by_no_replay(run: str, account: str) -> Q:
    """Runs that stand before all runs of their account that may be replayed.

    A replay asks all later runs of the account whether they had, or rejected, its customers.
    """
    replayable = Run.objects.replayable()
    oldest = replayable.order_by("started_at").values_list("pk", flat=True).first()
    if oldest is None:
        return Q()
    earlier = replayable.order_by().filter(account=OuterRef(account), pk__lte=OuterRef(run))
    return Q(**{f"{run}__lt": oldest}) | ~Q(Exists(earlier))


class Issues(PrunableRows):
    """Issues of runs that are at their end, and of which none is left to be replayed."""

    name = "issues"
    label = "issues of runs"
    setting = "PRUNE_ISSUES_AFTER_DAYS"
    model = Issue
    time = "run__started_at"

    def find_unneeded(self) -> QuerySet[Issue]:
        waiting = Exists(Message.objects.pending().filter(run=OuterRef("run")))
        return (
            Issue.objects.exclude(run__status__in=AT_WORK)
            .exclude(run__status=Run.Status.HELD, run__decision="", run__dry_run=False)
            .exclude(code=LEFT, run__undoes__isnull=False)
            .filter(_asked_by_no_replay("run", "run__account"), ~waiting)
        )

    def delete(self, numbers: list[Any]) -> None:
        """What was counted of them names examples."""
        runs = list(Issue.objects.filter(pk__in=numbers).order_by().values_list("run", flat=True).distinct())
        Run.objects.filter(pk__in=runs, issue_groups__isnull=False).update(issue_groups=None)
        super().delete(numbers)


class Pulls(PrunableRows):
    """Pulls, but for the last of each feed and the last with a file, which say how the feed is doing."""

    name = "pulls"
    label = "pulls of feeds"
    setting = "PRUNE_PULLS_AFTER_DAYS"
    model = Pull
    time = "started_at"

    def find_unneeded(self) -> QuerySet[Pull]:
        later = Pull.objects.order_by().filter(feed=OuterRef("feed"), pk__gt=OuterRef("pk"))
        without_file = Q(imported=0) | Exists(later.filter(imported__gt=0))
        return Pull.objects.exclude(status=Pull.Status.RUNNING).filter(Exists(later), without_file)


class Messages(PrunableRows):
    """Messages that were delivered or given up, unless their run still waits for somebody."""

    name = "messages"
    label = "messages that were delivered or given up"
    setting = "PRUNE_MESSAGES_AFTER_DAYS"
    model = Message
    time = "created_at"

    def find_unneeded(self) -> QuerySet[Message]:
        waiting = Run.objects.awaiting_decision().order_by().filter(pk=OuterRef("run"))
        return Message.objects.exclude(delivered_at=None, given_up_at=None).filter(~Exists(waiting))


class Runs(PrunableRows):
    """Runs that changed nothing that is still in the log, and of which nothing is kept.

    A feed's ledger needs the last run of whatever may still lie on its server, the next file the last one that was
    applied to its account, rejects that come back the run that they are of, a held file those that went in after it, an
    approval the runs of the version that is tested, and undos and replays the runs that they are of.
    """

    name = "runs"
    label = "runs that changed nothing"
    setting = "PRUNE_RUNS_AFTER_DAYS"
    model = Run
    time = "started_at"
    at_once = 100

    def find_unneeded(self) -> QuerySet[Run]:
        others = Run.objects.order_by()
        later = others.filter(account=OuterRef("account"), pk__gt=OuterRef("pk"))
        moved = Q(remote_path="") | Q(archived_at__isnull=False)
        taken_again = Exists(later.filter(feed=OuterRef("feed"), remote_path=OuterRef("remote_path")))
        others_rejects = Exists(later.filter(rejects_header=OuterRef("rejects_header")))
        held = Run.objects.awaiting_decision().order_by().filter(account=OuterRef("account"), pk__lt=OuterRef("pk"))
        changes = Exists(Change.objects.order_by().filter(run_id=OuterRef("pk")))
        related = [Exists(others.filter(**{name: OuterRef("pk")})) for name in ("replays", "undoes", "released_from")]
        tested = [FormatVersion.Status.DRAFT, FormatVersion.Status.TESTING]
        return (
            Run.objects.exclude(status__in=AT_WORK)
            .exclude(status=Run.Status.HELD, decision="", dry_run=False)
            .exclude(format_version__status__in=tested, dry_run=False)
            .filter(Exists(later.applied()), ~Exists(held), Q(rejects_header="") | others_rejects)
            .filter(moved | taken_again, kept_file=None, rejects_file=None, undoes=None)
            .filter(_asked_by_no_replay("pk", "account"), ~changes, *(~one for one in related))
            .filter(~Exists(Message.objects.pending().filter(run=OuterRef("pk"))))
        )


class QueueResults(Prunable):
    """What django-q2 keeps of tasks that failed; of what succeeded it keeps nothing."""

    name = "queue"
    label = "results of tasks that failed"
    setting = "PRUNE_QUEUE_AFTER_DAYS"

    def find_old(self, before: datetime) -> QuerySet[Task]:
        old: QuerySet[Task] = Task.objects.filter(stopped__lt=before).order_by("stopped")
        return old

    def count_old(self, before: datetime) -> int:
        return self.find_old(before).count()

    def prune_batch(self, before: datetime, most: int) -> int | None:
        found = list(self.find_old(before).values_list("pk", flat=True)[:most])
        Task.objects.filter(pk__in=found).delete()
        return len(found) or None

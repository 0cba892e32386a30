"""Resend: a file that comes again as it was, when all else is as it was too, need not be read again.

Most senders write all their customers every hour, and most hours nothing has changed. What the file comes to is known
then: the account's last applied run read the same bytes by the same rules, format and lists, nobody changed a customer
since, and the day is the same, for which it is noted whom its files mentioned.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import OuterRef

from connections.history.sightings import today
from connections.history.stamping import take_watermark
from connections.models import Change
from imports.models import Run
from imports.pipeline.issues import copy_issues_of_file

if TYPE_CHECKING:
    from imports.pipeline.keeping import Keeper

CLOCKS_APART = timedelta(days=1)
"""More than the clocks of a host and of the database ever differ: when a run ended is told by the one."""


def find_same(run: Run, keeper: Keeper) -> Run | None:
    """The account's last applied run, where reading the file of `run` again could only come to what it came to.

    `run` has its meaning and size; the file is digested only where that decides. The time from which on
    changes may have been missed is noted in the run, before anything is looked at.
    """
    run.read_at = take_watermark(run.account_id)
    applied = (Run.Status.SUCCEEDED, Run.Status.PARTIAL, Run.Status.UNDONE)
    last = run.account.runs.filter(dry_run=False, status__in=applied).order_by("-pk").first()
    if last is None or not _is_settled(last) or bytes(last.meaning or b"") != run.meaning:
        return None
    if last.file_size != run.file_size or last.started_at.date() != today():
        return None
    if last.sha256 != keeper.find_digest():
        return None
    return None if _has_changed(last) else last


def _is_settled(run: Run) -> bool:
    """Whether every customer of the run's file stands as the file says."""
    stand = run.created + run.updated + run.unchanged
    return run.status == Run.Status.SUCCEEDED and stand == run.customers and bool(run.sha256)


def _has_changed(last: Run) -> bool:
    """Whether anybody but the run has changed a customer of its account since it began to read.

    The run's own changes, of which a first load has one for each customer, are not looked at: those by people have an
    index of their own, and of other runs, each of which writes its changes at one time, the last change is enough.
    """
    if last.read_at is None:
        return True
    by_people = Change.objects.filter(account=last.account_id, run_id=None, at__gte=last.read_at)
    # As a range, so that the planner takes the index of runs: for one value, any index by id seems to be in order.
    of_one = Change.objects.filter(run_id__gte=OuterRef("pk"), run_id__lte=OuterRef("pk"))
    latest = of_one.order_by("-run_id", "-id").values("at")[:1]
    others = Run.objects.filter(account=last.account_id, finished_at__gt=last.read_at - CLOCKS_APART)
    by_others = others.exclude(pk=last.pk).alias(latest=latest).filter(latest__gte=last.read_at)
    return by_people.exists() or by_others.exists()


def repeat(run: Run, last: Run) -> None:
    """Let the run come to what reading would: as many rows, the customers unchanged, and the issues of the file itself.

    Those of customers are not found again, for whoever is unchanged is not looked at.
    """
    run.rows, run.customers, run.unchanged = last.rows, last.customers, last.customers
    if last.issue_groups:
        copy_issues_of_file(last, run)

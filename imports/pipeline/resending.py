"""Resend: a file that comes again as it was, when all else is as it was too, need not be read again.

Most senders write all their customers every hour, and most hours nothing has changed. What the file comes to is known
then: the account's last applied run read the same bytes by the same rules, format and lists, nobody changed a customer
since, and the day is the same, for which it is noted whom its files mentioned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connections.history.sightings import today
from connections.history.stamping import take_watermark
from connections.models import Change
from imports.models import Run
from imports.pipeline.framing import REMARKS
from imports.pipeline.issues import copy_issues

if TYPE_CHECKING:
    from imports.pipeline.keeping import Keeper


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
    changed = Change.objects.filter(account=run.account_id, at__gte=last.read_at).exclude(run_id=last.pk)
    return None if changed.exists() else last


def _is_settled(run: Run) -> bool:
    """Whether every customer of the run's file stands as the file says."""
    stand = run.created + run.updated + run.unchanged
    return run.status == Run.Status.SUCCEEDED and stand == run.customers and bool(run.sha256)


def repeat(run: Run, last: Run) -> None:
    """Let the run come to what reading would: as many rows, the customers unchanged, and the issues of the file itself.

    Those of customers are not found again, for whoever is unchanged is not looked at.
    """
    run.rows, run.customers, run.unchanged = last.rows, last.customers, last.customers
    if last.issue_groups:
        copy_issues(last, run, REMARKS)

"""Decide: what a person wants of a held run. A run is decided once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from imports.errors import SettingsWrong
from imports.models import Feed, Run

if TYPE_CHECKING:
    from datetime import datetime


def decide(held: Run, decision: Run.Decision, decided_by: str, reason: str = "") -> datetime:
    """Record the decision; returns its time. Raises SettingsWrong where the run does not await one any more.

    Of two people who decide at once, the database lets one through. What waited behind the held file need not wait for
    the feed's next hour.
    """
    now = timezone.now()
    changes = {"decision": decision, "decided_at": now, "decided_by": decided_by[:150]}
    if reason:
        changes["reason"] = reason
    if decision == Run.Decision.REJECTED:
        changes["status"] = Run.Status.REJECTED
    if not Run.objects.awaiting_decision().filter(pk=held.pk).update(**changes):
        held.refresh_from_db()
        raise SettingsWrong(say_settled(held))
    Feed.objects.filter(runs=held).update(next_pull_at=now)
    return now


def say_settled(run: Run) -> str:
    """Why nobody can decide about a run any more."""
    return f"{run} awaits no decision: it is {describe_state(run)}."


def describe_state(run: Run) -> str:
    """The status of a run, and what was decided about it."""
    if run.dry_run:
        return f"a dry run, {run.status}"
    if run.decision and run.decided_by:
        return f"{run.decision} by {run.decided_by}"
    return run.decision or run.status

"""Explain: a customer code → what the runs of files did with that customer and said of it, the newest first."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.zones import short_time
from connections.models import Change
from connections.near_keys import near_key
from imports.models import Issue, Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Account

MOST_ISSUES = 20
"""How many issues of a customer are shown of a run."""


@dataclass(frozen=True)
class RunOfCustomer:
    """What one run did with a customer and said of it; of a great many issues the first."""

    run: Run
    issues: list[Issue]
    changes: dict[str, int]
    """How many records of the customer were created, updated (by field) or deleted."""

    @property
    def is_rejected(self) -> bool:
        return any(issue.severity == Issue.Severity.ERROR for issue in self.issues)

    @property
    def outcome(self) -> str:
        if self.is_rejected:
            return "was rejected" if self.run.is_applied or self.run.status == Run.Status.REJECTED else "has errors"
        return "was changed" if self.changes else "has warnings"

    @property
    def started(self) -> str:
        return short_time(self.run.started_at)

    @property
    def summary(self) -> str:
        """The first reason, or what was done."""
        told = sorted(self.issues, key=lambda issue: issue.severity != Issue.Severity.ERROR)
        if told:
            return str(told[0])
        return ", ".join(f"{count} {action}" for action, count in self.changes.items())


def spellings(text: str) -> list[str]:
    """The codes that somebody may mean who types a text: it stands first."""
    return list(dict.fromkeys([text, text.upper(), text.lower(), near_key(text)]))


def find_runs_of(code: str, accounts: QuerySet[Account], most: int) -> list[RunOfCustomer]:
    """The newest runs in these accounts that changed the customer of this code or said something of it."""
    issues = Issue.objects.filter(customer_code=code, run__account__in=accounts)
    changes = Change.objects.filter(customer_code=code, account__in=accounts, run_id__isnull=False)
    numbers: set[int] = set()
    for found in (issues, changes):
        newest = found.order_by("-run_id").values_list("run_id", flat=True).distinct()[:most]
        numbers |= {number for number in newest if number is not None}
    runs = Run.objects.filter(pk__in=numbers, account__in=accounts).select_related("account")
    shown = {run.pk: run for run in runs.order_by("-pk")[:most]}
    said: defaultdict[int, list[Issue]] = defaultdict(list)
    for issue in issues.filter(run__in=shown).order_by("-run_id", "severity", "line", "pk")[: most * MOST_ISSUES]:
        if len(said[issue.run_id]) < MOST_ISSUES:
            said[issue.run_id].append(issue)
    done: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for run, action in changes.filter(run_id__in=shown).order_by().values_list("run_id", "action"):
        done[run or 0][action] += 1
    return [RunOfCustomer(run, said[pk], dict(done[pk])) for pk, run in shown.items()]


def find_incomplete(accounts: QuerySet[Account], most: int) -> list[Run]:
    """The newest runs in which more was wrong than is listed, so that a customer may be in their rejects alone."""
    cut = Issue.objects.filter(more__gt=0, run__account__in=accounts)
    numbers = cut.order_by("-run_id").values_list("run_id", flat=True).distinct()[:most]
    return list(Run.objects.filter(pk__in=list(numbers)).select_related("account").order_by("-pk"))

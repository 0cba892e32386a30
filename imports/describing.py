"""Report: what became of a file, as data and as a receipt."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Q, Sum

from accounts.times import iso_utc
from imports.models import Issue, Run
from imports.wording import file_name

RECEIPT_ISSUES = 1000
"""How many issues a receipt lists."""
ISSUE_FIELDS = ("line", "column", "field", "code", "severity", "message", "value", "customer_code", "more")


def describe_run(run: Run, most_issues: int | None = None) -> dict[str, Any]:
    """The run as commands, receipts and webhooks give it, with its first issues or all."""
    issues = Issue.objects.filter(run=run)
    counted = Q(line=None, more__gt=0)
    listed = list(issues.exclude(counted).values(*ISSUE_FIELDS)[:most_issues])
    listed += issues.filter(counted).values(*ISSUE_FIELDS)
    return {
        "run": run.pk,
        "account": run.account.code,
        "feed": run.feed and run.feed.name,
        "file": run.file_name,
        "size": run.file_size,
        "sha256": run.sha256 or None,
        "format": run.format_name,
        "status": run.status,
        "message": run.message,
        "held_for": run.held_for or None,
        "dry_run": run.dry_run,
        "decision": run.decision or None,
        "released_from": run.released_from_id,
        "replays": run.replays_id,
        "undoes": run.undoes_id,
        "counts": run.counts,
        "issues_found": issues.exclude(counted).count() + (issues.aggregate(more=Sum("more"))["more"] or 0),
        "issues": listed,
        "started_at": iso_utc(run.started_at),
        "finished_at": run.finished_at and iso_utc(run.finished_at),
        "seconds": run.seconds,
    }


def write_receipt(run: Run) -> bytes:
    """What the sender of a file gets back, in JSON."""
    return json.dumps(describe_run(run, RECEIPT_ISSUES), ensure_ascii=False, indent=1).encode()


def receipt_name(run: Run) -> str:
    """Of a held file that is decided about later there are two receipts."""
    return f"{run.pk}-{run.status}-{file_name(run.file_name)}.json"


def rejects_name(run: Run) -> str:
    return f"{run.pk}-rejects-{file_name(run.file_name)}"

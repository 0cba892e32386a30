"""Evidence: what a run changed, in short; kept of one that is taken back, so that releasing it is a decision."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Window
from django.db.models.functions import RowNumber

from connections.models import Change

MOST_SAMPLES = 10


def describe_changes(run_id: int) -> dict[str, list[dict[str, Any]]]:
    """How often each field was changed, with what came and went, the most frequent first; and samples of values.

    `changes` are `{record, action, field, count}`, `samples` `{customer_code, record, key, field, before, after}`, of
    each field one before there is a second of any.
    """
    changes = Change.objects.filter(run_id=run_id)
    place = Window(RowNumber(), partition_by=["record", "field"], order_by="pk")
    sampled = changes.filter(action=Change.Action.UPDATED).annotate(place=place).order_by("place", "pk")
    names = ("customer_code", "record", "key", "field", "before", "after")
    return {
        "changes": count_changes(run_id),
        "samples": list(sampled.values(*names)[:MOST_SAMPLES]),
    }


def count_changes(run_id: int) -> list[dict[str, Any]]:
    """How often the run changed each field, with what came and went: `{record, action, field, count}`."""
    counted = Change.objects.filter(run_id=run_id).values("record", "action", "field").annotate(count=Count("pk"))
    return [dict(row) for row in counted.order_by("-count", "record", "action", "field")]

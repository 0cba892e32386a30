"""Evidence: what a run changed, in short; kept of one that is taken back, so that releasing it is a decision."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min

from connections.models import Change

MOST_SAMPLES = 10


def describe_changes(run_id: int) -> dict[str, list[dict[str, Any]]]:
    """How often each field was changed, with what came and went, the most frequent first; and samples of values.

    `changes` are `{record, action, field, count}`, `samples` `{customer_code, record, key, field, before, after}`, of
    each field one before there is a second of any. The changes of the run are read once, whatever many they are.
    """
    grouped = Change.objects.filter(run_id=run_id).values("record", "action", "field")
    counted = grouped.annotate(count=Count("pk"), first=Min("pk")).order_by("-count", "record", "action", "field")
    changes: list[dict[str, Any]] = [dict(row) for row in counted]
    firsts = [(row.pop("first"), row) for row in changes]
    updated = {first: row["count"] for first, row in firsts if row["action"] == Change.Action.UPDATED}
    return {"changes": changes, "samples": _take_samples(run_id, sorted(updated), sum(updated.values()))}


def _take_samples(run_id: int, firsts: list[int], count: int) -> list[dict[str, Any]]:
    """The first change of each field, and of all others the first ones, as far as there is room for them."""
    updated = Change.objects.filter(run_id=run_id, action=Change.Action.UPDATED).order_by("pk")
    rows = updated.values("customer_code", "record", "key", "field", "before", "after")
    taken = firsts[:MOST_SAMPLES]
    room = min(MOST_SAMPLES, count) - len(taken)
    return [*rows.filter(pk__in=taken), *(rows.exclude(pk__in=taken)[:room] if room else ())]

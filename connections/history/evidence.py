"""Evidence: what a run changed, in short; kept of one that is taken back, so that releasing it is a decision."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min

from connections.models import Change

MOST_SAMPLES = 10
MOST_NEW = 3
"""Of the samples, where there are more of both than there is room for."""
NEW = (Change.Record.CONNECTION, Change.Action.CREATED)


def describe_changes(run_id: int) -> dict[str, list[dict[str, Any]]]:
    """How often each field was changed, with what came and went, the most frequent first; and samples of values.

    `changes` are `{record, action, field, count}`, `samples` `{customer_code, record, key, field, before, after}`:
    first some of the customers that are new, by their profile names, then values before and after, of each field one
    before there is a second of any. The changes of the run are read once, whatever many they are.
    """
    grouped = Change.objects.filter(run_id=run_id).values("record", "action", "field")
    counted = grouped.annotate(count=Count("pk"), first=Min("pk")).order_by("-count", "record", "action", "field")
    changes: list[dict[str, Any]] = [dict(row) for row in counted]
    firsts = [(row.pop("first"), row) for row in changes]
    updated = {first: row["count"] for first, row in firsts if row["action"] == Change.Action.UPDATED}
    new = sum(row["count"] for row in changes if (row["record"], row["action"]) == NEW)
    room = max(MOST_SAMPLES - sum(updated.values()), MOST_NEW)
    samples = _take_new(run_id, min(new, room))
    samples += _take_samples(run_id, sorted(updated), min(sum(updated.values()), MOST_SAMPLES - len(samples)))
    return {"changes": changes, "samples": samples}


def _take_new(run_id: int, count: int) -> list[dict[str, Any]]:
    """The first customers that the run made; what they came with stands in the change."""
    record, action = NEW
    made = Change.objects.filter(run_id=run_id, record=record, action=action).order_by("pk")
    named = made.values_list("customer_code", "values__values__profile_name")[:count] if count else ()
    return [
        {
            "customer_code": code,
            "record": record.value,
            "key": "",
            "field": "profile_name",
            "before": None,
            "after": name,
        }
        for code, name in named
    ]


def _take_samples(run_id: int, firsts: list[int], count: int) -> list[dict[str, Any]]:
    """The first change of each field, and of all others the first ones, as far as there is room for them."""
    updated = Change.objects.filter(run_id=run_id, action=Change.Action.UPDATED).order_by("pk")
    rows = updated.values("customer_code", "record", "key", "field", "before", "after")
    taken = firsts[:count]
    return [*rows.filter(pk__in=taken), *(rows.exclude(pk__in=taken)[: count - len(taken)] if count else ())]

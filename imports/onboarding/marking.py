"""Marking: columns of a sample that no field is read from, and whose values seem to mark customers as deleted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from imports.formats.marks import find_mark_kind, find_suspects
from imports.onboarding.proposals import ProposedMarks
from imports.template import normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from imports.onboarding.columns import Column


def find_marks(columns: Sequence[Column], mapped: Collection[int]) -> Iterator[ProposedMarks]:
    """By column the values that need an answer. A column without a header may have words such as `deleted`."""
    headers = Counter(normalize(column.header) for column in columns)
    for column in columns:
        kind = find_mark_kind(column.header)
        if column.index in mapped or (column.header and not kind):
            continue
        counts = column.profile.counts
        suspects = find_suspects(kind, counts)
        if suspects:
            is_named = column.header and headers[normalize(column.header)] == 1
            name = column.header.strip() if is_named else str(column.index + 1)
            rows = {value: counts[value] for value in suspects}
            others = [value for value in counts if value and value not in rows]
            yield ProposedMarks(column.index + 1, name, rows, others)

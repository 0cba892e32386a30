"""Following: all changes of an account, the oldest first, so that who reads on gets each exactly once.

Numbers of changes do not tell in which order they can be seen: whoever takes a number first may commit last. So they
are told in the order of their stamps, and only those from before a watermark (see `connections.history.stamping`):
before it no transaction that is still open, or yet to come, can write. What is behind a place that was once reached
never grows, whatever commits when; what is not told yet waits for the transaction that holds the watermark back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from connections.models import Change

if TYPE_CHECKING:
    from django.db.models import QuerySet

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Where a follower is: behind the change of this stamp and number."""

    at: datetime
    number: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of what `str` gives; "0" is the beginning. Raises ValueError."""
        stamp, dash, number = text.partition("-")
        parts = [stamp, number] if dash else [stamp]
        if not all(part.isascii() and part.isdecimal() and len(part) <= 18 for part in parts):
            raise ValueError(text)
        try:
            return cls(_EPOCH + int(stamp) * _MICROSECOND, int(number or 0))
        except OverflowError:
            raise ValueError(text) from None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.number}"


BEGINNING = Place(_EPOCH)


def read_behind(changes: QuerySet[Change], after: Place, watermark: datetime) -> QuerySet[Change]:
    """The changes behind a place and before the watermark, the oldest first."""
    table = connection.ops.quote_name(Change._meta.db_table)
    behind = RawSQL(f"({table}.at, {table}.id) > (%s, %s)", [after.at, after.number], BooleanField())  # noqa: S611  (a constant)
    return changes.filter(behind, at__lt=watermark).order_by("at", "id")


def read_on(
    changes: QuerySet[Change], after: Place, watermark: datetime, most: int
) -> tuple[list[Change], Place, bool]:
    """The next changes of an account, where that ends, and whether more can be read already.

    The watermark is that of the account, taken before.
    """
    found = list(read_behind(changes, after, watermark)[: most + 1])
    if len(found) > most:
        last = found[most - 1]
        return found[:most], Place(last.at, last.pk), True
    return found, max(after, Place(watermark)), False

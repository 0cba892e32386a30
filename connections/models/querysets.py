"""Conditions on connections."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import (
    Aggregate,
    BooleanField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from connections.models.fields import IdRanges
from connections.models.matching import Suggestion
from connections.models.sightings import Sighting

if TYPE_CHECKING:
    from datetime import date

    from accounts.models import Account
    from connections.models import Connection  # noqa: F401  (a name used in annotations)


class RangeAgg(Aggregate):
    """All ids of some ranges as ranges."""

    function = "range_agg"
    output_field = IdRanges()


def _is_among(sightings: models.QuerySet[Sighting]) -> Coalesce:
    """Whether a connection is among those of the sightings; they are put together once, for all connections."""
    ids = sightings.order_by().values(together=Value(1)).annotate(seen=RangeAgg("ids")).values("seen")
    found = Func(F("pk"), Subquery(ids), template="%(expressions)s", arg_joiner=" <@ ", output_field=BooleanField())
    return Coalesce(found, Value(value=False))


def _suggestions() -> tuple[models.QuerySet[Suggestion], models.QuerySet[Suggestion]]:
    """Of a connection, as either of a pair; one condition for both would be asked of each connection by itself."""
    return Suggestion.objects.filter(connection=OuterRef("pk")), Suggestion.objects.filter(other=OuterRef("pk"))


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def awaiting_review(self) -> Self:
        """New customers that nobody has decided on."""
        return self.filter(status="pending")

    def with_due(self) -> Self:
        """With `due_at`: until when it is to be reviewed, counted from its creation, or from when it was reopened."""
        hours = ExpressionWrapper(F("account__review_hours") * Value(timedelta(hours=1)), output_field=DurationField())
        due_at = ExpressionWrapper(Coalesce("reviewed_at", "created_at") + hours, output_field=DateTimeField())
        return self.annotate(due_at=due_at)

    def overdue(self) -> Self:
        """New customers whose review should have been done by now."""
        return self.awaiting_review().with_due().filter(due_at__lte=timezone.now())

    def like_others(self) -> Self:
        """Those that may be the same customer as another one."""
        in_front, behind = _suggestions()
        return self.filter(Exists(in_front) | Exists(behind))

    def unlike_others(self) -> Self:
        """Those that nothing similar was found for, whether or not it was looked for yet."""
        in_front, behind = _suggestions()
        return self.filter(~Exists(in_front), ~Exists(behind))

    def not_seen_since(self, day: date, accounts: models.QuerySet[Account]) -> Self:
        """Those of these accounts that no file has mentioned on the day (in UTC) or later, though they were there."""
        sightings = Sighting.objects.filter(account__in=accounts, day__gte=day)
        begin = datetime.combine(day, time.min, UTC)
        return self.filter(account__in=accounts, created_at__lt=begin).exclude(_is_among(sightings))

    def not_seen_since_last_full_file(self, accounts: models.QuerySet[Account]) -> Self:
        """Those of these accounts that neither the last file that lists all customers mentions nor any since."""
        full = Sighting.objects.filter(is_full=True)
        later = full.filter(account=OuterRef("account"), day__gt=OuterRef("day"))
        sightings = Sighting.objects.filter(~Exists(later), account__in=accounts)
        listed = Exists(full.filter(account=OuterRef("account"), day__gt=OuterRef("created_at__date")))
        return self.filter(listed, account__in=accounts).exclude(_is_among(sightings))

    def locked(self) -> Self:
        """For writing, in the order every writer takes them, so that two never wait for each other.

        References to the connections stay possible meanwhile: their keys do not change.
        """
        return self.order_by("pk").select_for_update(no_key=True, of=("self",))

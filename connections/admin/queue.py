"""The queue of the review: what waits in some accounts, what is due first in front, and what of it is like nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection as database
from django.db.models import OuterRef, Q
from django.db.models.expressions import Exists

from accounts.admin.home import MOST_COUNTED
from connections.matching.finding import find_similar, looked_at, suggestions_of
from connections.models import Connection, MatchingProgress, Suggestion

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Account
    from connections.matching.scoring import Match
    from connections.models.querysets import ConnectionQuerySet


class Queue(NamedTuple):
    """The connections (by id) that are due soonest, as many as anybody walks through, and whether there are more."""

    ids: list[int]
    has_more: bool

    @property
    def length(self) -> str:
        return f"{'more than ' * self.has_more}{len(self.ids):,}"

    def position(self, pk: int) -> int:
        """From one; zero for one that is too far behind to be counted."""
        return self.ids.index(pk) + 1 if pk in self.ids else 0

    def before(self, pk: int) -> int | None:
        place = self.position(pk)
        return self.ids[place - 2] if place > 1 else None

    def after(self, pk: int) -> int | None:
        place = self.position(pk)
        return self.ids[place] if place < len(self.ids) else None

    def next_without(self, pk: int) -> int | None:
        """Where it goes on once this one is decided: behind it, and at the end with what was passed over."""
        return self.after(pk) or next((other for other in self.ids if other != pk), None)


def read_queue(accounts: QuerySet[Account]) -> Queue:
    """What waits in these accounts. Each account's part is read by index, so what is longer costs no more."""
    hours = list(accounts.order_by().values_list("pk", "review_hours"))
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM unnest(%(accounts)s::bigint[], %(hours)s::int[]) a(id, hours) CROSS JOIN LATERAL"
            " (SELECT id, coalesce(reviewed_at, created_at) AS since FROM connections_connection"
            " WHERE account_id = a.id AND status = 'pending' ORDER BY coalesce(reviewed_at, created_at), id"
            " LIMIT %(most)s) c ORDER BY c.since + a.hours * interval '1 hour', c.id LIMIT %(most)s",
            {"accounts": [pk for pk, _ in hours], "hours": [each for _, each in hours], "most": MOST_COUNTED + 1},
        )
        found = [pk for (pk,) in cursor.fetchall()]
    return Queue(found[:MOST_COUNTED], len(found) > MOST_COUNTED)


def like_nothing(waiting: ConnectionQuerySet) -> ConnectionQuerySet:
    """Those of the connections that were compared as they are now, and that nothing similar was found for."""
    reached = MatchingProgress.objects.filter(
        Q(updated_at__gt=OuterRef("updated_at"))
        | Q(updated_at=OuterRef("updated_at"), connection_id__gte=OuterRef("pk")),
        account=OuterRef("account"),
    )
    return waiting.unlike_others().filter(Exists(reached))


def find_likeliest(found: Connection) -> tuple[bool, list[tuple[Suggestion | Match, Connection]]]:
    """Whether a connection was compared as it is now, and what it may be a duplicate of, the likeliest first.

    Until it was compared, this is what can be found at once.
    """
    if looked_at(Connection.objects.filter(pk=found.pk)):
        return True, list(suggestions_of([found.pk]).get(found.pk, []))
    return False, list(find_similar(found))

"""Shifts: values that a run moves from customer to customer or from field to field, as slipped columns do.

A value that many customers share may move among them, as territories do; one that is a customer's own may not. Only
known customers tell: of a new one nothing stood before.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from connections.models import Buyer, Change, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.utils import CursorWrapper

FEWEST = 5
"""So many customers do not exchange what is their own by chance."""

_OWN = {
    Change.Record.CONNECTION: ("profile_name", "customer_alias", "alternate_name", "website"),
    Change.Record.ADDRESS: ("name", "address_1", "address_2", "city", "zip", "email", "phone"),
    Change.Record.DOOR: ("name",),
    Change.Record.BUYER: ("name",),
}
"""The fields whose values are a customer's own more often than not."""


class Place(NamedTuple):
    """A field of a kind of record, as changes name them; `kind` is that of an address."""

    record: str
    kind: str
    field: str


class Shift(NamedTuple):
    """So many customers get in a field what others had there, or what they had themselves in `exchanged_with`.

    The examples are customer code, value before, and value after.
    """

    place: Place
    customers: int
    examples: list[list[str]]
    exchanged_with: Place | None = None


_UPDATED = f"""
    WITH updated AS MATERIALIZED (
        SELECT id, customer_code, record, field, before, after,
            CASE record WHEN '{Change.Record.ADDRESS}' THEN left(key, 1) ELSE '' END AS kind
        FROM "{Change._meta.db_table}"
        WHERE run_id = %(run)s AND action = '{Change.Action.UPDATED}' AND record || '.' || field = ANY(%(own)s)
            AND before <> '' AND after <> ''
    ), counts AS (
        SELECT record, kind, field, count(*) AS changes FROM updated GROUP BY record, kind, field
    )
"""
_EXAMPLES = "(array_agg(ARRAY[u.customer_code, u.before, u.after] ORDER BY u.id))[:2]"
_AMONG_CUSTOMERS = f"""
    {_UPDATED}, owners AS (
        SELECT record, kind, field, before, min(customer_code) AS owner
        FROM updated GROUP BY record, kind, field, before HAVING count(DISTINCT customer_code) = 1
    )
    SELECT record, kind, field, count(DISTINCT u.customer_code), {_EXAMPLES}
    FROM updated u JOIN owners o USING (record, kind, field) JOIN counts USING (record, kind, field)
    WHERE o.before = u.after AND u.customer_code <> o.owner
    GROUP BY record, kind, field, changes
    HAVING least(count(DISTINCT u.customer_code), count(DISTINCT u.after)) >= {FEWEST}
        AND 2 * count(DISTINCT u.after) >= count(*) AND 2 * count(*) >= changes
"""
_AMONG_FIELDS = f"""
    {_UPDATED}
    SELECT u.record, u.kind, u.field, count(DISTINCT u.customer_code), {_EXAMPLES}, o.record, o.kind, o.field
    FROM updated u JOIN counts USING (record, kind, field)
    JOIN updated o ON o.customer_code = u.customer_code AND o.before = u.after AND o.after = u.before
        AND (o.record, o.kind, o.field) > (u.record, u.kind, u.field)
    GROUP BY u.record, u.kind, u.field, o.record, o.kind, o.field, changes
    HAVING least(count(DISTINCT u.customer_code), count(DISTINCT u.after)) >= {FEWEST} AND 2 * count(*) >= changes
"""
_NAMED_BY_CODES = f"""
    SELECT count(*), (array_agg(ARRAY[n.customer_code, o.customer_code, o.profile_name] ORDER BY c.id))[:2]
    FROM "{Change._meta.db_table}" c JOIN "{Connection._meta.db_table}" n ON n.id = c.connection_id
    JOIN "{Connection._meta.db_table}" o
        ON o.account_id = n.account_id AND o.customer_code = n.profile_name AND o.id <> n.id
    WHERE c.run_id = %(run)s AND c.action = '{Change.Action.CREATED}' AND c.record = '{Change.Record.CONNECTION}'
"""
_MOVED_BUYERS = f"""
    WITH added AS MATERIALIZED (
        SELECT id, connection_id, customer_code, key, lower(key) AS email
        FROM "{Change._meta.db_table}"
        WHERE run_id = %(run)s AND action = '{Change.Action.CREATED}' AND record = '{Change.Record.BUYER}'
    ), customers AS MATERIALIZED (
        SELECT DISTINCT connection_id, customer_code FROM added
    ), owners AS MATERIALIZED (
        SELECT lower(b.email) AS email, min(b.connection_id) AS owner
        FROM "{Buyer._meta.db_table}" b
        WHERE b.connection_id = ANY(ARRAY(SELECT connection_id FROM customers))
            AND NOT EXISTS (SELECT FROM added a WHERE a.connection_id = b.connection_id AND a.email = lower(b.email))
        GROUP BY lower(b.email) HAVING count(*) = 1
    ), moved AS MATERIALIZED (
        SELECT a.*, o.owner FROM added a JOIN owners o USING (email) WHERE o.owner <> a.connection_id
    )
    SELECT count(DISTINCT m.connection_id), count(DISTINCT m.email), (SELECT count(*) FROM customers),
        (array_agg(ARRAY[m.customer_code, m.key, c.customer_code] ORDER BY m.id))[:2]
    FROM moved m JOIN customers c ON c.connection_id = m.owner
    WHERE NOT EXISTS (SELECT FROM moved back WHERE back.connection_id = m.owner AND back.owner = m.connection_id)
"""


@contextmanager
def _joining_by_hashes() -> Iterator[CursorWrapper]:
    """The planner takes a run's changes for few, however many they are, and would compare each with each."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")  # an error rolls it back


def find_shifts(run_id: int) -> list[Shift]:
    """The fields in which at least half of the run's changes are shifts, those of most customers first.

    In the transaction that writes the run.
    """
    own = [f"{record}.{field}" for record, fields in _OWN.items() for field in fields]
    parameters: dict[str, Any] = {"run": run_id, "own": own}
    shifts = []
    with _joining_by_hashes() as cursor:
        for query in (_AMONG_CUSTOMERS, _AMONG_FIELDS):
            cursor.execute(query, parameters)
            for record, kind, field, customers, examples, *other in cursor.fetchall():
                exchanged_with = Place(*other) if other else None
                shifts.append(Shift(Place(record, kind, field), customers, examples, exchanged_with))
    return sorted(shifts, key=lambda shift: (-shift.customers, own.index(f"{shift.place.record}.{shift.place.field}")))


def find_named_by_codes(run_id: int) -> tuple[int, list[list[str]]]:
    """How many of the customers that the run made bear another one's code as their name.

    With examples: the customer code, the other one's, and the name of that.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NAMED_BY_CODES, {"run": run_id})
        count, examples = cursor.fetchone()
    return count, examples or []


def find_moved_buyers(run_id: int) -> tuple[int, int, list[list[str]]]:
    """How many known customers get a buyer that one other of them alone had, out of how many that get buyers.

    With examples: the customer code, the e-mail, and the code of who had it. Two that get each other's are left out:
    shops of one owner share their people.
    """
    with _joining_by_hashes() as cursor:
        cursor.execute(_MOVED_BUYERS, {"run": run_id})
        customers, emails, others, examples = cursor.fetchone()
    return min(customers, emails), others, examples or []

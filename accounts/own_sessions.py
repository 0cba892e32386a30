"""Sessions of the database are set as the program needs them, whatever its role, the database or the server say.

A company sets limits for people and other programs: a statement ended after half a minute, a transaction that may not
pause. An import takes as long as it takes, in one transaction, and a session holds a claim while a server is slow.
What stands in DATABASE_URL (`?options=-c …`) was meant for this program, so limits that are given there hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import NotSupportedError

if TYPE_CHECKING:
    from django.db.backends.postgresql.base import DatabaseWrapper

OLDEST = 15
"""Release of PostgreSQL."""
NEEDED = {
    "default_transaction_isolation": "read committed",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
}
"""What decides whether what is written and read is right: what the driver understands, and when writers meet."""
UNLIMITED = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",  # since PostgreSQL 17
)
SET = """
    SELECT set_config(name, needed, false)
    FROM pg_settings JOIN unnest(%s::text[], %s::text[]) AS own (name, needed) USING (name)
    WHERE setting <> needed AND NOT (source = 'client' AND name = ANY(%s))
"""
"""Those that the server does not know are no rows of it, and those that are right already stay as they are."""


def set_session(connection: DatabaseWrapper, **_: object) -> None:
    """Of a session that was just begun. Raises NotSupportedError, and ends it, where the server is too old."""
    if connection.pg_version < OLDEST * 10_000:
        found = ".".join(map(str, divmod(connection.pg_version, 10_000)))
        connection.close()
        raise NotSupportedError(f"PostgreSQL {OLDEST} or later is required (found {found}).")
    values = NEEDED | dict.fromkeys(UNLIMITED, "0")
    with connection.cursor() as cursor:
        cursor.execute(SET, [[*values], [*values.values()], [*UNLIMITED]])

"""Sessions of the database are as the program needs them, whatever others set for everybody."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

import pytest
from django.db import NotSupportedError, connection
from django.utils import timezone

from accounts.outages import advise
from accounts.own_sessions import NEEDED, UNLIMITED

OF_THE_COMPANY = {
    "default_transaction_isolation": "serializable",
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "standard_conforming_strings": "off",
    **dict.fromkeys(UNLIMITED, "1min"),
    "TimeZone": "Pacific/Kiritimati",
    "bytea_output": "escape",
}


@pytest.fixture
def session(transactional_db):
    """A new session of a database for which the company has set what it pleases."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s)", [[*OF_THE_COMPANY]])
        known = {setting for (setting,) in cursor.fetchall()}
        assert len(known) >= len(OF_THE_COMPANY) - 1  # transaction_timeout is of 17
        for setting in known:
            cursor.execute(f"ALTER DATABASE {name} SET {setting} = '{OF_THE_COMPANY[setting]}'")
    with contextlib.closing(connection.copy()) as other:
        yield other
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} RESET ALL")


def ask(session, question, *values):
    with session.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone()[0]


def test_what_is_written_and_read_is_right_and_takes_as_long_as_it_takes(session):
    for name, value in (NEEDED | dict.fromkeys(UNLIMITED, "0")).items():
        assert ask(session, "SELECT current_setting(%s, true)", name) in (value, None), name
    assert ask(session, "SELECT now()").tzinfo is not None
    moment = datetime(2026, 2, 1, 12, tzinfo=timezone.get_default_timezone())
    assert ask(session, "SELECT %s::timestamptz", moment) == moment
    assert ask(session, "SELECT interval '-1 day 2 hours'") == timedelta(days=-1, hours=2)
    assert bytes(ask(session, "SELECT %s::bytea", b"\\x00\n")) == b"\\x00\n"
    session.set_autocommit(False)
    assert ask(session, "SHOW transaction_isolation") == "read committed"


def test_a_limit_that_the_address_gives_holds(session):
    session.settings_dict["OPTIONS"] = {"options": "-c statement_timeout=7s -c DateStyle=German"}
    assert ask(session, "SHOW statement_timeout") == "7s"
    assert ask(session, "SHOW lock_timeout") == "0"
    assert ask(session, "SHOW DateStyle") == "ISO, MDY"


def test_a_server_that_is_too_old_is_refused_each_time(session, monkeypatch):
    monkeypatch.setattr(type(session), "pg_version", 140023)
    for _ in range(2):
        with pytest.raises(NotSupportedError, match=r"PostgreSQL 15 or later is required \(found 14.23\)") as refused:
            session.ensure_connection()
    assert advise(refused.value).endswith("(found 14.23). Let DATABASE_URL name a newer one.")

"""A database that does not answer is told from errors that somebody has to look at."""

from __future__ import annotations

import logging
import runpy
import tempfile
import time
from errno import EACCES, ENOENT, ENOSPC
from types import SimpleNamespace

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, InternalError, NotSupportedError, OperationalError, connection

from accounts import outages
from accounts.outages import (
    advise,
    describe,
    describe_lack_of_temporary_folder,
    find_outage,
    is_disk_full,
    is_to_be_said,
)
from imports.errors import TryAgainLater


def error_of(code=None, kind=OperationalError):
    """As Django raises it: with the driver's own as its cause, which has the server's code where it sent one."""
    cause = psycopg.errors.lookup(code)("the server's words") if code else psycopg.OperationalError("refused")
    error = kind("said")
    error.__cause__ = cause
    return error


def caused_by(cause):
    error = TryAgainLater("later")
    error.__cause__ = cause
    return error


def met_while(context, kind):
    error = kind("then")
    error.__context__ = context
    return error


@pytest.mark.parametrize(
    "error",
    [
        error_of(),
        error_of("57P01"),
        error_of("57P03"),
        error_of("08006"),
        error_of("53300"),
        error_of("25006", InternalError),  # it was failed over: this one is a standby now
        error_of(kind=InterfaceError),
        NotSupportedError("PostgreSQL 15 or later is required (found 14.1)."),
        psycopg.OperationalError("the connection is closed"),
        caused_by(error_of()),
        met_while(error_of(), DatabaseError),
    ],
)
def test_what_means_that_nobody_answers(error):
    assert find_outage(error) is not None


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("a mistake"),
        error_of("40P01"),  # of two that waited for each other, one was ended
        error_of("55P03"),
        error_of("57014"),
        error_of("53100"),  # its disk is full: it answers
        met_while(error_of(), KeyError),  # a mistake of ours while an outage was handled
    ],
)
def test_what_somebody_has_to_look_at(error):
    assert find_outage(error) is None


def test_a_server_that_is_too_old_is_described_by_what_to_do():
    said = describe(NotSupportedError("PostgreSQL 15 or later is required (found 14.1)."))
    assert "PostgreSQL 15 or later is required (found 14.1). Let DATABASE_URL name a newer one." in said
    assert describe(error_of()) == "The database does not answer: said"


def test_a_full_disk_is_told_from_other_errors_whose_ever_it_is():
    assert [is_disk_full(error) for error in (OSError(ENOSPC, "No space"), error_of("53100"))] == [True, True]
    assert "Make room on the disk of the database's server." in advise(error_of("53100"))
    assert [is_disk_full(error) for error in (None, OSError(EACCES, "no"), error_of("53300"))] == [False] * 3


def test_where_temporary_files_can_be_written_nowhere_who_starts_is_told_where_they_could(monkeypatch, caplog):
    assert describe_lack_of_temporary_folder() == ""

    def find_none():
        raise FileNotFoundError(ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", find_none)
    said = "No usable temporary directory found in ['/tmp']. Let the program's user write to one of them, make room "
    assert advise(OSError(ENOSPC, "No space")) == describe_lack_of_temporary_folder() == f"{said}there, or set TMPDIR."
    with pytest.raises(SystemExit):
        runpy.run_path("gunicorn.conf.py")["on_starting"](SimpleNamespace(log=logging.getLogger("gunicorn")))
    assert said in caplog.text


@pytest.mark.django_db
def test_a_statement_that_is_wrong_is_no_outage():
    with pytest.raises(DatabaseError) as said, connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert find_outage(said.value) is None


def test_it_is_said_once_a_minute(monkeypatch):
    outages.forget_outage()
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    said = []
    for seconds in (0, 1, 58, 1, 59, 30, 90):
        now[0] += seconds
        said.append(is_to_be_said())
    assert said == [True, False, False, True, False, True, True]
    outages.forget_outage()

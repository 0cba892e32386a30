"""Imports that end in the middle, held up there by a lock: real processes on a real database."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from benchmarks.servers import Server
from connections.bulk import merging
from connections.models import Connection
from imports.errors import TryAgainLater
from imports.models import Run
from tests.builders import add_lookups, make_account
from tests.imports.customer_files import NEW, SHIPPING, as_text, import_path
from tests.processes import a_session_waits, start_command, wait_until

CUSTOMERS = 20
MOMENTS = {
    "staged": "SELECT FROM accounts_account FOR NO KEY UPDATE",
    "being merged": "LOCK TABLE connections_connection IN SHARE MODE",
}
"""What keeps an import from going on at a moment, by what has come of its customers then."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def file(tmp_path):
    rows = (
        NEW | SHIPPING | {"customer_code": f"C{number}", "shipping_code": f"S{address}", "create_doors": "y"}
        for number in range(CUSTOMERS)
        for address in range(3)
    )
    path = tmp_path / "customers.txt"
    path.write_text(as_text(rows))
    return path


def start_import(path: Path, *options: str) -> subprocess.Popen[str]:
    return start_command("import_customers", str(path), "--account", "maison", *options)


@contextmanager
def held_up(moment: str) -> Iterator[None]:
    """Imports come to the moment and no further, until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MOMENTS[moment])
        yield


def end_session() -> None:
    """That of the import that is held up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND datname = current_database()")  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_import_leaves_nothing_and_the_next_one_succeeds(account, file, moment):
    with held_up(moment):
        process = start_import(file)
        wait_until(a_session_waits)
        process.kill()
        process.communicate()
        killed = Run.objects.get()
        assert killed.status == Run.Status.RUNNING
        assert not Connection.objects.exists()

    following = import_path(account, file)
    assert (following.status, following.created) == (Run.Status.SUCCEEDED, CUSTOMERS)
    assert Connection.objects.count() == CUSTOMERS
    killed.refresh_from_db()
    assert killed.status == Run.Status.FAILED
    assert "import the file again" in killed.message


def test_ctrl_c_ends_with_a_message_and_nothing_applied(account, file):
    with held_up("staged"):
        process = start_import(file)
        wait_until(a_session_waits)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "nothing was applied" in errors
    assert "Traceback" not in errors
    assert Run.objects.get().status == Run.Status.FAILED
    assert not Connection.objects.exists()


def test_a_lost_database_session_is_told_and_nothing_applied(account, file):
    with held_up("being merged"):
        process = start_import(file)
        wait_until(a_session_waits)
        end_session()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Nothing was applied; try again" in errors
    assert "Traceback" not in errors
    assert not Connection.objects.exists()
    import_path(account, file)
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.FAILED, Run.Status.SUCCEEDED}


def test_a_session_that_is_lost_in_the_middle_of_a_copy_is_told_too(account, file, monkeypatch):
    copy_rows = merging.copy_rows

    def lose_session(cursor, table, columns, rows):
        def cut():
            for row in rows:
                yield row
                with psycopg.connect(Server().dsn, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 60000)", [session])

        session = connection.connection.info.backend_pid
        monkeypatch.undo()
        copy_rows(cursor, table, columns, cut())

    monkeypatch.setattr(merging, "copy_rows", lose_session)
    with pytest.raises(TryAgainLater, match="Nothing was applied; try again"):
        import_path(account, file)
    connection.close()
    assert Run.objects.get().status == Run.Status.FAILED
    assert not Connection.objects.exists()


def test_two_imports_at_the_same_time_go_in_one_after_the_other(account, file):
    with held_up("staged"):
        processes = [start_import(file, "--json") for _ in range(2)]
        wait_until(a_session_waits)
    outputs = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    counts = [json.loads(output)["counts"] for output, _ in outputs]
    assert sorted(count["created"] for count in counts) == [0, CUSTOMERS]
    assert sorted(count["unchanged"] for count in counts) == [0, CUSTOMERS]

"""Processes that end in the middle, with real processes on a real database."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from django.db import connection

from connections.models import Connection
from imports.models import Run
from tests.builders import add_lookups, make_account
from tests.imports.customer_files import NEW, SHIPPING, as_text
from tests.processes import start_command

CUSTOMERS = 3000

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


def wait_until_busy(statement: str) -> int:
    """Wait until a session of the database runs a statement that begins like this; returns its backend."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND query LIKE %s",
                [f"{statement}%"],
            )
            if row := cursor.fetchone():
                return int(row[0])
        time.sleep(0.005)
    raise AssertionError(f"no session ran {statement}")


@pytest.mark.parametrize("moment", ["COPY", "WITH created"])
def test_a_killed_import_leaves_nothing_and_the_next_one_succeeds(account, file, moment):
    process = start_import(file)
    wait_until_busy(moment)
    process.kill()
    process.communicate()
    killed = Run.objects.get()
    assert killed.status == Run.Status.RUNNING
    assert not Connection.objects.exists()

    following = start_import(file, "--json")
    output, errors = following.communicate(timeout=120)
    assert following.returncode == 0, errors
    assert json.loads(output)["counts"]["created"] == CUSTOMERS
    assert Connection.objects.count() == CUSTOMERS
    killed.refresh_from_db()
    assert killed.status == Run.Status.FAILED
    assert "import the file again" in killed.message


def test_ctrl_c_ends_with_a_message_and_nothing_applied(account, file):
    process = start_import(file)
    wait_until_busy("COPY")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "nothing was applied" in errors
    assert "Traceback" not in errors
    assert Run.objects.get().status == Run.Status.FAILED
    assert not Connection.objects.exists()


def test_a_lost_database_session_is_told_and_nothing_applied(account, file):
    process = start_import(file)
    backend = wait_until_busy("COPY")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Nothing was applied; try again" in errors
    assert "Traceback" not in errors
    assert not Connection.objects.exists()
    following = start_import(file)
    following.communicate(timeout=120)
    assert following.returncode == 0
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.FAILED, Run.Status.SUCCEEDED}


def test_two_imports_at_the_same_time_go_in_one_after_the_other(account, file):
    processes = [start_import(file, "--json") for _ in range(2)]
    outputs = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    counts = [json.loads(output)["counts"] for output, _ in outputs]
    assert sorted(count["created"] for count in counts) == [0, CUSTOMERS]
    assert sorted(count["unchanged"] for count in counts) == [0, CUSTOMERS]

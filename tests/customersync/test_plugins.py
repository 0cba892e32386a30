"""Apps bring their pages with them: each set of apps is tried in a process and a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.servers import Server
from tests.processes import environment

ROOT = Path(__file__).resolve().parents[2]
NAME = f"plugins_{os.getpid()}"


@pytest.fixture
def run_inside(db, tmp_path):
    """Run a module of tests with other settings."""

    def run(module: str, settings: str, *options: str) -> None:
        address = Server().url(NAME)
        done = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--ds={settings}",
                *options, module,
            ],
            cwd=ROOT,
            env=environment(DATABASE_URL=address, DATA_DIR=str(tmp_path)),
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_the_project_does_without_imports(run_inside):
    run_inside("tests/customersync/without_imports.py", "tests.settings.without_imports")


def test_another_developers_app_adds_to_the_project_without_touching_it(migrated, run_inside, monkeypatch):
    """Whose migrations alone are wanting in the database."""
    monkeypatch.setenv("DATABASE_TEMPLATE", migrated)
    server, database = Server(), f"test_{NAME}"
    server.create(database)
    try:
        run_inside("tests/customersync/with_plugin.py", "tests.settings.with_plugin", "--reuse-db")
    finally:
        server.drop(database)

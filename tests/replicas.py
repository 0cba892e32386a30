"""A replica of the tests' PostgreSQL: streamed to a second server, which ends with its block."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from customersync.embedded_postgres.server import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_replica() -> Iterator[dict[str, Any]]:
    """An entry of DATABASES for it. The programs and the system user are those of the embedded server."""
    if connection.settings_dict["ENGINE"] != "customersync.embedded_postgres":
        pytest.skip("a replica is made of the embedded server alone")
    connection.ensure_connection()
    original, programs = data_folder(settings.DATA_DIR), _find_programs()
    folder = Path(tempfile.mkdtemp())
    owner: dict[str, Any] = {"user": original.owner()} if os.geteuid() == 0 else {}
    shutil.chown(folder, original.owner())
    source = {key: str(connection.settings_dict[key]) for key in ("HOST", "PORT") if connection.settings_dict[key]}
    copy = [str(programs / "pg_basebackup"), "-D", str(folder / "data"), "-R", "-c", "fast", "-U", "postgres"]
    try:
        subprocess.run([*copy, "-h", source["HOST"]], check=True, capture_output=True, cwd=folder, **owner)
        server = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **owner,
        )  # fmt: skip
        mirror = {**connection.settings_dict["TEST"], "MIRROR": DEFAULT_DB_ALIAS}
        try:
            yield {
                **connection.settings_dict,
                "ENGINE": "django.db.backends.postgresql",
                "HOST": str(folder),
                "TEST": mirror,
            }
        finally:
            server.terminate()
            server.wait(60)
    finally:
        shutil.rmtree(folder)


def _find_programs() -> Path:
    """Where the running server's lie; for root they are a copy in a system folder."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        return Path(cursor.fetchone()[0])

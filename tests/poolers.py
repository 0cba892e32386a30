"""PgBouncer between the program and PostgreSQL."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.processes import free_port, wait_until
from tests.proxies import gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextlib.contextmanager
def pooler(folder: Path, mode: str, **settings: str) -> Iterator[str]:
    """One in this mode, in front of the tests' database; yields a DATABASE_URL. Skips the test where there is none."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed (Debian's package of that name)")
    port, name = free_port(), connection.settings_dict["NAME"]
    path, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    with gate() as way, log.open("w") as output:
        server = {**way.server, "host": "127.0.0.1", "port": way.port}
        chosen = {
            "listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": mode, "ignore_startup_parameters": "extra_float_digits", **settings,
        }  # fmt: skip
        lines = [
            "[databases]",
            f"{name} = {' '.join(f'{key}={value}' for key, value in server.items())}",
            "[pgbouncer]",
            *(f"{key} = {value}" for key, value in chosen.items()),
        ]
        path.write_text("\n".join(lines))
        as_whom = ["-u", "nobody"] if getpass.getuser() == "root" else []
        process = subprocess.Popen([PROGRAM, *as_whom, str(path)], stdout=output, stderr=output)
        try:
            wait_until(lambda: process.poll() is not None or "process up" in log.read_text())
            assert process.poll() is None, log.read_text()
            yield f"postgres://anybody@127.0.0.1:{port}/{name}?sslmode=disable"
        finally:
            process.terminate()
            process.wait(60)

"""The PostgreSQL server that benchmarks make databases of their own on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

REQUESTS = (signal.SIGTERM, signal.SIGINT)
WITH_THIS_PROCESS = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
"""What a command begins with that is told to end when whoever started it is killed: on Linux."""
LAST_SECONDS = 60
"""How long a benchmark that was told to end may take to end its programs."""


class Server:
    """The project's PostgreSQL: the one of DATABASE_URL, else the embedded one."""

    def __init__(self) -> None:
        import django

        django.setup()
        from django.db import connection

        connection.ensure_connection()
        settings = connection.settings_dict
        self.parameters: dict[str, Any] = {
            name: str(settings[key])
            for name, key in (("host", "HOST"), ("port", "PORT"), ("user", "USER"), ("password", "PASSWORD"))
            if settings.get(key)
        }

    def execute(self, statement: str, database: str = "postgres") -> Any:
        import psycopg

        with psycopg.connect(**self.parameters, dbname=database, autocommit=True) as session:
            cursor = session.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def create(self, database: str) -> None:
        """A new one: empty, or what the one of DATABASE_TEMPLATE holds (which nobody may use meanwhile)."""
        self.drop(database)
        template = os.environ.get("DATABASE_TEMPLATE") or "template0"
        self.execute(f"CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE {template}")

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    @property
    def dsn(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())

    def url(self, database: str) -> str:
        """Of a database, as DATABASE_URL takes it; a socket's folder stands in the path."""
        user = quote(self.parameters.get("user", ""), safe="")
        password = f":{quote(self.parameters['password'], safe='')}" if "password" in self.parameters else ""
        host = self.parameters.get("host", "")
        port = f":{self.parameters['port']}" if "port" in self.parameters else ""
        if host.startswith("/"):
            return f"postgres://{user}{password}@/{host}/{database}"
        return f"postgres://{user}{password}@{host}{port}/{database}"


def rerun(program: str, **variables: str) -> int:
    """Run a benchmark again as `program --inside …`, with a database and a DATA_DIR of its own, both gone at the end.

    Returns its exit code. `variables` come on top of its environment.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "customersync.settings"
    server, database = Server(), f"customersync_{Path(program).stem}_{os.getpid()}"
    server.create(database)
    try:
        with tempfile.TemporaryDirectory() as folder:
            own = {
                "DATABASE_URL": server.url(database), "DEBUG": "on", "DATA_DIR": folder, "EMAIL_URL": "dummymail://",
            }  # fmt: skip
            command = [sys.executable, program, "--inside", *sys.argv[1:]]
            return run_to_its_end(command, {**os.environ, **own, **variables})
    finally:
        server.drop(database)


def end_in_order() -> None:
    """From now on a request to end goes the way of an exception, so that what was started is ended, too.

    It is heard once: another one would break off what the first began, as Ctrl-C and the end of a parent do together.
    """

    def end(number: int, _frame: object) -> None:
        for each in REQUESTS:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in REQUESTS:
        signal.signal(each, end)


def run_to_its_end(command: list[str], environment: dict[str, str]) -> int:
    """Its exit code. When this process is told to end, so is that one, and has the time to end what it started."""
    end_in_order()
    process = subprocess.Popen([*WITH_THIS_PROCESS, *command], env=environment)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(LAST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

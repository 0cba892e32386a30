"""Real processes of the program, on the database of the tests."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from benchmarks.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]


_commands: list[subprocess.Popen[str]] = []


def start_command(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """`manage.py` with these arguments, in a process group of its own, which ends with the test."""
    _commands.append(process := start_server(*arguments, **variables))
    return process


def start_server(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """The same for a fixture, which ends it itself."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests run in the background ignore it
    )


def end_commands() -> None:
    """End what a test that failed in their midst has left of the commands that it started."""
    while _commands:
        process = _commands.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def environment(**more: str) -> dict[str, str]:
    """Settings under which another process sees what the tests see."""
    return {
        **os.environ,
        "DATABASE_URL": Server().url(connection.settings_dict["NAME"]),
        "DATA_DIR": str(Path(settings.MEDIA_ROOT).parent),
        "DEBUG": "on",
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        **more,
    }


@contextmanager
def run_cluster(folder: Path, **variables: str) -> Iterator[int]:
    """`run_workers`, and its process number; all its processes end with the block."""
    log = folder / "cluster.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_workers"],
            cwd=ROOT,
            env=environment(**{"Q_WORKERS": "4", "EMAIL_URL": "dummymail://", **variables}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        process.wait(60)


def free_port(address: str = "127.0.0.1") -> int:
    """One of the address that nothing listens on, and that the system gives to nobody who lets it choose.

    So it stays free until a program is told to listen there, however many others open sessions meanwhile.
    """
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_given = int(given.read_text().split()[0]) if given.exists() else 32768
    ports = list(range(max(10_000, first_given - 20_000), first_given))
    random.SystemRandom().shuffle(ports)
    for port in ports:
        with contextlib.suppress(OSError), socket.create_server((address, port)):
            return port
    raise AssertionError(f"no port below {first_given} is free")


def a_session_waits() -> bool:
    """Whether a session of the tests' database waits for a lock; on the same server others are tested, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction would see the sessions as they were
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


def wait_until(
    condition: Callable[[], Any], seconds: float = 120, say: Callable[[], Any] = lambda: "it did not happen in time"
) -> None:
    """Wait for what a process does meanwhile; fails the test when it does not, and says what stands instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, say()
        time.sleep(0.05)

"""Hosts of the application, as sets of processes: each has an address of loopback and a DATA_DIR of its own.

What they share is what real ones would: the database, the storage, and the keys.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from django.conf import settings

from benchmarks.servers import WITH_THIS_PROCESS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("workers", "drop box")
"""What runs on a host unless somebody says otherwise; there is "web" besides."""


class Program:
    """A program in a session of its own, as systemd would run it."""

    def __init__(self, command: list[str], variables: Mapping[str, str], log: Path) -> None:
        self.command, self.variables, self.log = command, variables, log
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*WITH_THIS_PROCESS, sys.executable, *self.command],
                cwd=ROOT, env={**os.environ, **self.variables}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def family(self) -> list[psutil.Process]:
        """Its processes, also those that lost their parent or are groups of their own."""
        found = []
        for number in psutil.pids():
            with contextlib.suppress(OSError, psutil.Error):
                if os.getsid(number) == self.process.pid:
                    found.append(psutil.Process(number))
        return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def kill(self) -> None:
        """All its processes at once, and those that they forked meanwhile."""
        while family := self.family():
            for one in family:
                with contextlib.suppress(psutil.Error):
                    one.kill()
        self.process.wait()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def lanes(self) -> dict[str, list[psutil.Process]]:
        """The processes of a `run_workers` by what they are."""
        try:
            main = psutil.Process(self.process.pid)
            lanes = main.children()
            sentinels = [child for lane in lanes for child in lane.children()]
            workers = [child for sentinel in sentinels for child in sentinel.children()]
        except psutil.Error:
            return {}
        return {"worker": workers, "sentinel": sentinels, "lane": lanes, "watch": [main]}


@dataclass(frozen=True)
class Door:
    """Where a drop box takes files."""

    address: str
    ports: dict[str, int]
    """Of SFTP and FTPS."""


@dataclass
class Host:
    """One of several: `number` counts from 1 and ends its address. `variables` go to all of its programs."""

    number: int
    folder: Path
    """In which its DATA_DIR and logs are made."""
    variables: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = PROGRAMS
    running: dict[str, Program] = field(default_factory=dict)
    off_until: float = 0.0

    def __post_init__(self) -> None:
        from tests.processes import free_port  # once Django is set up

        self.address = f"127.0.0.{self.number}"
        self.data = self.folder / f"host-{self.number}"
        self.data.mkdir(parents=True)
        self.door = Door(self.address, {"SFTP": free_port(self.address), "FTPS": free_port(self.address)})
        self.web_port = free_port(self.address)
        for name in self.programs:
            self.start(name)

    @property
    def site(self) -> str:
        return f"http://{self.address}:{self.web_port}"

    def start(self, name: str) -> None:
        ports = self.door.ports
        commands = {
            "workers": ["manage.py", "run_workers"],
            "drop box": [
                "manage.py", "serve_dropbox", "--bind", self.address,
                "--sftp", str(ports["SFTP"]), "--ftps", str(ports["FTPS"]),
            ],
            "web": [
                "-m", "gunicorn", "customersync.wsgi", "--workers", "1", "--bind", f"{self.address}:{self.web_port}",
            ],
        }  # fmt: skip
        variables = {
            **self.variables, "DATA_DIR": str(self.data), "ALLOWED_HOSTS": f"localhost,{self.address}",
            "SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        }  # fmt: skip
        self.running[name] = Program(commands[name], variables, self.log)

    @property
    def log(self) -> Path:
        return self.folder / f"host-{self.number}.log"

    def kill(self, off: float = 0.0) -> None:
        """All at once, in the middle of whatever it does; it stays off for so many seconds."""
        self.off_until = time.monotonic() + off
        for program in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                program.process.send_signal(signal.SIGSTOP)  # so that no program sees another one go
        for program in self.running.values():
            program.kill()

    def supervise(self) -> int:
        """Start what has ended, as systemd would; returns how much that was."""
        if time.monotonic() < self.off_until:
            return 0
        ended = [program for program in self.running.values() if program.has_ended]
        for program in ended:
            program.kill()
            program.start()
        return len(ended)

    def memory(self) -> dict[str, list[int]]:
        """Bytes of each process that are its own or shared with others (RSS), by its program."""
        found: dict[str, list[int]] = {}
        for name, program in self.running.items():
            for one in program.family():
                with contextlib.suppress(psutil.Error):
                    found.setdefault(name, []).append(one.memory_info().rss)
        return found

"""Pulls that are hit at one of their points: what the points are, what happens there, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAULTS = ("kill", "fail")
"""End the process; or let what is done at the point fail: a lost database session, a disk error, a broken session."""
KINDS = ("clean", "partial", "held", "rejected")
TRANSPORTS = ("file", "ftp", "sftp")
MOST_PULLS = 6
"""After a fault: the files must be in by then, and what is told of them told."""
FILE_EVENTS = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.listdir", "os.chmod", "os.truncate"}
STEPS = ("list_files", "look_at", "download", "rename", "make_folder", "write_file", "settle_rename", "close")


class Point(NamedTuple):
    """The so manyth time that something is done: two threads are at work, so a count of everything would differ."""

    label: str
    time: int


@dataclass
class Injector:
    """Counts the points of a pull in this process, tells them, and causes the fault at one of them."""

    tell: Callable[[str], None]
    fault: str = ""
    at: Point | None = None
    places: tuple[str, ...] = ()
    passed: Counter[str] = field(default_factory=Counter)
    busy: bool = False

    def install(self) -> None:
        import psycopg

        for name in ("execute", "copy"):
            self._wrap_sql(psycopg.Cursor, name)
        self._wrap_sql(psycopg.Connection, "commit")
        from imports.filesystems.ftp import FTPServer
        from imports.filesystems.local import LocalServer
        from imports.filesystems.sftp import SFTPServer

        for server in (FTPServer, LocalServer, SFTPServer):
            for name in STEPS:
                self._wrap_step(server, name)
        sys.addaudithook(self._audit)

    def point(self, label: str) -> bool:
        """Whether the fault is to happen here; a kill happens at once."""
        if self.busy:
            return False
        self.passed[label] += 1
        hit = Point(label, self.passed[label]) == self.at
        if not self.fault or hit:
            self.tell(label)
        if hit and self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return hit

    def _wrap_sql(self, owner: Any, name: str) -> None:
        import psycopg

        real = getattr(owner, name)

        def lose(session: Any) -> None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(session.pgconn.socket)) as wire:
                wire.shutdown(socket.SHUT_RDWR)

        @wraps(real)
        def replaced(own: Any, *arguments: Any, **options: Any) -> Any:
            session = getattr(own, "connection", own)
            what = name if name == "commit" else f"{name} {_statement(arguments[0])}"
            if self.point(f"sql: {what}"):
                lose(session)
            done = real(own, *arguments, **options)
            idle = session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            if idle and not what.startswith("execute SELECT") and self.point(f"sql: {what}, answer"):
                lose(session)
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return done

        setattr(owner, name, replaced)

    def _wrap_step(self, owner: Any, name: str) -> None:
        from imports.filesystems import ServerUnreachable

        real = owner.__dict__.get(name) or getattr(owner, name)

        @wraps(real)
        def replaced(own: Any, *arguments: Any, **options: Any) -> Any:
            if self.point(f"step: {name}"):
                raise ServerUnreachable("The session broke.")
            done = real(own, *arguments, **options)
            if name != "close" and self.point(f"step: {name}, answer"):
                raise ServerUnreachable("The session broke.")
            return done

        setattr(owner, name, replaced)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in FILE_EVENTS or self.busy:
            return
        paths = [os.fsdecode(path) for path in arguments[:2] if isinstance(path, str | bytes | os.PathLike)]
        if not any(path.startswith(self.places) for path in paths):
            return
        self.busy = True
        try:
            kind = Path(paths[0]).suffix if event == "open" else ""
            what = f"file: {event}{f' {arguments[1]}' if event == 'open' else ''}{' *.part' if kind == '.part' else ''}"
        finally:
            self.busy = False
        if self.point(what):
            raise OSError(28, "No space left on device")


def _statement(query: Any) -> str:
    """What a statement does, without its names."""
    text = query.decode() if isinstance(query, bytes) else str(query)
    return " ".join(re.findall(r'[A-Za-z_"]+', text)[:3]).replace('"', "")


def run_apart(
    work: Callable[[], object], fault: str = "", at: Point | None = None, places: tuple[str, ...] = ()
) -> list[str]:
    """Do it in a process of its own, which the fault may end; returns the points that it tells."""
    from django.db import connection

    connection.close()
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with contextlib.suppress(BaseException):
            if places:
                Injector(lambda label: _tell(writing, label), fault, at, places).install()
            work()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        points = told.read().splitlines()
    os.waitpid(process, 0)
    return points


def _tell(writing: int, label: str) -> None:
    os.write(writing, f"{label}\n".encode())


# -- cases


@dataclass
class Case:
    """An account of its own with a feed of its own, and the file that lies in its folder."""

    number: int
    transport: str
    kind: str
    folder: Path
    feed: Any = None
    problems: list[str] = field(default_factory=list)

    def pull(self) -> None:
        from imports.feeds import taking
        from imports.feeds.pulling import pull_feed
        from imports.formats.policies import Policies
        from imports.formats.spec import STANDARD
        from imports.models import Feed

        if self.kind == "held":
            real, limited = taking.import_file, replace(STANDARD, policies=Policies(max_error_percent=10))

            def import_limited(request: Any, **options: Any) -> Any:
                return real(replace(request, spec=limited), **options)

            taking.import_file = import_limited
        pull_feed(Feed.objects.get(pk=self.feed.pk))

    @property
    def run(self) -> Any:
        return self.feed.runs.exclude(status="failed").order_by("pk").first()


def prepare(number: int, transport: str, kind: str, servers: dict[str, Any], root: Path) -> Case:
    from imports.messages.webhooks import make_webhook_secret
    from imports.models import Feed, Webhook
    from tests.builders import add_lookups, make_account

    account = make_account(f"case-{number}")
    add_lookups(account)
    folder = root / account.code
    folder.mkdir()
    Webhook.objects.create(account=account, url="https://127.0.0.1/", secret=make_webhook_secret())
    server = servers.get(transport, {"protocol": "file"})
    feed = Feed.objects.create(
        account=account, name="erp", settle_seconds=0, outbox_folder="outbox", contacts=["erp@example.com"],
        alert_after=100, folder="" if transport == "file" else account.code, **server,
    )  # fmt: skip
    write_file(folder / "customers.txt", kind)
    return Case(number, transport, kind, folder, feed)


def write_file(path: Path, kind: str, code: str = "C") -> None:
    from tests.imports.customer_files import NEW, as_text

    count, wrong = {"clean": (3, 0), "partial": (3, 1), "held": (12, 6), "rejected": (3, 0)}[kind]
    rows = [{**NEW, "customer_code": f"{code}{number}", "discount": ""} for number in range(count)]
    for row in rows[:wrong]:
        row["discount"] = "many"
    text = as_text(rows).encode()
    path.write_bytes(text.replace(b"Harbor", b"\xff\xfe") if kind == "rejected" else text)


def recover(case: Case) -> None:
    """Pull until nothing is left to do, as the hours would."""
    for _ in range(MOST_PULLS):
        run_apart(case.pull)
        pending = case.feed.messages.filter(kind="file", delivered_at=None).exists()
        if case.run is not None and not pending and (case.run.status == "held" or not list(case.folder.glob("*.txt"))):
            return
        time.sleep(0.05)


# -- what must hold


def observe(case: Case) -> dict[str, Any]:
    """What came of the case, without the numbers of its runs."""
    from connections.models import Change, Connection

    account, plain = case.feed.account, re.compile(r"^\d+-([0-9a-f]{8}-)?")
    names = ("processed", "failed", "outbox")
    places = {name: [plain.sub("", path.name) for path in case.folder.glob(f"{name}/*")] for name in names}
    changes = Change.objects.filter(account=account).values_list("customer_code", "record", "field", "after")
    told = case.feed.messages.exclude(event__startswith="feed.").exclude(event="run.failed")
    runs = case.feed.runs.exclude(status="failed").order_by("pk")
    return {
        "applied exactly once": (
            sorted(Connection.objects.filter(account=account).values_list("customer_code", "profile_name", "status")),
            [(run.status, run.held_for, tuple(run.counts.values())) for run in runs],
        ),
        "changes logged exactly once": sorted(map(repr, changes)),
        "archived exactly once": (sorted(places["processed"]), sorted(places["failed"]), _names(case.folder)),
        "receipts and rejects exactly once": sorted(places["outbox"]),
        "messages exactly once": sorted(told.values_list("kind", "event")),
    }  # fmt: skip


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def forget_by_tomorrow(case: Case, data: Path) -> None:
    """What a killed process left in the storage is deleted by the pruning of a later day."""
    from accounts.pruning import list_prunables, prune

    yesterday = time.time() - 2 * 24 * 3600
    for path in data.glob(f"files/runs/{case.feed.account_id}/*.part"):
        os.utime(path, (yesterday, yesterday))
    prune(list_prunables(["unnamed"]))


def check(case: Case, expected: dict[str, Any], data: Path) -> Iterator[str]:
    """Names of what does not hold."""
    from connections.models import Change

    for name, value in observe(case).items():
        if value != expected[name]:
            yield f"{name}: {value} instead of {expected[name]}"
    forget_by_tomorrow(case, data)
    for path in [*case.folder.rglob("*.part"), *data.glob(f"files/runs/{case.feed.account_id}/*.part")]:
        yield f"no .part left: {path.name}"
    for path in data.glob(f"files/incoming/{case.feed.pk}"):
        yield f"no download left: {path.name}"
    for path in case.folder.glob("outbox/*.json"):
        if json.loads(path.read_text())["status"] != path.name.split("-")[1]:
            yield f"receipts are true: {path.name}"
    failed = case.feed.runs.filter(status="failed")
    if Change.objects.filter(run_id__in=failed.values_list("pk", flat=True)).exists():
        yield "no false 'nothing was applied': a failed run has changes"
    for run in case.feed.runs.filter(status="running"):
        yield f"no run runs for ever: {run}"
    yield from _check_what_follows(case)


def _check_what_follows(case: Case) -> Iterator[str]:
    """A held run can be released; the feed's next file goes in and both are moved away."""
    from imports.storage import holds

    if case.kind == "held":
        if case.run is None or not case.run.kept_file or not holds(case.run.kept_file.key, None):
            yield "a held run has its copy"
            return
        run_apart(lambda: _release(case))
        if not case.feed.runs.filter(released_from=case.run, status="partial").exists():
            yield "a held run can be released"
    write_file(case.folder / "next.txt", "clean", "N")
    clean = replace(case, kind="clean")
    run_apart(clean.pull)
    if not case.feed.runs.filter(file_name="next.txt", status="succeeded").exists() or _names(case.folder):
        yield f"the next pull goes on: {case.feed.pulls.first().message} {_names(case.folder)}"


def _release(case: Case) -> None:
    from imports.runs.releasing import release_run

    release_run(case.run, by="rosa")


def check_told(case: Case) -> Iterator[str]:
    """Right after the fault: nobody says that nothing was applied where something was."""
    applied = case.feed.runs.applied().exists()
    pull = case.feed.pulls.first()
    if applied and pull is not None and "othing was applied" in pull.message:
        yield f"no false 'nothing was applied': {pull.message}"


def number_points(labels: list[str]) -> list[Point]:
    """The points of a pull without a fault, in their order."""
    passed: Counter[str] = Counter()
    points = []
    for label in labels:
        passed[label] += 1
        points.append(Point(label, passed[label]))
    return points

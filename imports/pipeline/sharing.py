"""Share: further processes examine batches of a large first load, which takes Python longer than all the rest.

Each is this program once more, which is given what it needs and asks no database. What it cannot do, or does not live
to do, or does not do in time, the run's own process does.
"""

from __future__ import annotations

import copy
import logging
import os
import pickle
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Self

from django.conf import settings

from connections.models import Connection
from imports.files.codes import Codes
from imports.formats.policies import UnknownLookup
from imports.pipeline.checking import BATCH
from imports.pipeline.helping import YOUR_TURN, Batch, Task, read_sheet, write_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from accounts.models import Account
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.pipeline.checking import Checker
    from imports.pipeline.examining import Examined

logger = logging.getLogger(__name__)

MANY = 20_000
"""New customers from which on it pays to start another process, which takes about a second of a processor."""
SAMPLE = 100
"""Customers that are looked for before the file is read to its end, to tell whether it brings new ones."""
START = "import django; django.setup(); from imports.pipeline.helping import serve; serve()"
PATIENCE = 60
"""Seconds in which a batch is examined many times over."""
MOST = 2
"""By which factor a helper's batches may become larger or smaller than those of the run's process."""


def check_all(checker: Checker, numbers: Sequence[int], helpers: Helpers, progress: Callable[[int], None]) -> None:
    """Check customers, given by number, in their order; `progress` is told how many are done.

    Helpers get batches of which the account has nobody, and end with the last one.
    """
    asked: dict[Helper, tuple[list[tuple[str, int]], list[int]]] = {}
    cut = done = 0

    def take(size: int, among: int) -> tuple[list[tuple[str, int]], list[int]]:
        """The next batch, and ids for it; what is left at the end is divided, so that nobody waits long for others."""
        nonlocal cut
        start, cut = cut, cut + min(size, -(-(len(numbers) - cut) // among))
        batch = [(checker.scan.customers.name(number), number) for number in numbers[start:cut]]
        # Ids in the order of the file, as indexes are smallest by.
        return batch, checker.reserve(len(batch)) if running else []

    def ask(helper: Helper, among: int) -> None:
        if helper.is_ready() and cut < len(numbers):
            asked[helper] = batch, ids = take(helper.size, among)
            if not checker.knows_any(batch):
                left = checker.examiner.judge.resolver.budget.left
                helper.ask(Batch(batch, ids, left))

    with helpers.at_work(checker) as running:
        own = take(BATCH, 1 + len(running))
        while own[0]:
            progress(done)
            for place, helper in enumerate(running):
                if helper not in asked:
                    ask(helper, len(running) - place)
            checker.check(*own)
            done += len(own[0])
            own, answering = take(BATCH, 1 + sum(helper.is_ready() for helper in running)), [*asked.items()]
            asked.clear()
            for place, (helper, (batch, ids)) in enumerate(answering):
                examined = helper.answer()
                ask(helper, len(answering) - place)  # so that it is at work while this is taken
                if examined is None or not checker.take_from_other(examined):
                    checker.check(batch, ids)
                done += len(batch)


class Helpers:
    """As many further processes as pay and the settings let; they are started once, and end with the block."""

    def __init__(self, account: Account, source: Source, spec: FormatSpec) -> None:
        self.account = account
        self.source = source
        creates = UnknownLookup.CREATE in spec.policies.unknown_lookup.values()
        self.most = 0 if creates else min(settings.IMPORT_PROCESSES, _processors()) - 1
        self.running: list[Helper] = []
        self.is_foreseen = False
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def foresee(self, scan: Scan) -> None:
        """Start them while the file is being read, once it has many customers and none of some is known.

        So they have started when the file is read. Of files whose customers are known, none is started for nothing.
        """
        if self.most > 0 and not self.is_foreseen and len(scan.customers) >= MANY:
            self.is_foreseen = True
            some = [*islice(scan.customers, 0, MANY, max(1, MANY // SAMPLE))]
            if not Connection.objects.filter(account=self.account, customer_code__in=some).exists():
                self._start()

    @contextmanager
    def at_work(self, checker: Checker) -> Iterator[list[Helper]]:
        """Those that help to check, if the file has many new customers; they end with the block."""
        with self.stack:
            if checker.examiner.near.new < MANY:
                self.stack.close()
                self.running.clear()
            else:
                self._start()
            for helper in self.running:
                helper.begin(_task(checker))
            yield self.running

    def _start(self) -> None:
        most, self.most = self.most, 0
        try:
            for _ in range(most):
                self.running.append(self.stack.enter_context(_running(self.source.file.fileno())))
        except OSError as error:
            logger.warning("No process can be started that helps with a first load: %s.", error.strerror)


def _processors() -> int:
    """How many of the machine's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _running(file: int) -> Iterator[Helper]:
    turns, others = socket.socketpair()
    with turns, others, tempfile.TemporaryFile() as sheet:
        handed = [others.fileno(), sheet.fileno(), file]
        process = subprocess.Popen(  # noqa: S603  (this program itself)
            [sys.executable, "-c", START, *map(str, handed)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=handed,
            start_new_session=True,
        )
        others.close()
        try:
            yield Helper(process, turns, sheet.fileno())
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # it holds nothing
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:  # no signal ends what waits for a disk
        logger.warning("The process %d, which helped with a first load, does not end.", process.pid)


def _task(checker: Checker) -> Task:
    examiner, source = checker.examiner, checker.source
    scan = copy.copy(checker.scan)
    scan.customers = Codes()  # batches bring theirs
    _ = checker.directory.rep_codes  # which are asked of the database when they are first needed
    return Task(
        {field.name: getattr(source, field.name) for field in fields(source) if field.name != "file"},
        checker.mapping.sent_header,
        checker.mapping.spec,
        checker.directory,
        scan,
        examiner.status,
        examiner.near,
    )


class Helper:
    """A process that examines batches. It ends with its socket, so also with whoever started it, however that ends.

    It is waited for only for its answers, and no longer than with patience; then it is lost, and ended.
    """

    def __init__(self, process: subprocess.Popen[bytes], turns: socket.socket, sheet: int) -> None:
        self.process = process
        self.turns = turns
        self.sheet = sheet
        self.size = BATCH
        """How many customers it can examine while the run's process checks a batch and takes what it answers."""
        self.has_begun = self.is_asked = self.is_lost = False

    def begin(self, task: Task) -> None:
        """Tell it what all its batches are of."""
        self._tell(task)

    def is_ready(self) -> bool:
        """Whether it can be asked by now, or is at work; it is not waited for."""
        self.has_begun = self.has_begun or self._hears(0)
        return self.has_begun and not self.is_lost

    def ask(self, batch: Batch) -> None:
        """Have a batch examined, whose answer must be taken before the next one is asked for."""
        self.is_asked = True
        self._tell(batch)

    def answer(self) -> Examined | None:
        """What the batch came to; none where the run's process has to see to it."""
        if self.is_lost or not self.is_asked:
            return None
        self.is_asked = False
        has_waited = self._hears(0)
        self.size = min(self.size * 11 // 10, MOST * BATCH) if has_waited else max(self.size * 10 // 11, BATCH // MOST)
        if not has_waited and not self._hears(PATIENCE):
            self._lose()  # it may be stopped, or out of memory
        try:
            examined: Examined | None = None if self.is_lost else read_sheet(self.sheet)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._lose()
            return None
        return examined

    def _tell(self, what: Task | Batch) -> None:
        if not self.is_lost:
            try:
                write_sheet(self.sheet, what)
                self.turns.sendall(YOUR_TURN)
            except OSError:
                self._lose()

    def _hears(self, seconds: float) -> bool:
        """Whether it says within so many seconds that it has done what it was told."""
        self.turns.settimeout(seconds)
        try:
            heard = self.turns.recv(1)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            heard = b""
        if not heard:
            self._lose()
        return bool(heard)

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self.process.kill()
            logger.warning("A process that helped with a first load has ended; the import goes on without it.")

"""Share: further processes examine batches of a large file, which takes Python longer than all the rest.

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
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING, Self

from django.conf import settings

from connections.models import Connection
from imports.files.codes import Codes
from imports.formats.policies import UnknownLookup
from imports.pipeline.checking import BATCH
from imports.pipeline.helping import YOUR_TURN, Batch, Task, read_sheet, write_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from accounts.models import Account
    from connections.stored import StoredCustomer
    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.pipeline.checking import Checker
    from imports.pipeline.examining import Examined

logger = logging.getLogger(__name__)

MANY = 20_000
"""New or changed customers from which on it pays to start a process, which takes about a second of a processor."""
SAMPLE = 100
"""Customers that are looked for before the file is read to its end, to tell whether it brings new ones."""
START = "import django; django.setup(); from imports.pipeline.helping import serve; serve()"
PATIENCE = 60
"""Seconds in which a batch is examined many times over."""
ROUNDS = 2
"""For how many rounds a helper has batches: that of this one, and that of the next."""
MOST = 2
"""By which factor a helper's batches may become larger or smaller than those of the run's process."""


def check_all(checker: Checker, numbers: Sequence[int], helpers: Helpers, progress: Callable[[int], None]) -> None:
    """Check customers, given by number, in their order; `progress` is told how many are done.

    That goes in rounds of a batch for each process. Helpers get one for each of the next rounds, so that they are at
    work whatever the run's process does; and end with the last one.
    """
    rounds: deque[list[_Share]] = deque()
    cut = done = 0

    def take(size: int, among: int) -> list[tuple[str, int]]:
        """The next batch; what is left at the end is divided, so that nobody waits long for others."""
        nonlocal cut
        start, cut = cut, cut + min(size, -(-(len(numbers) - cut) // among))
        return [(checker.scan.customers.name(number), number) for number in numbers[start:cut]]

    def begin_round() -> list[_Share]:
        """Prepared in the order of the file, since indexes are smallest where ids are given in theirs."""
        ready = [helper for helper in running if helper.is_ready()]
        batch = take(BATCH, 1 + len(ready))
        shares = [_Share(batch, checker.prepare(batch))]
        for place, helper in enumerate(ready):
            if batch := take(helper.size, len(ready) - place):
                helper.ask(Batch(batch, *checker.prepare(batch), checker.examiner.judge.resolver.budget.left))
                shares.append(_Share(batch, helper=helper))
        return shares

    with helpers.at_work(checker, len(numbers)) as running:
        while rounds or cut < len(numbers):
            while len(rounds) < (ROUNDS if running else 1) and cut < len(numbers):
                rounds.append(begin_round())
            for share in rounds.popleft():
                progress(done)
                share.check(checker)
                done += len(share.batch)


@dataclass
class _Share:
    """A batch of customers, and what is prepared for the run's own process or the helper that examines them."""

    batch: list[tuple[str, int]]
    prepared: tuple[Mapping[str, StoredCustomer], Sequence[int]] = ({}, ())
    helper: Helper | None = None

    def check(self, checker: Checker) -> None:
        """See to it, whoever examines it; as things are by now where a helper could not."""
        if self.helper is None:
            checker.examine(self.batch, *self.prepared)
        elif (examined := self.helper.answer()) is None or not checker.take_from_other(examined):
            checker.check(self.batch)


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
    def at_work(self, checker: Checker, count: int) -> Iterator[list[Helper]]:
        """Those that help to check so many customers, if they are many; they end with the block."""
        with self.stack:
            if count < MANY:
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
            logger.warning("No process can be started that helps with a large file: %s.", error.strerror)


def _processors() -> int:
    """How many of the machine's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _running(file: int) -> Iterator[Helper]:
    turns, others = socket.socketpair()
    with turns, others, ExitStack() as stack:
        sheets = [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(ROUNDS)]
        handed = [others.fileno(), file, *sheets]
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
            yield Helper(process, turns, sheets)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # it holds nothing
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:  # no signal ends what waits for a disk
        logger.warning("The process %d, which helped with a large file, does not end.", process.pid)


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

    What it is told, and what that came to, stands on its sheets by turns. It is waited for only for its answers, and no
    longer than with patience; then it is lost, and ended.
    """

    def __init__(self, process: subprocess.Popen[bytes], turns: socket.socket, sheets: Sequence[int]) -> None:
        self.process = process
        self.turns = turns
        self.sheets = sheets
        self.told = self.done = self.read = 0
        """How much it was told, of that did, and what of that was read; the task is the first."""
        self.size = BATCH
        """How many customers it can examine while the run's process does its part of a round."""
        self.is_lost = False

    def begin(self, task: Task) -> None:
        """Tell it what all its batches are of."""
        self._tell(task)
        self.read += 1

    def is_ready(self) -> bool:
        """Whether it has begun, and so can be asked; it is not waited for."""
        self._hear(0)
        return bool(self.done) and not self.is_lost

    def ask(self, batch: Batch) -> None:
        """Have a batch examined, when no more than one for each of its other sheets is asked for."""
        self._tell(batch)

    def answer(self) -> Examined | None:
        """What the first of its batches came to; none where the run's process has to see to it."""
        number, self.read = self.read, self.read + 1
        self._hear(0)
        if self.done == self.told:
            self.size = min(self.size * 11 // 10, MOST * BATCH)  # it has nothing to do
        elif self.done <= number:
            self.size = max(self.size * 10 // 11, BATCH // MOST)
            self._hear(PATIENCE)
        if self.done <= number:
            self._lose()  # it may be stopped, or out of memory
        try:
            return None if self.is_lost else self._read(number)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._lose()
            return None

    def _read(self, number: int) -> Examined | None:
        examined: Examined | None = read_sheet(self.sheets[number % ROUNDS])
        return examined

    def _tell(self, what: Task | Batch) -> None:
        number, self.told = self.told, self.told + 1
        if not self.is_lost:
            try:
                write_sheet(self.sheets[number % ROUNDS], what)
                self.turns.sendall(YOUR_TURN)
            except OSError:
                self._lose()

    def _hear(self, seconds: float) -> None:
        """Count what it says within so many seconds that it has done."""
        if self.is_lost:
            return
        self.turns.settimeout(seconds)
        try:
            heard = self.turns.recv(ROUNDS)
        except (BlockingIOError, TimeoutError):
            return
        except OSError:
            heard = b""
        self.done += len(heard)
        if not heard:
            self._lose()

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self.process.kill()
            logger.warning("A process that helped with a large file has ended; the import goes on without it.")

"""Share: further processes examine batches of a large first load, which takes Python longer than all the rest.

Each is this program once more, which is given what it needs and asks no database. What it cannot do, or does not live
to do, the run's own process does.
"""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import select
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings

from connections.bulk.texts import CopyText, as_copy_text
from imports.errors import FileRejected
from imports.files.mapping import CustomerMapping
from imports.files.sources import Source
from imports.formats.policies import UnknownLookup
from imports.pipeline.checking import BATCH
from imports.pipeline.examining import Examined, Examiner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.pipeline.checking import Checker
    from imports.pipeline.comparing import NearKeys
    from lookups.directory import LookupDirectory

logger = logging.getLogger(__name__)

MANY = 20_000
"""New customers from which on it pays to start another process, which takes about a second of a processor."""
START = "import django; django.setup(); from imports.pipeline.sharing import serve; serve()"
READY = b"\n"
PATIENCE = 60
"""Seconds in which a batch is examined many times over."""


@dataclass
class Task:
    """What an examiner of a file is made of; `file` is the number under which the process has the file open."""

    file: int
    source: dict[str, Any]
    header: list[str]
    spec: FormatSpec
    directory: LookupDirectory
    scan: Scan
    status: str
    near: NearKeys


@dataclass
class Batch:
    """Customers that are new, by code and number, and ids for them."""

    customers: list[tuple[str, int]]
    ids: list[int]


# -- in the run's process


def check_all(checker: Checker, codes: Sequence[str], progress: Callable[[int], None]) -> None:
    """Check customers, given by code, in their order; `progress` is told how many are done.

    Helpers get batches of which the account has nobody.
    """
    cut = (codes[start : start + BATCH] for start in range(0, len(codes), BATCH))
    asked: dict[Helper, tuple[Sequence[str], list[int]]] = {}
    done = 0

    def ask(helper: Helper) -> None:
        if helper.is_ready() and (taken := next(batches, None)):
            asked[helper] = batch, ids = taken
            if not checker.knows_any(batch):
                helper.ask(Batch([(code, checker.scan.customers[code]) for code in batch], ids))

    with _helping(checker) as helpers:
        # Ids in the order of the file, as indexes are smallest by.
        batches = ((batch, checker.reserve(len(batch)) if helpers else []) for batch in cut)
        own = next(batches, None)
        while own:
            progress(done)
            for helper in helpers:
                if helper not in asked:
                    ask(helper)
            checker.check(*own)
            done += len(own[0])
            own, answering = next(batches, None), [*asked.items()]
            asked.clear()
            for helper, (batch, ids) in answering:
                examined = helper.answer()
                ask(helper)  # so that it is at work while this is taken
                if examined is None:
                    checker.check(batch, ids)
                else:
                    checker.take(examined)
                done += len(batch)


@contextmanager
def _helping(checker: Checker) -> Iterator[list[Helper]]:
    """As many further processes as pay and the settings let, until the block ends."""
    creates = UnknownLookup.CREATE in checker.mapping.spec.policies.unknown_lookup.values()
    is_shared = checker.examiner.near.new >= MANY and not creates
    helpers: list[Helper] = []
    with ExitStack() as stack:
        try:
            for _ in range(1, min(settings.IMPORT_PROCESSES, _processors()) if is_shared else 1):
                helpers.append(stack.enter_context(_running(checker)))
        except OSError as error:
            logger.warning("No process can be started that helps with a first load: %s.", error.strerror)
        yield helpers


def _processors() -> int:
    """How many of the machine's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _running(checker: Checker) -> Iterator[Helper]:
    file = checker.source.file.fileno()
    with tempfile.TemporaryFile() as task:
        pickle.dump(_task(checker, file), task)
        task.seek(0)
        process = subprocess.Popen(  # noqa: S603  (this program itself)
            [sys.executable, "-c", START, str(task.fileno())],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[file, task.fileno()],
            start_new_session=True,
        )
    with process:
        try:
            yield Helper(process)
        finally:
            process.kill()  # it holds nothing


def _task(checker: Checker, file: int) -> Task:
    examiner, source = checker.examiner, checker.source
    scan = copy.copy(checker.scan)
    scan.customers = {code: scan.customers[code] for code in examiner.near.doubles.values()}
    _ = checker.directory.rep_codes  # which are asked of the database when they are first needed
    return Task(
        file,
        {field.name: getattr(source, field.name) for field in fields(source) if field.name != "file"},
        checker.mapping.sent_header,
        checker.mapping.spec,
        checker.directory,
        scan,
        examiner.status,
        examiner.near,
    )


class Helper:
    """A process that examines batches. It ends with its input, so also with whoever started it, however that ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.requests: BinaryIO = process.stdin  # type: ignore[assignment]  # a pipe
        self.answers: BinaryIO = process.stdout  # type: ignore[assignment]  # a pipe
        self.has_begun = self.is_asked = self.is_lost = False
        self.told = select.poll()
        self.told.register(self.answers)

    def is_ready(self) -> bool:
        """Whether it can be asked by now; it is not waited for."""
        if not self.has_begun and self.told.poll(0):
            self.has_begun = True
            if self.answers.read(1) != READY:
                self._lose()
        return self.has_begun and not self.is_lost

    def ask(self, batch: Batch) -> None:
        """Have a batch examined, whose answer must be taken before the next one is asked for."""
        self.is_asked = True
        try:
            pickle.dump(batch, self.requests)
            self.requests.flush()
        except OSError:
            self._lose()

    def answer(self) -> Examined | None:
        """What the batch came to; none where the run's process has to see to it."""
        if self.is_lost or not self.is_asked:
            return None
        self.is_asked = False
        try:
            if not self.told.poll(1000 * PATIENCE):
                raise EOFError  # it may be stopped, or out of memory
            examined: Examined | None = pickle.load(self.answers)  # noqa: S301  (this program's own)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._lose()
            return None
        return examined

    def _lose(self) -> None:
        self.is_lost = True
        with suppress(OSError):
            self.requests.close()  # with what could not be sent
        logger.warning("A process that helped with a first load has ended; the import goes on without it.")


# -- in another process


class _NotHere(Exception):
    """What only the run's process can do."""


def serve() -> None:
    """Examine the batches that are asked for, until nobody is left who could ask."""
    gc.disable()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no answer
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        task: Task = pickle.load(file)  # noqa: S301  (written by the process that started this one)
    with os.fdopen(task.file, "rb") as file, suppress(BrokenPipeError):
        source = Source(file, **task.source)
        mapping = CustomerMapping(task.spec, task.header)
        examiner = Examiner(source, mapping, task.directory, task.scan, task.status, _refuse, _refuse, task.near)
        answers.write(READY)
        answers.flush()
        with suppress(EOFError):
            while True:
                batch: Batch = pickle.load(sys.stdin.buffer)  # noqa: S301  (as above)
                pickle.dump(_examine(examiner, batch), answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()


def _examine(examiner: Examiner, batch: Batch) -> Examined | None:
    try:
        examined = examiner.examine(batch.customers, {}, lambda count: batch.ids[:count])
    except (FileRejected, _NotHere):
        return None
    examined.rows = [rows if isinstance(rows, CopyText) else as_copy_text(rows) for rows in examined.rows]
    return examined


def _refuse(what: object) -> None:
    """Leave problems that are too many to be sent, and entries of lists that are to be made, to the run's process."""
    raise _NotHere

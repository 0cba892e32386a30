"""Help: what another process does that examines batches of a large file. `serve` is all of it.

The run and its helper have files open, the sheets, which they use one after the other: on each stands what is asked,
and then what it came to. Between them goes one byte, which says that the next sheet is written. So neither ever waits
in the middle of a message, and how long it waits for one it decides itself.
"""

from __future__ import annotations

import gc
import os
import pickle
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from imports.errors import FileRejected
from imports.files.mapping import CustomerMapping
from imports.files.sources import Source
from imports.pipeline.examining import Examined, Examiner

if TYPE_CHECKING:
    from connections.stored import StoredCustomer
    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.pipeline.comparing import NearKeys
    from lookups.directory import LookupDirectory

YOUR_TURN = b"\n"


@dataclass
class Task:
    """What an examiner of a file is made of, but for the file itself, which the process has open."""

    source: dict[str, Any]
    header: list[str]
    spec: FormatSpec
    directory: LookupDirectory
    scan: Scan
    status: str
    near: NearKeys


@dataclass
class Batch:
    """Customers by code and number, those of them that are stored, ids for the others, and how many comparisons are
    left to the run.
    """

    customers: list[tuple[str, int]]
    stored: dict[str, StoredCustomer]
    ids: list[int]
    comparisons: int


def write_sheet(sheet: int, what: object) -> None:
    """Write on the sheet, which is given by its file descriptor. Raises OSError where the disk is full."""
    with open(sheet, "wb", closefd=False) as file:  # a new one each time, that remembers nothing of what stood there
        file.seek(0)
        pickle.dump(what, file, pickle.HIGHEST_PROTOCOL)


def read_sheet(sheet: int) -> Any:
    """What the other wrote last."""
    with open(sheet, "rb", closefd=False) as file:
        file.seek(0)
        return pickle.load(file)  # noqa: S301  (written by this program's own processes)


def serve() -> None:
    """Examine the batches that are asked for, until nobody is left who could ask."""
    gc.disable()
    link, file, *sheets = (int(number) for number in sys.argv[1:])
    with socket.socket(fileno=link) as turns, os.fdopen(file, "rb") as opened, suppress(ConnectionError):
        examiner: Examiner | None = None
        for sheet in cycle(sheets):
            if not turns.recv(1):
                return
            asked: Task | Batch = read_sheet(sheet)
            if isinstance(asked, Task):
                examiner = _examiner(asked, Source(opened, **asked.source))
            elif examiner:
                write_sheet(sheet, _examine(examiner, asked))
            turns.sendall(YOUR_TURN)


def _examiner(task: Task, source: Source) -> Examiner:
    mapping = CustomerMapping(task.spec, task.header)
    return Examiner(source, mapping, task.directory, task.scan, task.status, _refuse, _refuse, task.near)


class _NotHere(Exception):
    """What only the run's process can do."""


def _examine(examiner: Examiner, batch: Batch) -> Examined | None:
    """What a batch comes to; none where the run's process has to see to it."""
    resolver = examiner.judge.resolver
    resolver.forget_suggestions(batch.comparisons)
    try:
        examined = examiner.examine(batch.customers, batch.stored, batch.ids)
    except (FileRejected, _NotHere):
        return None
    if resolver.budget.is_short:
        return None
    examined.suggested = resolver.suggested()
    examined.rows = examined.rows.as_text()
    return examined


def _refuse(what: object) -> None:
    """Leave problems that are too many to be sent, and entries of lists that are to be made, to the run's process."""
    raise _NotHere

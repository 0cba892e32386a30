"""Outages: the database does not answer, which is said once a minute, however many ask for it meanwhile."""

from __future__ import annotations

import tempfile
import time
from errno import EDQUOT, EMFILE, ENFILE, ENOSPC
from multiprocessing.sharedctypes import RawValue
from typing import TYPE_CHECKING

import psycopg
from django.db import Error, InterfaceError, NotSupportedError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID_EVERY = 60.0
"""Seconds."""
_OUTAGES = ("08", "57P", "53300", "25006")
"""Beginnings of PostgreSQL's codes: the connection failed, the server ends or starts, it has no session left, it is a
standby and takes no writes."""
_NOBODY = (
    OperationalError,
    InterfaceError,
    NotSupportedError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
_ADVICE = {
    "42501": "Give the user of DATABASE_URL this right: best let it own the database (docs/operations.md).",
    "42P01": "Run manage.py migrate.",
    "42703": "Run manage.py migrate.",
    "53100": "Make room on the disk of the database's server.",
    "57014": "Take statement_timeout out of DATABASE_URL where it names one, or ask who ended the statement.",
}
"""What an operator does about what the database refuses, by PostgreSQL's code."""

_said_at = RawValue("d", 0.0)
"""Shared with the processes that this one forks, which are all of `run_workers`."""


def find_outage(error: BaseException | None) -> BaseException | None:
    """The error that says that the database does not answer, where this one is it or comes from it."""
    return next((one for one in _causes(error) if _is_outage(one)), None)


def find_full_disk(error: BaseException | None) -> BaseException | None:
    """The error that says that a disk is full, where this one is it or comes from it."""
    return next((one for one in _causes(error) if is_disk_full(one)), None)


def advise(error: BaseException) -> str:
    """What is refused or has no room, and what an operator does about it, in a line; "" where none can do anything."""
    if is_out_of_files(error):
        return f"{error}. Let the process open more files: LimitNOFILE of systemd, or ulimit -n."
    if isinstance(error, OSError) and (lack := describe_lack_of_temporary_folder()):
        return lack
    if isinstance(error, OSError) and is_disk_full(error):
        where = error.filename or f"where it was writing, and for temporary files in {tempfile.gettempdir()}"
        return f"{error.strerror}. Make room: {where}."
    advice = _ADVICE.get(_code_of(error), "")
    if isinstance(error, NotSupportedError) and not _code_of(error):  # our word, of a server that is too old
        advice = "Let DATABASE_URL name a newer one."
    return f"The database refuses: {str(error).splitlines()[0].rstrip('.')}. {advice}" if advice else ""


def describe(error: BaseException) -> str:
    """An outage, or what `advise` knows, in a line for operators; it may name hosts and users."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return advise(error) or f"The database does not answer: {said}"


def describe_failure(error: Error) -> str:
    """What kept the database from doing something, in a sentence."""
    return advise(error) or f"The database gave up: {str(error).splitlines()[0].rstrip('.')}."


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a disk was full, of this machine or of the database's server."""
    if isinstance(error, OSError):
        return error.errno in (ENOSPC, EDQUOT)
    return isinstance(error, Error) and _code_of(error) == "53100"


def is_out_of_files(error: BaseException | None) -> bool:
    """Whether the process, or its machine, may open no further file or connection."""
    return isinstance(error, OSError) and error.errno in (EMFILE, ENFILE)


def describe_lack_of_temporary_folder() -> str:
    """That temporary files can be written nowhere, and what an operator does about it; "" where they can."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        return f"{error.strerror}. Let the program's user write to one of them, make room there, or set TMPDIR."
    return ""


def is_to_be_said() -> bool:
    """Whether nobody has said it for a minute; whoever asks says it now."""
    now = time.monotonic()
    if _said_at.value and now - _said_at.value < SAID_EVERY:
        return False
    _said_at.value = now
    return True


def forget_outage() -> None:
    """As if there had been none."""
    _said_at.value = 0.0


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        # What fails while an error of the database is handled may be a mistake of ours, unless it is one of those too.
        error = error.__cause__ or (error.__context__ if isinstance(error, Error | psycopg.Error) else None)


def _is_outage(error: BaseException) -> bool:
    """One without a code is the driver's own, that there is no connection, or Django's, that the server is too old."""
    if isinstance(error, Error | psycopg.Error) and (code := _code_of(error)):
        return code.startswith(_OUTAGES)
    return isinstance(error, _NOBODY)


def _code_of(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""

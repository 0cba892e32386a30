"""Outages: the database does not answer, which is said once a minute, however many ask for it meanwhile."""

from __future__ import annotations

import time
from multiprocessing.sharedctypes import RawValue
from typing import TYPE_CHECKING

import psycopg
from django.db import Error, InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID_EVERY = 60.0
"""Seconds."""
_ENDED_OR_STARTING = ("08", "57P", "53300")
"""Beginnings of PostgreSQL's codes: the connection failed, the server ends or starts, it has no session left."""

_said_at = RawValue("d", 0.0)
"""Shared with the processes that this one forks, which are all of `run_workers`."""


def find_outage(error: BaseException | None) -> BaseException | None:
    """The error that says that the database does not answer, where this one is it or comes from it."""
    return next((one for one in _causes(error) if _is_outage(one)), None)


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
    """An error without a code is the driver's own: there is no connection, or none any more."""
    if not isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError):
        return False
    code = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    return not code or code.startswith(_ENDED_OR_STARTING)

"""Lines of the log: when, how grave, who says it, in which request, and what; errors with their traceback."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from typing import NamedTuple

from django.db import InterfaceError, OperationalError


class Asked(NamedTuple):
    """The request that is being answered, as the log names it: never with its query or body."""

    id: str
    method: str
    path: str


asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


class Outages(logging.Filter):
    """Says that the database does not answer in one line a minute, instead of a traceback every few seconds."""

    said_at = -60.0

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info and record.exc_info[1]
        if not isinstance(error, OperationalError | InterfaceError):
            return True
        now = time.monotonic()
        if now - self.said_at < 60:
            return False
        self.said_at = now
        record.msg, record.args, record.exc_info = f"{record.getMessage()}: {str(error).splitlines()[0]}", (), None
        return True


class Line(logging.Formatter):
    """`2026-01-31T08:00:00.000Z ERROR django.request [id POST /path] message`."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(where)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        request = asked.get()
        record.where = f" [{request.id} {request.method} {_printable(request.path)}]" if request else ""
        return super().format(record)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)

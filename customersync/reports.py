"""Reports: an error as the log and mails to the operator tell it, without what it may say of customers.

Where it happened is told line by line, and what kind of error it is. Its text is not, since it may quote a cell, unless
the operator keeps the log in the house and says so (`LOG_DETAILS`). No report has values of variables, bodies, queries,
cookies or headers of requests.
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from accounts.outages import find_outage

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHHELD = "(its text is not told, as it may quote customers; LOG_DETAILS=on tells it)"
CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"
QUERY = re.compile(r"\?\S*")
SHORT = 3
"""Letters of a text that is no customer's, and may be part of any word."""
MAILED_EVERY = 10 * 60
"""Seconds in which an error of one place is mailed once."""


def describe_error(error: BaseException) -> str:
    """Its traceback with those of its causes, in the words of Python's own."""
    return "".join(_tell(error, set())).rstrip()


def _tell(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _tell(before, seen)
        yield CAUSED if error.__cause__ else MEANWHILE
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    yield f"{name}: {tell_text(error)}\n"
    for one in getattr(error, "exceptions", ()):
        if isinstance(one, BaseException) and id(one) not in seen:
            yield "\nOne of its exceptions:\n\n"
            yield from _tell(one, seen)


def tell_text(error: BaseException) -> str:
    """What an error says, as far as it cannot be a customer's."""
    if settings.LOG_DETAILS:
        return str(error)
    if find_outage(error) is error or isinstance(error, ImproperlyConfigured):
        return str(error).partition("\n")[0]
    database = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(error, Error | psycopg.Error) and isinstance(database, psycopg.Error):
        found = database.diag
        names = (found.schema_name, found.table_name, found.column_name, found.constraint_name)
        return " ".join(filter(None, [f"SQLSTATE {database.sqlstate or 'none'}", *names, WITHHELD]))
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        return f"[Errno {error.errno}] {error.strerror}"
    return WITHHELD


class Discretion(logging.Filter):
    """Takes what an error says out of the line about it, where libraries put it, and queries of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if record.name == "gunicorn.error":
            said = QUERY.sub("", said)
        if record.name == "asyncio":
            said = said.partition("\n")[0]  # behind it stands the task with its error
        if not settings.LOG_DETAILS:
            for error in _errors_in(record):
                if len(text := str(error)) > SHORT:
                    said = said.replace(text, tell_text(error))
        record.msg, record.args = said, ()
        return True


def _errors_in(record: logging.LogRecord) -> Iterator[BaseException]:
    given = record.args if isinstance(record.args, tuple) else ()
    for error in (record.exc_info and record.exc_info[1], *given):
        seen: set[int] = set()
        while isinstance(error, BaseException) and id(error) not in seen:
            seen.add(id(error))
            yield error
            error = error.__cause__ or error.__context__


class Report(ExceptionReporter):
    """In the place of Django's, which shows variables and the request, for whoever mails or stores reports with it."""

    def get_traceback_data(self) -> dict[str, Any]:
        return {"exception_type": getattr(self.exc_type, "__name__", ""), "frames": []}

    def get_traceback_text(self) -> SafeString:
        error = self.exc_value
        told = describe_error(error) if isinstance(error, BaseException) else "No exception was raised."
        return mark_safe(told)  # noqa: S308  (plain text)

    def get_traceback_html(self) -> SafeString:
        return format_html("<pre>{}</pre>", "".join(self.get_traceback_text()))


class Seldom(logging.Filter):
    """Lets an error of one place through once in some minutes, so that nobody gets a mail for each request."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        self.passed = {place: at for place, at in self.passed.items() if now - at < MAILED_EVERY}
        place = _place_of(record)
        if place in self.passed:
            return False
        self.passed[place] = now
        return True


def _place_of(record: logging.LogRecord) -> tuple[object, ...]:
    error = record.exc_info and record.exc_info[1]
    if not error:
        return record.name, record.pathname, record.lineno
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return type(error), *((frame.filename, frame.lineno) for frame in last)

"""The log: lines that say when, how grave, who says it, what is being done, and what; as text or as JSON."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.json import JsonFormatter

from accounts.outages import describe, find_full_disk, find_outage, is_out_of_files, is_to_be_said
from accounts.tallies import count
from accounts.watching import names_of_work

if TYPE_CHECKING:
    from types import TracebackType

REQUEST = ("request", "method", "path")
"""Names of a request, which stand together in a line."""


class Chatter(logging.Filter):
    """Leaves out what says nothing or is said elsewhere.

    That something is away just now stands in answers; what the queue does by itself is noise; and that a task failed
    `imports.tasks` says, where the library would write down all that its error says.
    """

    noise = re.compile(r"Enqueued|Failed '|.*prove_to_be_at_work")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request":
            return bool(record.exc_info) or getattr(record, "status_code", 500) != 503
        return record.name != "django-q" or not self.noise.match(record.getMessage())


class Outages(logging.Filter):
    """Says that the database does not answer, or a disk is full, in one line a minute, and not in a traceback every few
    seconds.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        outage = find_outage(error) or find_full_disk(error) or (error if is_out_of_files(error) else None)
        if outage is None:
            return True
        if getattr(record, "is_counted", False):  # by another handler's filter
            return False
        record.is_counted = True
        count("errors_total", "storage" if isinstance(outage, OSError) else "database")
        if not is_to_be_said():
            return False
        record.msg, record.args, record.exc_info = describe(outage), (), None
        record.levelno, record.levelname = logging.ERROR, "ERROR"
        return True


class Line(logging.Formatter):
    """`2026-01-31T08:00:00.000Z ERROR django.request [id POST /path] [account=maison run=17] message`."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(where)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        names = dict(names_of_work())
        request = " ".join(str(names.pop(name)) for name in REQUEST if name in names)
        others = " ".join(f"{name}={value}" for name, value in names.items())
        record.where = _printable("".join(f" [{some}]" for some in (request, others) if some))
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (of the library)
        record.message = _printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  (of the library)
        return _describe(ei)


class Json(JsonFormatter):
    """The same as one object a line, with whatever else a line is given (`extra`) as members of it."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
            json_ensure_ascii=False,
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["time"] = at.replace("+00:00", "Z")
        super().add_fields(log_data, record, message_dict)
        for name in ("request", "server_time", "status_code"):  # what Django and its servers add
            log_data.pop(name, None)
        log_data |= names_of_work()

    def formatException(self, ei: Any) -> str:  # noqa: N802  (of the library)
        return _describe(ei)


def _describe(found: Any) -> str:
    from customersync.reports import describe_error  # which needs the settings, that need this module

    return describe_error(found[1]) if found and found[1] else ""


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


FORMS = {"text": "customersync.logs.Line", "json": "customersync.logs.Json"}


def describe_logging(form: str) -> dict[str, Any]:
    """Django's LOGGING: to stderr as `text` or `json`, for whoever keeps it, and grave errors by mail to ADMINS.

    Told are errors with their traceback and request, warnings, what workers do, and how runs end. What a client did
    wrong stands in its answer and not here. Raises ImproperlyConfigured for another form.
    """
    if form not in FORMS:
        raise ImproperlyConfigured(f"LOG_FORMAT is {form!r}; take text or json.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {name: {"()": path} for name, path in FORMS.items()},
        "filters": {
            "chatter": {"()": "customersync.logs.Chatter"},
            "outages": {"()": "customersync.logs.Outages"},
            "production": {"()": "django.utils.log.RequireDebugFalse"},
            "discretion": {"()": "customersync.reports.Discretion"},
            "seldom": {"()": "customersync.reports.Seldom"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["chatter", "outages", "discretion"],
            },
            "mail": {
                "class": "django.utils.log.AdminEmailHandler",
                "level": "ERROR",
                "formatter": "text",
                "filters": ["production", "chatter", "outages", "discretion", "seldom"],
                "reporter_class": "customersync.reports.Report",
            },
        },
        "root": {"level": "WARNING", "handlers": ["stderr", "mail"]},
        "loggers": {
            "django": {"level": "INFO", "handlers": []},
            "django.request": {"level": "ERROR"},
            "django-q": {"level": "INFO"},
            "imports": {"level": "INFO"},
            "dropbox": {"level": "INFO"},
            "gunicorn.error": {"handlers": [], "propagate": True},  # it brings a handler of its own
        },
    }


def log_what_nobody_catches() -> None:
    """Of a process, its threads and its children: else Python writes it to stderr, in its own form and with all it
    says.
    """
    logger = logging.getLogger("customersync")

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            logger.critical("Ended by an error.", exc_info=(kind, error, trace))

    def tell_of_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
            who = found.thread.name if found.thread else "A thread"
            logger.critical("%s was ended by an error.", who, exc_info=found.exc_value)

    def end_process(name: str, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            logger.critical("%s was ended by an error.", name, exc_info=error)
            raise SystemExit(1)

    def run_process(process: BaseProcess) -> None:
        with ExitStack() as stack:
            stack.push(partial(end_process, process.name))
            run_as_before(process)

    run_as_before = BaseProcess.run
    sys.excepthook, threading.excepthook = tell, tell_of_thread
    setattr(BaseProcess, "run", run_process)  # noqa: B010  (no hook is called for what multiprocessing starts)

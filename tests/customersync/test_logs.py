"""Lines of the log: what they name, in text and in JSON, and what they leave out."""

from __future__ import annotations

import json
import logging
import logging.config
import multiprocessing
import re
import threading
from contextvars import copy_context
from errno import EMFILE
from io import StringIO
from multiprocessing.process import BaseProcess

import pytest
from django.conf import settings
from django.db import OperationalError

from accounts import outages
from accounts.watching import doing, name_also
from customersync.logs import describe_logging, log_what_nobody_catches

NAMES = ("customersync.logs", "imports.pipeline.timing", "django-q", "django.request", "asyncio")


@pytest.fixture(params=["text", "json"])
def log(request):
    """What is written in one of the forms: a function that reads it, as lines or as objects."""
    outages.forget_outage()
    logging.config.dictConfig(describe_logging(request.param))
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    written = handler.stream = StringIO()
    yield lambda: [line if request.param == "text" else json.loads(line) for line in written.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)
    outages.forget_outage()


def logger(name="customersync.logs"):
    return logging.getLogger(name)


def test_every_line_names_what_is_being_done(log):
    with doing("request", request="abc", method="POST", path="/x/"), doing("run", account="maison", feed=None, run=7):
        name_also(pull=3)
        logger().warning("Look: %s", "here")
    logger().warning("Done.")
    first, second = log()
    if isinstance(first, str):
        assert re.fullmatch(
            r"\S+Z WARNING customersync.logs \[abc POST /x/\] \[account=maison run=7 pull=3\] Look: here", first
        )
        assert second.endswith(" WARNING customersync.logs Done.")
    else:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
        assert first == {
            "level": "WARNING", "logger": "customersync.logs", "message": "Look: here",
            "request": "abc", "method": "POST", "path": "/x/", "account": "maison", "run": 7, "pull": 3,
        }  # fmt: skip
        assert set(second) == {"time", "level", "logger", "message"}


def test_a_thread_in_a_copy_of_the_context_knows_them_too(log):
    with doing("run", run=7):
        thread = threading.Thread(target=copy_context().run, args=[logger().warning, "From a thread."])
        thread.start()
        thread.join()
    assert "7" in str(log()[0])


def test_a_line_stays_one_line_whatever_it_says(log):
    with doing("request", request="a", method="GET", path="/\n2026 CRITICAL all is lost\x1b[0m"):
        logger().warning("of %s", "one\r\n2026 CRITICAL two")
    (line,) = log()
    assert "CRITICAL" in str(line)


def test_what_a_line_has_besides_is_a_member_in_json_and_what_django_adds_is_not(log):
    logger("imports.pipeline.timing").info(
        "Ended.", extra={"counts": {"rows": 3}, "request": object(), "status": "held"}
    )
    (line,) = log()
    if not isinstance(line, str):
        assert (line["counts"], line["status"]) == ({"rows": 3}, "held")
        assert "request" not in line


def test_an_outage_is_one_line_a_minute_whoever_meets_it(log):
    for name in NAMES:
        for _ in range(20):
            error = OperationalError("connection failed: port 5432 failed: Connection refused\n\tIs it running?")
            logger(name).error("Something failed", exc_info=error)
    (line,) = log()
    said = line if isinstance(line, str) else line["message"]
    assert said.endswith("The database does not answer: connection failed: port 5432 failed: Connection refused")


def test_a_process_that_may_open_no_further_file_says_so_once_and_what_to_do(log):
    for _ in range(20):
        logger("asyncio").error(
            "socket.accept() out of system resource", exc_info=OSError(EMFILE, "Too many open files")
        )
    (line,) = log()
    assert "Too many open files. Let the process open more files" in (
        line if isinstance(line, str) else line["message"]
    )


def test_noise_of_the_queue_and_answers_that_something_is_away_are_left_out(log):
    queue = logger("django-q")
    queue.info("Enqueued 7")
    queue.info("Process-1 processing winter-two 'imports.tasks.prove_to_be_at_work'")
    queue.error("Failed 'imports.tasks.pull' (winter-two) - Jane Doe : Traceback (most recent call last): …")
    web = logger("django.request")
    web.error("Service Unavailable: /health/", extra={"status_code": 503})
    web.error("Internal Server Error: /x/", extra={"status_code": 500})
    (line,) = map(str, log())
    assert "/x/" in line


def test_what_nobody_catches_is_a_line_too(log, monkeypatch):
    monkeypatch.setattr(BaseProcess, "run", BaseProcess.run)
    monkeypatch.setattr("sys.excepthook", None)
    monkeypatch.setattr(threading, "excepthook", None)
    log_what_nobody_catches()
    thread = threading.Thread(target=lambda: 1 / 0, name="beat of 7")
    thread.start()
    thread.join()
    process = multiprocessing.get_context("fork").Process(target=int, args=["Jane Doe"], name="guard of 7")
    with pytest.raises(SystemExit):
        process.run()
    assert "guard of 7 was ended by an error." in "".join(map(str, log()))
    line = str(log()[0])
    assert "beat of 7 was ended by an error." in line
    assert "ZeroDivisionError" in "".join(map(str, log()))

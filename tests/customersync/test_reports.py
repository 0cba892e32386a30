"""Reports of errors say where something went wrong and nothing of a customer, wherever her name stood."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.config
from io import StringIO

import pytest
from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.urls import path
from django.views.debug import technical_500_response

from customersync import urls
from customersync.logs import describe_logging
from customersync.reports import Report, Seldom, describe_error
from imports import tasks
from imports.errors import FileRejected
from imports.messages.events import run_ended

JANE = "Jane Doe"
VIEW = "broken/"


def fail(request):
    customer = {"profile_name": JANE}  # noqa: F841  (a report must not show it)
    raise KeyError(JANE)


def suspect(request):
    raise SuspiciousFileOperation(f"Detected path traversal attempt in '../{JANE}'")


urlpatterns = [path("suspicious/", suspect), path(VIEW, fail), path(f"api/v1/{VIEW}", fail), *urls.urlpatterns]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


@pytest.fixture(params=["text", "json"])
def log(request, settings):
    """As production writes it, and mails it: what was told so far."""
    settings.DEBUG = settings.LOG_DETAILS = False
    settings.ADMINS = [("Olga", "olga@example.com")]
    logging.config.dictConfig(describe_logging(request.param))
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    written = handler.stream = StringIO()
    yield lambda: written.getvalue()
    logging.config.dictConfig(project.LOGGING)


@pytest.mark.django_db
@pytest.mark.parametrize("place", [f"/{VIEW}", f"/api/v1/{VIEW}"])
def test_a_request_that_fails(client, log, settings, mailoutbox, place):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    client.cookies["name"] = JANE
    sent = {"profile_name": JANE, "file": SimpleUploadedFile(f"{JANE}.txt", JANE.encode())}
    answer = client.post(f"{place}?q={JANE}", sent, HTTP_REFERER=f"/?q={JANE}", HTTP_USER_AGENT=JANE)
    assert answer.status_code == 500
    (mail,) = mailoutbox
    for told in (log(), mail.subject, mail.body, answer.content.decode()):
        assert JANE not in told
        assert "Jane%20Doe" not in told
    for told in (log(), mail.body):
        assert "KeyError" in told
        assert "test_reports.py" in told
        assert place in told
    assert not mail.alternatives


def raise_by_database():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (name text CONSTRAINT once UNIQUE) ON COMMIT DROP")
        cursor.execute("INSERT INTO told VALUES (%s), (%s)", [JANE, JANE])


def raise_of_a_value():
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer", [JANE])


def raise_with_causes():
    try:
        raise FileRejected("code", f"{JANE} is no customer", value=JANE)
    except FileRejected as rejected:
        try:
            raise LookupError(JANE) from rejected
        except LookupError:
            raise RuntimeError(JANE)  # noqa: B904  (both kinds of chains)


def raise_a_group():
    raise ExceptionGroup(JANE, [ValueError(JANE), ExceptionGroup("more", [UnicodeError(JANE)])])


def raise_with_a_note():
    error = ValueError("a value")
    error.add_note(JANE)
    raise error


def raise_of_the_disk():
    open(f"/nowhere/{JANE}.txt")  # noqa: PTH123, SIM115  (it fails)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("break_", "told"),
    [
        (raise_by_database, ["UniqueViolation: SQLSTATE 23505", "told", "once"]),
        (raise_of_a_value, ["SQLSTATE 22P02"]),
        (raise_with_causes, ["FileRejected: ", "direct cause", "During handling", "LookupError: ", "RuntimeError: "]),
        (raise_a_group, ["ExceptionGroup: ", "ValueError: ", "UnicodeError: "]),
        (raise_with_a_note, ["ValueError: "]),
        (raise_of_the_disk, ["FileNotFoundError: [Errno 2] No such file or directory"]),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_whatever_an_error_says(log, mailoutbox, break_, told):
    try:
        break_()
    except Exception:
        logging.getLogger("imports").exception("It failed.")
    for text in (log(), mailoutbox[0].body):
        assert JANE not in text
        for words in told:
            assert words in text
        assert break_.__name__ in text


@pytest.mark.django_db
def test_a_task_that_fails(log, monkeypatch, mailoutbox):
    def look(*_, **__):
        raise ValueError(f"cannot compare {JANE}")

    monkeypatch.setattr("connections.matching.finding.look_for_duplicates", look)
    with pytest.raises(ValueError, match="cannot compare") as said:
        tasks.look_for_duplicates(1)
    written_by_the_queue = f"Failed 'imports.tasks.look_for_duplicates' (winter-two) - {said.value} : Traceback …"
    logging.getLogger("django-q").error(written_by_the_queue)
    assert JANE not in log() + "".join(mail.subject + mail.body for mail in mailoutbox)
    assert "look_for_duplicates" in log()
    assert "ValueError" in log()


@pytest.mark.django_db
def test_libraries_that_put_an_error_into_the_line_itself(log):
    def receive(**_):
        raise ValueError(f"no {JANE} here")

    run_ended.connect(receive)
    try:
        run_ended.send_robust(sender=None, run_id=1)
    finally:
        run_ended.disconnect(receive)
    asyncio.run(forget_a_task())
    error = OSError(f"reading {JANE} failed")
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.error("%s", error, exc_info=error)
    gunicorn.error("Error handling request %s %s", "GET", "/admin/?q=Jane+Doe")
    assert JANE not in log()
    assert "Jane+Doe" not in log()
    for words in ("Error calling test_libraries", "Task exception was never retrieved", "GET /admin/"):
        assert words in log()


async def forget_a_task():
    """Nobody asks how it ended."""

    async def end():
        raise ValueError(JANE)

    task = asyncio.create_task(end())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()


@pytest.mark.django_db
def test_what_django_suspects(log, client, settings):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    assert client.get(f"/suspicious/?name={JANE}").status_code == 400
    assert JANE not in log()
    assert "SuspiciousFileOperation" in log()


def test_what_is_wrong_with_settings_is_told(log):
    assert "ImproperlyConfigured: Set it." in describe_error(ImproperlyConfigured("Set it."))


def test_an_operator_who_keeps_the_log_in_the_house_may_see_all(settings):
    settings.LOG_DETAILS = True
    assert describe_error(KeyError(JANE)).endswith(f"KeyError: '{JANE}'")


def test_whoever_uses_djangos_reports_gets_ours(rf, settings):
    """Other handlers and services take the reporter of the settings, or show pages of it."""
    settings.DEBUG = settings.LOG_DETAILS = False
    settings.DEFAULT_EXCEPTION_REPORTER = "customersync.reports.Report"
    request = rf.post(f"/?q={JANE}", {"name": JANE})
    customer = JANE  # noqa: F841  (a report must not show it)
    try:
        raise_with_causes()
    except RuntimeError as error:
        shown = technical_500_response(request, type(error), error, error.__traceback__).content.decode()
        data = Report(request, type(error), error, error.__traceback__).get_traceback_data()
    assert JANE not in shown + str(data)
    assert "RuntimeError" in shown


def test_one_place_is_mailed_once_in_some_minutes(monkeypatch):
    seldom, now = Seldom(), [1000.0]
    monkeypatch.setattr("customersync.reports.time.monotonic", lambda: now[0])

    def passes(line):
        return seldom.filter(logging.LogRecord("imports", logging.ERROR, "module.py", line, "said", (), None))

    assert [passes(1), passes(1), passes(2)] == [True, False, True]
    now[0] += 601
    assert passes(1)


@pytest.mark.django_db
def test_an_error_of_the_database_without_details_is_told_by_its_kind(log):
    assert describe_error(DatabaseError(JANE)).startswith("Traceback")
    assert JANE not in describe_error(DatabaseError(JANE))

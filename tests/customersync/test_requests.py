"""Requests from outside: what the log tells of them, their ids, and where they are sent instead."""

from __future__ import annotations

import logging
import re
import subprocess

import pytest
from django.urls import path

from customersync import urls
from tests.builders import PASSWORD, make_user
from tests.processes import ROOT, run_cluster, wait_until

SECRET = "hunter2"


def fail(request, **_):
    raise ZeroDivisionError("it broke")


urlpatterns = [path("api/v1/broken/", fail), path("broken/", fail), *urls.urlpatterns]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


@pytest.fixture
def broken(settings, client, capsys, monkeypatch):
    """A site with a page that fails, and its log as it goes to stderr."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, False
    client.raise_request_exception = False
    written = []
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    monkeypatch.setattr(handler, "emit", lambda record: written.append(handler.format(record)))
    return client, written


@pytest.mark.parametrize("place", ["/api/v1/broken/", "/broken/"])
def test_an_error_leaves_its_traceback_its_request_and_the_time_and_no_secret(broken, place):
    client, log = broken
    answer = client.post(f"{place}?password={SECRET}", {"password": SECRET}, HTTP_X_REQUEST_ID="abc-1")
    assert (answer.status_code, answer["X-Request-ID"]) == (500, "abc-1")
    assert "abc-1" in answer.content.decode()
    (line,) = log
    assert re.match(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z ERROR django.request \[abc-1 POST {place}\] ", line)
    assert "ZeroDivisionError: " in line
    assert "test_requests.py" in line
    assert SECRET not in line
    if place.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["request_id"] == "abc-1"


def test_what_a_client_did_wrong_is_no_line_in_the_log(broken):
    client, log = broken
    assert client.get("/api/v1/nowhere/").status_code == 404
    assert client.get("/api/v1/accounts/").status_code == 401
    assert not log


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "ü", "a\tb"])
def test_a_request_without_a_sane_id_gets_one(client, sent):
    names = [client.get("/api/v1/nowhere/", HTTP_X_REQUEST_ID=sent)["X-Request-ID"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)
    assert names[0] != names[1]


@pytest.mark.django_db
def test_every_answer_carries_the_id_of_its_request(client, settings):
    make_user("rosa")
    for place in ("/", "/admin/", "/health/", "/api/v1/accounts/", "/static/nothing.css", "/api/v1/schema/"):
        assert client.get(place, HTTP_X_REQUEST_ID="abc")["X-Request-ID"] == "abc", place


@pytest.mark.django_db(transaction=True)
def test_an_error_of_a_worker_goes_to_stderr_with_its_traceback(tmp_path):
    from django_q.tasks import async_task

    with run_cluster(tmp_path):
        async_task("imports.tasks.look_for_duplicates", "no number", cluster="bulk")
        log = tmp_path / "cluster.log"
        wait_until(lambda: "Traceback" in log.read_text() and "ValueError" in log.read_text())
    (line,) = [line for line in log.read_text().splitlines() if " ERROR " in line]
    said = r"ERROR imports.tasks \[task=look_for_duplicates\] The task failed."
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {said}", line)


# -- redirects


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_without_its_slash_is_sent_on_with_its_method_and_body(client, settings, method, debug):
    settings.DEBUG = debug
    answer = client.generic(method, "/api/v1/accounts/maison/lookups/payment_terms?x=1", "{}", "application/json")
    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/accounts/maison/lookups/payment_terms/?x=1")
    assert answer["Content-Type"] == "application/problem+json"
    assert "Nothing was done" in answer.json()["detail"]
    assert client.generic(method, "/api/v1/nowhere").status_code == 404


@pytest.mark.django_db
def test_a_write_over_plain_http_is_sent_on_with_its_method_and_body(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    client = type(client)()  # which reads the setting
    answer = client.post("/api/v1/accounts/maison/lookups/", "{}", "application/json")
    assert (answer.status_code, answer["Location"]) == (308, "https://testserver/api/v1/accounts/maison/lookups/")
    assert client.get("/api/v1/accounts/").status_code == 301
    assert client.post("/api/v1/accounts/maison/lookups", "{}", "application/json").status_code == 308


@pytest.mark.django_db
def test_a_form_of_the_admin_is_answered_as_before(client):
    make_user("rosa")
    answer = client.post("/admin/login/", {"username": "rosa", "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302


def test_settings_of_a_machine_are_not_kept_by_git():
    def is_ignored(name):
        return subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0

    if subprocess.run(["git", "rev-parse"], cwd=ROOT, check=False, capture_output=True).returncode:
        pytest.skip("this is no repository")
    assert is_ignored(".env")
    assert not is_ignored(".env.example")


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/api/v1/docs/"])
def test_pages_load_nothing_from_other_hosts(client, path, db):
    client.force_login(make_user("root", is_superuser=True))
    said = client.get(path).headers["Content-Security-Policy"]
    policy = {name: sources for name, *sources in map(str.split, said.split(";"))}
    assert policy["default-src"] == ["'self'"]
    assert not [source for sources in policy.values() for source in sources if "." in source or "*" in source]
    assert "'unsafe-inline'" not in policy["script-src"]
    assert policy["frame-ancestors"] == policy["object-src"] == ["'none'"]

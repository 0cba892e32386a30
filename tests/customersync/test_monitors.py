"""What monitors are answered: by any host name, without a redirect, and each page about its own matter alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from imports import health
from imports.models import Feed, Heartbeat, Message
from tests.builders import make_account

PAGES = ["/health/live", "/health/ready", "/health/"]


@pytest.fixture(autouse=True)
def _forget_trials():
    health._try_storage.cache_clear()
    yield
    health._try_storage.cache_clear()


@pytest.fixture
def feed(db):
    account = make_account("maison")
    return Feed.objects.create(
        account=account, name="very-secret-feed", protocol="ftp", host="ftp.example.com", password="s3cret",
        next_pull_at=timezone.now() - timedelta(hours=3),
    )  # fmt: skip


@pytest.fixture
def no_database(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("connection refused\nIs the server running on host db?")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.mark.django_db
@pytest.mark.parametrize("page", [*PAGES, "/health/live/", "/health/ready/", "/health"])
def test_all_is_well_for_any_host_and_over_plain_http(client, settings, page):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["sync.example.com"], True
    client = type(client)()  # which reads the settings
    for host in ("10.0.3.7:8000", "web-6f7c.pod", "under_score"):
        answer = client.get(page, HTTP_HOST=host)
        assert (answer.status_code, answer.json()) == (200, {"ok": True, "problems": []})
        assert "no-cache" in answer["Cache-Control"]
        assert answer["X-Request-ID"]
    assert client.head(page).status_code == 200
    assert client.post(page).status_code == 405
    assert client.get("/admin/login/", HTTP_HOST="10.0.3.7").status_code == 400


@pytest.mark.django_db
def test_late_feeds_and_missing_workers_take_no_web_server_away(client, feed):
    assert [client.get(page).status_code for page in PAGES] == [200, 200, 503]
    for private in ("very-secret-feed", "maison", "example.com", "s3cret"):
        assert private not in client.get("/health/").content.decode()


def test_life_needs_no_database_and_readiness_nothing_else(client, no_database):
    answers = [client.get(page) for page in PAGES]
    assert [answer.status_code for answer in answers] == [200, 503, 503]
    for answer in answers[1:]:
        assert answer.json()["problems"] == ["The database does not answer (OperationalError)."]


@pytest.mark.django_db
def test_feeds_that_fail_again_and_again(client, feed):
    seen_at_work()
    Feed.objects.update(next_pull_at=timezone.now(), failures=2, alert_after=3)
    assert client.get("/health/").status_code == 200
    Feed.objects.update(failures=3)
    (problem,) = client.get("/health/").json()["problems"]
    assert problem.startswith("1 feeds fail again and again")


@pytest.mark.django_db
def test_a_mail_server_that_takes_nothing(client, feed):
    seen_at_work()
    Feed.objects.update(next_pull_at=timezone.now())
    details = {"account": feed.account, "kind": "email", "event": "feed.failing"}
    waiting = Message.objects.create(**details, key="one", attempts=3, next_attempt_at=timezone.now() + timedelta(1))
    assert client.get("/health/").status_code == 200, "it is tried again soon"
    Message.objects.update(created_at=timezone.now() - timedelta(hours=1))
    (problem,) = client.get("/health/").json()["problems"]
    assert "No e-mail was delivered since" in problem
    assert "1 wait" in problem
    Message.objects.create(**details, key="two", attempts=1, delivered_at=timezone.now())
    assert client.get("/health/").status_code == 200, "others are delivered: an address is wrong, which its page says"
    assert waiting.pk


@pytest.mark.django_db
def test_a_storage_that_cannot_be_written_to(client, settings, tmp_path):
    (tmp_path / "jane").write_text("in the place of a folder")
    settings.MEDIA_ROOT = tmp_path / "jane"
    (problem,) = client.get("/health/").json()["problems"]
    assert problem.startswith("Files cannot be kept (")
    assert "jane" not in problem


@pytest.mark.django_db
def test_a_storage_that_is_not_mounted_is_told(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "not mounted"
    make_account("maison").kept_files.create(key="copies/1/ours.zst")
    (problem,) = client.get("/health/").json()["problems"]
    assert "mount its folder" in problem


@pytest.mark.django_db
def test_the_storage_is_tried_once_a_minute_and_left_clean(client, monkeypatch):
    tried = []
    save = FileSystemStorage.save

    def note(*given):
        tried.append(given)
        return save(*given)

    monkeypatch.setattr(FileSystemStorage, "save", note)
    for _ in range(3):
        client.get("/health/")
    assert 1 <= len(tried) <= 2, "a minute may end between them"
    assert default_storage.listdir("probe") == ([], [])


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "said"), [(90, "90 seconds behind"), (-7, "7 seconds ahead of"), (3, "")])
def test_a_clock_that_is_not_the_databases(client, monkeypatch, seconds, said):
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() - timedelta(seconds=seconds))
    problems = client.get("/health/").json()["problems"]
    assert [said in problem for problem in problems] == ([True] if said else [])


@pytest.mark.django_db
def test_clocks_of_machines_that_work_elsewhere(client):
    Heartbeat.objects.create(name="clock.worker-1", at=timezone.now(), worker="worker-1:7", skew=-61.4)
    Heartbeat.objects.create(name="clock.worker-2", at=timezone.now(), worker="worker-2:7", skew=0.2)
    gone = timezone.now() - timedelta(minutes=20)
    Heartbeat.objects.create(name="clock.worker-3", at=gone, worker="worker-3:7", skew=900)
    (problem,) = client.get("/health/").json()["problems"]
    assert problem.startswith("1 machines of workers")
    assert "61 seconds" in problem
    assert "worker-1" not in problem


def seen_at_work():
    at = timezone.now()
    names = ("workers.prompt", "workers.feeds", "workers.bulk")
    Heartbeat.objects.bulk_create(Heartbeat(name=name, at=at, worker="machine:7") for name in names)

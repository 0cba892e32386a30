"""Sessions on servers: no more on a host than it may have, and one for feeds of a login that wait together."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from imports import tasks
from imports.feeds import sessions as module
from imports.feeds.claiming import claim_feed
from imports.feeds.pulling import pull_feed
from imports.feeds.sessions import HostBusy, Sessions
from imports.filesystems import open_server
from imports.lanes import Lane, take, take_fellow
from imports.models import Feed, Pull
from imports.queueing import enqueue_pulls
from tests.builders import add_lookups, make_account
from tests.feeds import drop, make_feed
from tests.queue import queued
from tests.servers import run_ftp, run_sftp
from tests.threads import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def opened(monkeypatch):
    """The users that logged in, one for each session."""
    users = []

    def count(settings):
        users.append(settings.user)
        return open_server(settings)

    monkeypatch.setattr(module, "open_server", count)
    return users


@pytest.fixture(params=[run_sftp, run_ftp])
def server(request, folder):
    with request.param(folder) as running:
        yield running


def make_fellows(server, folder, count=3):
    """Feeds of one login, each with an account, a folder and a file of its own; they wait in the queue."""
    feeds = []
    for number in range(count):
        account = make_account(f"brand-{number}")
        add_lookups(account)
        (folder / str(number)).mkdir()
        drop(folder / str(number), "a.txt", "C1")
        feeds.append(make_feed(account, server, folder=str(number)))
    enqueue_pulls([feed.pk for feed in feeds])
    return feeds


# -- places on a host


@pytest.mark.parametrize("server", [run_sftp], indirect=True)
def test_a_feed_whose_host_is_full_waits_in_the_queue_and_keeps_no_worker(feed, server, settings):
    settings.FEED_SESSIONS_PER_HOST = 1
    other = make_feed(make_account("other"), server)
    with elsewhere(lambda: claim_feed(other, Sessions())):
        said = tasks.pull(feed.pk)
        assert said.startswith("As many sessions on 127.0.0.1 are open as FEED_SESSIONS_PER_HOST allows (1).")
        feed.refresh_from_db()
        assert (feed.pulls.count(), feed.failures, queued()) == (0, 0, [])
        assert feed.queued_at < timezone.now() + timedelta(seconds=3)
    assert tasks.pull(feed.pk).endswith("succeeded")


@pytest.mark.parametrize("server", [run_sftp], indirect=True)
def test_who_is_patient_waits_for_a_place_for_a_while(feed, settings, monkeypatch):
    settings.FEED_SESSIONS_PER_HOST = 0
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    with pytest.raises(HostBusy):
        pull_feed(feed)
    feed.refresh_from_db()
    assert feed.queued_at is None


def test_workers_take_no_feed_of_a_host_that_is_full(account, settings):
    settings.FEED_SESSIONS_PER_HOST = 2
    make = {"account": account, "protocol": "ftp", "user": "u"}
    for name in "ab":
        Pull.objects.create(feed=Feed.objects.create(name=name, host="FTP.example.com", **make))
    now = timezone.now()
    behind = Feed.objects.create(name="c", host="ftp.example.com", queued_at=now - timedelta(hours=1), **make)
    other = Feed.objects.create(name="d", host="ftp.example.org", queued_at=now, **make)
    hostless = Feed.objects.create(name="e", protocol="dropbox", account=account, queued_at=now)
    assert [take(Lane.FEEDS) for _ in range(3)] == [other, hostless, None]
    Pull.objects.filter(feed__name="a").update(status="succeeded")
    assert take(Lane.FEEDS) == behind


# -- one session for several feeds


def test_feeds_of_a_login_that_wait_together_are_pulled_in_one_session(server, folder, opened):
    make_fellows(server, folder)
    assert tasks.work("feeds").count("succeeded") == 3
    assert opened == ["brand"]
    assert sorted(path.parent.parent.name for path in folder.rglob("processed/*.txt")) == ["0", "1", "2"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("server", [run_sftp], indirect=True)  # one kind of server is enough for it
def test_other_logins_get_sessions_of_their_own(server, folder, opened):
    feeds = make_fellows(server, folder)
    Feed.objects.filter(pk=feeds[1].pk).update(user="other")
    feeds[2].password = "another"
    feeds[2].save(update_fields=["password"])
    said = [tasks.work("feeds"), tasks.work("feeds")]
    assert [text.count("succeeded") for text in said] == [1, 0]
    assert opened == ["brand", "brand", "other"]


def test_a_session_in_which_something_went_wrong_is_used_no_more(server, folder, opened):
    feeds = make_fellows(server, folder)
    Feed.objects.filter(pk=feeds[1].pk).update(folder="nowhere")
    tasks.work("feeds")
    assert list(Pull.objects.order_by("pk").values_list("status", flat=True)) == ["succeeded", "failed", "succeeded"]
    assert opened == ["brand", "brand"]


def test_a_session_that_its_server_ended_meanwhile_is_no_failure(server, folder, opened, monkeypatch):
    make_fellows(server, folder, 2)

    def take_late(lane, feed):
        for session in list(server.sessions):
            session.close()
        return take_fellow(lane, feed)

    monkeypatch.setattr(tasks, "take_fellow", take_late)
    assert tasks.work("feeds").count("succeeded") == 2
    assert opened == ["brand", "brand"]
    assert not Feed.objects.filter(failures__gt=0).exists()


@pytest.mark.parametrize("server", [run_sftp], indirect=True)
def test_what_a_folder_taught_of_names_is_forgotten_with_it(server, folder, opened):
    make_fellows(server, folder, 2)
    os.rename(folder / "0" / "a.txt", os.fsencode(folder / "0") + b"/K\xf6ln.txt")  # noqa: PTH104  (a name in bytes)
    (folder / "1" / "a.txt").rename(folder / "1" / "Köln.txt")
    assert tasks.work("feeds").count("succeeded") == 2
    assert opened == ["brand"]
    assert not list(folder.glob("*/*.txt"))

"""While the system is suspended, nobody outside is asked anything, nobody is let in, and people work on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from contextlib import suppress
from typing import IO, cast

import asyncssh
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection

from accounts.suspending import resume, suspend
from dropbox.models import Session
from imports import tasks
from imports.errors import Suspended
from imports.feeds.inspecting import inspect_feed
from imports.feeds.pulling import pull_feed
from imports.lanes import Lane, take
from imports.messages.delivering import deliver_due
from imports.messages.webhooks import make_webhook_secret
from imports.models import Feed, Message, Webhook
from imports.pipeline import ImportRequest, import_file
from imports.queueing import request_pull
from imports.runs.uploading import store_upload
from tests.builders import add_lookups, make_account, make_user
from tests.dropbox.visitors import Running, make_box, read_announcement, visit
from tests.feeds import customers, drop, make_feed
from tests.processes import free_port, start_command, wait_until
from tests.servers import run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(transactional_db):
    account = make_account("maison")
    add_lookups(account)
    return account


class Outside:
    """A server, mail server and receiver at once, which hangs up on everybody and counts who came."""

    def __init__(self, listening):
        self.listening, self.port, self.visitors = listening, listening.getsockname()[1], 0
        self.thread = threading.Thread(target=self.hang_up)
        self.thread.start()

    def hang_up(self):
        with suppress(OSError):
            while True:
                self.listening.accept()[0].close()
                self.visitors += 1


@pytest.fixture
def outside():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        outside = Outside(listening)
        yield outside
        listening.shutdown(socket.SHUT_RDWR)
    outside.thread.join(60)


@pytest.fixture
def feed(account, outside, settings):
    """With a message of each kind that waits, and all of them for the same port."""
    port = outside.port
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = settings.SMTP_BACKEND, "127.0.0.1", port
    Webhook.objects.create(account=account, url=f"http://127.0.0.1:{port}/", secret=make_webhook_secret())
    feed = Feed.objects.create(account=account, name="erp", protocol="ftp", host="127.0.0.1", port=port, user="brand")
    about = {"account": account, "feed": feed, "event": "run.held"}
    Message.objects.create(**about, kind="email", key="email:1", payload={"to": ["erp@example.com"]})
    Message.objects.create(**about, kind="webhook", key="webhook:1", payload={"type": "run.held"})
    Message.objects.create(**about, kind="file", key="file:1", payload={"file": "receipt"})
    return feed


def test_a_suspended_system_asks_nobody_and_people_work_on(account, feed, outside, tmp_path, capsys):
    call_command("suspend", "new disks")
    assert "new disks" in capsys.readouterr().out

    tasks.enqueue_due()
    request_pull(feed)
    assert [take(lane) for lane in Lane] == [None, None, None]
    with pytest.raises(Suspended, match=r"new disks.*manage.py resume"):
        pull_feed(feed)
    with pytest.raises(SystemExit):
        call_command("pull_feeds", "erp", "--json")
    assert "new disks" in json.loads(capsys.readouterr().out)["feeds"][0]["message"]
    assert deliver_due() == 0
    assert "suspended" in tasks.prune()
    feed.refresh_from_db()
    assert (feed.failures, feed.is_queued) == (0, True)
    assert not Message.objects.exclude(attempts=0).exists()
    assert outside.visitors == 0

    assert import_file(ImportRequest(account=account, path=drop(tmp_path, "a.txt", "C1"))).status == "succeeded"
    upload = store_upload(account, SimpleUploadedFile("b.txt", customers("C2").encode()), make_user("rosa"))
    assert take(Lane.PROMPT) == upload

    call_command("resume")
    assert "1 feeds are due" in capsys.readouterr().out
    assert take(Lane.PROMPT) == feed
    assert (deliver_due(), pull_feed(feed).status) == (0, "failed")
    wait_until(lambda: outside.visitors >= 3)


def test_messages_that_a_restored_system_may_have_sent_before_are_given_up(feed, outside, capsys):
    suspend()
    call_command("resume", "--give-up-messages")
    assert "3 messages were given up" in capsys.readouterr().out
    assert (deliver_due(), outside.visitors) == (0, 0)


def test_people_and_monitors_see_that_it_is_suspended(account, feed, client, capsys):
    client.force_login(make_user("rosa", is_superuser=True))
    assert "is suspended" not in client.get("/admin/").text
    suspend("new disks")
    assert "new disks" in client.get("/admin/").text
    feed.queued_at = None
    request_pull(feed)
    assert "new disks" in client.get(f"/admin/imports/feed/{feed.pk}/progress/").text
    problems = client.get("/health/").json()["problems"]
    assert any("is suspended" in problem for problem in problems)
    assert not any("new disks" in problem for problem in problems), "strangers read them"
    with pytest.raises(SystemExit):
        call_command("check_health")
    assert "is suspended" in capsys.readouterr().out


def test_a_pull_at_work_ends_after_its_file_and_a_check_only_looks(account, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    with run_sftp(folder) as server:
        feed = make_feed(account, server)
        drop(folder, "1.txt", "C1")
        drop(folder, "2.txt", "C2")

        def suspend_meanwhile(stage, done, total):
            suspend()

        pull = pull_feed(feed, progress=suspend_meanwhile)
        assert (pull.status, pull.imported) == ("succeeded", 1)
        assert "suspended" in pull.message
        found = inspect_feed(feed)
        assert ([file.taken for file in found.files], found.tried) == ([True], [])
        resume()
        assert pull_feed(feed).imported == 1


def suspend_in_a_thread():
    suspend()
    connection.close()


def test_the_drop_box_is_closed_while_suspended_and_opens_and_closes_by_itself(account, tmp_path):
    box, port = make_box(account, tmp_path), free_port()
    suspend()
    process = start_command("serve_dropbox", "--sftp", str(port), "--ftps", "0")
    running = Running(process, {"SFTP": port})
    said = cast("IO[str]", process.stdout)
    try:
        assert "is suspended" in said.readline()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        resume()
        read_announcement(running)

        async def stay(files):
            await files.listdir("/in")
            await asyncio.to_thread(suspend_in_a_thread)
            while True:
                await files.listdir("/in")

        with pytest.raises((asyncssh.Error, OSError)):  # as the end of a session meets what is under way
            visit(running, box, stay)
        wait_until(lambda: "is suspended" in said.readline())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert not Session.objects.filter(ended_at=None).exists()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0

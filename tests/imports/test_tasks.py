"""The queue: what is due is queued once, what was lost is queued again, and real clusters do it."""

import json
import os
import signal
import socket
import threading
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from accounts.models import Membership
from accounts.sandboxes import add_sandbox
from connections.matching import finding
from connections.models import Connection, Suggestion
from imports import tasks
from imports.feeds.claiming import claim_feed, is_claimed
from imports.feeds.sessions import Sessions
from imports.models import Feed, Message, Pull, Run
from imports.pipeline.importing import import_file
from imports.pipeline.requesting import ImportRequest
from imports.queueing import enqueue_search, request_pull, request_release
from imports.tasks import enqueue_due
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.feeds import drop, make_feed
from tests.imports.customer_files import NEW, as_text
from tests.processes import run_cluster, wait_until
from tests.queue import lose_tasks, queued
from tests.servers import run_ftp

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(work):
    """Run with a database session of its own."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


# -- what is queued


def test_the_schedule_is_there_once_and_calls_the_task():
    schedule = Schedule.objects.get(func="imports.tasks.enqueue_due")
    assert (schedule.schedule_type, schedule.minutes, schedule.repeats) == ("I", 1, -1)
    scheduler(broker=get_broker())
    assert [name for name, *_ in queued()] == ["enqueue_due"]
    schedule.refresh_from_db()
    assert schedule.next_run > timezone.now()


def test_a_due_feed_is_queued_once(feed):
    enqueue_due()
    enqueue_due()
    assert queued() == [("pull", feed.pk)]


def test_feeds_that_are_not_due_or_disabled_are_not_queued(account, server, feed):
    Feed.objects.update(next_pull_at=timezone.now() + timedelta(minutes=5))
    make_feed(account, server, "off", enabled=False)
    enqueue_due()
    assert queued() == []


def test_two_schedulers_at_once_queue_a_feed_once(feed, monkeypatch):
    ready = threading.Barrier(2)
    real = tasks.give_up_interrupted
    monkeypatch.setattr(tasks, "give_up_interrupted", lambda: (real(), ready.wait(60)))

    def work():
        enqueue_due()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert queued() == [("pull", feed.pk)]


def test_a_feed_waits_once_and_keeps_its_place_however_long_it_waits(feed):
    enqueue_due()
    since = timezone.now() - timedelta(days=1)
    Feed.objects.update(queued_at=since)
    enqueue_due()
    request_pull(feed)
    assert queued() == [("pull", feed.pk)]
    assert Feed.objects.get().queued_at == since


def test_what_was_taken_by_a_killed_worker_is_queued_again(feed):
    enqueue_due()
    lose_tasks()
    enqueue_due()
    assert queued() == [("pull", feed.pk)]


def test_a_task_that_comes_twice_pulls_once(feed, folder):
    drop(folder, "a.txt", "C1")
    assert tasks.pull(feed.pk).endswith("succeeded")
    assert tasks.pull(feed.pk) == "The feed erp is not due."
    assert Pull.objects.count() == 1


def test_a_task_for_a_feed_that_is_gone_or_busy_says_so(feed):
    assert tasks.pull(feed.pk + 1) == "The feed is gone."
    with claim_feed(feed, Sessions()):
        answers = []
        in_a_thread(lambda: answers.append(tasks.pull(feed.pk)))
    assert answers == ["The feed erp is being pulled already."]


def test_pull_now_makes_a_feed_due_that_is_not(feed):
    Feed.objects.update(next_pull_at=timezone.now() + timedelta(minutes=50))
    request_pull(feed)
    assert queued() == [("pull", feed.pk)]
    assert tasks.pull(feed.pk).endswith("succeeded")


def test_tasks_carry_numbers_and_no_secrets(feed):
    enqueue_search(feed.account_id)
    enqueue_due()
    said = json.dumps(queued()) + "".join(OrmQ.objects.values_list("payload", flat=True))
    assert feed.password not in said
    assert all(isinstance(argument, int) for _, *arguments in queued() for argument in arguments)


def test_messages_that_are_due_are_delivered_by_a_task_of_their_own(account):
    Message.objects.create(account=account, kind="email", event="feed.silent", key="1", payload={"to": []})
    enqueue_due()
    assert queued() == [("deliver",)]


# -- pulls that were killed


def test_a_killed_pull_is_given_up_and_its_feed_is_due_again(feed):
    Pull.objects.create(feed=feed, worker="gone")
    Feed.objects.update(next_pull_at=timezone.now() + timedelta(minutes=50))
    enqueue_due()
    pull = Pull.objects.get()
    assert (pull.status, pull.finished_at is None) == ("interrupted", False)
    feed.refresh_from_db()
    assert feed.failures == 1
    assert feed.next_pull_at < timezone.now() + timedelta(minutes=2)


def test_a_pull_that_is_at_work_is_left_alone(feed):
    with claim_feed(feed, Sessions()):
        in_a_thread(enqueue_due)
        assert Pull.objects.get().status == "running"


# -- silence


def test_contacts_are_told_once_that_a_feed_is_silent(account, server):
    feed = make_feed(account, server, contacts=["erp@example.com"], silent_after_hours=24)
    enqueue_due()
    assert not Message.objects.exists()
    Feed.objects.update(file_at=timezone.now() - timedelta(hours=25))
    for _ in range(3):
        enqueue_due()
    message = Message.objects.get()
    assert (message.event, message.feed, message.payload["hours"]) == ("feed.silent", feed, 24)
    Feed.objects.update(file_at=timezone.now() - timedelta(hours=23))
    enqueue_due()
    Feed.objects.update(file_at=timezone.now() - timedelta(hours=24, minutes=1), silence_told_at=None)
    enqueue_due()
    assert Message.objects.count() == 2


def test_a_feed_from_which_no_file_ever_came_is_silent_since_it_was_made(account, server):
    make_feed(account, server, contacts=["erp@example.com"], silent_after_hours=24)
    Feed.objects.update(created_at=timezone.now() - timedelta(hours=25))
    enqueue_due()
    assert Message.objects.filter(event="feed.silent").count() == 1


# -- review


def test_what_a_file_added_is_looked_at_by_a_task_of_its_own(account, tmp_path):
    (tmp_path / "a.txt").write_text(as_text([NEW, NEW | {"customer_code": "C2"}]))
    import_file(ImportRequest(account=account, path=tmp_path / "a.txt", dry_run=True))
    assert queued() == []
    import_file(ImportRequest(account=account, path=tmp_path / "a.txt"))
    assert queued() == [("look_for_duplicates", account.pk)]
    OrmQ.objects.all().delete()
    import_file(ImportRequest(account=account, path=tmp_path / "a.txt"))
    assert queued() == []  # nothing changed
    assert tasks.look_for_duplicates(account.pk) == "All were looked at."
    assert Suggestion.objects.count() == 1


def test_what_was_not_looked_at_is_queued_by_the_schedule(account, monkeypatch):
    make_connection(account, "C1", status="pending")
    make_connection(account, "C2", status="pending")
    enqueue_due()
    assert queued() == [("look_for_duplicates", account.pk)]
    OrmQ.objects.all().delete()
    monkeypatch.setattr(finding, "TURN", 1)
    monkeypatch.setattr(tasks, "MATCHING_TURNS", 1)
    assert tasks.look_for_duplicates(account.pk) == "Some are left."
    assert queued() == [("look_for_duplicates", account.pk)]
    while tasks.look_for_duplicates(account.pk) != "All were looked at.":
        pass
    OrmQ.objects.all().delete()
    enqueue_due()
    assert queued() == []


def test_editors_are_told_once_a_day_that_reviews_are_overdue(account):
    rosa = make_user("rosa")
    add_member(account, rosa)
    add_member(account, make_user("vera"), Membership.Role.VIEWER)
    for code in ("C1", "C2"):
        make_connection(account, code, status="pending")
    make_connection(add_sandbox(account), "C1", status="pending")
    enqueue_due()
    assert not Message.objects.exists()
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=49))
    for _ in range(3):
        enqueue_due()
    message = Message.objects.get()
    assert (message.event, message.account) == ("review.overdue", account)
    assert (message.payload["to"], message.payload["count"], message.payload["hours"]) == ([rosa.email], 2, 48)


def test_the_account_says_when_a_review_is_overdue(account):
    account.review_hours = 72
    account.save()
    add_member(account, make_user("rosa"))
    make_connection(account, status="pending")
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=49))
    enqueue_due()
    assert not Message.objects.exists()


# -- clusters


def test_a_cluster_pulls_what_is_due(feed, folder, tmp_path):
    drop(folder, "a.txt", "C1")
    with run_cluster(tmp_path):
        enqueue_due()
        wait_until(lambda: Pull.objects.filter(status="succeeded").exists())
    assert Run.objects.get().status == "succeeded"
    assert feed.account.connections.count() == 1


def test_a_cluster_releases_a_held_file(feed, folder, tmp_path):
    drop(folder, "a.txt", "C1")
    tasks.pull(feed.pk)
    held = Run.objects.get()
    Run.objects.update(status="held", archived_at=None)
    with run_cluster(tmp_path):
        request_release(held, make_user("rosa"))
        wait_until(lambda: Run.objects.filter(released_from=held, status="succeeded").exists())
    held.refresh_from_db()
    assert (held.decision, held.decided_by) == ("released", "rosa")
    assert held.releases.get().status == "succeeded"


def test_one_dead_server_among_ten_keeps_no_other_feed_waiting(tmp_path, folder):
    """A server that never answers holds one worker, and the others are pulled meanwhile."""
    accounts = [make_account(f"brand-{number}") for number in range(10)]
    for account in accounts:
        add_lookups(account)
    folders = [folder / str(number) for number in range(9)]
    for place in folders:
        place.mkdir()
    with run_ftp(folder) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        dead = make_feed(accounts[0], server, "dead", port=silent.getsockname()[1])
        for account, place in zip(accounts[1:], folders, strict=True):
            drop(place, "a.txt", "C1")
            make_feed(account, server, folder=place.name)
        with run_cluster(tmp_path, FEED_TIMEOUT="600"):
            enqueue_due()
            wait_until(lambda: Pull.objects.filter(status="succeeded").count() == 9)
            assert Pull.objects.get(feed=dead).status == "running"
    assert set(Run.objects.values_list("status", flat=True)) == {"succeeded"}
    assert Run.objects.count() == 9


def test_a_worker_killed_in_the_middle_of_a_pull_loses_nothing(feed, server, folder, tmp_path):
    drop(folder, "a.txt", "C1")
    server.misbehaviour.add("drip")
    with run_cluster(tmp_path) as cluster:
        enqueue_due()
        wait_until(lambda: Pull.objects.filter(status="running").exists())
        pid = int(Pull.objects.get().worker.rpartition(":")[2])
        assert psutil.Process(cluster) in psutil.Process(pid).parents()
        os.kill(pid, signal.SIGKILL)
        server.misbehaviour.clear()
        wait_until(lambda: not is_claimed(feed.pk))
        enqueue_due()
        assert Pull.objects.get().status == "interrupted"
        request_pull(feed)
        wait_until(lambda: Pull.objects.filter(status="succeeded").exists())
    assert Run.objects.get().status == "succeeded"
    assert not list(folder.glob("*.txt"))

"""Lanes: who waits where, the oldest first, once, and for nobody of another lane."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from imports import lanes, tasks
from imports.lanes import Lane, share_workers, take
from imports.models import Feed, Pull, Run
from imports.querysets import BIG_FILE
from imports.queueing import enqueue_run, request_pull
from tests.builders import make_account
from tests.queue import queued

pytestmark = pytest.mark.django_db


def make_feed(account, minutes=0, **options):
    at = timezone.now() - timedelta(minutes=minutes)
    return Feed.objects.create(account=account, name=f"feed-{minutes}", protocol="dropbox", queued_at=at, **options)


def make_run(account, minutes=0, **options):
    at = timezone.now() - timedelta(minutes=minutes)
    kind = {"status": "queued", "file_name": "a.txt", "format_name": "b", "queued_at": at}
    return Run.objects.create(account=account, **{**kind, **options})


@pytest.mark.parametrize(
    ("total", "shares"), [(1, (1, 1, 1)), (3, (1, 1, 1)), (4, (1, 2, 1)), (6, (2, 3, 1)), (24, (8, 12, 4))]
)
def test_every_lane_has_a_worker(total, shares):
    assert tuple(share_workers(total).values()) == shares


def test_what_people_wait_for_waits_behind_no_hourly_pull(account):
    hourly = [make_feed(make_account(f"brand-{number}"), number) for number in range(3)]
    run = make_run(account)
    asked = make_feed(account, 50)
    request_pull(asked)
    assert queued(Lane.PROMPT) == [("import_upload", run.pk), ("pull", asked.pk)]
    assert queued(Lane.FEEDS) == [("pull", feed.pk) for feed in reversed(hourly)]


def test_each_is_taken_once_and_the_oldest_first(account):
    expected = [make_feed(account, 30, pull_asked=True), make_run(account, 20), make_feed(account, 10, pull_asked=True)]
    assert [take(Lane.PROMPT) for _ in range(4)] == [*expected, None]
    assert queued(Lane.PROMPT) == []


def test_a_big_file_waits_with_big_ones(account):
    big = make_run(account, file_size=BIG_FILE + 1)
    other = make_account("other")
    undo = make_run(other, undoes=Run.objects.create(account=other, file_name="a", file_size=BIG_FILE + 1))
    small = make_run(make_account("third"), file_size=BIG_FILE)
    assert queued(Lane.BULK) == [("import_upload", big.pk), ("import_upload", undo.pk)]
    assert queued(Lane.PROMPT) == [("import_upload", small.pk)]


def test_files_of_an_account_wait_in_the_lane_of_the_one_before_them(account):
    big, small = make_run(account, file_size=BIG_FILE + 1), make_run(account)
    assert (queued(Lane.BULK), queued(Lane.PROMPT)) == ([("import_upload", big.pk)], [])
    Run.objects.filter(pk=big.pk).update(status="succeeded")
    assert (queued(Lane.BULK), queued(Lane.PROMPT)) == ([], [("import_upload", small.pk)])


def test_a_pull_asked_for_while_the_feed_is_pulled_waits_until_that_has_ended(account):
    feed = make_feed(account)
    pull = Pull.objects.create(feed=feed)
    request_pull(feed)
    assert take(Lane.PROMPT) is None
    Pull.objects.filter(pk=pull.pk).update(status="succeeded")
    assert take(Lane.PROMPT) == feed


def test_disabled_feeds_and_decided_runs_wait_for_nobody(account):
    make_feed(account, enabled=False)
    make_run(account, status="held", decision="rejected", release_asked_at=timezone.now())
    assert [take(lane) for lane in Lane] == [None, None, None]


def test_a_run_keeps_its_place_when_it_is_queued_again(account):
    run = make_run(account, 20)
    before = Run.objects.get().queued_at
    enqueue_run(run.pk)
    assert Run.objects.get().queued_at == before


@pytest.mark.django_db(transaction=True)
def test_workers_take_past_each_other(account):
    first, second = make_feed(account, 2), make_feed(account, 1)
    taken: list[object] = []

    def take_twice():
        taken.extend(take(Lane.FEEDS) for _ in range(2))
        connection.close()

    with transaction.atomic():
        assert Feed.objects.select_for_update().get(pk=first.pk)
        other = threading.Thread(target=take_twice)
        other.start()
        other.join(60)
    assert taken == [second, None]
    assert take(Lane.FEEDS) == first


def test_a_worker_that_is_to_end_takes_nothing(account):
    make_feed(account)
    lanes.closed.value = 1
    try:
        assert tasks.work("feeds") == "Others were faster."
    finally:
        lanes.closed.value = 0
    assert len(queued(Lane.FEEDS)) == 1


def test_a_feed_that_waits_for_later_is_taken_then_or_when_somebody_asks(account):
    feed = make_feed(account, -5, next_pull_at=timezone.now() + timedelta(minutes=5))
    assert [take(lane) for lane in Lane] == [None, None, None]
    request_pull(feed)
    assert take(Lane.PROMPT) == feed

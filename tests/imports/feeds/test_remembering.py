"""Two looks at a file that waits, whoever does them and whenever: what is remembered between them, and what is not."""

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from imports.feeds import fetching
from imports.feeds.pulling import pull_feed
from imports.feeds.remembering import Memory, read_clock
from imports.feeds.taking import UNSETTLED_AGAIN
from imports.filesystems import RemoteFile
from imports.filesystems.sftp import SFTPServer
from imports.models import Feed, Message, Pull, Run
from imports.queueing import request_pull
from imports.tasks import enqueue_due
from tests.feeds import customers, drop, make_feed
from tests.imports.customer_files import customers_of
from tests.queue import queued, work

pytestmark = pytest.mark.django_db(transaction=True)
SETTLE = 5
MOMENT = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def feed(account, server):
    return make_feed(account, server, settle_seconds=SETTLE)


def read(feed):
    """The memory of another process."""
    return Memory(Feed.objects.get(pk=feed.pk))


def see(size, name="a.txt", modified_at=MOMENT):
    return RemoteFile(name, name, size, modified_at)


def pull_as_worker(feed):
    done = pull_feed(feed, patient=False)
    assert done.status == "succeeded", done.message
    feed.refresh_from_db()
    return done


def let_pass(seconds):
    """What was remembered is so much older."""
    feeds: Any = Feed.objects.exclude(waiting=None)
    for feed in feeds:
        for one in feed.waiting.values():
            since = datetime.fromisoformat(one["since"]) - timedelta(seconds=seconds)
            one["since"] = since.isoformat()
        feed.queued_at = feed.queued_at and feed.queued_at - timedelta(seconds=seconds)
        feed.next_pull_at -= timedelta(seconds=seconds)
        feed.save()


# -- what is remembered


def test_a_file_waits_from_the_first_look_at_which_it_was_as_it_is(feed):
    read(feed).note([see(10), see(1, "b.txt")])
    began = read_clock()
    assert 0 < read(feed).seconds_left(see(10), began) <= SETTLE
    assert read(feed).seconds_left(see(10), began + timedelta(seconds=SETTLE)) == 0
    memory = read(feed)
    memory.note([see(11), see(1, "b.txt")])
    assert memory.changed == {"a.txt"}
    assert read(feed).seconds_left(see(11), began + timedelta(seconds=1)) > SETTLE - 2
    assert read(feed).seconds_left(see(1, "b.txt"), began + timedelta(seconds=SETTLE)) == 0


@pytest.mark.parametrize(
    "other", [see(11), see(10, modified_at=MOMENT + timedelta(seconds=1)), see(10, modified_at=None)]
)
def test_size_and_time_are_how_a_file_looks(feed, other):
    read(feed).note([see(10)])
    later = read_clock() + timedelta(hours=1)
    memory = read(feed)
    memory.note([other])
    assert memory.seconds_left(other, later - timedelta(hours=1)) > 0


def test_a_clock_that_was_put_back_makes_nobody_wait_longer_than_the_feed_says(feed):
    read(feed).note([see(10)])
    assert read(feed).seconds_left(see(10), read_clock() - timedelta(hours=1)) == SETTLE


def test_what_is_not_seen_any_more_or_is_imported_is_forgotten(feed):
    memory = read(feed)
    memory.note([see(10), see(1, "b.txt")])
    memory.forget(see(10))
    assert set(read(feed).seen) == {"b.txt"}
    read(feed).note([])
    assert Feed.objects.get(pk=feed.pk).waiting is None


def test_a_doubt_ends_with_the_look_of_its_file(feed):
    memory = read(feed)
    memory.note([see(10)])
    memory.doubt([see(10)])
    assert read(feed).is_doubted(see(10))
    memory = read(feed)
    memory.note([see(11)])
    assert not read(feed).is_doubted(see(11))


def test_what_the_release_before_remembered_is_no_look(feed):
    Feed.objects.update(waiting={"a.txt": f"10 {MOMENT.isoformat()}"})
    assert read(feed).seen == {}


EVENTS = st.lists(st.tuples(st.sampled_from(["write", "look", "killed look"]), st.floats(0, 4)), max_size=30)


@given(EVENTS)
def test_no_file_is_settled_that_was_not_the_same_at_two_looks_far_enough_apart(events):
    feed, now, size, since = Feed(settle_seconds=SETTLE), MOMENT, 0, None
    for what, pause in events:
        now += timedelta(seconds=pause)
        if what == "write":
            size, since = size + 1, None
            continue
        memory = Memory(feed)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("imports.feeds.remembering.read_clock", partial(getattr, SimpleNamespace(now=now), "now"))
            memory.note([see(size)])
        settled = since is not None and now - since >= timedelta(seconds=SETTLE)
        assert (memory.seconds_left(see(size), now) == 0) == settled
        if what == "look":
            feed.waiting, since = memory.stored, since or now


# -- two looks of workers


def test_a_worker_sleeps_for_no_file_and_another_one_takes_it_at_the_second_look(feed, folder, monkeypatch):
    monkeypatch.setattr("imports.feeds.taking.time.sleep", lambda seconds: pytest.fail("it slept"))
    drop(folder, "a.txt", "C1")
    done = pull_as_worker(feed)
    assert (done.listed, done.imported) == (1, 0)
    assert done.message == "Waits: a.txt is new, and must be the same at a second look; later files wait behind it."
    assert queued() == []
    assert 0 < (feed.queued_at - timezone.now()).total_seconds() <= SETTLE
    enqueue_due()
    assert queued() == [], "it is in the queue, for later"
    let_pass(SETTLE)
    assert queued() == [("pull", feed.pk)]
    work()
    assert set(customers_of(feed.account)) == {"C1"}
    feed.refresh_from_db()
    assert (feed.queued_at, feed.waiting) == (None, None)


def test_a_look_that_comes_too_early_waits_for_the_rest(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_as_worker(feed)
    let_pass(3)
    assert pull_as_worker(feed).imported == 0
    assert (feed.queued_at - timezone.now()).total_seconds() <= SETTLE - 3
    let_pass(2)
    assert pull_as_worker(feed).imported == 1


def test_a_file_that_grew_between_two_looks_waits_for_minutes_and_is_taken_whole(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_as_worker(feed)
    drop(folder, "a.txt", "C1", "C2")
    let_pass(SETTLE)
    done = pull_as_worker(feed)
    assert (done.imported, done.message.startswith("Waits: a.txt changed between two looks")) == (0, True)
    assert (feed.queued_at - timezone.now()) > UNSETTLED_AGAIN / 2
    let_pass(UNSETTLED_AGAIN.total_seconds())
    assert pull_as_worker(feed).imported == 1
    assert set(customers_of(feed.account)) == {"C1", "C2"}


def test_older_files_go_in_while_a_newer_one_settles_and_none_overtakes_another(feed, folder):
    os.utime(drop(folder, "b.txt", "C1"), (1_700_000_001, 1_700_000_001))
    pull_as_worker(feed)
    let_pass(SETTLE)
    os.utime(drop(folder, "c.txt", "C1"), (1_700_000_002, 1_700_000_002))
    assert pull_as_worker(feed).imported == 1
    os.utime(drop(folder, "0.txt", "C1"), (1_700_000_003, 1_700_000_003))
    let_pass(SETTLE)
    assert pull_as_worker(feed).imported == 1
    let_pass(SETTLE)
    assert pull_as_worker(feed).imported == 1
    assert list(feed.runs.order_by("pk").values_list("file_name", flat=True)) == ["b.txt", "c.txt", "0.txt"]


def test_a_new_file_that_looks_like_one_whose_import_was_killed_waits_too(feed, folder, monkeypatch):
    drop(folder, "a.txt", "C1")
    pull_as_worker(feed)
    let_pass(SETTLE)

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("imports.feeds.taking.import_file", die)
        with pytest.raises(KeyboardInterrupt):
            pull_feed(feed, patient=False)
    assert Feed.objects.get().waiting is None
    assert pull_as_worker(feed).imported == 0


def test_what_a_killed_look_saw_counts_for_nothing(feed, folder, monkeypatch):
    drop(folder, "a.txt", "C1")
    listed = SFTPServer.list_files

    def die(self, where):
        listed(self, where)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SFTPServer, "list_files", die)
        with pytest.raises(KeyboardInterrupt):
            pull_feed(feed, patient=False)
    assert pull_as_worker(feed).imported == 0


def test_a_pull_that_somebody_asked_for_goes_on_in_the_same_lane_and_can_be_asked_for_at_once(feed, folder):
    drop(folder, "a.txt", "C1")
    request_pull(feed)
    work()
    feed.refresh_from_db()
    assert (feed.pull_asked, feed.is_queued, feed.is_looked_at_again) == (True, False, True)
    request_pull(feed)
    feed.refresh_from_db()
    assert (feed.is_queued, feed.is_looked_at_again) == (True, False)
    work()
    let_pass(SETTLE)
    work()
    feed.refresh_from_db()
    pulls = sum(Pull.objects.values_list("times", flat=True))
    assert (Run.objects.count(), pulls, feed.pull_asked) == (1, 3, False)


def test_a_changed_feed_is_looked_at_before_its_second_look(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_as_worker(feed)
    Feed.objects.update(next_pull_at=timezone.now())
    enqueue_due()
    assert queued() == [("pull", feed.pk)]


# -- what a pull costs that finds nothing


def test_a_pull_that_finds_nothing_new_asks_the_database_little(feed, django_assert_max_num_queries):
    pull_as_worker(feed)
    with django_assert_max_num_queries(14):  # of them four begin and end transactions
        pull_feed(feed, patient=False)


# -- files that are never whole


def rewrite_at_each_look(path, seconds):
    """What a sender does that never ends."""
    number = next(seconds)
    path.write_text(customers(*(f"C{one}" for one in range(number % 7 + 1))))
    os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))


def test_a_file_that_changes_with_every_look_is_told_of_once_and_goes_in_once_it_rests(feed, folder):
    Feed.objects.update(contacts=["erp@example.com"])
    path, seconds = folder / "a.txt", count()
    os.utime(drop(folder, "b.txt", "B1"), (1_800_000_000, 1_800_000_000))
    for tries in range(6):
        rewrite_at_each_look(path, seconds)
        done = pull_feed(feed, patient=False)
        let_pass(SETTLE)
        assert done.imported == 0
        assert done.status == ("failed" if tries >= 3 else "succeeded"), tries
    assert "a.txt was not whole at any of 5 pulls in a row since 20" in done.message
    assert "Have its sender write it under another name" in done.message
    assert [message.event for message in Message.objects.filter(feed=feed)] == ["feed.failing"]
    assert pull_as_worker(feed).imported == 2
    feed.refresh_from_db()
    assert (feed.problem, feed.waiting) == ("", None)
    assert Message.objects.filter(feed=feed, event="feed.recovered").exists()


@pytest.mark.parametrize("options", [{"settle_seconds": 0}, {"settle_seconds": 0, "ready_when": "{name}.ok"}])
def test_a_file_that_changes_with_every_download_is_told_of_too(feed, folder, monkeypatch, options):
    for name, value in options.items():
        setattr(feed, name, value)
    feed.save()
    path, seconds = drop(folder, "a.txt", "C1"), count()
    fetch = fetching.is_same

    def change(before, after):
        rewrite_at_each_look(path, seconds)
        (folder / "a.txt.ok").touch()
        return fetch(before, after._replace(size=after.size + 1))

    (folder / "a.txt.ok").touch()
    monkeypatch.setattr(fetching, "is_same", change)
    assert [pull_feed(feed).status for _ in range(4)] == ["succeeded", "succeeded", "failed", "failed"]
    feed.refresh_from_db()
    assert "a.txt was not whole at any of 4 pulls in a row" in feed.problem

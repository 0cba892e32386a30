"""The broker: wake-ups instead of rows, tasks of our own alone, and a database that is away."""

import logging

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from accounts import outages
from imports.lanes import Lane
from imports.models import Feed
from imports.queueing import TASKS, enqueue_search, enqueue_task
from imports.workers.broker import LaneBroker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def make_broker(lane, **options):
    broker = LaneBroker(lane.value)
    assert functions(broker) == ["prove_to_be_at_work"]
    return broker


def functions(broker):
    """What the next answer is, by function; one look finds nothing where the other source has something."""
    entries = broker.dequeue() or []
    return [SignedPackage.loads(text)["func"].rpartition(".")[2] for _, text in entries]


def test_workers_are_called_while_anything_waits_and_no_row_is_written(account):
    broker = make_broker(Lane.FEEDS)
    assert functions(broker) == []
    Feed.objects.create(account=account, name="erp", protocol="dropbox", queued_at=timezone.now())
    assert [functions(broker) for _ in range(3)] == [["work"]] * 3
    assert functions(make_broker(Lane.PROMPT)) == []
    Feed.objects.update(queued_at=None)
    assert functions(broker) == []
    assert not OrmQ.objects.exists()


def test_tasks_and_what_waits_come_by_turns(account):
    enqueue_task("imports.tasks.enqueue_due")
    enqueue_task("imports.tasks.deliver")
    enqueue_search(account.pk)
    Feed.objects.create(account=account, name="erp", protocol="dropbox", queued_at=timezone.now(), pull_asked=True)
    broker = make_broker(Lane.PROMPT)
    assert [functions(broker)[0] for _ in range(5)] == ["enqueue_due", "work", "deliver", "work", "work"]
    assert functions(make_broker(Lane.BULK)) == ["look_for_duplicates"]


@pytest.mark.parametrize("lane", Lane)
def test_a_lane_in_which_nothing_waits_is_asked_one_question(lane, django_assert_num_queries):
    broker = make_broker(lane)
    with django_assert_num_queries(1):
        assert broker.dequeue() is None


def test_a_task_is_given_once_until_it_is_done(account):
    enqueue_search(account.pk)
    broker = make_broker(Lane.BULK)
    ((number, _),) = broker.dequeue()
    assert broker.dequeue() is None
    broker.acknowledge(number)
    assert not OrmQ.objects.exists()


def test_workers_prove_at_intervals_that_they_are_at_work(settings):
    broker = make_broker(Lane.BULK)
    assert functions(broker) == []
    settings.WORKERS_BEAT_SECONDS = 0
    assert functions(broker) == ["prove_to_be_at_work"]


def forge(account):
    OrmQ.objects.create(key="bulk", payload="gASVKQAAAAAAAACMBXBvc2l4:1abc:signed", lock=timezone.now())


def name_another(account):
    async_task("os.system", "true", cluster="bulk")


def name_a_hook(account):
    async_task("imports.tasks.look_for_duplicates", account.pk, cluster="bulk", hook="os.remove")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (forge, "not signed with this SECRET_KEY"),
        (name_another, "'os.system' is none of the functions"),
        (name_a_hook, "it has a hook"),
    ],
)
def test_what_is_none_of_our_tasks_is_refused_and_taken_out(account, write, reason, caplog):
    write(account)
    broker = make_broker(Lane.BULK)
    with caplog.at_level(logging.ERROR):
        assert broker.dequeue() is None
    assert reason in caplog.text
    assert "Traceback" not in caplog.text
    assert not OrmQ.objects.filter(key="bulk").exists()


@pytest.mark.django_db(transaction=True)
def test_a_schedule_that_somebody_wrote_into_the_table_runs_nothing_else(caplog):
    Schedule.objects.all().delete()
    Schedule.objects.create(func="os.system", args="'true',", cluster="prompt", next_run=timezone.now())
    scheduler()
    assert OrmQ.objects.count() == 1
    assert make_broker(Lane.PROMPT).dequeue() is None
    assert "'os.system' is none of the functions" in caplog.text
    assert not OrmQ.objects.exists()


def test_every_task_is_a_function_of_ours():
    from imports import tasks

    assert all(callable(getattr(tasks, name.removeprefix("imports.tasks."))) for name in TASKS)


def test_a_lane_can_start_while_the_database_is_away(monkeypatch):
    def fail(*_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", fail)
    broker = make_broker(Lane.PROMPT)
    assert broker.dequeue() is None


def test_a_database_that_is_away_is_waited_for_with_one_word_about_it(monkeypatch, caplog):
    outages.forget_outage()

    def fail(*_):
        raise OperationalError("connection refused")

    broker = make_broker(Lane.PROMPT)
    monkeypatch.setattr(broker, "get_connection", fail)
    assert broker.dequeue() is None
    broker.delete(7)
    assert [record.message for record in caplog.records] == ["The database does not answer: connection refused"]

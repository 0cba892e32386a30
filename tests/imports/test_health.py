"""Health: what is wrong is said, with what to do, and nothing else is told to strangers."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from accounts.health import find_problems
from imports import health
from imports.lanes import Lane
from imports.models import Feed, Heartbeat, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(account):
    return Feed.objects.create(
        account=account, name="very-secret-feed", protocol="ftp", host="ftp.example.com", password="s3cret",
        next_pull_at=timezone.now() + timedelta(minutes=10),
    )  # fmt: skip


def seen(minutes=0):
    at = timezone.now() - timedelta(minutes=minutes)
    Heartbeat.objects.bulk_create(Heartbeat(name=lane.heartbeat, at=at, worker="machine:7") for lane in Lane)


def test_without_feeds_nothing_has_to_run():
    assert find_problems() == []


def test_an_upload_waits_for_a_worker_too(account):
    Run.objects.create(account=account, file_name="a.txt", format_name="standard template", status="queued")
    assert find_problems() == ["No worker was ever seen at work: start manage.py run_workers."]


def test_all_is_well_while_workers_are_seen(feed):
    seen()
    assert find_problems() == []


def test_nobody_was_ever_seen(feed):
    assert find_problems() == ["No worker was ever seen at work: start manage.py run_workers."]


def test_nobody_was_seen_lately(feed):
    seen(minutes=25)
    (problem,) = find_problems()
    assert "for 25 minutes" in problem
    assert "machine:7" not in problem
    assert not health.is_at_work()


def test_a_lane_that_nobody_works_on_is_named(feed):
    seen()
    Heartbeat.objects.filter(name="workers.feeds").update(at=timezone.now() - timedelta(minutes=25))
    Heartbeat.objects.filter(name="workers.bulk").delete()
    found = find_problems()
    assert [problem.partition(":")[0] for problem in found] == [
        "No worker of the lane feeds was seen at work for 25 minutes",
        "No worker of the lane bulk was seen at work ever",
    ]
    assert health.is_at_work()


def test_a_missing_schedule(feed):
    seen()
    Schedule.objects.all().delete()
    (problem,) = find_problems()
    assert "manage.py migrate" in problem


def test_feeds_that_wait_too_long(feed):
    seen()
    Feed.objects.update(next_pull_at=timezone.now() - timedelta(minutes=40))
    (problem,) = find_problems()
    assert problem.startswith("1 feeds wait for more than 30 minutes")


def test_disabled_feeds_wait_for_nothing(feed):
    Feed.objects.update(enabled=False, next_pull_at=timezone.now() - timedelta(minutes=40))
    assert find_problems() == []

"""How pulls end: those in a row that find the same, and nothing new, are one row."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from imports.feeds.turns import record_failure, record_success
from imports.models import Feed, Pull
from tests.builders import add_member, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(account):
    """Of a server that nobody asks."""
    return Feed.objects.create(account=account, name="erp", protocol="sftp", host="example.com", host_key="x")


def pull(feed, message="", **found):
    began = Pull.objects.create(feed=feed, worker="w")
    for name, value in found.items():
        setattr(began, name, value)
    record_success(began, None, message)
    return began


def rows(feed):
    return list(feed.pulls.order_by("pk").values_list("imported", "listed", "message", "times"))


def test_pulls_in_a_row_that_found_nothing_are_one_row_that_counts(feed):
    first = pull(feed)
    Pull.objects.update(started_at=timezone.now() - timedelta(hours=2))
    first.refresh_from_db()
    pull(feed)
    last = pull(feed)
    kept = feed.pulls.get()
    assert (kept.pk, kept.times, kept.first_at, kept.since) == (last.pk, 3, first.started_at, first.started_at)
    assert kept.started_at > first.started_at
    assert (last.times, last.first_at) == (3, first.started_at)


def test_what_differs_has_a_row_of_its_own(feed):
    pull(feed, listed=2)
    pull(feed, listed=2)
    pull(feed, listed=3)
    pull(feed, "a.xml is not taken.", listed=3, omitted=1)
    pull(feed, listed=3, imported=1)
    pull(feed, listed=3, imported=1)
    pull(feed)
    assert rows(feed) == [
        (0, 2, "", 2),
        (0, 3, "", 1),
        (0, 3, "a.xml is not taken.", 1),
        (1, 3, "", 1),
        (1, 3, "", 1),
        (0, 0, "", 1),
    ]


def test_a_failure_between_and_another_feed_are_kept_apart(feed):
    other = Feed.objects.create(account=feed.account, name="other", protocol="sftp", host="example.com")
    pull(feed)
    pull(other)
    failed = Pull.objects.create(feed=feed, worker="w")
    record_failure(failed, "no answer", passing=True)
    pull(feed)
    pull(feed)
    assert list(feed.pulls.order_by("pk").values_list("status", "times")) == [
        ("succeeded", 1),
        ("failed", 1),
        ("succeeded", 2),
    ]
    assert rows(other) == [(0, 0, "", 1)]


def test_the_page_and_the_api_say_how_often_and_since_when(client, feed):
    rosa = make_user("rosa")
    add_member(feed.account, rosa)
    client.force_login(rosa)
    first = pull(feed)
    last = pull(feed)
    page = client.get(reverse("admin:imports_feed_change", args=[feed.pk])).content.decode()
    assert "There was nothing new, 2 times since" in page
    assert client.get(reverse("admin:imports_pull_change", args=[last.pk])).status_code == 200
    client.logout()
    client.force_login(rosa)
    told = client.get(reverse("pull-list", args=[feed.account.code]) + f"?feed=erp&after={first.pk}").json()
    assert [(one["id"], one["times"], one["first_at"][:19]) for one in told["results"]] == [
        (last.pk, 2, first.started_at.isoformat()[:19])
    ]

"""Inspections of feeds: what is found, why each file is taken or not, and that nothing is changed by looking."""

import os
from datetime import timedelta

import pytest
from django.db import connection

from imports.feeds.inspecting import describe_presented_key, inspect_feed
from imports.feeds.pulling import pull_feed
from imports.models import Feed, Pull, Run
from tests.feeds import drop, make_feed
from tests.servers import run_ftp

pytestmark = pytest.mark.django_db(transaction=True)


def look(feed):
    """Name, verdict and reason of each file of an inspection that went well."""
    found = inspect_feed(Feed.objects.get(pk=feed.pk), probe=False)
    assert found.problem == ""
    return [(file.name, taken, reason) for file, taken, reason in found.files]


def columns(feed):
    """The feed's row as the database holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM imports_feed WHERE id = %s", [feed.pk])
        return cursor.fetchone()


def test_an_empty_folder_is_no_problem(feed, server):
    found = inspect_feed(feed)
    assert (found.files, found.problem, found.format) == ([], "", "standard template")
    assert found.where == f"127.0.0.1:{server.settings.port}"
    assert found.identity is not None
    assert found.identity.matches is True
    assert found.identity.pin.startswith("ssh-ed25519 ")


def test_files_stand_in_the_order_of_their_turns_and_the_others_behind_them(feed, folder):
    for age, name in enumerate(["b.txt", "a.CSV", "z.xml", "y.xml"]):
        os.utime(drop(folder, name, "C1"), (1_700_000_000 + age, 1_700_000_000 + age))
    assert look(feed) == [
        ("b.txt", True, "new"),
        ("a.CSV", True, "new"),
        ("y.xml", False, "the mask *.txt or *.csv does not take it"),
        ("z.xml", False, "the mask *.txt or *.csv does not take it"),
    ]


def test_looking_changes_nothing(feed, folder):
    drop(folder, "a.txt", "C1")
    before = columns(feed)
    for _ in range(2):
        assert look(feed) == [("a.txt", True, "new")]
    assert columns(feed) == before
    assert not Pull.objects.exists()
    assert not Run.objects.exists()
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_what_was_taken_and_stays_is_said(account, server, folder):
    feed = make_feed(account, server, "leaves", after_import="leave")
    drop(folder, "a.txt", "C1")
    pull_feed(feed)
    run = Run.objects.get()
    compared = f"taken by run {run.pk} (a.txt); its content is compared, and taken where it is another"
    assert look(feed) == [("a.txt", False, compared)]
    Run.objects.update(compared_at=run.started_at + timedelta(minutes=1))
    assert look(feed) == [("a.txt", False, f"taken by run {run.pk} (a.txt)")]
    drop(folder, "a.txt", "C1", "C2")
    assert look(feed) == [("a.txt", True, f"changed since run {run.pk} (a.txt)")]


def test_what_is_sent_again_is_taken_again(feed, folder):
    moment = (1_700_000_000, 1_700_000_000)
    os.utime(drop(folder, "a.txt", "C1"), moment)
    pull_feed(feed)
    os.utime(drop(folder, "a.txt", "C1"), moment)
    assert look(feed) == [("a.txt", True, f"sent again after run {Run.objects.get().pk} (a.txt)")]


def test_a_file_beyond_the_limit_is_not_taken(account, server, folder):
    feed = make_feed(account, server, "small", most_bytes=10)
    size = drop(folder, "a.txt", "C1").stat().st_size
    assert look(feed) == [("a.txt", False, f"it has {size:,} bytes, more than the feed's limit of 10")]


@pytest.mark.parametrize(("while_held", "taken"), [("wait", False), ("go_on", True)])
def test_files_behind_a_held_one_wait_or_go_on(account, server, folder, while_held, taken):
    feed = make_feed(account, server, "held", while_held=while_held)
    os.utime(drop(folder, "a.txt", "C1"), (1_700_000_000, 1_700_000_000))
    pull_feed(feed)
    Run.objects.update(status="held", archived_at=None)
    (moved,) = (folder / "processed").iterdir()
    moved.rename(folder / "a.txt")
    drop(folder, "b.txt", "C1")
    run = Run.objects.get()
    (first, first_taken, first_reason), (second, second_taken, second_reason) = look(feed)
    assert (first, first_taken, first_reason) == ("a.txt", False, f"run {run.pk} (a.txt) is held")
    assert (second, second_taken) == ("b.txt", taken)
    assert ("waits until somebody has decided" in second_reason) is not taken


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"password": "wrong"}, "refuses the login"),
        ({"folder": "nowhere"}, "The folder nowhere is not on"),
        ({"host_key": "SHA256:" + "A" * 43}, "is not the server whose key is pinned"),
        ({"host_key": "nonsense"}, "'nonsense' is no host key"),
        ({"private_key": "nonsense"}, "private key for 127.0.0.1"),
        ({"port": 1}, "127.0.0.1:1 cannot be reached"),
    ],
)
def test_what_goes_wrong_is_part_of_the_answer(feed, folder, changes, problem):
    drop(folder, "a.txt", "C1")
    Feed.objects.filter(pk=feed.pk).update(**changes)
    found = inspect_feed(Feed.objects.get())
    assert problem in found.problem
    assert found.files == []
    assert not any(secret in found.problem for secret in ("s3cret-of-the-brand", "wrong"))


def test_the_presented_key_is_shown_although_another_one_is_pinned(feed, server):
    right = server.settings.host_key.strip()
    feed.host_key = "SHA256:" + "A" * 43
    found = inspect_feed(feed)
    assert found.identity is not None
    assert (found.identity.matches, found.identity.pin) == (False, right)
    said, pin = describe_presented_key(feed)
    assert pin == right
    assert found.identity.fingerprint in said


def test_a_server_without_an_identity_or_an_answer_presents_no_key(account, folder, feed):
    with run_ftp(folder) as running:
        assert describe_presented_key(make_feed(account, running, "plain")) == ("", "")
    feed.port = 1
    said, pin = describe_presented_key(feed)
    assert "127.0.0.1:1 cannot be reached" in said
    assert pin == ""

"""Archiving: a move that fails keeps no file waiting, is tried again and told, for the ledger knows what was taken."""

import os
from datetime import timedelta

import asyncssh
import pytest
from django.utils import timezone

from imports.feeds.pulling import pull_feed
from imports.messages.mailing import make_email
from imports.models import Feed, Message, Run
from tests.feeds import drop, make_feed
from tests.imports.customer_files import customers_of
from tests.servers import run_ftp, run_sftp

pytestmark = pytest.mark.django_db(transaction=True)

MOVED = "Imported, but cannot be moved: "


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pull(feed):
    done = pull_feed(feed)
    assert done.status == "succeeded", done.message
    feed.refresh_from_db()
    return done


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        ("rename", asyncssh.SFTPOpUnsupported("Operation unsupported"), "Operation unsupported"),
        ("rename", asyncssh.SFTPFailure("Disk quota exceeded"), "Disk quota exceeded"),
        ("rename", asyncssh.SFTPQuotaExceeded("quota"), "quota"),
        ("rename", asyncssh.SFTPNoSuchFile("No such file"), "No such file"),
        ("mkdir", asyncssh.SFTPPermissionDenied("Permission denied"), "Permission denied"),
        ("mkdir", asyncssh.SFTPNoSpaceOnFilesystem("No space left"), "No space left"),
    ],
)
def test_a_move_that_fails_keeps_no_file_waiting(account, server, folder, what, error, said):
    feed = make_feed(account, server, contacts=["erp@example.com"])
    server.errors[what] = error
    drop(folder, "a.txt", "C1")
    done = pull(feed)
    assert done.message.startswith(MOVED)
    assert said in done.message
    assert "--leave" in done.message
    drop(folder, "b.txt", "C2")
    pull(feed)
    pull(feed)
    assert set(customers_of(account)) == {"C1", "C2"}
    assert feed.runs.count() == 2
    assert said in feed.move_problem
    assert (feed.failures, feed.problem) == (0, "")
    (message,) = Message.objects.filter(event="feed.not_moved")
    assert said in make_email(message).body

    server.errors.clear()
    assert pull(feed).message == ""
    assert feed.move_problem == ""
    assert [name.partition("/")[0] for name in files_of(folder)] == ["processed"] * 2
    assert all(run.archived_as for run in feed.runs.all())


@pytest.mark.parametrize("reply", ["502 RNFR not understood.", "552 Disk quota exceeded.", "450 Not now."])
def test_an_ftp_server_that_does_not_rename_keeps_no_file_waiting(account, folder, reply):
    with run_ftp(folder) as running:
        feed = make_feed(account, running)
        running.replies["RNFR"] = reply
        for number, name in enumerate(["a.txt", "b.txt", "c.txt"]):
            drop(folder, name, f"C{number}")
        assert reply[4:] in pull(feed).message
        running.replies.clear()
        assert pull(feed).message == ""
    assert set(customers_of(account)) == {"C0", "C1", "C2"}
    assert len(files_of(folder)) == feed.runs.count() == 3


@pytest.mark.parametrize("start", [run_sftp, run_ftp])
@pytest.mark.parametrize("what", ["drop before rename", "drop after rename"])
def test_a_session_that_breaks_in_a_move_is_followed_by_another_one(account, folder, start, what):
    with start(folder) as running:
        feed = make_feed(account, running)
        drop(folder, "a.txt", "C1")
        drop(folder, "b.txt", "C2")
        running.misbehaviour.add(what)
        pull(feed)
        assert feed.failures == 0
        assert feed.runs.count() == 2
        assert feed.next_pull_at is not None
        assert feed.next_pull_at <= timezone.now() + timedelta(minutes=6)
        running.misbehaviour.clear()
        assert pull(feed).message == ""
    assert [name.partition("/")[0] for name in files_of(folder)] == ["processed"] * 2
    assert sorted(files_of(folder)) == sorted(run.archived_as for run in Run.objects.all())


def test_what_time_may_mend_is_told_when_it_has_not_within_an_hour(account, folder):
    with run_ftp(folder) as running:
        running.replies["RNFR"] = "450 Not now."
        feed = make_feed(account, running, contacts=["erp@example.com"])
        drop(folder, "a.txt", "C1")
        pull(feed)
        assert not Message.objects.filter(event="feed.not_moved").exists()
        Feed.objects.update(move_failing_since=timezone.now() - timedelta(hours=2))
        pull(feed)
        pull(feed)
    assert Message.objects.filter(event="feed.not_moved").count() == 1


@pytest.mark.parametrize("error", [asyncssh.SFTPFailure("Failure"), asyncssh.SFTPPermissionDenied("Permission denied")])
def test_what_is_missing_is_looked_for_in_the_listing_of_its_folder(account, server, folder, error):
    """Such servers say neither of a file nor of a folder that it is missing."""
    server.errors["missing"] = error
    (folder / "in" / "deep").mkdir(parents=True)
    feed = make_feed(account, server, folder="in/deep")
    for profile in ("A", "B"):
        drop(folder / "in" / "deep", "customers.txt", "C1", profile=profile)
        assert pull(feed).message == ""
    assert len(files_of(folder)) == 2
    assert sorted(files_of(folder)) == sorted(run.archived_as for run in Run.objects.all())


def test_a_file_that_cannot_be_moved_and_changes_is_taken_again(account, server, folder):
    feed = make_feed(account, server)
    server.errors["rename"] = asyncssh.SFTPFailure("Failure")
    for profile in ("A", "Bb", "Cc"):
        drop(folder, "customers.txt", "C1", profile=profile)
        pull(feed)
    assert customers_of(account)["C1"]["profile_name"] == "Cc"
    assert feed.runs.count() == 3


def copy_over(folder):
    """A rename of a server that copies."""

    def copy(self, source, target):
        source, target = (folder / path.decode().lstrip("/") for path in (source, target))
        target.write_bytes(source.read_bytes())
        os.utime(target, (source.stat().st_atime, source.stat().st_mtime))

    return copy


@pytest.mark.parametrize("kind", ["SFTP that does nothing", "SFTP that copies", "FTP that does nothing"])
def test_a_move_that_is_only_said_to_be_done_imports_nothing_twice(account, folder, monkeypatch, kind):
    with run_ftp(folder) if kind.startswith("FTP") else run_sftp(folder) as server:
        server.replies["RNTO"] = "250 Rename successful."
        rename = copy_over(folder) if kind.endswith("copies") else lambda *_: None
        monkeypatch.setattr(asyncssh.SFTPServer, "rename", rename)
        feed = make_feed(account, server)
        os.utime(drop(folder, "a.txt", "C1"), (1_700_000_000, 1_700_000_000))
        for _ in range(3):
            assert pull(feed).message.startswith(MOVED)
        assert "still lies where it lay" in feed.move_problem or "already" in feed.move_problem
        assert (feed.runs.count(), feed.runs.get().archived_at) == (1, None)
        server.replies.clear()
        monkeypatch.undo()
        for path in (folder / "processed").iterdir():
            path.unlink()
        assert pull(feed).message == ""
    assert files_of(folder) == [feed.runs.get().archived_as]


def test_a_move_that_is_done_and_answered_by_a_failure_is_found(account, server, folder, monkeypatch):
    real = asyncssh.SFTPServer.rename

    def rename(self, source, target):
        real(self, source, target)
        raise asyncssh.SFTPFailure("Failure")

    monkeypatch.setattr(asyncssh.SFTPServer, "rename", rename)
    drop(folder, "a.txt", "C1")
    feed = make_feed(account, server)
    assert pull(feed).message == ""
    assert files_of(folder) == [feed.runs.get().archived_as]

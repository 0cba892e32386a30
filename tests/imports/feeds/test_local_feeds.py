"""Feeds of folders of this machine: what a kill leaves there, names of any kind, and files that stay where they lie."""

import errno
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from imports.describing import receipt_name
from imports.feeds.archiving import archive_path
from imports.feeds.inspecting import describe_inspection, inspect_feed
from imports.feeds.pulling import pull_feed
from imports.filesystems import ServerSettings, TargetTaken, open_server
from imports.filesystems.local import LocalServer
from imports.models import Feed, Message, Run
from tests.feeds import customers, drop
from tests.imports.customer_files import customers_of, kept_bytes
from tests.servers import run_ftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(account, tmp_path, settings):
    settings.LOCAL_FEEDS = tmp_path
    folder = tmp_path / account.code
    folder.mkdir()
    return folder


@pytest.fixture
def feed(account, folder):
    return make_local(account)


def make_local(account, name="erp", **fields):
    feed = Feed(account=account, name=name, protocol="file", **{"settle_seconds": 0, **fields})
    feed.full_clean()
    feed.save()
    return feed


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pull(feed):
    done = pull_feed(feed)
    assert (done.status, done.message) == ("succeeded", "")
    return done


# -- what a kill leaves


def test_a_move_that_was_killed_in_its_middle_is_ended_and_nothing_is_imported_again(feed, folder):
    path = drop(folder, "customers.txt", "C1")
    pull(feed)
    run = Run.objects.get()
    os.link(folder / run.archived_as, path)
    Run.objects.update(archived_at=None, archived_as="")
    assert pull(feed).imported == 0
    run.refresh_from_db()
    assert files_of(folder) == [archive_path(feed, run, "customers.txt")] == [run.archived_as]
    assert Run.objects.count() == 1


def test_a_new_file_under_the_name_of_one_that_was_moved_unnoticed_is_taken(feed, folder):
    drop(folder, "customers.txt", "C1", profile="A")
    pull(feed)
    moved = (folder / Run.objects.get().archived_as).stat()
    os.utime(drop(folder, "customers.txt", "C1", profile="B"), (moved.st_atime, moved.st_mtime))
    Run.objects.update(archived_at=None, archived_as="")
    assert pull(feed).imported == 1
    assert customers_of(feed.account)["C1"]["profile_name"] == "B"
    assert [run.archived_as for run in feed.runs.order_by("archived_as")] == files_of(folder)


def test_a_receipt_whose_writing_was_killed_at_any_moment_is_one_file(account, folder):
    feed = make_local(account, outbox_folder="outbox")
    drop(folder, "customers.txt", "C1")
    pull(feed)
    receipt = folder / "outbox" / receipt_name(Run.objects.get())
    whole, part = receipt.read_bytes(), Path(f"{receipt}.part")
    for moment in ("while it is written", "before its name", "between its names", "before that is noted"):
        if moment == "while it is written":
            receipt.rename(part)
            part.write_bytes(whole[:100])
        elif moment == "before its name":
            receipt.rename(part)
        elif moment == "between its names":
            os.link(receipt, part)
        Message.objects.update(delivered_at=None)
        pull(feed)
        assert [path.name for path in (folder / "outbox").iterdir()] == [receipt.name], moment
        assert receipt.read_bytes() == whole
    assert json.loads(whole)["status"] == "succeeded"


def test_a_receipt_beside_a_foreign_file_of_its_name_is_one_file_after_a_kill(account, folder):
    feed = make_local(account, outbox_folder="outbox")
    drop(folder, "customers.txt", "C1")
    pull(feed)
    receipt = folder / "outbox" / receipt_name(Run.objects.get())
    receipt.write_text("somebody else's")
    for _ in range(3):
        Message.objects.update(delivered_at=None)
        pull(feed)
    assert sorted(path.name for path in (folder / "outbox").iterdir()) == sorted([receipt.name, f"2-{receipt.name}"])
    assert receipt.read_text() == "somebody else's"


def test_a_rename_begun_twice_is_one_rename(folder):
    (folder / "a.txt").write_text("content")
    os.link(folder / "a.txt", folder / "b.txt")
    with open_server(ServerSettings(protocol="file", root=folder)) as session:
        session.rename("a.txt", "b.txt")
        assert files_of(folder) == ["b.txt"]
        with pytest.raises(TargetTaken):
            session.rename("b.txt", "b.txt")
    assert (folder / "b.txt").read_text() == "content"


def test_a_file_of_somebody_else_or_of_a_disk_without_links_is_moved_too(feed, folder, monkeypatch):
    def refuse(self, target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    drop(folder, "customers.txt", "C1")
    pull(feed)
    assert [name.partition("/")[0] for name in files_of(folder)] == ["processed"]
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    with open_server(ServerSettings(protocol="file", root=folder)) as session, pytest.raises(TargetTaken):
        session.rename("a.txt", "b.txt")
    assert (folder / "b.txt").read_text() == "b"


# -- names


NAMES = [
    b"!!!", b"!.!", b"$$$", b"clients_\xe9t\xe9", b"\xff\xfe", b"\xed\xa0\x80", b"a\nb", b"a\tb", b"a\x1b[31mb", b"-",
    b"%s", b"x" * 255, b"a b ", "annexe\u202etxt.exe".encode(), "\u2028".encode(), "東".encode() * 84,
]  # fmt: skip


def test_no_name_stops_a_feed_or_the_files_behind_it(account, folder):
    feed = make_local(account, mask="*", outbox_folder="outbox", contacts=["erp@example.com"])
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(customers(f"C{number}"))
    json.dumps(describe_inspection(inspect_feed(feed))).encode()
    pull(feed)
    assert set(customers_of(account)) == {f"C{number}" for number in range(len(NAMES))}
    for run in feed.runs.all():
        run.file_name.encode()
        assert kept_bytes(run.kept_file).decode().startswith("customer_code")
    assert {path.parts[0] for path in map(Path, files_of(folder))} == {"outbox", "processed"}
    assert len(files_of(folder)) == 2 * len(NAMES)
    assert all(path.name.isprintable() for path in folder.rglob("*"))


def test_two_names_that_read_the_same_are_two_files(account, folder):
    feed = make_local(account, mask="*")
    (folder / "é").write_text(customers("C1"))
    Path(os.fsdecode(os.fsencode(folder) + b"/\xe9")).write_text(customers("C2"))
    pull(feed)
    assert set(customers_of(account)) == {"C1", "C2"}
    assert set(feed.runs.values_list("file_name", flat=True)) == {"é", "\\xe9"}


def test_a_name_that_no_database_stores_is_passed_over_and_told(feed):
    from imports.feeds.fetching import list_candidates
    from imports.feeds.omitting import list_omitted
    from imports.filesystems import RemoteFile

    evil = RemoteFile("a\0.txt", "a\0.txt", 1, timezone.now())
    assert list_candidates(feed, [evil]) == []
    assert ["NUL" in omitted.reason for omitted in list_omitted(feed, [evil])] == [True]


def test_a_file_that_vanishes_while_the_folder_is_listed_is_no_missing_folder(folder, monkeypatch):
    (folder / "a.txt").write_text("a")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place: [*listed(place), "gone.txt"])
    with open_server(ServerSettings(protocol="file", root=folder)) as session:
        assert [file.name for file in session.list_files("")] == ["a.txt"]


# -- files that stay where they lie


@pytest.fixture
def downloads(monkeypatch):
    """Paths, as they are downloaded."""
    seen, download = [], LocalServer.download

    def record(self, path, out, most_bytes):
        seen.append(path)
        return download(self, path, out, most_bytes)

    monkeypatch.setattr(LocalServer, "download", record)
    return seen


@pytest.mark.parametrize("fraction", [0.0, 0.25])
def test_new_content_of_the_same_size_and_second_is_taken(account, folder, fraction):
    """The second content comes after the first was taken, in what its server calls the same second."""
    feed = make_local(account, after_import="leave")
    moment = int(timezone.now().timestamp()) + 0.5
    for profile, at in (("Aaaa", moment), ("Bbbb", moment + fraction)):
        os.utime(drop(folder, "customers.txt", "C1", profile=profile), (at, at))
        pull(feed)
    assert customers_of(account)["C1"]["profile_name"] == "Bbbb"
    assert feed.runs.count() == 2


def test_new_content_of_the_same_size_and_second_is_taken_from_a_server(account, tmp_path):
    place = tmp_path / "served"
    place.mkdir()
    with run_ftp(place) as server:
        from tests.feeds import make_feed

        feed = make_feed(account, server, after_import="leave")
        moment = int(timezone.now().timestamp())
        for profile in ("Aaaa", "Bbbb"):
            os.utime(drop(place, "customers.txt", "C1", profile=profile), (moment, moment))
            pull(feed)
    assert customers_of(account)["C1"]["profile_name"] == "Bbbb"


def test_a_file_that_stays_is_downloaded_once_more_and_never_again(account, folder, downloads):
    feed = make_local(account, after_import="leave")
    drop(folder, "customers.txt", "C1")
    pull(feed)
    Run.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    for _ in range(3):
        pull(feed)
    assert downloads == ["customers.txt"] * 2
    assert feed.runs.count() == 1


def test_a_file_that_was_old_when_it_was_taken_is_downloaded_once(account, folder, downloads):
    feed = make_local(account, after_import="leave")
    os.utime(drop(folder, "customers.txt", "C1"), (1_700_000_000, 1_700_000_000))
    for _ in range(3):
        pull(feed)
    assert downloads == ["customers.txt"]


# -- what comes late


def test_a_file_that_is_older_than_one_that_went_in_says_so(account, folder):
    feed = make_local(account, mask="*_{%Y%m%d%H%M}.txt")
    for name in ("eu_202601021000.txt", "us_202601021200.txt", "eu_202601021100.txt", "eu_202601021030.txt"):
        drop(folder, name, "C1", profile=name)
        pull(feed)
    late = feed.runs.get(issues__code="late_file")
    assert (late.status, late.file_name) == ("succeeded", "eu_202601021030.txt")
    assert "'eu_202601021100.txt' of 2026-01-02 11:00 went in before" in late.issues.get().message
    assert customers_of(account)["C1"]["profile_name"] == "eu_202601021030.txt"

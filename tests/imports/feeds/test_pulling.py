"""Pulls from real servers: what is taken, in which order, what is left, and what happens when something breaks."""

import contextlib
import itertools
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.conf import settings as project_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports.errors import AccountBusy
from imports.feeds import taking
from imports.feeds.claiming import NotDue, PulledAlready, claim_feed, is_claimed
from imports.feeds.pulling import pull_feed
from imports.feeds.sessions import Sessions
from imports.feeds.turns import record_success
from imports.filesystems.sftp import SFTPServer
from imports.models import Feed, Message, Pull, Run
from imports.pipeline import import_file
from imports.pipeline.claiming import claim_account
from imports.queueing import request_pull
from tests.feeds import customers, drop, make_feed
from tests.imports.customer_files import customers_of, kept_bytes, kept_path
from tests.imports.filesystems.test_filesystems import authorities  # noqa: F401  (a fixture)
from tests.servers import NotStarted, run_ftp, run_openssh, run_sftp, run_vsftpd
from tests.threads import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def names_taken(feed):
    return list(feed.runs.order_by("pk").values_list("file_name", flat=True))


def pull(feed, **options):
    """A pull that went well."""
    done = pull_feed(feed, **options)
    assert (done.status, done.message) == ("succeeded", "")
    return done


def profiles(account):
    return {code: customer["profile_name"] for code, customer in customers_of(account).items()}


# -- one file


@pytest.mark.parametrize("kind", ["sftp", "ftp", "no MLSD", "ftps", "ftps-implicit", "OpenSSH", "vsftpd"])
def test_a_file_is_imported_and_moved_away(account, folder, tmp_path, authorities, kind):  # noqa: F811  (the fixture)
    starters = {
        "sftp": lambda: run_sftp(folder),
        "ftp": lambda: run_ftp(folder),
        "no MLSD": lambda: run_ftp(folder, "no MLSD"),
        "ftps": lambda: run_ftp(folder, authority=authorities[0]),
        "ftps-implicit": lambda: run_ftp(folder, "implicit", authorities[0]),
        "OpenSSH": lambda: run_openssh(folder, tmp_path),
        "vsftpd": lambda: run_vsftpd(folder, tmp_path, authorities[0]),
    }
    (folder / "in").mkdir()
    drop(folder / "in", "customers.txt", "C1", "C2")
    try:
        with starters[kind]() as running:
            done = pull(make_feed(account, running, folder="in"))
    except NotStarted as reason:
        pytest.skip(str(reason))
    run = Run.objects.get()
    assert (done.listed, done.imported, run.status, run.created) == (1, 1, "succeeded", 2)
    assert files_of(folder) == [f"in/processed/{run.pk}-{run.sha256[:8]}-customers.txt"]
    assert run.archived_as == files_of(folder)[0]
    assert kept_bytes(run.kept_file).decode() == customers("C1", "C2")


def test_nothing_new_is_no_failure(feed):
    assert pull(feed).imported == 0


def test_a_rejected_file_goes_to_the_failed_folder_and_the_next_one_is_taken(feed, folder):
    drop(folder, "a.txt").write_text("no header\n")
    drop(folder, "b.txt", "C1")
    os.utime(folder / "a.txt", (1_700_000_000, 1_700_000_000))
    pull(feed)
    rejected, taken = Run.objects.order_by("pk")
    assert (rejected.status, taken.status) == ("rejected", "succeeded")
    assert [name.partition("/")[0] for name in files_of(folder)] == ["failed", "processed"]


def test_nothing_of_a_file_stays_in_the_incoming_folder(feed, folder):
    drop(folder, "a.txt", "C1")
    pull(feed)
    assert not list(Path(project_settings.MEDIA_ROOT, "incoming").glob("*"))


@pytest.mark.parametrize(
    "name", ["with spaces.txt", "ünï-東.txt", "-dash.txt", "a'b\"c;$(d).txt", "..txt", "x" * 240 + ".txt"]
)
def test_odd_names_are_taken_and_moved(feed, folder, name):
    feed.mask = ".*.txt" if name.startswith(".") else "*.txt"
    feed.save()
    drop(folder, name, "C1")
    pull(feed)
    (run,) = Run.objects.all()
    assert (run.file_name, run.status) == (name, "succeeded")
    assert (folder / run.archived_as).read_text() == customers("C1")


def test_a_name_that_leads_out_of_the_folder_stays_a_name(feed, folder, monkeypatch):
    """No real server lists such a name; one that is evil may."""
    listed = SFTPServer.list_files

    def list_evil(self, where):
        return [file._replace(name="x/../../../etc/evil.txt") for file in listed(self, where)]

    monkeypatch.setattr(SFTPServer, "list_files", list_evil)
    drop(folder, "a.txt", "C1")
    pull(feed)
    run = Run.objects.get()
    assert run.archived_as.startswith("processed/")
    assert "/" not in run.archived_as.removeprefix("processed/")
    assert kept_path(run.kept_file).resolve().is_relative_to(Path(project_settings.MEDIA_ROOT).resolve())


def test_files_that_are_hidden_unfinished_or_of_another_name_stay(feed, folder):
    for name in (".hidden.txt", "a.txt.part", "b.txt.filepart", "c.xml", "d.tmp"):
        drop(folder, name, "C1")
    (folder / "folder.txt").mkdir()
    done = pull_feed(feed)
    assert (done.status, done.listed, done.omitted) == ("succeeded", 0, 1)
    assert done.message == "Not taken: c.xml (the mask *.txt or *.csv does not take it)."
    assert len(files_of(folder)) == 5


# -- order


def test_the_oldest_file_is_first(feed, folder):
    for age, name in enumerate(["c.txt", "a.txt", "b.txt"]):
        os.utime(drop(folder, name, "C1", profile=name), (1_700_000_000 - age, 1_700_000_000 - age))
    pull(feed)
    assert names_taken(feed) == ["b.txt", "a.txt", "c.txt"]
    assert profiles(feed.account) == {"C1": "c.txt"}


def test_the_time_in_the_name_comes_before_the_time_of_the_file(account, server, folder):
    feed = make_feed(account, server, mask="customers_{%Y%m%d%H%M%S}*.txt")
    for age, name in enumerate(["customers_20261124120000.txt", "customers_20261124110000_b.txt"]):
        os.utime(drop(folder, name, "C1"), (1_700_000_000 + age, 1_700_000_000 + age))
    drop(folder, "customers_of_nobody.txt", "C2")
    assert "'of_nobody' is no time of the form {%Y%m%d%H%M%S}" in pull_feed(feed).message
    assert names_taken(feed) == ["customers_20261124110000_b.txt", "customers_20261124120000.txt"]


def test_files_of_one_hour_are_in_order_across_the_change_of_clocks(account, server, folder, settings):
    """Stamps are in the sender's own time, and server times in UTC: neither is turned into ours."""
    settings.TIME_ZONE = "Europe/Paris"
    feed = make_feed(account, server)
    # 02:30 comes twice on this day: before and after the clocks go back at 01:00 UTC.
    for moment, name in ((1_792_888_200, "second.txt"), (1_792_884_600, "first.txt")):
        os.utime(drop(folder, name, "C1", profile=name), (moment, moment))
    pull(feed)
    assert names_taken(feed) == ["first.txt", "second.txt"]


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_server_with_another_clock_is_pulled_like_any_other(feed, folder, hours):
    moment = time.time() + hours * 3600
    os.utime(drop(folder, "a.txt", "C1"), (moment, moment))
    assert pull(feed).imported == 1
    os.utime(drop(folder, "a.txt", "C1", profile="Other"), (moment, moment))
    assert pull(feed).imported == 1


def test_no_more_files_than_allowed_and_the_rest_at_once(account, server, folder):
    feed = make_feed(account, server, most_files=2)
    for name in "abc":
        drop(folder, f"{name}.txt", "C1")
    assert pull(feed).imported == 2
    feed.refresh_from_db()
    assert feed.next_pull_at is not None
    assert feed.next_pull_at <= timezone.now()
    assert pull(feed).imported == 1


# -- the same file again


def test_the_same_name_with_new_content_is_imported(feed, folder):
    for profile in ("Old", "New"):
        drop(folder, "customers.txt", "C1", profile=profile)
        pull(feed)
    assert profiles(feed.account) == {"C1": "New"}
    assert len(files_of(folder)) == 2


@pytest.mark.parametrize("after_import", ["move", "leave"])
def test_a_then_b_then_a_ends_as_a(account, server, folder, after_import):
    feed = make_feed(account, server, after_import=after_import)
    for age, profile in enumerate(["A", "B", "A"]):
        moment = 1_700_000_000 + age
        os.utime(drop(folder, "customers.txt", "C1", profile=profile), (moment, moment))
        pull(feed)
    assert profiles(account) == {"C1": "A"}
    assert feed.runs.count() == 3


@pytest.mark.parametrize("after_import", ["move", "leave"])
def test_a_then_b_then_a_ends_as_a_even_with_the_same_times(account, server, folder, after_import):
    feed = make_feed(account, server, after_import=after_import)
    for profile in ("Aa", "B", "Aa"):
        os.utime(drop(folder, "customers.txt", "C1", profile=profile), (1_700_000_000, 1_700_000_000))
        pull(feed)
    assert profiles(account) == {"C1": "Aa"}


def test_the_same_file_sent_again_comes_out_unchanged(feed, folder):
    for _ in range(2):
        os.utime(drop(folder, "customers.txt", "C1"), (1_700_000_000, 1_700_000_000))
        pull(feed)
    assert list(feed.runs.order_by("pk").values_list("created", "unchanged")) == [(1, 0), (0, 1)]


def test_a_file_that_is_left_is_imported_once(account, server, folder):
    feed = make_feed(account, server, after_import="leave")
    drop(folder, "customers.txt", "C1")
    for _ in range(3):
        pull(feed)
    assert feed.runs.count() == 1
    assert files_of(folder) == ["customers.txt"]


def test_a_read_only_server_works_when_files_are_left(account, folder):
    with run_sftp(folder, read_only=True) as running:
        feed = make_feed(account, running, after_import="leave")
        drop(folder, "customers.txt", "C1")
        pull(feed)
        pull(feed)
    assert feed.runs.count() == 1


def test_a_read_only_server_is_no_place_to_move_files_and_nothing_is_imported_twice(account, folder):
    with run_sftp(folder, read_only=True) as running:
        feed = make_feed(account, running)
        drop(folder, "customers.txt", "C1")
        for _ in range(2):
            done = pull_feed(feed)
            assert done.status == "succeeded"
            assert "Imported, but cannot be moved" in done.message
            assert "does not let" in done.message
    assert feed.runs.count() == 1


@pytest.mark.parametrize("kind", ["", "no MLSD"])
def test_a_left_file_of_a_server_that_tells_no_times_is_compared_by_its_content(account, folder, kind, monkeypatch):
    monkeypatch.setattr("imports.filesystems.listings.read_time", lambda text: None)
    with run_ftp(folder, kind) as running:
        running.replies["MDTM"] = "502 Command not implemented."
        feed = make_feed(account, running, after_import="leave")
        drop(folder, "customers.txt", "C1", profile="A")
        pull(feed)
        assert pull(feed).imported == 0
        drop(folder, "customers.txt", "C1", profile="B")  # as long as before
        assert pull(feed).imported == 1
    assert profiles(account) == {"C1": "B"}


# -- half a file


def test_a_growing_file_and_those_behind_it_wait(account, server, folder):
    feed = make_feed(account, server, settle_seconds=1)
    for age, name in enumerate(["a.txt", "b.txt", "c.txt"]):
        os.utime(drop(folder, name, "C1"), (1_700_000_000 + age, 1_700_000_000 + age))

    def grow():
        with (folder / "b.txt").open("a") as file:
            file.write("more")
        os.utime(folder / "b.txt", (1_700_000_001, 1_700_000_001))

    timer = threading.Timer(0.6, grow)
    timer.start()
    done = pull_feed(feed)
    timer.join()
    assert done.message == "Waits: b.txt changed between two looks; later files wait behind it."
    assert names_taken(feed) == ["a.txt"]
    feed.refresh_from_db()
    assert feed.failures == 0
    assert feed.next_pull_at is not None
    assert feed.next_pull_at < timezone.now() + timedelta(minutes=6)


def test_a_file_that_changes_while_it_is_downloaded_is_not_imported(feed, folder, monkeypatch):
    drop(folder, "a.txt", "C1")
    download = SFTPServer.download

    def download_and_grow(self, path, out, most_bytes):
        count = download(self, path, out, most_bytes)
        with (folder / "a.txt").open("a") as file:
            file.write("C2|More|EUR|EU Wholesale\n")
        return count

    monkeypatch.setattr(SFTPServer, "download", download_and_grow)
    done = pull_feed(feed)
    assert (done.status, done.imported) == ("succeeded", 0)
    assert done.message.startswith("Waits: a.txt changed while it was downloaded, from ")
    assert not Run.objects.exists()


def test_a_file_that_vanishes_behind_the_listing_is_named_and_the_next_pull_takes_the_others(feed, folder, monkeypatch):
    for number, name in enumerate(["a.txt", "b.txt"]):
        os.utime(drop(folder, name, f"C{number}"), (number, number))
    download = SFTPServer.download

    def download_too_late(self, path, out, most_bytes):
        (folder / path).unlink()
        return download(self, path, out, most_bytes)

    with monkeypatch.context() as patched:
        patched.setattr(SFTPServer, "download", download_too_late)
        done = pull_feed(feed)
    assert (done.status, "a.txt is no longer on" in done.message) == ("failed", True)
    assert pull_feed(feed).status == "succeeded"
    assert set(customers_of(feed.account)) == {"C1"}


def list_facts(size, modified):
    return lambda folder: [f"type=file;size={size};modify={modified}; {path.name}" for path in folder.glob("*.txt")]


def test_a_server_that_tells_two_sizes_and_times_of_a_file_is_asked_as_it_was_listed(account, folder):
    """Those of MLSD are local times of some servers, and SIZE counts line ends otherwise."""
    size = drop(folder, "a.txt", "C1").stat().st_size
    with run_ftp(folder) as running:
        feed = make_feed(account, running, after_import="leave")
        running.replies |= {"MDTM": "213 20231114221320", "SIZE": "213 9"}
        running.listings["MLSD"] = list_facts(size, "20231115001320")
        running.replies["MLST"] = "502 no"
        done = pull_feed(feed)
        assert done.message == (
            f"Waits: a.txt changed while it was downloaded, from {size} bytes of 2023-11-15 00:13:20 UTC to 9 bytes "
            "of 2023-11-14 22:13:20 UTC; later files wait behind it."
        )
        running.replies["MLST"] = f"250-Listing\r\n type=file;size={size};modify=20231115001320; /a.txt\r\n250 End"
        pull(feed)
        assert set(customers_of(account)) == {"C1"}


def test_more_bytes_than_a_server_says_are_no_file(account, folder, monkeypatch):
    """What lies on some is made while it is read."""
    drop(folder, "a.txt", "C1")
    real = SFTPServer.list_files
    monkeypatch.setattr(SFTPServer, "list_files", lambda *args: [one._replace(size=3) for one in real(*args)])
    monkeypatch.setattr(SFTPServer, "look_at", lambda self, path: self.list_files("")[0])
    with run_sftp(folder) as running:
        done = pull_feed(make_feed(account, running))
    assert done.status == "failed"
    assert "bytes of a.txt came, which has 3 as the server says." in done.message


def test_names_that_lead_out_of_the_folder_and_files_of_no_kind_are_told_apart(account, server, folder, monkeypatch):
    """Old servers tell no kinds; of evil ones nothing is fetched from elsewhere."""
    drop(folder, "a.txt", "C1")
    (folder / "dir.txt").mkdir()
    real = asyncssh.SFTPServer.scandir

    def forget(attributes):
        attributes.permissions, attributes.type = None, asyncssh.FILEXFER_TYPE_UNKNOWN
        return attributes

    async def scandir(self, path):
        async for entry in real(self, path):
            forget(entry.attrs)
            yield entry
        yield asyncssh.SFTPName(b"../b.txt", attrs=asyncssh.SFTPAttrs(size=5, permissions=0o100644))

    monkeypatch.setattr(asyncssh.SFTPServer, "scandir", scandir)
    stat: Any = asyncssh.SFTPServer.stat

    def tell(self, path):
        return forget(asyncssh.SFTPAttrs.from_local(stat(self, path)))

    monkeypatch.setattr(asyncssh.SFTPServer, "stat", tell)
    done = pull_feed(make_feed(account, server))
    assert (done.status, done.message) == ("succeeded", "Not taken: b.txt (its name leads out of the folder).")
    assert files_of(folder) == [Run.objects.get().archived_as]


@pytest.mark.parametrize("start", [run_sftp, run_ftp])
def test_a_transfer_cut_short_with_a_success_reply_is_not_imported(account, folder, start):
    drop(folder, "customers.txt", *(f"C{number}" for number in range(200)))
    with start(folder) as running:
        feed = make_feed(account, running)
        running.misbehaviour.add("half a transfer")
        done = pull_feed(feed)
        assert done.status == "failed"
        assert "bytes of customers.txt came" in done.message
        assert not Run.objects.exists()
        running.misbehaviour.clear()
        (folder / "customers.half").unlink(missing_ok=True)
        pull(feed)
    assert Run.objects.get().created == 200


def test_a_file_beyond_the_limit_is_named_and_later_ones_do_not_overtake_it(account, server, folder):
    feed = make_feed(account, server, most_bytes=150)
    os.utime(drop(folder, "a.txt", *(f"C{number}" for number in range(9))), (1_700_000_000, 1_700_000_000))
    drop(folder, "b.txt", "C1")
    done = pull_feed(feed)
    assert done.status == "failed"
    assert "a.txt has" in done.message
    assert "limit of 150" in done.message
    assert not Run.objects.exists()


# -- servers and sessions that break


@pytest.mark.parametrize("start", [run_sftp, run_ftp])
@pytest.mark.parametrize("what", ["drop listing", "drop transfer"])
def test_a_session_that_breaks_costs_nothing(account, folder, start, what):
    drop(folder, "customers.txt", *(f"C{number}" for number in range(200)))
    with start(folder) as running:
        feed = make_feed(account, running)
        running.misbehaviour.add(what)
        done = pull_feed(feed)
        assert done.status == "failed"
        feed.refresh_from_db()
        assert feed.failures == 1
        assert feed.problem == done.message
        assert feed.next_pull_at is not None
        assert feed.next_pull_at <= timezone.now() + timedelta(minutes=2)
        running.misbehaviour.clear()
        pull(feed)
    run = Run.objects.get()
    assert run.created == 200
    assert run.archived_at is not None
    assert files_of(folder) == [run.archived_as]
    feed.refresh_from_db()
    assert (feed.failures, feed.problem) == (0, "")


def test_a_new_file_under_the_name_whose_rename_was_not_answered_is_taken(account, server, folder):
    feed = make_feed(account, server)
    os.utime(drop(folder, "customers.txt", "C1", profile="A"), (1_700_000_000, 1_700_000_000))
    server.misbehaviour.add("drop after rename")
    assert pull_feed(feed).status == "succeeded"
    Run.objects.update(archived_at=None, archived_as="")
    server.misbehaviour.clear()
    os.utime(drop(folder, "customers.txt", "C1", profile="B"), (1_700_000_000, 1_700_000_000))
    pull(feed)
    assert profiles(account) == {"C1": "B"}
    assert len(files_of(folder)) == 2
    assert all(run.archived_as for run in feed.runs.all())


def test_a_file_that_comes_while_its_name_is_being_archived_is_not_archived_with_it(feed, folder, monkeypatch):
    """The new file takes the name between our look and the rename."""
    drop(folder, "customers.txt", "C1", profile="A")
    rename = SFTPServer.rename
    came: list[Path] = []

    def rename_late(self, source, target):
        if not came:
            came.append(drop(folder, "customers.txt", "C1", profile="Much later"))
        rename(self, source, target)

    monkeypatch.setattr(SFTPServer, "rename", rename_late)
    pull(feed)
    pull(feed)
    assert profiles(feed.account) == {"C1": "Much later"}


def test_after_a_long_import_a_new_session_moves_the_file_away(account, server, folder, monkeypatch):
    monkeypatch.setattr(taking, "LONGEST_IDLE", 0)
    feed = make_feed(account, server)
    drop(folder, "a.txt", "C1")
    drop(folder, "b.txt", "C2")
    assert pull(feed).imported == 2
    assert [name.partition("/")[0] for name in files_of(folder)] == ["processed"] * 2


def test_a_pull_that_lasts_too_long_leaves_the_rest_to_the_next_one(account, server, folder, monkeypatch):
    monkeypatch.setattr(taking, "LONGEST_PULL", -1)
    feed = make_feed(account, server)
    drop(folder, "a.txt", "C1")
    assert pull(feed).imported == 0
    feed.refresh_from_db()
    assert feed.next_pull_at is not None
    assert feed.next_pull_at <= timezone.now()


def test_a_server_that_is_down_is_tried_again_after_growing_minutes_up_to_the_next_turn(feed, server, folder):
    feed.port = 1
    feed.save()
    waits = []
    for _ in range(5):
        assert pull_feed(feed).status == "failed"
        feed.refresh_from_db()
        assert feed.next_pull_at is not None
        waits.append(round((feed.next_pull_at - timezone.now()).total_seconds() / 60))
    assert feed.failures == 5
    turn = feed.next_slot(timezone.now())
    assert all(
        wait == expected or feed.next_pull_at <= turn for wait, expected in zip(waits, [1, 2, 4, 8, 16], strict=True)
    )
    assert waits[0] in (0, 1)


def test_a_wrong_password_waits_for_the_next_turn(feed):
    feed.password = "wrong"
    feed.save()
    before = timezone.now()
    done = pull_feed(feed)
    feed.refresh_from_db()
    assert "refuses the login" in done.message
    assert feed.next_pull_at in (feed.next_slot(before), feed.next_slot(timezone.now()))


def test_a_secret_that_cannot_be_decrypted_is_said_and_stops_this_feed_alone(feed, settings):
    settings.ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    done = pull_feed(feed)
    assert done.status == "failed"
    assert "ENCRYPTION_KEYS" in done.message


def test_a_missing_format_is_said(feed, folder):
    from imports.formats.documents import read_format
    from imports.versioning import save_draft

    document = """
        name: erp
        columns:
          - {source: Nr, target: customer_code}
          - {source: Name, target: profile_name}
          - {constant: EUR, target: price_type_currency}
          - {constant: EU Wholesale, target: price_type_name}
    """
    feed.format = save_draft(feed.account, "erp", read_format(document)).format
    feed.save()
    drop(folder, "a.txt", "C1")
    done = pull_feed(feed)
    assert done.status == "failed"
    assert "takes live versions only" in done.message
    assert files_of(folder) == ["a.txt"]


def test_no_room_on_this_machine_is_said(feed, folder, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "incoming").write_text("in the way")
    drop(folder, "a.txt", "C1")
    done = pull_feed(feed)
    assert done.status == "failed"
    assert "DATA_DIR" in done.message


# -- the claim


def test_a_feed_is_pulled_by_one_process_at_a_time(feed):
    refused = []

    def pull_too():
        try:
            pull_feed(feed)
        except PulledAlready as error:
            refused.append(str(error))
        finally:
            connection.close()

    with claim_feed(feed, Sessions()):
        assert is_claimed(feed.pk)
        thread = threading.Thread(target=pull_too)
        thread.start()
        thread.join(60)
    assert refused == ["The feed erp is being pulled already."]
    assert not is_claimed(feed.pk)


def test_a_feed_that_is_not_due_is_not_pulled_by_the_queue(feed):
    pull(feed, only_due=True)
    with pytest.raises(NotDue):
        pull_feed(feed, only_due=True)
    feed.enabled = False
    feed.next_pull_at = None
    feed.save()
    with pytest.raises(NotDue):
        pull_feed(feed, only_due=True)


def test_a_pull_that_finds_nothing_asks_four_things_and_takes_what_changed_while_it_was_claimed(feed):
    """It is claimed and read, begun, ended and let go; what somebody writes between is not overwritten unread."""
    asked = []

    def ask():
        request_pull(feed)
        connection.close()

    def look_on(execute, sql, parameters, many, context):
        done = execute(sql, parameters, many, context)
        asked.append(sql)
        if len(asked) == 1:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join(60)
        return done

    pull(feed)
    with connection.execute_wrapper(look_on), claim_feed(feed, Sessions()) as began:
        record_success(began, None)
    assert (began.asked, began.feed.pull_asked, len(asked)) == (True, False, 6)  # it was read and begun once more
    feed.refresh_from_db()
    assert (feed.pull_asked, feed.queued_at) == (False, None)
    with CaptureQueriesContext(connection) as queries:
        assert pull(feed).times == 3
    assert len(queries) == 4


def test_a_pull_that_was_killed_is_marked_by_the_next_one(feed):
    Pull.objects.create(feed=feed, worker="gone:1")
    pull(feed)
    assert list(feed.pulls.order_by("pk").values_list("status", flat=True)) == ["interrupted", "succeeded"]


def test_the_session_of_a_frozen_pull_is_ended(feed):
    """Its process may come back any time, and must not go on then."""
    ready, go_on, ended = threading.Event(), threading.Event(), []

    def freeze():
        try:
            with claim_feed(feed, Sessions()) as pull:
                Pull.objects.filter(pk=pull.pk).update(heartbeat_at=timezone.now() - timedelta(hours=2))
                ready.set()
                go_on.wait(60)
                Pull.objects.count()
        except Exception as error:  # noqa: BLE001  (whatever it is, it must end)
            ended.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=freeze)
    thread.start()
    assert ready.wait(60)
    assert not is_claimed(feed.pk)
    pull(feed)
    go_on.set()
    thread.join(60)
    assert len(ended) == 1


# -- turns


def test_turns_are_an_hour_apart_and_spread_over_the_feeds(account, server):
    now = timezone.now()
    turns = {make_feed(account, server, f"feed-{number}").next_slot(now) for number in range(30)}
    assert len(turns) > 25
    assert all(now < turn <= now + timedelta(hours=1) for turn in turns)


def test_a_turn_is_never_moved_by_the_change_of_clocks(feed, settings):
    settings.TIME_ZONE = "Europe/Paris"
    at = datetime.fromisoformat("2026-10-24T20:00:00+00:00")
    turns = []
    for _ in range(12):
        at = feed.next_slot(at)
        turns.append(at)
    assert {after - before for before, after in itertools.pairwise(turns)} == {timedelta(hours=1)}


# -- listings that name a file twice


def list_by_mlsd(*names):
    """A listing of the files with these names, in whatever case they are written there."""

    def list_them(place):
        files = {path.name.lower(): path for path in place.iterdir() if path.is_file()}
        moment = f"{datetime.fromtimestamp(1_700_000_000, UTC):%Y%m%d%H%M%S}"
        return [
            f"type=file;size={files[name.lower()].stat().st_size if size is None else size};modify={moment}; {name}"
            for name, size in names
            if name.lower() in files
        ]

    return list_them


@pytest.mark.parametrize(
    "names",
    [
        [("A.csv", None), ("A.csv", None)],
        [("A.csv", 10), ("A.csv", None)],
        [("A.csv", None), ("A.csv", 10)],
        [("A.csv", None), ("a.csv", None)],
    ],
)
def test_a_file_that_a_server_lists_twice_is_one(account, folder, names):
    os.utime(drop(folder, "A.csv", "C1"), (1_700_000_000, 1_700_000_000))
    os.utime(drop(folder, "B.csv", "C2"), (1_700_000_000, 1_700_000_000))
    with run_ftp(folder) as server:
        server.listings["MLSD"] = list_by_mlsd(*names, ("B.csv", None))
        feed = make_feed(account, server)
        assert pull(feed).imported == 2
        assert pull(feed).imported == 0
    assert sorted(names_taken(feed)) == ["A.csv", "B.csv"]


def test_two_files_whose_names_differ_in_case_are_two(account, folder, server):
    drop(folder, "A.csv", "C1")
    drop(folder, "a.csv", "C2")
    feed = make_feed(account, server)
    assert pull(feed).imported == 2
    assert set(customers_of(account)) == {"C1", "C2"}


@pytest.mark.parametrize(("patient", "status", "failures"), [(True, "failed", 1), (False, "succeeded", 0)])
def test_an_account_that_is_claimed_before_the_second_file_leaves_that_to_a_later_pull(
    account, feed, folder, monkeypatch, patient, status, failures
):
    """It is a failure to whoever was patient alone: for everybody else the feed waits until the account is free."""
    monkeypatch.setattr("imports.pipeline.claiming.PATIENCE", "100ms")
    for name, code in (("a.txt", "C1"), ("b.txt", "C2")):
        os.utime(drop(folder, name, code), (1_700_000_000, 1_700_000_000))
    with contextlib.ExitStack() as others:

        def import_and_be_late(*args, **options):
            run = import_file(*args, **options)
            others.enter_context(elsewhere(lambda: claim_account(account)))
            return run

        monkeypatch.setattr("imports.feeds.taking.import_file", import_and_be_late)
        with contextlib.nullcontext() if patient else pytest.raises(AccountBusy):
            pull_feed(feed, patient=patient)
        feed.refresh_from_db()
        done = feed.pulls.get()
        assert (done.status, done.imported, feed.failures) == (status, 1, failures)
        assert feed.waits_for_account is not patient
        assert "Another file is being imported into maison" in done.message
    monkeypatch.setattr("imports.feeds.taking.import_file", import_file)
    assert pull(feed).imported == 1
    assert set(customers_of(account)) == {"C1", "C2"}


# -- being told


def test_contacts_are_told_once_that_a_feed_fails_and_once_that_it_works_again(account, server):
    feed = make_feed(account, server, contacts=["erp@example.com"], alert_after=3)
    port, feed.port = feed.port, 1
    feed.save()
    told = []
    for _ in range(5):
        pull_feed(feed)
        told.append(Message.objects.filter(event="feed.failing").count())
    assert told == [0, 0, 1, 1, 1]
    feed.port = port
    feed.save(update_fields=["port"])
    pull(feed)
    pull(feed)
    assert Message.objects.filter(event="feed.recovered").count() == 1


def test_settings_that_cannot_work_are_told_at_once(account, server):
    feed = make_feed(account, server, contacts=["erp@example.com"])
    feed.password = "wrong"
    feed.save()
    for _ in range(3):
        pull_feed(feed)
    assert Message.objects.filter(event="feed.failing").count() == 1


# -- secrets


def test_no_secret_stands_in_pulls_messages_or_logs(feed, folder, caplog):
    secret = feed.password
    drop(folder, "a.txt", "C1")
    pull(feed)
    for changes in ({"port": 1}, {"user": secret}, {"folder": "nowhere"}):
        Feed.objects.filter(pk=feed.pk).update(**changes)
        pull_feed(Feed.objects.get(pk=feed.pk))
    said = " ".join(
        [*Pull.objects.values_list("message", flat=True), *map(str, Message.objects.values_list("payload"))]
    )
    assert secret not in said.replace(f"'{secret}'", "")  # but where somebody typed it as the user's name
    assert secret not in caplog.text.replace(f"'{secret}'", "")

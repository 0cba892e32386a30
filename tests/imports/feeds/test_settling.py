"""Whole files: what is empty or ends within a line waits, and what has a marker waits for that."""

import hashlib
import os

import pytest

from imports.feeds.fetching import list_candidates
from imports.feeds.inspecting import inspect_feed
from imports.feeds.pulling import pull_feed
from imports.filesystems import RemoteFile
from imports.models import Feed, Run
from tests.feeds import customers, drop, make_feed
from tests.imports.customer_files import customers_of

pytestmark = pytest.mark.django_db(transaction=True)


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def write(folder, name, content, age=0):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    return path


def pull(feed):
    done = pull_feed(feed)
    assert done.status == "succeeded", done.message
    feed.refresh_from_db()
    return done


# -- what the end of a file says


@pytest.mark.parametrize("content", ["", customers("C1").rstrip("\n"), customers("C1")[:-7]])
def test_what_may_not_be_whole_waits_with_all_behind_it_until_it_was_the_same_at_the_pull_before(feed, folder, content):
    write(folder, "a.txt", content, age=10)
    drop(folder, "b.txt", "C2")
    done = pull(feed)
    assert done.imported == 0
    assert done.message.startswith("Waits: a.txt ")
    assert pull(feed).imported == 2
    assert [run.file_name for run in feed.runs.order_by("pk")] == ["a.txt", "b.txt"]
    assert feed.waiting is None


def test_what_grew_between_two_pulls_is_taken_whole(feed, folder):
    write(folder, "a.txt", "")
    assert pull(feed).imported == 0
    drop(folder, "a.txt", "C1", "C2")
    assert pull(feed).imported == 1
    assert set(customers_of(feed.account)) == {"C1", "C2"}


def test_many_such_files_wait_for_one_pull_together(feed, folder):
    for number in range(4):
        write(folder, f"{number}.txt", customers(f"C{number}").rstrip("\n"), age=-number)
    assert pull(feed).imported == 0
    assert pull(feed).imported == 4


def test_a_sender_who_writes_no_last_line_end_is_trusted_but_for_empty_files(account, server, folder):
    feed = make_feed(account, server, last_line="trust")
    write(folder, "a.txt", customers("C1").rstrip("\n"))
    assert pull(feed).imported == 1
    write(folder, "b.txt", "")
    assert pull(feed).imported == 0


@pytest.mark.parametrize(
    "end",
    [
        "\n".encode("utf-16-le"), "\n".encode("utf-16-be"), "\r".encode("utf-32-le"), b"\r", b"\r\n\x1a", b"\n\0\0\0",
        b"\n\x1a\0",
    ],
)  # fmt: skip
def test_line_ends_of_every_kind_end_a_file(feed, folder, end):
    write(folder, "a.txt", b"x" * 8 + end)
    assert pull(feed).imported == 1


# -- markers


def test_a_file_is_taken_when_its_marker_is_there_and_both_are_moved(account, server, folder):
    feed = make_feed(account, server, ready_when="{stem}.CTL", mask="*", settle_seconds=300)
    write(folder, "a.txt", customers("C1").rstrip("\n"))
    write(folder, "b.txt", customers("C2"), age=10)
    write(folder, "a.ctl", "")
    done = pull(feed)
    assert (done.imported, done.omitted) == (1, 1)
    assert "b.txt (its marker b.CTL is not there yet)" in done.message
    run = Run.objects.get()
    prefix = f"processed/{run.pk}-{run.sha256[:8]}"
    assert files_of(folder) == ["b.txt", f"{prefix}-a.ctl", f"{prefix}-a.txt"]
    write(folder, "b.ctl", "")
    assert pull(feed).message == ""
    assert set(customers_of(account)) == {"C1", "C2"}


def test_markers_of_files_that_stay_and_lone_ones_are_no_data(account, server, folder):
    feed = make_feed(account, server, ready_when="{name}.done", mask="*", after_import="leave")
    write(folder, "a.txt", customers("C1"))
    write(folder, "a.txt.done", "done", age=-1)
    write(folder, "b.txt.done", "done")
    for imported in (1, 0, 0):
        done = pull(feed)
        assert done.imported == imported
        assert done.message == "Not taken: b.txt.done (it is a marker whose file is not there)."
    found = {file.file.name: file.reason for file in inspect_feed(feed).files}
    assert found["a.txt.done"] == "it is the marker of another file"


def test_an_old_marker_does_not_make_a_new_file_ready(account, server, folder):
    feed = make_feed(account, server, ready_when="{name}.done", after_import="leave")
    write(folder, "a.txt.done", "", age=100)
    write(folder, "a.txt", customers("C1"))
    assert "is older than the file itself" in pull(feed).message
    write(folder, "a.txt.done", "")
    assert pull(feed).imported == 1


def checksum(content):
    return hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize(
    ("holds", "wrong", "right"),
    [
        ("rows", "rows: 19", "rows: 2"),
        ("lines", "2", "3"),
        ("bytes", "0", str(len(customers("C1", "C2")))),
        ("sha256", checksum("other"), f"{checksum(customers('C1', 'C2'))}  a.txt"),
    ],
)
def test_what_a_marker_says_is_compared(account, server, folder, holds, wrong, right):
    feed = make_feed(account, server, ready_when=f"{{stem}}.ctl {holds}")
    write(folder, "a.txt", customers("C1", "C2"))
    write(folder, "a.ctl", wrong)
    done = pull_feed(feed)
    assert done.status == "failed"
    assert "a.txt is not what its marker a.ctl says" in done.message
    assert not Run.objects.exists()
    write(folder, "a.ctl", right.encode("utf-16"))
    assert pull(feed).imported == 1


def test_an_empty_file_that_is_called_like_another_one_is_no_data(account, server, folder):
    feed = make_feed(account, server, mask="customers_*")
    write(folder, "customers_1.txt", customers("C1"))
    for name in ("customers_1.fin", "customers_1.txt.ok", "customers_1", "customers_1_done"):
        write(folder, name, "")
    write(folder, "customers_1.txt.md5", "0123456789abcdef0123456789abcdef")
    for imported in (1, 0, 0):
        done = pull(feed)
        assert done.imported == imported
        assert done.message.count("so it seems to be its marker; say so with ready_when") == 3
        assert "and 2 more" in done.message
    assert feed.runs.count() == 1


# -- order


def files(*names, modified=None):
    return [RemoteFile(name, name, 1, modified) for name in names]


@pytest.mark.parametrize("mask", ["", "customers_{%Y%m%d}*.txt"])
@pytest.mark.parametrize("has_time", [True, False])
def test_files_of_one_time_stand_in_the_order_of_the_numbers_in_their_names(account, mask, has_time):
    from django.utils import timezone

    feed = Feed(account=account, name="erp", mask=mask)
    feed.save()
    names = [f"customers_20261126_{number}.txt" for number in (9, 10, 11, 100)]
    listed = files(*sorted(names), modified=timezone.now() if has_time else None)
    assert [one.file.name for one in list_candidates(feed, listed)] == names


def test_of_one_time_in_the_names_the_time_of_the_server_decides(account):
    from datetime import timedelta

    from django.utils import timezone

    feed = Feed(account=account, name="erp", mask="customers_{%Y%m%d}*.txt")
    feed.save()
    now = timezone.now()
    listed = [
        *files("customers_20261126_1.txt", modified=now),
        *files("customers_20261126_2.txt", modified=now - timedelta(hours=1)),
        *files("customers_20261125_3.txt", modified=now + timedelta(hours=1)),
    ]
    assert [one.file.name[-5] for one in list_candidates(feed, listed)] == ["3", "2", "1"]

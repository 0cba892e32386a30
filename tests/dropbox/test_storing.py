"""Files of a drop box: one name, one file, and what it holds is told from what it held."""

import io
import sys
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from dropbox.errors import NoRoom, NotThere, OutOfOrder, Taken
from dropbox.models import StoredFile
from dropbox.paths import open_to_fetch
from dropbox.serving import tidy
from dropbox.storing import rename_file, store_file
from dropbox.uploading import Upload
from imports.feeds import archiving
from imports.feeds.inspecting import inspect_feed
from imports.feeds.pulling import pull_feed
from imports.filesystems import open_server
from imports.models import KeptFile, Run
from tests.dropbox.visitors import make_box
from tests.feeds import customers
from tests.imports.customer_files import kept_bytes, kept_path


def store(box, name="a.txt", content=b"one", folder="in", **options):
    return store_file(box.feed.pk, folder, name, io.BytesIO(content), **options)


def test_what_replaces_a_file_is_of_a_later_second_and_the_old_bytes_go(box):
    first = store(box)
    second = store(box, content=b"two")
    assert second.pk == first.pk
    assert int(second.modified_at.timestamp()) > int(first.modified_at.timestamp())
    assert box.content("a.txt") == b"two"
    assert not kept_path(first.content).exists()


def test_files_keep_the_order_in_which_they_came_also_behind_one_that_replaced_another(box):
    for name in ("z.txt", "z.txt", "y.txt", "x.txt"):
        store(box, name)
    assert list(box.files().order_by("modified_at").values_list("name", flat=True)) == ["z.txt", "y.txt", "x.txt"]


def test_a_rename_takes_no_name_unless_it_is_told_to(box):
    first, second = store(box), store(box, "b.txt", b"two")
    with pytest.raises(Taken):
        rename_file(second, "in", "a.txt")
    rename_file(second, "in", "a.txt", replace=True)
    assert box.content("a.txt") == b"two"
    assert int(box.files().get().modified_at.timestamp()) > int(first.modified_at.timestamp())
    with pytest.raises(NotThere):
        rename_file(second, "in", "c.txt")


def test_a_feed_that_is_removed_takes_its_files_along(box):
    file = store(box)
    feed = box.feed.pk
    box.feed.delete()
    assert not kept_path(file.content).exists()
    with pytest.raises(NotThere):
        store_file(feed, "in", "a.txt", io.BytesIO(b"x"))
    assert default_storage.listdir(f"copies/{box.feed.account_id}")[1] == []


def test_a_file_that_is_replaced_while_it_is_imported_is_imported_too(box, monkeypatch):
    """The archive has what was imported, and what came meanwhile goes in with the next pull."""
    store(box, content=customers("C1").encode())
    archive = archiving.archive_file

    def replace_first(server, feed, run, file):
        monkeypatch.setattr(archiving, "archive_file", archive)
        store(box, content=customers("C2").encode())
        return archive(server, feed, run, file)

    monkeypatch.setattr(archiving, "archive_file", replace_first)
    pull_feed(box.feed)
    assert box.names() == ["a.txt"]
    pull_feed(box.feed)
    assert (box.names(), len(box.names("processed"))) == ([], 1)
    assert set(box.feed.account.connections.values_list("customer_code", flat=True)) == {"C1", "C2"}


def test_a_pull_sees_uploads_that_are_whole(box):
    store(box)
    store(box, "b.txt", whole=False)
    with open_server(box.feed.server) as server:
        assert [(file.path, file.size) for file in server.list_files("")] == [("a.txt", 3)]
        assert server.look_at("b.txt") is None
        server.write_file("out/receipt.json", b"{}")
        assert [file.size for file in server.list_files("out")] == [2]


def test_a_check_tries_what_a_pull_does_and_leaves_nothing(box):
    store(box)
    found = inspect_feed(box.feed, probe=True)
    assert (found.problem, [(file.file.name, file.taken) for file in found.files]) == ("", [("a.txt", True)])
    assert [str(file) for file in StoredFile.objects.all()] == ["in/a.txt"]


def test_what_is_old_enough_goes_and_what_waits_stays(box, settings):
    settings.KEEP_FILES_DAYS = 5
    for folder in ("in", "processed", "failed", "out"):
        store(box, folder=folder)
    store(box, "cut-off.txt", whole=False)
    tidy()
    assert StoredFile.objects.count() == 5
    StoredFile.objects.update(modified_at=timezone.now() - timedelta(days=6))
    tidy()
    assert [str(file) for file in StoredFile.objects.all()] == ["in/a.txt"]


def test_what_is_imported_is_kept_once(box):
    store(box, content=customers("C1").encode())
    pull_feed(box.feed)
    kept = Run.objects.get().kept_file
    assert box.files("processed").get().content == kept
    assert KeptFile.objects.exclude(pk__in=box.files("out").values("content")).get() == kept
    box.files("processed").get().delete()
    assert kept_bytes(Run.objects.get().kept_file) == customers("C1").encode()


def test_what_is_not_admitted_leaves_nothing(box):
    def refuse():
        raise NoRoom("The folder is full.")

    with pytest.raises(NoRoom):
        store(box, admit=refuse)
    assert default_storage.listdir(f"copies/{box.feed.account_id}")[1] == []


def test_senders_are_told_of_the_storage_and_not_where_it_is(box, settings, tmp_path, caplog):
    kept = store(box)
    kept_path(kept.content).unlink()
    with pytest.raises(NotThere, match=r"^The file is no longer there\.$"):
        open_to_fetch(box.login, "/in/a.txt")
    assert pull_feed(box.feed).message.startswith("The copy of a.txt cannot be read: it is gone from")
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_ROOT = tmp_path / "file"
    with pytest.raises(OutOfOrder, match=r"^The server cannot keep or read files now\. Tell its operator\.$"):
        store(box, "b.txt")
    assert str(tmp_path) in caplog.text


def test_folders_of_two_feeds_are_two(box, tmp_path):
    other = make_box(box.feed.account, tmp_path, "other")
    store(box)
    store(other, content=b"other")
    assert (box.content("a.txt"), other.content("a.txt")) == (b"one", b"other")


def test_what_is_sent_behind_a_refusal_is_let_go(box):
    upload = Upload(box.login, "a.txt", 10, "The quota is full.")
    piece = bytes(1000)
    held = sys.getrefcount(piece)
    for _ in range(3):
        with pytest.raises(NoRoom, match="The quota is full"):
            upload.write(0, piece)
    assert sys.getrefcount(piece) == held
    upload.close()

"""A drop box and workers on hosts that share nothing but the database and a bucket."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import asyncssh
import pytest

from dropbox.models import StoredFile
from dropbox.uploading import begin_upload, finish_upload
from imports.models import Run
from tests.buckets import SECRET
from tests.dropbox.visitors import start_dropbox, visit
from tests.feeds import customers
from tests.imports.customer_files import kept_bytes
from tests.processes import start_command


@pytest.fixture(scope="module")
def host(tmp_path_factory, bucket_server, django_db_setup, django_db_blocker):
    """A drop box whose data are on a host of its own."""
    folder = tmp_path_factory.mktemp("host")
    with django_db_blocker.unblock():
        running = start_dropbox(STORAGE_URL=bucket_server.url(), DATA_DIR=str(folder))
    running.folder = folder  # type: ignore[attr-defined]  # of this module's drop box alone
    yield running
    os.killpg(running.process.pid, signal.SIGTERM)
    said = running.process.communicate(timeout=60)
    assert running.process.returncode == 0, said
    assert SECRET not in "".join(said)


def write(name, content):
    async def upload(files):
        async with files.open(name, "wb") as file:
            await file.write(content)

    return upload


def read(name):
    async def fetch(files):
        async with files.open(name, "rb") as file:
            return await file.read()

    return fetch


def test_what_one_host_takes_another_one_imports_and_the_first_one_shows_where_it_went(host, box, bucket, tmp_path):
    content = customers("C1", "C2").encode()
    visit(host, box, write("in/a.txt", content))
    done = start_command("pull_feeds", "erp", STORAGE_URL=bucket.url(), DATA_DIR=str(tmp_path / "other")).communicate()
    assert "2 created" in done[0], done
    run = Run.objects.get()
    assert (run.status, run.created, kept_bytes(run.kept_file)) == ("succeeded", 2, content)
    (archived,) = box.names("processed")
    assert visit(host, box, read(f"processed/{archived}")) == content
    for folder in (host.folder, tmp_path / "other"):
        assert not [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".key"]


def test_a_sender_is_told_when_the_bucket_is_away_and_a_later_upload_is_taken(host, box, bucket):
    bucket.cut_after = 600
    with pytest.raises(asyncssh.SFTPFailure, match=r"The server cannot reach its files\. Try again in some minutes\."):
        visit(host, box, write("in/a.txt", b"x" * 2000))
    assert not StoredFile.objects.exists()
    bucket.cut_after = None
    visit(host, box, write("in/a.txt", customers("C1").encode()))
    assert box.content("a.txt") == customers("C1").encode()
    bucket.cut_after = 1
    with pytest.raises(asyncssh.SFTPFailure, match="The server cannot reach its files"):
        visit(host, box, read("in/a.txt"))


def test_an_upload_that_was_cut_off_on_one_host_goes_on_on_another(host, box, bucket):
    async def cut(files):
        file = await files.open("in/a.txt", "wb")
        await file.write(b"one ")
        files.exit()

    visit(host, box, cut)
    box.last_session()
    assert box.names(whole=False) == ["a.txt"]
    upload = begin_upload(box.login, "a.txt", keep=True)
    upload.write(upload.size, b"two")
    finish_upload(upload)
    assert box.content("a.txt") == b"one two"
    assert (box.names(), box.names(whole=False)) == (["a.txt"], [])

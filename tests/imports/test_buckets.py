"""Runs whose files are kept in a bucket, which may be away at any moment."""

from __future__ import annotations

import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from imports import checks
from imports.errors import TryAgainLater
from imports.feeds.pulling import pull_feed
from imports.models import Feed, KeptFile, Run
from imports.pipeline.keeping import RejectsKeeper
from imports.runs.queued import import_queued
from imports.runs.releasing import release_run
from imports.runs.replaying import replay_run
from imports.runs.rows import read_row
from imports.runs.uploading import store_upload
from imports.storage import StorageUnreachable
from lookups.models import PaymentTerm
from tests.builders import add_member, make_user
from tests.feeds import customers
from tests.imports.customer_files import NEW, as_text, import_path, kept_bytes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW, NEW | {"customer_code": "C2", "payment_terms_code": "N90"}]))
    return path


@pytest.fixture
def rosa(account):
    add_member(account, rosa := make_user("rosa"))
    return rosa


def test_what_is_kept_in_a_bucket_is_read_replayed_and_shown(bucket, account, file):
    run = import_path(account, file)
    assert (run.status, kept_bytes(run.kept_file)) == ("partial", file.read_bytes())
    assert b"N90" in kept_bytes(run.rejects_file)
    assert read_row(run, 2)[0].startswith("C1|")
    PaymentTerm.objects.create(account=account, code="N90", name="90 days")
    again = replay_run(run)
    assert (again.status, again.created, again.kept_file) == ("succeeded", 1, run.kept_file)
    assert len(bucket.names()) == KeptFile.objects.count() == 2
    account.delete()
    assert bucket.names() == []


@pytest.mark.parametrize("cut_after", [1, 600], ids=["before anything", "in the middle"])
def test_a_session_lost_while_a_file_is_kept_fails_its_run_and_nothing_is_applied(bucket, account, file, cut_after):
    bucket.cut_after = cut_after
    with pytest.raises(StorageUnreachable, match=r"^No copy of customers\.txt can be kept: the bucket"):
        import_path(account, file)
    run = Run.objects.get()
    assert (run.status, run.kept_file, run.rejects_file) == ("failed", None, None)
    assert "does not answer" in run.message
    assert not account.connections.exists()
    assert not KeptFile.objects.exists()
    bucket.cut_after = None
    assert import_path(account, file).status == "partial"


def test_an_upload_waits_until_its_copy_can_be_read_again(bucket, account, file, rosa):
    run = store_upload(account, SimpleUploadedFile("a.txt", file.read_bytes()), rosa)
    bucket.cut_after = 1
    assert "It is tried again by itself." in import_queued(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("queued", 0)
    assert Run.objects.to_queue().get() == run
    bucket.cut_after = None
    assert import_queued(run.pk).endswith("partial")


def test_an_upload_whose_rejects_cannot_be_kept_is_done_again(bucket, account, file, rosa, monkeypatch):
    """The store goes away once the copy was read, in the middle of the run."""
    run = store_upload(account, SimpleUploadedFile("a.txt", file.read_bytes()), rosa)

    def lose_it(*_):
        raise StorageUnreachable("The bucket does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(RejectsKeeper, "bring", lose_it)
        assert import_queued(run.pk) == "The bucket does not answer."
    run.refresh_from_db()
    assert (run.status, run.message) == ("queued", "The bucket does not answer.")
    assert Run.objects.to_queue().get() == run
    assert not account.connections.exists()
    assert import_queued(run.pk).endswith("partial")


def test_an_upload_that_cannot_be_kept_is_not_taken(bucket, account, file, rosa):
    bucket.cut_after = 600
    with pytest.raises(TryAgainLater, match=r"It is tried again by itself\."):
        store_upload(account, SimpleUploadedFile("a.txt", file.read_bytes()), rosa)
    assert not Run.objects.exists()


def test_a_feed_takes_the_file_again_once_it_can_be_kept(bucket, account, settings, tmp_path):
    settings.LOCAL_FEEDS = tmp_path
    folder = tmp_path / account.code / "out"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text(customers("C1"))
    os.utime(folder / "a.txt", (1_700_000_000, 1_700_000_000))
    feed = Feed.objects.create(
        account=account, name="erp", protocol="file", folder="out", mask="*.txt", settle_seconds=0
    )
    bucket.cut_after = 1
    pull = pull_feed(feed)
    assert (pull.status, "does not answer" in pull.message) == ("failed", True)
    assert [(run.status, run.attempts) for run in Run.objects.all()] == [("failed", 0)]
    bucket.cut_after = None
    assert pull_feed(feed).imported == 1
    assert account.connections.get().customer_code == "C1"


def test_a_release_reads_the_copy_from_the_bucket_and_waits_while_that_is_away(bucket, account, file):
    run = import_path(account, file)
    Run.objects.filter(pk=run.pk).update(status="held", held_for="limits")
    held = Run.objects.get(pk=run.pk)
    bucket.cut_after = 1
    with pytest.raises(StorageUnreachable):
        release_run(held, by="rosa")
    held.refresh_from_db()
    assert held.awaits_decision
    bucket.cut_after = None
    assert release_run(held, by="rosa").status == "partial"


def test_a_bucket_that_is_missing_is_said_by_the_check_without_the_secret(bucket, settings):
    assert checks.check_storage() == []
    settings.STORAGES = settings.STORAGES | bucket.storages("no-such-bucket")
    (error,) = checks.check_storage()
    assert error.id == "imports.E002"
    assert "there is no bucket no-such-bucket" in error.msg
    assert "hush" not in error.msg + str(error.hint)

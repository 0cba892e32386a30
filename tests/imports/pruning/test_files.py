"""Files that were kept long enough, and those that something still needs."""

import itertools
import threading
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from accounts.pruning import Prunable, count_prunable, list_prunables
from imports.models import Format, Message, Run
from imports.pipeline.claiming import claim_account
from imports.runs.queued import import_queued
from imports.runs.releasing import reject_run, release_run
from imports.runs.replaying import queue_replay, replay_run
from imports.runs.sampling import keep_sample
from imports.runs.undoing import undo_run
from imports.runs.uploading import store_upload
from imports.storage import StorageUnreachable
from tests.builders import add_lookups, make_account, make_user
from tests.imports.customer_files import NEW, as_text, import_path, kept_bytes, kept_path
from tests.pruning import grow_old, prune_all
from tests.threads import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

REJECTED = {**NEW, "customer_code": "C2", "sales_rep_code": "NOBODY"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW, REJECTED]))
    return path


@pytest.fixture
def send(tmp_path):
    """Imports a file of a content of its own."""
    numbers = itertools.count()

    def send(account):
        path = tmp_path / f"{next(numbers)}.txt"
        path.write_text(as_text([NEW | {"profile_name": path.name}, REJECTED | {"profile_name": path.name}]))
        return import_path(account, path)

    return send


def path_of(run):
    """Where the copy lies; the run as it was before anything of it was forgotten."""
    return kept_path(run.kept_file)


def is_kept(run):
    assert path_of(run).exists() == Run.objects.filter(kept_file=run.kept_file_id).exists()
    return Run.objects.get(pk=run.pk).kept_file is not None


def test_old_copies_go_with_their_rejects_of_accounts_that_import_no_more_too(account, send, settings):
    settings.KEEP_FILES_DAYS = settings.KEEP_REJECTS_DAYS = 7
    other = make_account("other")
    add_lookups(other)
    old, younger, others = (send(one) for one in (account, account, other))
    Account.objects.filter(pk=other.pk).update(name="imports no more")
    grow_old(old, others, days=8)
    grow_old(younger, days=6)
    assert count_prunable(list_prunables(["copies", "rejects"])) == {"copies": 2, "rejects": 2}
    assert prune_all().counts["copies"] == 2
    assert [is_kept(run) for run in (old, younger, others)] == [False, True, False]
    assert [kept_path(run.rejects_file).exists() for run in (old, younger, others)] == [False, True, False]
    assert Run.objects.count() == 3
    assert prune_all().total == 0


def test_an_import_deletes_nothing_of_others(account, send, settings):
    old = send(account)
    grow_old(old, days=settings.KEEP_FILES_DAYS + 1)
    send(account)
    assert is_kept(old)


def test_rejects_stay_as_long_as_their_own_setting_says_and_as_long_as_a_replay_reads_them(account, send, settings):
    settings.KEEP_FILES_DAYS, settings.KEEP_REJECTS_DAYS = 7, 90
    run = send(account)
    grow_old(run, days=8)
    prune_all()
    assert not is_kept(run)
    assert kept_path(run.rejects_file).exists()
    settings.KEEP_REJECTS_DAYS = 1
    longer = send(account)
    grow_old(longer, days=3)
    prune_all()
    assert not kept_path(run.rejects_file).exists()
    assert is_kept(longer)
    assert replay_run(longer).rejected == 1


def test_no_copy_goes_that_something_needs(account, send, file, settings, tmp_path):
    settings.KEEP_FILES_DAYS = 7
    held, waiting, replayed, told = (send(account) for _ in range(4))
    Run.objects.filter(pk=held.pk).update(status="held", held_for="limits")
    Run.objects.filter(pk=waiting.pk).update(status="queued")
    queued = queue_replay(replayed, make_user("rosa"))
    Message.objects.create(account=account, run=told, kind="file", event="run.ended", key="1")
    needed = [held, waiting, replayed, told]
    grow_old(*needed, days=8)
    grow_old(queued, days=8)
    assert prune_all("copies", "rejects").total == 0
    assert all(is_kept(run) for run in [*needed, queued])
    Run.objects.filter(pk=waiting.pk).delete()
    assert import_queued(queued.pk).endswith("succeeded")
    held = Run.objects.select_related("kept_file").get(pk=held.pk)
    assert release_run(held, by="rosa", force=True).customers == 2
    Message.objects.all().delete()
    prune_all("copies", "rejects")
    assert not any(is_kept(run) for run in (held, replayed, told))


def test_a_held_file_that_is_rejected_goes(account, send, settings):
    run = send(account)
    Run.objects.filter(pk=run.pk).update(status="held", held_for="limits")
    path = path_of(run)
    reject_run(Run.objects.get(), by="rosa")
    grow_old(run, days=settings.KEEP_FILES_DAYS + 1)
    prune_all()
    assert not path.exists()


def test_an_account_that_something_goes_into_waits_and_keeps_no_other_waiting(account, send, settings):
    other = make_account("other")
    add_lookups(other)
    runs = [send(account), send(other)]
    grow_old(*runs, days=settings.KEEP_FILES_DAYS + 1)
    with elsewhere(lambda: claim_account(account)):
        prune_all("copies")
    assert [is_kept(run) for run in runs] == [True, False]
    prune_all("copies")
    assert not is_kept(runs[0])


def prune_apart():
    try:
        prune_all("copies")
    finally:
        connection.close()


def test_a_row_that_somebody_writes_is_left_for_the_next_time(account, send, settings):
    run = send(account)
    grow_old(run, days=settings.KEEP_FILES_DAYS + 1)
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        thread = threading.Thread(target=prune_apart)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
    assert is_kept(run)
    prune_all("copies")
    assert not is_kept(run)


def test_a_run_can_be_undone_and_replayed_when_files_around_it_are_gone(account, file, settings, tmp_path):
    settings.KEEP_FILES_DAYS = 7
    before = import_path(account, file)
    changed = tmp_path / "changed.txt"
    changed.write_text(as_text([{**NEW, "profile_name": "Changed"}, REJECTED]))
    run = import_path(account, changed)
    grow_old(before, days=8)
    prune_all()
    assert not is_kept(before)
    assert replay_run(run, dry_run=True).rejected == 1
    undo, undone = undo_run(run)
    assert (undo.status, undone.restored, undone.left_in_all) == ("succeeded", 1, 0)
    assert account.connections.get().profile_name == NEW["profile_name"]


def age(monkeypatch, days):
    """The storage says of everything that it was written so many days ago."""
    then = timezone.now() - timedelta(days=days)
    monkeypatch.setattr("imports.storage.kept_since", lambda key: then)


def test_what_nobody_names_goes_after_a_day(account, send, monkeypatch):
    run = send(account)
    left = path_of(run).with_name("left.zst")
    old = default_storage.save(f"runs/{account.pk}/7-left.txt", ContentFile(b"half a file"))
    left.write_text("half a file")
    prune_all("unnamed")
    assert (left.exists(), default_storage.exists(old)) == (True, True)
    age(monkeypatch, 2)
    prune_all("unnamed")
    assert (left.exists(), default_storage.exists(old)) == (False, False)
    assert (path_of(run).exists(), kept_path(run.rejects_file).exists()) == (True, True)


def test_what_a_deleted_account_left_goes_too(account, send, monkeypatch):
    other = make_account("other")
    add_lookups(other)
    path = path_of(send(account))
    send(other)
    account.delete()
    path.parent.mkdir(exist_ok=True)
    path.write_text("left")
    age(monkeypatch, 2)
    prune_all("unnamed")
    assert not path.exists()


@pytest.mark.parametrize("knows_some", [False, True])
def test_in_the_storage_of_another_database_nothing_goes(account, monkeypatch, knows_some):
    if knows_some:
        sample = account.kept_files.create(key=f"copies/{account.pk}/ours.zst")
        Format.objects.create(account=account, name="erp", sample_file=sample)
    key = default_storage.save("copies/1/of-another.zst", ContentFile(b"x"))
    age(monkeypatch, 2)
    (problem,) = prune_all("unnamed").problems
    assert "none of the oldest copies that the database knows" in problem
    assert default_storage.exists(key)


def test_a_storage_that_does_not_answer_is_told_and_stops_nothing_else(account, send, settings, monkeypatch):
    def refuse(folder):
        raise StorageUnreachable("The bucket does not answer.")

    grow_old(send(account), days=settings.KEEP_FILES_DAYS + 1)
    monkeypatch.setattr("imports.storage.list_folder", refuse)
    pruned = prune_all("copies", "unnamed")
    assert (pruned.counts["copies"], pruned.problems) == (1, ["files that nobody names: The bucket does not answer."])


def test_samples_go_by_their_age(account, settings):
    old, young = (Format.objects.create(account=account, name=name) for name in ("old", "young"))
    for one in (old, young):
        keep_sample(one, ContentFile(one.name.encode(), "customers.csv"))
    Format.objects.filter(pk=old.pk).update(sample_at=timezone.now() - timedelta(days=settings.KEEP_FILES_DAYS + 1))
    assert prune_all("samples").counts == {"samples": 1}
    assert [kept_path(one.sample_file).exists() for one in (old, young)] == [False, True]
    assert Format.objects.get(pk=old.pk).sample_file is None


def test_a_copy_stays_as_long_as_something_younger_names_the_same(account, file, settings):
    old, younger = import_path(account, file), import_path(account, file)
    grow_old(old, days=settings.KEEP_FILES_DAYS + 1)
    assert prune_all("copies").total == 1
    assert Run.objects.get(pk=old.pk).kept_file is None
    assert kept_bytes(Run.objects.get(pk=younger.pk).kept_file) == file.read_bytes()
    grow_old(younger, days=settings.KEEP_FILES_DAYS + 1)
    prune_all("copies")
    assert not path_of(younger).exists()


def test_an_upload_that_is_being_stored_is_not_deleted_where_none_are_kept(account, file, settings):
    """Its run is not committed yet, so nobody else sees it."""
    settings.KEEP_FILES_DAYS = 0
    stored, pruned, runs = threading.Event(), threading.Event(), []

    def upload():
        try:
            with transaction.atomic():
                sent = SimpleUploadedFile("upload.txt", file.read_bytes())
                runs.append(store_upload(account, sent, make_user("rosa")))
                stored.set()
                pruned.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=upload)
    thread.start()
    assert stored.wait(60)
    prune_all()
    pruned.set()
    thread.join(60)
    assert kept_bytes(runs[0].kept_file) == file.read_bytes()
    assert import_queued(runs[0].pk).endswith("partial")
    prune_all()
    assert not is_kept(runs[0])


def test_a_process_killed_between_the_commit_and_the_storage_leaves_what_the_next_one_finds(
    account, send, file, settings, monkeypatch
):
    run = send(account)
    grow_old(run, days=settings.KEEP_FILES_DAYS + 1)
    send(account)
    monkeypatch.setattr("imports.storage.delete", lambda keys: None)
    prune_all("copies")
    monkeypatch.undo()
    assert path_of(run).exists()
    age(monkeypatch, 2)
    prune_all("unnamed")
    assert not path_of(run).exists()


def test_every_kind_says_how_long_it_is_kept_and_has_a_name_of_its_own(settings):
    kinds = list_prunables()
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert all(isinstance(kind, Prunable) and hasattr(settings, kind.setting or "DEBUG") for kind in kinds)

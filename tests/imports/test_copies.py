"""Copies: once in an account, as long as anything names them, whatever happens at the same time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
from contextlib import contextmanager
from functools import partial
from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from imports import storage
from imports.copies import Draft, drafting, fetched, open_copy, release, share
from imports.models import KeptFile, Run
from imports.storage import CopyGone, StorageRefused
from tests.builders import make_account
from tests.imports.customer_files import kept_bytes, kept_path
from tests.processes import a_session_waits, wait_until
from tests.pruning import prune_all

pytestmark = pytest.mark.django_db(transaction=True)
BYTES = b"customer_code\nC1\n"


def keep(account, content=BYTES):
    """A run that names a copy."""
    with drafting(account.pk, lambda: io.BytesIO(content), "a.txt") as draft, transaction.atomic():
        return Run.objects.create(account=account, file_name="a.txt", format_name="b", kept_file=draft.keep())


@contextmanager
def meanwhile(job):
    """Another session does the job while the block is at work."""

    def work():
        try:
            job()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join(60)
    assert not thread.is_alive()


def in_storage():
    return {f"copies/{folder}/{name}" for folder in default_storage.listdir("copies")[0]
            for name in default_storage.listdir(f"copies/{folder}")[1]}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"


def test_accounts_share_nothing(account):
    runs = [keep(account), keep(account), keep(make_account("atelier"))]
    assert [run.kept_file_id == runs[0].kept_file_id for run in runs] == [True, True, False]
    assert in_storage() == set(KeptFile.objects.values_list("key", flat=True))


def test_two_that_keep_the_same_at_the_same_time_keep_it_once(account):
    with drafting(account.pk, lambda: io.BytesIO(BYTES), "a.txt") as draft:
        keep(account)
        with transaction.atomic():
            mine = draft.keep()
            assert len(in_storage()) == 2
    assert mine == KeptFile.objects.get()
    assert in_storage() == {mine.key}


def test_what_is_about_to_be_named_is_not_deleted(account):
    """Its only run is deleted while another transaction, which is not committed yet, names it too."""
    run = keep(account)
    with transaction.atomic():
        kept = share(run.kept_file, "a.txt")
        with meanwhile(run.delete):
            pass
        Run.objects.create(account=account, file_name="b.txt", format_name="b", kept_file=kept)
    assert kept_bytes(kept) == BYTES


def test_what_is_being_deleted_is_kept_anew(account):
    """A draft that relied on a copy waits for its deletion, and then puts the bytes there again."""
    run, named = keep(account), []
    with drafting(account.pk, lambda: io.BytesIO(BYTES), "a.txt") as draft:
        assert draft.stored is None

        def name():
            with transaction.atomic():
                named.append(draft.keep())
                Run.objects.create(account=account, file_name="b.txt", format_name="b", kept_file=named[0])

        with contextlib.ExitStack() as others, transaction.atomic():
            run.delete()
            others.enter_context(meanwhile(name))
            wait_until(a_session_waits)
            assert not named
    assert kept_bytes(named[0]) == BYTES
    assert in_storage() == {named[0].key}


@pytest.fixture
def asked(monkeypatch):
    """What the storage was asked."""
    calls = []

    def note(name, call):
        def noted(*given):
            calls.append(name)
            return call(*given)

        monkeypatch.setattr(storage, name, noted)

    note("holds", storage.holds)
    note("put", storage.put)
    return calls


def delete_runs():
    for run in Run.objects.all():
        run.delete()


def draft_of(account):
    draft = Draft(account.pk, lambda: io.BytesIO(BYTES), "a.txt", hashlib.sha256(BYTES).hexdigest())
    draft.look_up()
    draft.bring()
    return draft


@pytest.mark.parametrize("what", ["kept by another", "deleted", "lost", "nothing", "known", "known and lost"])
def test_what_is_held_is_kept_without_asking_the_storage(account, asked, what):
    if what in ("deleted", "known", "known and lost"):
        keep(account)
    if what == "known and lost":
        kept_path(KeptFile.objects.get()).unlink()
    draft = draft_of(account)
    if what in ("kept by another", "lost"):
        keep(account)
    if what == "lost":
        kept_path(KeptFile.objects.get()).unlink()
    if what == "deleted":
        Run.objects.get().delete()
    with transaction.atomic():
        draft.hold()
        del asked[:]
        kept = draft.keep()
        Run.objects.create(account=account, file_name="b.txt", format_name="b", kept_file=kept)
    assert asked == []
    assert kept_bytes(kept) == BYTES


def test_what_is_held_is_not_deleted_and_may_be_named_by_others(account):
    run = keep(account)
    draft = draft_of(account)
    with transaction.atomic():
        draft.hold()
        with meanwhile(partial(keep, account)):
            pass
        with meanwhile(delete_runs):
            pass
        kept = draft.keep()
        Run.objects.create(account=account, file_name="b.txt", format_name="b", kept_file=kept)
    assert kept == run.kept_file
    assert kept_bytes(kept) == BYTES


def test_what_is_gone_cannot_be_shared(account):
    run = keep(account)
    kept = run.kept_file
    run.delete()
    for gone in (kept, None):
        with pytest.raises(CopyGone, match=r"^No copy of a\.txt is kept any more\."), transaction.atomic():
            share(gone, "a.txt")


def test_lost_bytes_come_back_with_the_next_file_of_the_same_content(account):
    run = keep(account)
    kept_path(run.kept_file).unlink()
    with pytest.raises(CopyGone, match="is gone from"):
        kept_bytes(run.kept_file)
    keep(account)
    assert kept_bytes(KeptFile.objects.get()) == BYTES


@pytest.mark.parametrize("kind", ["a folder that is not mounted", "another bucket"])
def test_a_storage_without_any_of_the_copies_takes_none_and_calls_none_lost(account, settings, request, kind):
    if kind == "another bucket":
        request.getfixturevalue("bucket")
    run, mounted = keep(account), settings.MEDIA_ROOT
    if kind == "another bucket":
        default_storage.delete(run.kept_file.key)
    else:
        mounted.rename(mounted.with_name("elsewhere"))
    storage.probe()
    for attempt in (lambda: keep(account), lambda: keep(account, b"new"), lambda: kept_bytes(run.kept_file)):
        with pytest.raises(StorageRefused, match=r"There are no copies in .*, and the database knows some\. Mount it"):
            attempt()
    default_storage.save("copies/lost", ContentFile(b"by hand"))
    keep(account)
    assert kept_bytes(KeptFile.objects.get()) == BYTES


def test_bytes_that_are_not_what_came_are_never_given_out(account):
    run, other = keep(account), keep(account, b"other")
    kept_path(other.kept_file).replace(kept_path(run.kept_file))
    with pytest.raises(CopyGone, match="is not what came: it has 5 bytes of 17"):
        open_copy(run.kept_file, "a.txt")
    kept_path(run.kept_file).write_bytes(kept_path(keep(account, b"third").kept_file).read_bytes()[:-3])
    with pytest.raises(CopyGone, match=r"is not what came|is damaged"), fetched(run.kept_file, "a.txt"):
        pass


def test_a_fetched_copy_goes_with_its_block(account):
    run = keep(account)
    with fetched(run.kept_file, "a.txt") as path:
        assert path.read_bytes() == BYTES
    assert not path.parent.exists()


def test_only_what_nothing_names_is_released(account):
    run, other = keep(account), keep(account, b"other")
    Run.objects.filter(pk=other.pk).update(kept_file=None)
    release([run.kept_file_id, None])
    assert KeptFile.objects.count() == 2
    release([run.kept_file_id, other.kept_file_id])
    assert KeptFile.objects.get() == run.kept_file
    assert in_storage() == {run.kept_file.key}


def test_files_that_were_kept_before_stay_where_they_are_and_can_be_read(account):
    """As the release before left them: a name in the run's own row, the bytes as they came."""
    migration = import_module("imports.migrations.0034_kept_files")
    names = ["runs/1/5-a.txt", "runs/1/5-rejects-a.txt", "runs/1/5-rejects-a.txt.reasons.csv"]
    for name in names:
        default_storage.save(name, ContentFile(name.encode()))
    run = Run.objects.create(account=account, file_name="a.txt", format_name="b")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE imports_run SET kept_file = %s, rejects_file = %s", names[:2])
        cursor.execute(migration.ADOPT)
    migration.adopt_reasons(apps, None)
    run.refresh_from_db()
    assert [kept_bytes(kept).decode() for kept in (run.kept_file, run.rejects_file, run.reasons_file)] == names
    assert prune_all("unnamed").total == 0
    run.delete()
    assert not any(map(default_storage.exists, names))

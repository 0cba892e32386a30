"""Copies of the files that came."""

import os
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from imports.errors import SettingsWrong
from imports.models import Run
from imports.runs.uploading import import_queued, store_upload
from tests.builders import make_user
from tests.imports.customer_files import NEW, as_text, import_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers ../ü.txt".replace("/", "")
    path.write_text(as_text([NEW]))
    return path


def content(run):
    with run.kept_file.open("rb") as file:
        return file.read()


def test_a_run_keeps_its_file_as_it_came(account, file):
    run = import_path(account, file)
    assert content(run) == file.read_bytes()
    assert str(run.kept_file).startswith(f"runs/{account.pk}/{run.pk}-")
    assert stat.S_IMODE(Path(run.kept_file.path).stat().st_mode) == 0o600


def test_a_rejected_file_is_kept_too(account, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xff\xfe broken")
    run = import_path(account, path)
    assert (run.status, content(run)) == ("rejected", b"\xff\xfe broken")


def test_a_dry_run_keeps_nothing(account, file):
    assert not import_path(account, file, dry_run=True).kept_file


def test_no_days_mean_no_copies(account, file, settings):
    settings.KEEP_FILES_DAYS = 0
    assert not import_path(account, file).kept_file


def test_an_old_copy_goes_and_its_run_stays(account, file, settings):
    settings.KEEP_FILES_DAYS = 7
    old, younger = import_path(account, file), import_path(account, file)
    path = old.kept_file.path
    long_ago = timezone.now() - timedelta(days=8)
    Run.objects.filter(pk=old.pk).update(started_at=long_ago)
    os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
    import_path(account, file)
    assert not Run.objects.get(pk=old.pk).kept_file
    assert Run.objects.get(pk=younger.pk).kept_file
    assert not Path(path).exists()


def test_what_a_killed_run_left_goes_as_well(account, file, settings):
    left = Path(import_path(account, file).kept_file.path).with_name("7-left.txt")
    left.write_text("half a file")
    import_path(account, file)
    assert left.exists()
    os.utime(left, (0, 0))
    import_path(account, file)
    assert not left.exists()


def test_copies_go_with_their_run_and_with_their_account(account, file):
    first, second = import_path(account, file), import_path(account, file)
    paths = [first.kept_file.path, second.kept_file.path]
    first.delete()
    assert [Path(path).exists() for path in paths] == [False, True]
    account.delete()
    assert not Path(paths[1]).exists()


def test_no_room_for_the_copy_is_said_and_nothing_is_applied(account, file, settings, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    settings.MEDIA_ROOT = blocked
    with pytest.raises(SettingsWrong, match="No copy of"):
        import_path(account, file)
    assert Run.objects.get().status == "failed"
    assert not account.connections.exists()


def test_an_upload_that_is_being_stored_is_not_deleted_where_none_are_kept(account, file, settings):
    """Its run is not committed yet, so another import of the account does not see it."""
    settings.KEEP_FILES_DAYS = 0
    stored, imported, runs = threading.Event(), threading.Event(), []

    def upload():
        try:
            with transaction.atomic():
                sent = SimpleUploadedFile("upload.txt", file.read_bytes())
                runs.append(store_upload(account, sent, make_user("rosa")))
                stored.set()
                imported.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=upload)
    thread.start()
    assert stored.wait(30)
    import_path(account, file)
    imported.set()
    thread.join(30)
    path = Path(runs[0].kept_file.path)
    assert path.read_bytes() == file.read_bytes()
    assert import_queued(runs[0].pk).endswith("succeeded")
    import_path(account, file)
    assert not path.exists()

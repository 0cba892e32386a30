"""Copies of the files that came."""

import hashlib
import os
import stat

import pytest

from imports.errors import SettingsWrong
from imports.models import KeptFile, Run
from imports.pipeline import keeping
from imports.pipeline.ending import Ending
from tests.imports.customer_files import NEW, as_text, import_path, kept_bytes, kept_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers ../ü.txt".replace("/", "")
    path.write_text(as_text([NEW]))
    return path


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text(as_text([NEW | {"customer_code": "C2"}]))
    return path


def test_a_run_keeps_its_file_as_it_came(account, file):
    run = import_path(account, file)
    assert kept_bytes(run.kept_file) == file.read_bytes()
    assert kept_path(run.kept_file).parent.name == str(account.pk)
    assert stat.S_IMODE(kept_path(run.kept_file).stat().st_mode) == 0o600


def test_a_content_is_kept_once_in_an_account_and_packed(account, tmp_path):
    path = tmp_path / "many.txt"
    path.write_text(as_text([NEW | {"customer_code": f"C{number}"} for number in range(1000)]))
    runs = [import_path(account, path) for _ in range(3)]
    kept = KeptFile.objects.get()
    assert {run.kept_file for run in runs} == {kept}
    assert os.listdir(kept_path(kept).parent) == [kept_path(kept).name]  # noqa: PTH208  (names alone)
    assert kept_path(kept).stat().st_size == kept.stored_size < path.stat().st_size / 5


def test_a_rejected_file_is_kept_too(account, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xff\xfe broken")
    run = import_path(account, path)
    assert (run.status, kept_bytes(run.kept_file)) == ("rejected", b"\xff\xfe broken")


def test_a_dry_run_keeps_nothing(account, file):
    assert not import_path(account, file, dry_run=True).kept_file


def test_no_days_mean_no_copies(account, file, settings):
    settings.KEEP_FILES_DAYS = 0
    assert not import_path(account, file).kept_file


def test_copies_go_with_their_last_run_and_with_their_account(account, file, other):
    first, second, third = import_path(account, file), import_path(account, file), import_path(account, other)
    paths = [kept_path(first.kept_file), kept_path(third.kept_file)]
    first.delete()
    assert [path.exists() for path in paths] == [True, True]
    second.delete()
    assert [path.exists() for path in paths] == [False, True]
    account.delete()
    assert not paths[1].exists()


def test_no_room_for_the_copy_is_said_and_nothing_is_applied(account, file, settings, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    settings.MEDIA_ROOT = blocked
    with pytest.raises(SettingsWrong, match="No copy of"):
        import_path(account, file)
    assert Run.objects.get().status == "failed"
    assert not account.connections.exists()


def test_rejects_of_a_merge_that_is_taken_back_are_named_by_no_run(account, tmp_path, monkeypatch):
    path = tmp_path / "half.txt"
    path.write_text(as_text([NEW, NEW | {"customer_code": "C2", "price_type_currency": "Euros"}]))
    real = Ending.finish
    monkeypatch.setattr(Ending, "finish", lambda self, status: real(self, status) if status == "failed" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_path(account, path)
    run = Run.objects.get()
    assert (run.status, run.rejects_file) == ("failed", None)
    assert kept_bytes(run.kept_file) == path.read_bytes()


def test_a_file_of_another_size_is_read_for_its_copy_alone(account, file, tmp_path, monkeypatch):
    import_path(account, file)
    digested = []
    monkeypatch.setattr(keeping, "digest_of", lambda source: digested.append(source.name))
    path = tmp_path / "longer.txt"
    path.write_text(as_text([NEW, NEW | {"customer_code": "C20"}]))
    run = import_path(account, path)
    assert run.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept_bytes(run.kept_file) == path.read_bytes()
    assert digested == []


def test_a_file_of_which_no_copy_is_kept_is_digested(account, file, settings):
    settings.KEEP_FILES_DAYS = 0
    assert import_path(account, file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()

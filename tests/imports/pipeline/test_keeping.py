"""Copies of the files that came."""

import stat
from pathlib import Path

import pytest

from imports.errors import SettingsWrong
from imports.models import Run
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

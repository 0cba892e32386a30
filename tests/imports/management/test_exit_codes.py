"""Exit codes, on which scripts rely: 2 where the call or the settings are wrong, whichever command it is."""

import errno

import pytest
from django.core.management import CommandError, call_command, get_commands

from dropbox.management.commands import serve_dropbox
from imports.models import Feed

OURS = ("accounts", "connections", "dropbox", "imports", "lookups")
WRONG = {
    "backup": ["{tmp}"],
    "check_feed": ["nobody's"],
    "compare_format": ["erp", "--account", "maison"],
    "create_account": ["maison"],
    "create_feed": ["erp", "--account", "nobody"],
    "create_token": ["nobody", "--name", "erp"],
    "dropbox_login": ["nobody's"],
    "export": [],
    "export_customers": ["--account", "maison", "--format", "erp"],
    "export_format": ["erp", "--account", "maison"],
    "export_vocabulary": ["--account", "nobody"],
    "import": [],
    "import_customers": ["{tmp}/missing.txt", "--account", "maison"],
    "load_format": ["{tmp}/missing.yaml", "--account", "maison"],
    "load_lookups": ["{tmp}/missing.csv", "--account", "maison"],
    "onboard_format": ["{tmp}/missing.txt", "--account", "maison"],
    "promote_format": ["erp", "--account", "maison", "--to", "live"],
    "prune": ["nothing"],
    "pull_feeds": [],
    "reject_run": ["7"],
    "release_run": ["7"],
    "replay_run": ["7"],
    "restore": ["{tmp}/missing"],
    "revoke_token": ["nobody", "erp"],
    "rotate_secrets": [],
    "serve_dropbox": [],
    "undo_import": ["7"],
}
CANNOT_BE_CALLED_WRONGLY = {"check_health", "migrate", "resume", "run_workers", "suspend"}


def code_of(command, *arguments):
    with pytest.raises(CommandError) as raised:
        call_command(command, *map(str, arguments))
    return raised.value.returncode


def test_whatever_command_is_called_or_set_up_wrongly_ends_with_2(account, settings, tmp_path):
    assert {name for name, app in get_commands().items() if app in OURS} == WRONG.keys() | CANNOT_BE_CALLED_WRONGLY
    settings.DROPBOX_SFTP_PORT = settings.DROPBOX_FTPS_PORT = 0
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="ftp.example.com", password="s3cret")
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    codes = {name: code_of(name, *(one.format(tmp=tmp_path) for one in WRONG[name])) for name in WRONG}
    assert codes == dict.fromkeys(WRONG, 2)


def test_a_file_that_cannot_be_copied_is_a_matter_of_settings(account, settings, tmp_path):
    file = tmp_path / "customers.txt"
    file.write_text("customer_code|profile_name\nC1|Harbor Row\n")
    settings.MEDIA_ROOT = file / "files"
    assert code_of("import_customers", file, "--account", "maison") == 2


@pytest.mark.parametrize(("number", "code"), [("EADDRINUSE", 1), ("EADDRNOTAVAIL", 2), ("EACCES", 2)])
def test_a_port_that_is_taken_may_be_free_later(monkeypatch, number, code):
    def listen(*_):
        raise OSError(getattr(errno, number), number)

    monkeypatch.setattr(serve_dropbox, "serve", listen)
    assert code_of("serve_dropbox", "--sftp", "2222") == code

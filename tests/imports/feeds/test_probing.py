"""Probes: what a pull does to a server is tried, and nothing is left behind."""

import json
from contextlib import ExitStack

import asyncssh
import pytest
from django.core.management import call_command

from imports.feeds.inspecting import inspect_feed
from imports.models import Pull, Run
from tests.feeds import drop, make_feed
from tests.servers import run_ftp, run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refused(feed):
    found = inspect_feed(feed, probe=True)
    assert found.problem == ""
    return [trial.what.partition("customersync-probe")[0] for trial in found.tried if trial.problem]


@pytest.mark.parametrize("kind", ["sftp", "ftp", "file"])
def test_folders_are_made_and_a_file_goes_through_them_and_away(account, folder, settings, kind):
    settings.LOCAL_FEEDS = folder.parent
    with ExitStack() as stack:
        fields = {"folder": "in", "outbox_folder": "out/box"}
        if kind == "file":
            folder = folder.parent / account.code
            folder.mkdir()
            feed = make_feed(account, stack.enter_context(run_sftp(folder)), **fields)
            feed.protocol = "file"
        else:
            feed = make_feed(account, stack.enter_context((run_sftp if kind == "sftp" else run_ftp)(folder)), **fields)
        (folder / "in").mkdir()
        drop(folder / "in", "a.txt", "C1")
        found = inspect_feed(feed, probe=True)
    assert found.is_well
    assert [trial.what.partition(" ")[0] for trial in found.tried].count("rename") == 2
    assert not any(trial.problem for trial in found.tried)
    assert everything(folder) == ["in", "in/a.txt", "in/failed", "in/out", "in/out/box", "in/processed"]
    assert not Run.objects.exists()
    assert not Pull.objects.exists()


@pytest.mark.parametrize(
    ("errors", "what"),
    [
        ({"rename": asyncssh.SFTPOpUnsupported("unsupported")}, ["write "]),
        ({"mkdir": asyncssh.SFTPPermissionDenied("no")}, ["make the folder processed", "make the folder failed"]),
        ({"write": asyncssh.SFTPFailure("quota")}, ["write "]),
    ],
)
def test_what_a_server_refuses_is_found_before_a_pull_does(feed, server, folder, errors, what):
    server.errors.update(errors)
    assert refused(feed) == what
    assert not list(folder.glob("**/*probe*"))


def test_what_stays_is_not_touched(account, folder):
    with run_sftp(folder, read_only=True) as server:
        assert refused(make_feed(account, server, after_import="leave")) == []
        feed = make_feed(account, server, "moves")
        assert refused(feed) == ["make the folder processed", "make the folder failed"]
    assert everything(folder) == []


def test_a_file_that_cannot_be_removed_is_named_and_keeps_no_pull(account, folder):
    with run_ftp(folder) as server:
        server.replies["DELE"] = "550 Not allowed."
        found = inspect_feed(make_feed(account, server), probe=True)
    (trial,) = [trial for trial in found.tried if trial.problem]
    assert trial.what.startswith("remove failed/customersync-probe-")
    assert found.is_well


def test_the_command_tries_unless_it_is_told_not_to(feed, server, folder, capsys):
    server.errors["rename"] = asyncssh.SFTPFailure("Disk quota exceeded")
    with pytest.raises(SystemExit) as ended:
        call_command("check_feed", "erp")
    assert ended.value.code == 1
    assert "Cannot   write" in capsys.readouterr().out
    call_command("check_feed", "erp", "--no-probe", "--json")
    assert json.loads(capsys.readouterr().out)["tried"] == []

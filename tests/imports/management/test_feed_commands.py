"""The commands of feeds: what they make, show, pull and refuse, and with which exit code."""

import contextlib
import io
import json
import os
import pty
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from imports.feeds.claiming import claim_feed
from imports.feeds.sessions import Sessions
from imports.lanes import Lane
from imports.models import Feed, Format, Heartbeat, Pull, Run
from imports.pipeline import Origin
from imports.queueing import request_pull
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.feeds import drop, make_feed
from tests.imports.customer_files import import_path
from tests.servers import PASSWORD, USER, make_authority, run_ftp

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    return path


def call(*arguments):
    """Exit code and output."""
    out = io.StringIO()
    try:
        call_command(*map(str, arguments), stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def address(server):
    return ["--host", server.settings.host, "--port", server.settings.port, "--user", USER]


# -- create_feed


def test_a_feed_is_made_checked_and_pulled(account, folder, server, password):
    drop(folder, "customers.csv", "C1")
    key = ["--host-key", server.settings.host_key]
    more = ["--mask", "*.csv", "--interval", "120", "--settle", "0", "--leave", "--contact", "a@example.com"]
    more += ["--contact", "b@example.com", "--outbox", "out", "--silent-after", "48"]
    code, said = call(
        "create_feed", "erp", "--account", "maison", *address(server), "--password-file", password, *key, *more
    )
    assert code == 0, said
    feed = Feed.objects.get()
    assert (feed.mask, feed.interval_minutes, feed.after_import, feed.silent_after_hours) == ("*.csv", 120, "leave", 48)
    assert (feed.contacts, feed.outbox_folder) == (["a@example.com", "b@example.com"], "out")
    assert feed.password == PASSWORD
    assert "first pull is queued" in said
    code, said = call("check_feed", "erp")
    assert code == 0
    assert "1 of 1 would be pulled" in said
    assert call("pull_feeds", "erp")[0] == 0
    assert Run.objects.get().status == "succeeded"


def test_without_a_host_key_the_presented_one_is_shown_and_nothing_made(account, server, password):
    made = ["create_feed", "erp", "--account", "maison", *address(server), "--password-file", password]
    code, said = call(*made)
    assert code == 2
    assert not Feed.objects.exists()
    pin = said.partition("--host-key '")[2].partition("'")[0]
    assert call(*made, "--host-key", pin)[0] == 0
    assert call("check_feed", "erp")[0] == 0


def test_the_password_may_come_from_the_input(account, server, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nmore\n"))
    call("create_feed", "erp", "--account", "maison", "--protocol", "ftp", "--host", "h", "--password-file", "-")
    assert Feed.objects.get().password == PASSWORD


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--protocol", "ftp"], "host: Give the server's host name."),
        (["--protocol", "ftp", "--host", "h", "--mask", "a/b"], "mask: "),
        (["--protocol", "ftp", "--host", "h", "--interval", "5"], "interval_minutes: "),
        (["--protocol", "ftp", "--host", "h", "--contact", "nobody"], "contacts: "),
        (["--protocol", "ftp", "--host", "h", "--outbox", "../up"], "outbox_folder: Give a folder within"),
        (["--protocol", "ftp", "--host", "h", "--outbox", "."], "outbox_folder: Give a folder within"),
        (["--protocol", "ftp", "--host", "h", "--format", "nowhere"], "no format 'nowhere'"),
        (["--protocol", "file"], "LOCAL_FEEDS names no folder"),
        (["--protocol", "url", "--url", "s3://bucket"], "URL_FEEDS allows none"),
        (["--protocol", "ftp", "--host", "h", "--password-file", "/nowhere"], "/nowhere cannot be read"),
        (["--host", "127.0.0.1", "--port", "1"], "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_a_feed_is_refused_with_its_reason(account, arguments, said):
    code, answer = call("create_feed", "erp", "--account", "maison", *arguments)
    assert (code, said in answer) == (2, True), answer
    assert not Feed.objects.exists()


def test_a_name_is_given_once_and_plain_ftp_warned_of(account, capsys):
    made = ["create_feed", "erp", "--account", "maison", "--protocol", "ftp", "--host", "h"]
    assert call(*made)[0] == 0
    assert "unencrypted" in capsys.readouterr().err
    assert call(*made)[0] == 2


def test_a_local_folder_is_the_accounts_own(account, tmp_path, settings):
    settings.LOCAL_FEEDS = tmp_path
    (tmp_path / "maison").mkdir()
    drop(tmp_path / "maison", "a.txt", "C1")
    code, said = call("create_feed", "erp", "--account", "maison", "--protocol", "file", "--settle", "0")
    assert code == 0, said
    assert call("pull_feeds", "erp")[0] == 0
    assert Run.objects.get().status == "succeeded"


def test_every_option_stands_in_the_feed(account, tmp_path, password):
    """Those that the tests above leave out."""
    authority = make_authority(tmp_path, "ours")
    for name, content in (
        ("key", "-----BEGIN KEY-----\nx\n"),
        ("ca", authority.ca),
        ("opt", "a = b\n"),
    ):
        (tmp_path / name).write_text(content)
    format_ = Format.objects.create(account=account, name="ours")
    code, said = call(
        "create_feed", "erp", "--account", "maison", "--protocol", "ftps", "--host", "h", "--port", "2121",
        "--user", "u", "--password-file", password, "--private-key", tmp_path / "key", "--ca-bundle", tmp_path / "ca",
        "--certificate-fingerprint", "AB:" * 31 + "CD", "--options-file", tmp_path / "opt", "--folder", "in/out",
        "--format", "ours", "--disabled",
    )  # fmt: skip
    assert code == 0, said
    feed = Feed.objects.get()
    assert (feed.protocol, feed.host, feed.port, feed.user, feed.folder) == ("ftps", "h", 2121, "u", "in/out")
    assert (feed.private_key, feed.ca_bundle) == ("-----BEGIN KEY-----\nx\n", authority.ca)
    assert (feed.certificate_fingerprint, feed.options) == ("AB:" * 31 + "CD", "a = b\n")
    assert not feed.server.options, "FTPS reads none"
    assert (feed.format, feed.enabled, feed.queued_at) == (format_, False, None)
    assert "queued" not in said
    assert PASSWORD not in said


def test_a_url_is_taken_where_its_scheme_is_allowed(account, settings):
    settings.URL_FEEDS = ["s3"]
    assert call("create_feed", "erp", "--account", "maison", "--protocol", "url", "--url", "s3://bucket")[0] == 0
    assert Feed.objects.get().url == "s3://bucket"


def test_the_format_of_another_account_is_refused(account):
    Format.objects.create(account=make_account("atelier"), name="theirs")
    made = ["create_feed", "erp", "--account", "maison", "--protocol", "ftp", "--host", "h"]
    assert call(*made, "--format", "theirs") == (2, "maison has no format 'theirs'.")
    assert not Feed.objects.exists()


def test_an_account_that_is_not_there_is_refused(db):
    code, said = call("create_feed", "erp", "--account", "nobody", "--protocol", "ftp", "--host", "h")
    assert (code, "'nobody'" in said) == (2, True)


def test_a_password_from_an_editor_on_windows_is_the_password(account, tmp_path):
    path = tmp_path / "password"
    path.write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\n")
    call("create_feed", "erp", "--account", "maison", "--protocol", "ftp", "--host", "h", "--password-file", path)
    assert Feed.objects.get().password == PASSWORD


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--password-file", b"", "PATH is empty: give a password in its first line"),
        ("--password-file", b"\nsecond line\n", "first line of PATH is empty"),
        ("--ca-bundle", b"0\x82\x03\0DER", "PATH is no text"),
        ("--ca-bundle", b"\xff\xfe\x82", "PATH is no text"),
        ("--private-key", b"P\0E\0M\0", "PATH is no text: give a private key"),
        ("--private-key", b" \n", "PATH is empty"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(account, tmp_path, option, content, said):
    path = tmp_path / "file"
    path.write_bytes(content)
    code, answer = call("create_feed", "erp", "--account", "maison", "--protocol", "ftps", "--host", "h", option, path)
    assert (code, said.replace("PATH", str(path)) in answer) == (2, True), answer
    assert not Feed.objects.exists()


def test_a_password_that_is_typed_is_not_shown():
    """At a terminal the password is asked for, and the terminal does not repeat it."""
    program = """
import django, sys
django.setup()
from imports.management.commands.create_feed import read_line
sys.exit(read_line("-") != "typed unseen")
"""
    leader, follower = pty.openpty()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "customersync.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # the other end was closed
            while select.select([leader], [], [], 20)[0] and (part := os.read(leader, 100)):
                shown += part
                if shown.endswith(b"Password: "):
                    os.write(leader, b"typed unseen\n")
        os.close(leader)
    assert process.returncode == 0, shown
    assert b"typed" not in shown


# -- check_feed


def test_check_says_why_each_file_is_taken_or_not(account, folder, server):
    drop(folder, "a.txt", "C1")
    drop(folder, "b.txt.part", "C1")
    drop(folder, ".hidden.txt", "C1")
    drop(folder, "evil\x1b[31m\n.txt", "C1")
    make_feed(account, server)
    code, said = call("check_feed", "maison/erp")
    assert code == 0
    assert "it is the one that is trusted" in said
    assert "2 of 4 would be pulled" in said
    assert "still being written" in said
    assert "it is hidden" in said
    assert "\x1b" not in said
    described = json.loads(call("check_feed", "erp", "--json")[1])
    assert [file["path"] for file in described["files"] if file["pull"]] == ["a.txt", "evil\x1b[31m\n.txt"]
    assert described["identity"]["matches"] is True
    assert PASSWORD not in said + json.dumps(described)


def test_check_says_what_is_wrong(account, server):
    make_feed(account, server, host_key="SHA256:" + "A" * 43)
    code, said = call("check_feed", "erp")
    assert code == 1
    assert "NOT the one that is trusted" in said
    assert "Problem" in said


def test_check_of_an_absent_server(account, server):
    feed = make_feed(account, server)
    Feed.objects.filter(pk=feed.pk).update(port=1)
    described = json.loads(call("check_feed", "erp", "--json")[1])
    assert "127.0.0.1:1" in described["problem"]


def test_what_a_terminal_would_obey_is_spelled_out_wherever_a_name_stands(account, folder, server):
    drop(folder, "evil\x1b[31m.txt", "C1")
    make_feed(account, server)
    pulled = call("pull_feeds", "erp")[1]
    drop(folder, "evil\x1b[31m.txt", "C1", "C2")
    checked = call("check_feed", "erp")[1]
    assert "changed since run" in checked
    Feed.objects.update(most_bytes=1)
    refused = call("pull_feeds", "erp")[1]
    assert "limit of 1" in refused
    for said in (pulled, checked, refused):
        assert "\x1b" not in said
        assert "evil\\x1b[31m.txt" in said


def test_check_says_that_the_password_is_wrong_and_not_which(account, server):
    make_feed(account, server, password="wr0ng-one")
    code, said = call("check_feed", "erp")
    assert code == 1
    assert "it is the one that is trusted" in said
    assert f"refuses the login of '{USER}'" in said
    assert "wr0ng-one" not in said
    Feed.objects.update(password="")
    assert "neither a password nor a private key" in call("check_feed", "erp")[1]


def test_check_says_that_a_secret_cannot_be_read(account, server, settings):
    make_feed(account, server)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    code, said = call("check_feed", "erp")
    assert code == 1
    assert "Problem  No key in ENCRYPTION_KEYS decrypts" in said


def test_check_shows_a_certificate_and_what_trusts_it(account, folder, tmp_path):
    ours, theirs = (make_authority(tmp_path, name) for name in ("ours", "theirs"))
    with run_ftp(folder, authority=ours) as running:
        feed = make_feed(account, running)
        for changes, code, verdict in (
            ({}, 0, "none is pinned"),
            ({"certificate_fingerprint": ours.fingerprint}, 0, "it is the one that is trusted"),
            ({"certificate_fingerprint": theirs.fingerprint}, 1, "NOT the one that is trusted"),
            ({"certificate_fingerprint": "", "ca_bundle": theirs.ca}, 1, "none is pinned"),
        ):
            Feed.objects.filter(pk=feed.pk).update(**changes)
            answer = call("check_feed", "erp")
            assert (answer[0], verdict in answer[1]) == (code, True), answer
            assert f"{ours.fingerprint[:2]}:{ours.fingerprint[2:4]}:" in answer[1]
            assert "CN=ours" in answer[1]


# -- pull_feeds


def test_all_feeds_are_pulled_and_one_that_fails_stops_no_other(account, folder, server):
    make_feed(account, server, "a-fails", folder="nowhere")
    drop(folder, "a.txt", "C1")
    make_feed(account, server, "b-works")
    make_feed(account, server, "c-off", enabled=False)
    code, said = call("pull_feeds", "--all", "--json")
    described = json.loads(said)["feeds"]
    assert code == 1
    assert [(feed["feed"], feed["status"]) for feed in described] == [
        ("maison/a-fails", "failed"),
        ("maison/b-works", "succeeded"),
    ]
    assert "nowhere" in described[0]["message"]
    assert [(run["file"], run["created"]) for run in described[1]["runs"]] == [("a.txt", 1)]


def test_several_feeds_are_pulled_in_the_order_of_their_names_on_the_line(account, server):
    for name in ("one", "two"):
        make_feed(account, server, name)
    said = json.loads(call("pull_feeds", "two", "maison/one", "--json")[1])
    assert [feed["feed"] for feed in said["feeds"]] == ["maison/two", "maison/one"]


def test_a_name_that_is_unknown_stops_the_pull_of_all(account, server):
    make_feed(account, server)
    code, said = call("pull_feeds", "erp", "erq")
    assert (code, said) == (2, "There is no feed 'erq'; there are maison/erp.")
    assert not Pull.objects.exists()


def test_without_any_feed_there_is_nothing_to_pull(db):
    assert call("pull_feeds", "--all") == (0, "There is no enabled feed.\n")
    assert call("pull_feeds", "--due", "--json") == (0, '{"feeds": []}\n')


def test_a_feed_that_is_disabled_is_pulled_by_its_name(account, folder, server):
    drop(folder, "a.txt", "C1")
    make_feed(account, server, enabled=False)
    assert call("pull_feeds", "erp")[0] == 0
    assert Run.objects.get().status == "succeeded"


def test_a_run_that_is_not_well_gives_exit_code_1(account, folder, server):
    (folder / "a.txt").write_text("no header\n")
    make_feed(account, server)
    code, said = call("pull_feeds", "erp")
    assert code == 1
    assert "a.txt: rejected" in said


def test_due_feeds_alone(account, folder, server):
    drop(folder, "a.txt", "C1")
    feed = make_feed(account, server)
    request_pull(feed)
    assert call("pull_feeds", "--due")[0] == 0
    assert call("pull_feeds", "--due") == (0, "No feed is due.\n")
    assert call("pull_feeds", "erp") == (0, "maison/erp: succeeded\n  nothing new\n")


def test_feeds_have_to_be_named_so_that_they_are_known(account, server):
    for arguments in ([], ["erp", "--all"], ["nowhere"]):
        assert call("pull_feeds", *arguments)[0] == 2
    make_feed(account, server)
    other = make_account("atelier")
    add_lookups(other)
    make_feed(other, server)
    code, said = call("pull_feeds", "erp")
    assert (code, "ACCOUNT/erp" in said) == (2, True)
    assert call("pull_feeds", "atelier/erp")[0] == 0


def test_a_feed_that_is_being_pulled_says_so(account, server):
    feed = make_feed(account, server)
    answers = []

    def work():
        answers.append(call("pull_feeds", "erp"))
        connection.close()

    with claim_feed(feed, Sessions()):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
    assert answers[0][0] == 1
    assert "being pulled already" in answers[0][1]


# -- check_health


def test_health_in_words_and_as_json(account, settings):
    assert call("check_health") == (0, "All is well.\n")
    feed = Feed.objects.create(account=account, name="erp", protocol="ftp", host="h", password="x")
    code, said = call("check_health", "--json")
    assert (code, json.loads(said)["ok"]) == (1, False)
    for lane in Lane:
        Heartbeat.objects.create(name=lane.heartbeat, at=timezone.now(), worker="w")
    assert call("check_health")[0] == 0
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    code, said = call("check_health")
    assert code == 1
    assert f"Feed {feed.pk}: No key in ENCRYPTION_KEYS decrypts the stored password" in said


def test_a_secret_that_cannot_be_read_is_said_beside_other_problems(account, settings):
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="h", password="x")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    worker, secret = json.loads(call("check_health", "--json")[1])["problems"]
    assert "No worker was ever seen" in worker
    assert "ENCRYPTION_KEYS" in secret


# -- release_run and reject_run, besides what the tests of releasing say


@pytest.mark.parametrize("command", ["release_run", "reject_run"])
def test_decisions_name_the_file_as_it_is_called_and_let_no_terminal_obey_it(account, tmp_path, command):
    path = tmp_path / "customers.txt"
    path.write_text("customer_code|profile_name\nC1|Harbor Row\n")
    held = import_path(account, path, origin=Origin(file_name="ERP\x1b[31m.TXT"))
    Run.objects.update(status="held")
    rosa = make_user("rosa")
    membership = add_member(account, rosa, "viewer")
    assert call(command, held.pk, "--by", "rosa") == (2, "rosa is no editor of maison.")
    membership.role = "editor"
    membership.save()
    _, said = call(command, held.pk, "--by", "rosa")
    assert f"Run {held.pk} is {'released' if command == 'release_run' else 'rejected'} by rosa" in said
    assert "ERP\\x1b[31m.TXT" in said


def test_a_release_that_takes_not_all_gives_exit_code_1(account, tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text("customer_code|profile_name\nC1|Harbor Row\n")  # a new customer needs a price type
    held = import_path(account, path)
    Run.objects.update(status="held")
    assert call("release_run", held.pk)[0] == 1


def test_plain_ftp_is_checked_without_an_identity(account, folder):
    with run_ftp(folder) as server:
        make_feed(account, server)
        code, said = call("check_feed", "erp")
    assert code == 0
    assert "The folder" not in said
    assert "0 of 0 would be pulled" in said

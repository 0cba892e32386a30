"""The commands of feeds: what they make, show, pull and refuse, and with which exit code."""

import io
import json
import threading

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from imports.claiming import claim_feed
from imports.models import Feed, Heartbeat, Run
from tests.builders import add_lookups, make_account
from tests.feeds import drop, make_feed
from tests.servers import PASSWORD, USER, run_ftp, run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def server(folder):
    with run_sftp(folder) as running:
        yield running


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
        (["--protocol", "ftp", "--host", "h", "--port", "70000"], "port: "),
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


def test_a_run_that_is_not_well_gives_exit_code_1(account, folder, server):
    (folder / "a.txt").write_text("")
    make_feed(account, server)
    code, said = call("pull_feeds", "erp")
    assert code == 1
    assert "a.txt: rejected" in said


def test_due_feeds_alone(account, folder, server):
    drop(folder, "a.txt", "C1")
    make_feed(account, server)
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

    with claim_feed(feed):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
    assert answers[0][0] == 1
    assert "being pulled already" in answers[0][1]


# -- check_health


def test_health_in_words_and_as_json(account, settings):
    assert call("check_health") == (0, "All is well.\n")
    feed = Feed.objects.create(account=account, name="erp", protocol="ftp", host="h", password="x")
    code, said = call("check_health", "--json")
    assert (code, json.loads(said)["ok"]) == (1, False)
    Heartbeat.objects.create(name="workers", at=timezone.now(), worker="w")
    assert call("check_health")[0] == 0
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    code, said = call("check_health")
    assert code == 1
    assert f"Feed {feed.pk}: No key in ENCRYPTION_KEYS decrypts the stored password" in said


def test_plain_ftp_is_checked_without_an_identity(account, folder):
    with run_ftp(folder) as server:
        make_feed(account, server)
        code, said = call("check_feed", "erp")
    assert code == 0
    assert "The folder" not in said
    assert "0 of 0 would be pulled" in said

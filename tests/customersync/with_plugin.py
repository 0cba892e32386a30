"""What the app of tests/plugin adds, each used once; `test_plugins` runs this in a process of its own."""

import threading
from io import StringIO
from pathlib import Path
from xmlrpc.client import Binary
from xmlrpc.server import SimpleXMLRPCServer

import pytest
import yaml
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.urls import reverse

from imports.feeds.inspecting import inspect_feed
from imports.feeds.pulling import pull_feed
from imports.messages.delivering import deliver_due
from imports.messages.events import run_ended
from imports.models import Feed, Message, Run
from tests.builders import add_lookups, make_account, make_user
from tests.feeds import drop
from tests.imports.customer_files import Sender
from tests.plugin.models import Heard

pytestmark = pytest.mark.django_db(transaction=True)


class Shelf:
    """What a shelf answers: files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def present(self):
        return "shelf-of-maison"

    def list_files(self, folder):
        place = self.folder / folder
        return [self._describe(path) for path in place.iterdir() if path.is_file()] if place.is_dir() else None

    def look_at(self, path):
        return self._describe(self.folder / path) if (self.folder / path).is_file() else None

    def read(self, path):
        return Binary((self.folder / path).read_bytes())

    def rename(self, source, target):
        (self.folder / source).rename(self.folder / target)

    def make_folder(self, path):
        (self.folder / path).mkdir(exist_ok=True)

    def write(self, path, content):
        (self.folder / path).write_bytes(content.data)

    def _describe(self, path):
        status = path.stat()
        return str(path.relative_to(self.folder)), status.st_size, status.st_mtime


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def port(folder):
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False, allow_none=True) as server:
        server.register_instance(Shelf(folder))
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def send(account, tmp_path):
    return Sender(account, tmp_path)


@pytest.fixture
def staff(client):
    client.force_login(make_user("root", is_superuser=True))
    return client


@pytest.fixture
def feed(account, port):
    feed = Feed(
        account=account, name="shelf", protocol="shelf", host="127.0.0.1", port=port, host_key="shelf-of-maison",
        settle_seconds=0, outbox_folder="out",
    )  # fmt: skip
    feed.full_clean()
    feed.save()
    return feed


def test_no_migration_is_wanting_and_every_check_passes(settings):
    call_command("makemigrations", check=True, dry_run=True)
    assert run_checks() == []
    settings.PAGER_FILE = ""
    assert [problem.id for problem in run_checks()] == ["plugin.E001"]


def test_files_are_pulled_from_a_server_that_the_app_speaks_to(feed, folder):
    drop(folder, "customers.txt", "C1", "C2")
    pull = pull_feed(feed)
    assert (pull.status, pull.imported, pull.message) == ("succeeded", 1, "")
    assert [run.status for run in feed.runs.all()] == ["succeeded"]
    assert feed.account.connections.count() == 2
    pull_feed(feed)
    places = sorted(path.parent.name for path in folder.rglob("*") if path.is_file())
    assert places == ["out", "processed"], "moved away, and answered by a receipt"


def test_a_feed_of_the_app_is_made_by_command_and_its_way_of_trust_is_asked_for(account, port, folder):
    where = [
        "create_feed",
        "erp",
        "--account",
        "maison",
        "--protocol",
        "shelf",
        "--host",
        "127.0.0.1",
        f"--port={port}",
    ]
    with pytest.raises(CommandError, match=r"No host key is given.*presents the shelf's own name shelf-of-maison"):
        call_command(*where)
    with pytest.raises(CommandError, match="begins with shelf-"):
        call_command(*where, "--host-key", "something")
    said = StringIO()
    call_command(*where, "--host-key", "shelf-of-maison", "--disabled", stderr=said)
    assert "not encrypted" in said.getvalue()
    drop(folder, "customers.txt", "C1")
    found = inspect_feed(Feed.objects.get())
    assert found.problem == ""
    assert found.identity is not None and found.identity.matches
    assert [file.file.name for file in found.files] == ["customers.txt"]
    shown = StringIO()
    call_command("check_feed", "erp", stdout=shown)
    assert "shelf-of-maison" in shown.getvalue()


def test_another_server_than_the_pinned_one_is_refused(feed):
    Feed.objects.update(host_key="shelf-of-somebody")
    feed.refresh_from_db()
    assert "is not the shelf that is pinned" in pull_feed(feed).message


def test_forms_and_api_offer_the_transport(staff, account, port):
    assert '<option value="shelf">shelf</option>' in staff.get(reverse("admin:imports_feed_add")).text
    url = "/api/v1/accounts/maison/feeds/"
    asked = {"name": "erp", "protocol": "shelf", "host": "127.0.0.1", "port": port}
    refused = staff.post(url, asked, content_type="application/json")
    assert [error["field"] for error in refused.json()["errors"]] == ["host_key"]
    made = staff.post(url, {**asked, "host_key": "shelf-of-maison"}, content_type="application/json")
    assert (made.status_code, made.json()["protocol"]) == (201, "shelf")
    schema = yaml.load(staff.get("/api/v1/schema/").content, yaml.CSafeLoader)
    assert "shelf" in schema["components"]["schemas"]["ProtocolEnum"]["enum"]
    assert "/api/v1/accounts/{account}/heard/" in schema["paths"]


def test_a_message_goes_by_the_channel_of_the_app(send, account, staff, settings):
    send.text("no customers at all\n")
    message = Message.objects.get(kind="pager")
    assert message.event == "run.rejected"
    assert "pager" in staff.get(reverse("admin:imports_message_changelist")).text
    settings.PAGER_FILE = settings.DATA_DIR / "nowhere" / "pager.txt"
    assert deliver_due() == 0
    message.refresh_from_db()
    assert (message.attempts, message.problem) == (1, "The pager cannot be reached: No such file or directory.")
    settings.PAGER_FILE = settings.DATA_DIR / "pager.txt"
    Message.objects.update(next_attempt_at=message.created_at)
    assert deliver_due() == 1
    assert settings.PAGER_FILE.read_text() == f"run.rejected in {account}\n"


def test_a_receiver_is_told_once_a_run_has_ended_and_never_of_a_dry_run(send, account, staff):
    send.text("customer_code|profile_name\n", dry_run=True)
    run = send.text("no customers at all\n")
    assert [(heard.run, heard.status) for heard in Heard.objects.all()] == [(run.pk, "rejected")]
    page = staff.get(reverse("admin:index"))
    assert page.context["sidebar_navigation"][-1]["title"] == "Plug-in"
    assert "rejected" in staff.get(str(page.context["sidebar_navigation"][-1]["items"][0]["link"])).text
    (heard,) = staff.get("/api/v1/accounts/maison/heard/").json()["results"]
    assert (heard["run"], heard["status"]) == (run.pk, "rejected")


def test_errors_of_a_receiver_never_reach_the_run(send, caplog):
    def fail(**_):
        raise RuntimeError("the receiver is broken")

    run_ended.connect(fail)
    try:
        run = send.text("customer_code|profile_name\n")
    finally:
        run_ended.disconnect(fail)
    assert Run.objects.get().status == run.status == "succeeded"
    assert Heard.objects.get().run == run.pk
    assert "the receiver is broken" in caplog.text


def test_health_asks_the_app(client, account):
    assert client.get("/health/").status_code == 200
    Heard.objects.create(account=account, run=1, status="failed")
    assert client.get("/health/").json()["problems"] == ["The plug-in heard of a run that failed: look at the runs."]
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_health", stdout=said)
    assert "The plug-in heard" in said.getvalue()

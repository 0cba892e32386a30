"""How runs end: what was committed is never said, told or recorded to have failed."""

import contextlib
import json

import pytest
from django.db import connection, connections

from connections.models import Change
from imports.errors import HeldFor, Hold, SettingsWrong, TryAgainLater
from imports.feeds.pulling import pull_feed
from imports.models import Message, Pull, Run, Webhook
from imports.pipeline import ending
from tests.builders import add_lookups, make_account
from tests.feeds import drop, make_feed
from tests.imports.customer_files import NEW, as_text, import_path, kept_bytes
from tests.processes import start_command
from tests.proxies import cutting

pytestmark = pytest.mark.django_db(transaction=True)

MERGE = b"WITH created"
BAD = {**NEW, "customer_code": "C2", "discount": "many"}


@pytest.fixture
def account(db):
    account = make_account("maison")
    add_lookups(account)
    Webhook.objects.create(account=account, url="https://example.com", secret="whsec_c2VjcmV0")
    return account


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([{**NEW, "customer_code": "C1"}, BAD]))
    return path


@contextlib.contextmanager
def behind(cutter):
    """This process reaches its database through the proxy."""
    engine = type(connections["default"])
    direct = engine.get_connection_params
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            engine, "get_connection_params", lambda self: direct(self) | {"host": "127.0.0.1", "port": cutter.port}
        )
        yield
    connection.close()


def events():
    return sorted(Message.objects.values_list("event", flat=True))


def test_a_commit_whose_answer_is_lost_is_looked_up(account, file, tmp_path):
    rejects = tmp_path / "rejects.txt"
    with cutting(MERGE, after=True) as cutter, behind(cutter):
        run = import_path(account, file, rejects=rejects)
    assert cutter.cuts == 1
    stored = Run.objects.get()
    assert (run.status, stored.status, stored.message) == ("partial", "partial", "")
    assert (stored.created, run.counts) == (1, stored.counts)
    assert kept_bytes(stored.kept_file) == file.read_bytes()
    assert "C2" in rejects.read_text()
    assert account.connections.count() == 1
    assert events() == ["run.partial"]


def test_a_commit_that_never_arrived_is_a_failure(account, file):
    with (
        cutting(MERGE, after=False) as cutter,
        behind(cutter),
        pytest.raises(TryAgainLater, match="Nothing was applied"),
    ):
        import_path(account, file)
    assert cutter.cuts == 1
    assert Run.objects.get().status == "failed"
    assert not account.connections.exists()
    assert not Change.objects.exists()
    assert events() == ["run.failed"]
    assert import_path(account, file).status == "partial"


def test_nothing_is_said_of_a_commit_that_nobody_can_be_asked_about(account, file):
    with cutting(MERGE, after=True, lasting=True) as cutter, behind(cutter), pytest.raises(TryAgainLater) as said:
        import_path(account, file)
    assert "Look at the run before you import its file again" in str(said.value)
    assert "othing was applied" not in str(said.value)
    assert Run.objects.get().status == "partial"
    assert events() == ["run.partial"]


@pytest.mark.parametrize("content", [b"\xff\xfe broken", b""])
def test_the_end_of_a_rejected_file_is_looked_up_too(account, tmp_path, content):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with cutting(b"imports_issue", after=True) as cutter, behind(cutter):
        run = import_path(account, path)
    assert (cutter.cuts, run.status, Run.objects.get().status) == (1, "rejected", "rejected")
    assert run.issues.count() == 1
    assert events() == ["run.rejected"]


def test_a_command_says_what_is_true_of_a_lost_commit(account, file):
    url = "postgres://postgres@127.0.0.1:{port}/{name}"
    with cutting(MERGE, after=True) as cutter:
        name = connections["default"].settings_dict["NAME"]
        process = start_command(
            "import_customers",
            str(file),
            "--account",
            "maison",
            "--json",
            DATABASE_URL=url.format(port=cutter.port, name=name),
        )
        output, errors = process.communicate(timeout=60)
    assert cutter.cuts == 1, errors
    assert json.loads(output)["status"] == "partial"
    assert errors == ""


def test_a_pull_whose_session_was_lost_leaves_the_rest_to_the_next_one(account, folder, server):
    """The feed's claim went with the session, so another pull may be at work already."""
    feed = make_feed(account, server)
    for number in range(3):
        drop(folder, f"{number}.txt", f"C{number}")
    with cutting(MERGE, after=True) as cutter, behind(cutter):
        pull = pull_feed(feed)
    assert (cutter.cuts, pull.status, "session was lost" in pull.message) == (1, "failed", True)
    assert [run.status for run in Run.objects.all()] == ["succeeded"]
    assert pull_feed(feed).status == Pull.Status.SUCCEEDED
    assert [run.status for run in Run.objects.order_by("pk")] == ["succeeded"] * 3
    assert account.connections.count() == 3
    assert not list(folder.glob("*.txt"))


def test_the_copy_is_named_by_the_commit_that_holds_the_run(account, file, monkeypatch):
    """A process that is killed right after the commit leaves a held run with its copy."""

    class Killed(BaseException):
        pass

    monkeypatch.setattr(
        "imports.pipeline.importing.find_reason_to_hold", lambda *arguments: Hold(HeldFor.LIMITS, "Too many.")
    )
    committed = ending.Ending.committing

    @contextlib.contextmanager
    def commit_and_die(self):
        with committed(self):
            yield
        stored = Run.objects.get()
        assert (stored.status, bool(stored.kept_file)) == ("held", True)
        assert kept_bytes(stored.kept_file) == file.read_bytes()
        raise Killed

    monkeypatch.setattr(ending.Ending, "committing", commit_and_die)
    with pytest.raises(Killed):
        import_path(account, file)
    assert Run.objects.get().status == "held"


def test_rejects_that_cannot_be_written_after_the_commit_change_nothing_of_it(account, file, tmp_path):
    with pytest.raises(SettingsWrong, match="ended as partial"):
        import_path(account, file, rejects=tmp_path / "nowhere" / "rejects.txt")
    assert Run.objects.get().status == "partial"
    assert events() == ["run.partial"]


@pytest.mark.parametrize(("error", "raised"), [(KeyboardInterrupt, KeyboardInterrupt), (ValueError, ValueError)])
def test_what_comes_after_the_commit_leaves_the_run_as_it_ended(account, file, tmp_path, monkeypatch, error, raised):
    def interrupt():
        raise error

    monkeypatch.setattr(
        "imports.pipeline.importing.drafting_rejects", lambda *arguments: contextlib.nullcontext(interrupt)
    )
    with pytest.raises(raised) as said:
        import_path(account, file, rejects=tmp_path / "rejects.txt")
    if error is KeyboardInterrupt:
        assert "ended as partial before it was stopped" in str(said.value)
    assert Run.objects.get().status == "partial"
    assert events() == ["run.partial"]

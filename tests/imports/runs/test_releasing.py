"""Held files: what waits behind them, and what a person decides."""

import threading
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from imports.errors import SettingsWrong
from imports.feeds.pulling import pull_feed
from imports.formats.documents import read_format
from imports.formats.policies import Policies
from imports.formats.spec import STANDARD
from imports.models import Feed, FormatVersion, Message, Run
from imports.pipeline import importing as pipeline
from imports.pipeline.deciding import decide
from imports.runs.releasing import find_advice, reject_run, release_run
from imports.runs.undoing import undo_run
from imports.versioning import save_draft
from tests.api.conftest import Program
from tests.builders import add_member, make_user
from tests.feeds import customers, drop, make_feed
from tests.imports.customer_files import customers_of, import_path, kept_bytes, kept_path
from tests.pruning import prune_all
from tests.servers import run_sftp

pytestmark = pytest.mark.django_db(transaction=True)

MANY = [f"C{number}" for number in range(12)]


@pytest.fixture
def feed(account, folder, monkeypatch):
    """A feed whose standard template has a limit: more than half of the known customers changed holds a file."""
    limited = replace(STANDARD, policies=Policies(max_change_percent=50))
    real = pipeline.import_file

    def import_limited(request, **options):
        return real(request if request.version else replace(request, spec=limited), **options)

    monkeypatch.setattr("imports.feeds.taking.import_file", import_limited)
    monkeypatch.setattr("imports.runs.releasing.import_file", import_limited)
    with run_sftp(folder) as running:
        yield make_feed(account, running)


@pytest.fixture
def held(feed, folder):
    """A run that is held because it would rename all customers."""
    drop(folder, "1.txt", *MANY, profile="Before")
    pull_feed(feed)
    drop(folder, "2.txt", *MANY, profile="After")
    pull_feed(feed)
    return Run.objects.get(status="held")


def profiles(account):
    return {customer["profile_name"] for customer in customers_of(account).values()}


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.txt"))


def test_a_held_file_stays_and_later_files_wait(feed, folder, held):
    drop(folder, "3.txt", "C99")
    assert pull_feed(feed).imported == 0
    assert names(folder)[:2] == ["2.txt", "3.txt"]
    assert profiles(feed.account) == {"Before"}


def test_later_files_go_on_where_the_feed_says_so(feed, folder, held):
    Feed.objects.update(while_held="go_on")
    drop(folder, "3.txt", "C99")
    assert pull_feed(feed).imported == 1
    assert names(folder)[0] == "2.txt"


def test_a_released_file_goes_in_and_moves_away_with_the_next_pull(feed, folder, held):
    run = release_run(held, by="rosa")
    assert (run.status, run.updated, run.released_from) == ("succeeded", 12, held)
    assert profiles(feed.account) == {"After"}
    held.refresh_from_db()
    assert (held.status, held.decision, held.decided_by) == ("held", "released", "rosa")
    assert held.decided_at is not None
    drop(folder, "3.txt", "C99")
    assert pull_feed(feed).imported == 1
    assert all(name.startswith("processed/") for name in names(folder))
    assert Run.objects.count() == 4


def test_a_released_file_is_undone_like_any_other(feed, folder, held):
    undo_run(release_run(held, by="rosa"))
    assert profiles(feed.account) == {"Before"}
    pull_feed(feed)
    assert all(name.startswith("processed/") for name in names(folder))


def test_a_rejected_file_moves_to_the_failed_folder_and_the_feed_goes_on(feed, folder, held):
    rejected = reject_run(held, by="rosa")
    assert (rejected.status, rejected.decision, rejected.decided_by) == ("rejected", "rejected", "rosa")
    drop(folder, "3.txt", "C99")
    assert pull_feed(feed).imported == 1
    assert names(folder)[0].startswith("failed/")
    assert profiles(feed.account) == {"Before", "Harbor Row"}


def test_a_decision_makes_the_feed_due(feed, held):
    feed.refresh_from_db()
    assert not Feed.objects.due().exists()
    reject_run(held, by="rosa")
    assert Feed.objects.due().get() == feed


@pytest.mark.parametrize("first", [release_run, reject_run])
@pytest.mark.parametrize("second", [release_run, reject_run])
def test_a_run_is_decided_once(held, first, second):
    first(held, by="rosa")
    with pytest.raises(SettingsWrong, match="awaits no decision"):
        second(held, by="luc")
    held.refresh_from_db()
    assert held.decided_by == "rosa"


def test_of_two_people_who_decide_at_once_one_wins(held):
    outcomes = []
    start = threading.Barrier(2)

    def decide_as(name):
        start.wait(60)
        try:
            decide(Run.objects.get(pk=held.pk), Run.Decision.REJECTED, name)
            outcomes.append(name)
        except SettingsWrong:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide_as, args=[name]) for name in ("rosa", "luc")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count("refused") == 1
    held.refresh_from_db()
    assert held.decided_by in outcomes


def test_a_rejection_while_the_release_is_at_work_takes_the_release_back(held, monkeypatch):
    """The decision is written with the merge, and the database lets one of the two through."""
    go = pipeline._Import._merge

    def reject():
        reject_run(Run.objects.get(pk=held.pk), by="luc")
        connection.close()

    def merge_late(self, *arguments):
        go(self, *arguments)
        thread = threading.Thread(target=reject)
        thread.start()
        thread.join(60)

    monkeypatch.setattr(pipeline._Import, "_merge", merge_late)
    with pytest.raises(SettingsWrong, match="rejected by luc"):
        release_run(held, by="rosa")
    assert profiles(held.account) == {"Before"}
    assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["succeeded", "rejected", "failed"]


def test_a_release_after_a_newer_file_is_refused_unless_it_is_forced(feed, folder, held):
    Feed.objects.update(while_held="go_on")
    drop(folder, "3.txt", "C1", profile="Newest")
    pull_feed(feed)
    with pytest.raises(SettingsWrong, match="A newer file went in"):
        release_run(held, by="rosa")
    assert release_run(held, by="rosa", force=True).status == "succeeded"


def test_files_of_other_feeds_do_not_stand_against_a_release(feed, held, tmp_path, account):
    other = tmp_path / "other"
    other.mkdir()
    drop(other, "1.txt", "X1")
    with run_sftp(other) as running:
        assert pull_feed(make_feed(account, running, "other")).imported == 1
    assert release_run(held, by="rosa").status == "succeeded"


def test_a_held_file_can_be_released_even_where_no_copies_are_kept(feed, folder, settings):
    settings.KEEP_FILES_DAYS = 0
    for number, profile in enumerate(["Before", "After"]):
        drop(folder, f"{number}.txt", *MANY, profile=profile)
        pull_feed(feed)
    held = Run.objects.get(status="held")
    assert kept_bytes(held.kept_file).decode() == customers(*MANY, profile="After")
    prune_all()
    path = folder.parent / "manual.txt"
    path.write_text(customers("M1"))
    import_path(feed.account, path)
    assert release_run(held, by="rosa", force=True).status == "succeeded"
    prune_all()
    assert not kept_path(held.kept_file).exists()


def test_a_release_without_a_copy_says_so(held):
    kept_path(held.kept_file).unlink()
    with pytest.raises(SettingsWrong, match=r"is gone from .* Bring it back from a backup of the storage, or have"):
        release_run(held, by="rosa")
    Run.objects.update(kept_file=None)
    with pytest.raises(SettingsWrong, match=r"No copy of .* Reject the run"):
        release_run(held, by="rosa")


DOCUMENT = """
name: erp
dialect: {delimiter: ","}
header: [Nr, Name]
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""


def make_live(account, document):
    version = save_draft(account, "erp", read_format(document))
    FormatVersion.objects.filter(status="live").update(status="retired")
    FormatVersion.objects.filter(pk=version.pk).update(status="live")
    version.refresh_from_db()
    return version


@pytest.fixture
def drifted(account, tmp_path):
    """A run that is held because its header is not the approved one."""
    path = tmp_path / "a.txt"
    path.write_text("Nr,Title\nC1,Harbor Row\n")
    return import_path(account, path, version=make_live(account, DOCUMENT))


def test_a_file_with_another_header_is_not_released_and_nothing_is_begun(drifted):
    assert (drifted.status, drifted.held_for) == ("held", "header")
    with pytest.raises(SettingsWrong, match="Approve a version of erp that reads such files"):
        release_run(drifted, by="rosa")
    drifted.refresh_from_db()
    assert drifted.awaits_decision
    assert Run.objects.get() == drifted


def test_its_page_offers_no_release_and_says_what_to_do(drifted, client):
    client.force_login(make_user("root", is_superuser=True))
    page = reverse("admin:imports_run_change", args=[drifted.pk])
    release, reject = (reverse(f"admin:imports_run_{name}", args=[drifted.pk]) for name in ("release", "reject"))
    shown = client.get(page).content.decode()
    assert "Approve a version of erp that reads such files" in shown
    assert reject in shown
    assert release not in shown
    step = client.get(release).content.decode()
    assert "Approve a version of erp that reads such files" in step
    assert "Release</button>" not in step
    client.post(release)
    drifted.refresh_from_db()
    assert (drifted.awaits_decision, drifted.release_asked_at) == (True, None)
    make_live(drifted.account, DOCUMENT.replace("Name", "Title"))
    assert release in client.get(page).content.decode()


def test_a_program_that_asks_for_its_release_is_answered_what_to_do(drifted, account):
    add_member(account, user := make_user("rosa"))
    answer = Program(user)("post", f"accounts/{account.code}/runs/{drifted.pk}/release/")
    assert answer.status_code == 409
    assert "Approve a version of erp that reads such files" in answer.json()["detail"]
    drifted.refresh_from_db()
    assert (drifted.awaits_decision, drifted.release_asked_at) == (True, None)


def test_it_is_released_once_a_version_reads_such_files(account, drifted):
    make_live(account, DOCUMENT.replace("{constant: EUR", "{constant: USD"))
    with pytest.raises(SettingsWrong, match="erp@2 does not read it either"):
        release_run(drifted, by="rosa")
    make_live(account, DOCUMENT.replace("Name", "Title"))
    assert find_advice(drifted) == ""
    released = release_run(drifted, by="rosa")
    assert (released.status, released.created, released.format_name) == ("succeeded", 1, "erp@3")


def test_it_can_be_rejected(drifted):
    assert reject_run(drifted, by="rosa").status == "rejected"


def test_a_run_whose_format_was_deleted_is_never_read_as_the_standard_template(drifted):
    drifted.format_version.format.delete()
    drifted.refresh_from_db()
    with pytest.raises(SettingsWrong, match=r"The format erp@1, which run .* belongs to, was deleted"):
        release_run(drifted, by="rosa")
    assert Run.objects.get() == drifted
    assert reject_run(drifted, by="rosa").status == "rejected"


def test_what_a_file_is_held_for_can_be_asked(held):
    assert (held.held_for, held.needs_version) == ("limits", False)


def test_a_pull_says_which_decision_its_feed_waits_for(feed, folder, held):
    drop(folder, "3.txt", "C99")
    assert f"Waits for a decision about {held}" in pull_feed(feed).message
    reject_run(held, by="rosa")
    assert pull_feed(feed).message == ""


def test_a_failed_release_leaves_the_held_file_held_for_its_feed(feed, folder, held):
    Run.objects.create(
        account=feed.account, feed=feed, file_name="2.txt", remote_path="2.txt", released_from=held, status="failed",
        remote_size=held.remote_size, remote_modified_at=held.remote_modified_at, format_name="standard template",
    )  # fmt: skip
    assert pull_feed(feed).imported == 0
    assert Run.objects.filter(status="held").count() == 1


def test_the_decision_is_told(feed, held):
    Feed.objects.update(contacts=["erp@example.com"])
    held.refresh_from_db()
    reject_run(Run.objects.get(pk=held.pk), by="rosa")
    assert Message.objects.filter(run=held, event="run.rejected", kind="email").count() == 1


# -- commands


def test_the_commands_release_and_reject(held, capsys):
    call_command("release_run", str(held.pk), reason="A new price list")
    held.refresh_from_db()
    assert held.reason == "A new price list"
    assert "12 updated" in capsys.readouterr().out
    with pytest.raises(CommandError, match="awaits no decision") as refused:
        call_command("reject_run", str(held.pk))
    assert refused.value.returncode == 2


def test_the_command_rejects_in_a_users_name(held, capsys):
    make_user("rosa", is_superuser=True)
    call_command("reject_run", str(held.pk), by="rosa", reason="Yesterday's file")
    held.refresh_from_db()
    assert held.reason == "Yesterday's file"
    assert "rejected by rosa" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no active user"):
        call_command("reject_run", str(held.pk), by="nobody")


def test_the_commands_know_no_other_runs():
    with pytest.raises(CommandError, match="There is no run 7"):
        call_command("release_run", "7")

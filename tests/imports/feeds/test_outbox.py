"""Receipts and rejects, written back to the server that the file came from."""

import json

import pytest

from imports.feeds.pulling import pull_feed
from imports.models import Feed, Message, Pull, Run
from tests.feeds import drop, make_feed
from tests.imports.customer_files import NEW, as_text
from tests.servers import run_ftp, run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[run_sftp, run_ftp], ids=["sftp", "ftp"])
def feed(request, account, folder):
    with request.param(folder) as server:
        yield make_feed(account, server, outbox_folder="outbox/erp")


def written(folder):
    return {path.name: path.read_text() for path in (folder / "outbox" / "erp").glob("*")}


def drop_with_a_mistake(folder, name="customers.txt"):
    rows = [{**NEW, "customer_code": "C1"}, {**NEW, "customer_code": "C2", "discount": "many"}]
    (folder / name).write_text(as_text(rows))


def test_the_sender_gets_a_receipt_and_the_rejected_rows(feed, folder):
    drop_with_a_mistake(folder)
    assert pull_feed(feed).status == "succeeded"
    run = Run.objects.get()
    files = written(folder)
    assert set(files) == {f"{run.pk}-partial-customers.txt.json", f"{run.pk}-rejects-customers.txt"}
    receipt = json.loads(files[f"{run.pk}-partial-customers.txt.json"])
    assert (receipt["status"], receipt["counts"]["rejected"], receipt["issues"][0]["line"]) == ("partial", 1, 3)
    rejects = files[f"{run.pk}-rejects-customers.txt"]
    assert "C2" in rejects
    assert "_message" in rejects
    assert "C1|" not in rejects
    assert not Message.objects.pending().exists()


def test_a_receipt_is_written_once(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_feed(feed)
    pull_feed(feed)
    assert len(written(folder)) == 1


def test_what_a_killed_pull_had_written_already_is_noted_and_not_doubled(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_feed(feed)
    Message.objects.update(delivered_at=None)
    pull_feed(feed)
    assert len(written(folder)) == 1
    assert not Message.objects.pending().exists()


def test_another_file_of_the_name_is_not_overwritten(feed, folder):
    drop(folder, "a.txt", "C1")
    pull_feed(feed)
    (name,) = written(folder)
    (folder / "outbox" / "erp" / name).write_text("somebody else's")
    Message.objects.update(delivered_at=None)
    pull_feed(feed)
    files = written(folder)
    assert files[name] == "somebody else's"
    assert len(files) == 2


def test_an_outbox_that_cannot_be_written_is_told_and_written_later(feed, folder):
    drop(folder, "a.txt", "C1")
    (folder / "outbox").write_text("a file where a folder should be")
    pull = pull_feed(feed)
    assert pull.status == "failed"
    assert Run.objects.get().status == "succeeded"
    assert not list(folder.glob("*.txt"))
    (folder / "outbox").unlink()
    assert pull_feed(feed).status == "succeeded"
    assert len(written(folder)) == 1


def test_nothing_is_written_where_the_outbox_was_taken_away(feed, folder):
    drop(folder, "a.txt", "C1")
    Feed.objects.update(outbox_folder="")
    pull_feed(feed)
    assert not (folder / "outbox").exists()
    assert not Message.objects.exists()


def test_the_name_of_a_file_leads_nowhere_else(feed, folder):
    name = "a\\..\\evil*?.txt"
    drop(folder, name, "C1")
    assert pull_feed(feed).status == "succeeded"
    (receipt,) = written(folder)
    assert receipt == f"{Run.objects.get().pk}-succeeded-a_.._evil__.txt.json"


def test_receipts_are_not_taken_for_customer_files(feed, folder):
    Feed.objects.update(mask="*")
    drop(folder, "a.txt", "C1")
    for _ in range(3):
        pull_feed(Feed.objects.get())
    assert Run.objects.count() == 1
    assert set(Pull.objects.values_list("status", flat=True)) == {"succeeded"}


def test_what_lies_in_the_outbox_is_complete(feed, folder):
    """It is written under a temporary name first."""
    drop(folder, "a.txt", "C1")
    pull_feed(feed)
    assert not list((folder / "outbox" / "erp").glob("*.part"))
    assert json.loads(next(iter(written(folder).values())))["status"] == "succeeded"

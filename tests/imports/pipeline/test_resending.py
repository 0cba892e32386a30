"""A file that comes again as it was is read again only where that could come to anything else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections.history.recording import recorded_deletion, recorded_edit
from connections.models import Address, Change, Connection
from connections.models.sightings import Sighting
from connections.review import decisions as review
from imports.files.scanning import scan_customers
from imports.formats.policies import Policies
from imports.formats.spec import STANDARD
from imports.models import Run
from imports.pipeline import importing
from imports.runs.undoing import undo_run
from lookups.models import PriceType, Warehouse
from tests.builders import make_user
from tests.imports.customer_files import NEW, SHIPPING, as_text, issues_of

TWO = (NEW | SHIPPING | {"shipping_name": "Quay"}, NEW | {"customer_code": "C2"})
_HEADER, *_ROWS = as_text(
    [
        NEW | {"surprise": "x"},
        NEW | {"customer_code": "C2", "surprise": "y", "profile_name": "Quay (inactive)"},
    ]
).splitlines()
REMARKED = "\n".join(["sep=;", _HEADER, *_ROWS, _HEADER, ""])
"""A file with issues of its own, for what nobody reads of it, and with some of customers."""


@pytest.fixture
def reads(monkeypatch):
    """The files that were read, a mark for each."""
    marks = []

    def count(*arguments):
        marks.append(1)
        return scan_customers(*arguments)

    monkeypatch.setattr(importing, "scan_customers", count)
    return marks


def described(run):
    return run.status, run.counts, issues_of(run), run.issue_groups and [group["code"] for group in run.issue_groups]


@pytest.mark.django_db(transaction=True)  # stamps are held until the end of the transaction
def test_a_file_that_comes_again_is_not_read_and_its_run_says_what_reading_says(send, reads, monkeypatch):
    first = send(*TWO)
    again = send(*TWO)
    third = send(*TWO)
    assert len(reads) == 1
    assert again.counts == first.counts | {"created": 0, "unchanged": 2}
    assert again.kept_file and again.sha256 == first.sha256
    assert Sighting.objects.count() == 1
    monkeypatch.setattr(importing, "find_same", lambda run, keeper: None)
    assert described(send(*TWO)) == described(again) == described(third)
    assert len(reads) == 2


@pytest.mark.django_db(transaction=True)  # stamps are held until the end of the transaction
def test_of_a_file_that_comes_again_the_issues_of_the_file_itself_are_told_once_more(send, reads, monkeypatch):
    first, again, third = send.text(REMARKED), send.text(REMARKED), send.text(REMARKED)
    assert len(reads) == 1
    assert {code for _, _, code in issues_of(first)} - {code for _, _, code in issues_of(again)} == {"marked_name"}
    assert sorted(code for _, _, code in issues_of(again)) == ["repeated_header", "separator", "unknown_column"]
    monkeypatch.setattr(importing, "find_same", lambda run, keeper: None)
    assert described(send.text(REMARKED)) == described(again) == described(third)
    assert len(reads) == 2


def edit(send):
    connection = send.account.connections.get(customer_code="C1")
    with recorded_edit([connection.pk], make_user("rosa")):
        Connection.objects.filter(pk=connection.pk).update(customer_alias="Rosa's", profile_name="Other")


def edit_address(send):
    address = Address.objects.get()
    with recorded_edit([address.connection_id], make_user("rosa")):
        Address.objects.update(name="Other")


def delete(send):
    connection = send.account.connections.get(customer_code="C2")
    with recorded_deletion([connection.pk], make_user("rosa")):
        connection.delete()


def reject(send):
    review.reject(send.account.connections.filter(customer_code="C2"), make_user("rosa"))


def undo(send):
    undo_run(Run.objects.get())


def send_another_file(send):
    send(NEW | {"profile_name": "Other"})


def end_an_older_run(send):
    """One that was queued before, and came to its turn after."""
    older = Run.objects.create(
        pk=Run.objects.get().pk - 1, account=send.account, status="succeeded", finished_at=timezone.now()
    )
    newer = send(NEW | {"profile_name": "Other"})
    Change.objects.filter(run_id=newer.pk).update(run_id=older.pk)
    newer.delete()


def send_what_says_the_same(send):
    send(*reversed(TWO))


def send_some_rejected(send):
    send(NEW | {"price_type_name": "Nobody's"}, NEW | {"customer_code": "C2"})


def rename_an_entry(send):
    PriceType.objects.filter(label="Japan").update(label="Nippon")


def add_an_entry(send):
    Warehouse.objects.create(account=send.account, code="WH3", name="Oslo")


def let_a_day_pass(send):
    Run.objects.update(started_at=timezone.now() - timedelta(days=1))


def change_the_rules(send):
    importing.RULES_REVISION += 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        edit, edit_address, delete, reject, undo, send_another_file, end_an_older_run, send_what_says_the_same,
        send_some_rejected, rename_an_entry, add_an_entry, let_a_day_pass, change_the_rules,
    ],
)  # fmt: skip
def test_a_file_is_read_again_when_anything_else_has_changed(send, reads, monkeypatch, meanwhile):
    monkeypatch.setattr(importing, "RULES_REVISION", importing.RULES_REVISION)
    send(*TWO)
    meanwhile(send)
    before = len(reads)
    run = send(*TWO)
    assert len(reads) == before + 1
    assert run.status == "succeeded"
    if meanwhile is not reject:
        assert send.customers().keys() == {"C1", "C2"}
        assert send.customer("C1")["profile_name"] == "Harbor Row"
        assert send.customer("C1")["addresses"][0]["name"] == "Quay"
    else:
        assert run.skipped == 1
        assert send(*TWO).skipped == 1  # told of with each file


@pytest.mark.parametrize("options", [{"dry_run": True}, {"keep": False}])
def test_what_is_asked_for_otherwise_is_read(send, reads, options):
    send(*TWO)
    send(*TWO, **options)
    assert len(reads) == 2


def test_other_bytes_of_the_same_size_and_other_policies_are_read(send, reads):
    send(*TWO)
    send(TWO[0] | {"shipping_name": "Quai"}, TWO[1])
    assert len(reads) == 2
    full = replace(STANDARD, policies=Policies(full_files=True))
    run = send(TWO[0] | {"shipping_name": "Quai"}, TWO[1], spec=full)
    assert len(reads) == 3
    assert run.unchanged == 2
    assert Sighting.objects.get().is_full


@pytest.mark.django_db(transaction=True)  # stamps are held until the end of the transaction
def test_how_much_of_the_log_is_read_does_not_grow_with_the_last_file(send, reads):
    """A first load of a million customers writes a million rows there, and its file comes again every hour."""
    run = send(*TWO)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connections_change (account_id, connection_id, run_id, at, action, record, key, field)"
            " SELECT account_id, connection_id, run_id, at, action, record, key, field"
            " FROM connections_change, generate_series(1, 10000) WHERE run_id = %s",
            [run.pk],
        )
        cursor.execute("ANALYZE connections_change")
        with CaptureQueriesContext(connection) as asked:
            send(*TWO)
        assert len(reads) == 1
        of_the_log = [query["sql"] for query in asked if '"connections_change"' in query["sql"]]
        assert len(of_the_log) == 2
        for sql in of_the_log:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
            plan = cursor.fetchone()[0][0]["Plan"]
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20, plan

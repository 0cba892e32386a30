"""Databases of earlier releases, brought to what the models are now."""

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection as database
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.builders import make_account, make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def within_a_transaction(monkeypatch):
    """The test's, which is taken back with all migrations; no index is built concurrently there."""
    for concurrent, usual in ((AddIndexConcurrently, AddIndex), (RemoveIndexConcurrently, RemoveIndex)):
        for way in ("database_forwards", "database_backwards"):
            monkeypatch.setattr(concurrent, way, getattr(usual, way))


def migrate(name):
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(database)
    executor.migrate([("connections", name)])
    return executor.loader.project_state([("connections", name)]).apps


def test_earlier_changes_are_given_their_account_and_customer_code():
    first, second = (make_connection(make_account(code), f"{code}-C1") for code in ("maison", "atelier"))
    old = migrate("0001_initial").get_model("connections", "Change")
    known = {"at": timezone.now(), "action": "created", "record": "connection"}
    for pk in (first.pk, second.pk, first.pk, 0):
        old.objects.create(connection_id=pk, **known)
    now = migrate("0004_index_changes").get_model("connections", "Change")
    assert list(now.objects.order_by("id").values_list("account_id", "customer_code")) == [
        (first.account_id, "maison-C1"),
        (second.account_id, "atelier-C1"),
        (first.account_id, "maison-C1"),
        (0, ""),
    ]
    now.objects.all().delete()
    database.cursor().execute(
        "INSERT INTO connections_change (connection_id, at, action, record, key, field)"
        " VALUES (1, now(), 'created', 'connection', '', '')"
    )
    assert now.objects.count() == 1, "code that still runs goes on"


def test_chains_of_duplicates_end_at_the_connection_that_stays():
    account, other = make_account("maison"), make_account("atelier")
    old = migrate("0005_stamp_by_the_database").get_model("connections", "Connection")

    def make(code, of=None, status="rejected", owner=account):
        return old.objects.create(
            account_id=owner.pk, customer_code=code, profile_name=code, status=status, duplicate_of_id=of and of.pk,
            source_digest=b"x",
        )  # fmt: skip

    stays = make("STAYS", status="approved")
    first = make("FIRST", stays)
    second = make("SECOND", first)
    make("THIRD", second)
    nowhere = make("NOWHERE")
    make("LOST", make("LOSING", nowhere))
    make("APPROVED", stays, status="approved")
    make("FOREIGN", stays, owner=other)
    now = migrate("0007_originals_stay").get_model("connections", "Connection")
    found = now.objects.exclude(duplicate_of=None).values_list("customer_code", "duplicate_of__customer_code")
    assert dict(found) == dict.fromkeys(("FIRST", "SECOND", "THIRD"), "STAYS")
    emptied = {row.customer_code for row in now.objects.all() if not bytes(row.source_digest)}
    assert emptied == {"SECOND", "THIRD", "LOST", "LOSING", "FOREIGN"}


def test_connections_are_given_their_near_keys():
    account = make_account("maison")
    codes = {"00A1": "a1", "B-2": "b2", "\u200b3.0": "3", "ÄÖ": "äö"}
    old = migrate("0007_originals_stay").get_model("connections", "Connection")
    for code in codes:
        old.objects.create(account_id=account.pk, customer_code=code, profile_name=code)
    now = migrate("0010_index_near_keys").get_model("connections", "Connection")
    assert dict(now.objects.values_list("customer_code", "near_key")) == codes


def test_near_keys_are_written_anew_where_separators_count_no_more():
    account = make_account("maison")
    old = migrate("0025_index_changes_by_people")
    for code, key in {"AB-1": "ab-1", "10/2": "10/2", "Plain": "plain"}.items():
        old.get_model("connections", "Connection").objects.create(
            account_id=account.pk, customer_code=code, near_key=key, profile_name=code
        )
    old.get_model("connections", "MatchingProgress").objects.create(
        account_id=account.pk, updated_at=timezone.now(), connection_id=0
    )
    now = migrate("0026_plain_separators")
    keys = now.get_model("connections", "Connection").objects.values_list("customer_code", "near_key")
    assert dict(keys) == {"AB-1": "ab1", "10/2": "10-2", "Plain": "plain"}
    assert not now.get_model("connections", "MatchingProgress").objects.exists(), "all are looked at again"


def test_texts_are_stored_as_files_say_them():
    account = make_account("maison")
    old = migrate("0010_index_near_keys")
    connections, addresses = old.get_model("connections", "Connection"), old.get_model("connections", "Address")
    changes = old.get_model("connections", "Change")

    def make(code, **fields):
        return connections.objects.create(account_id=account.pk, customer_code=code, **{"profile_name": code, **fields})

    known = make("C\u200b1", customer_alias="Cafe\u0301")
    addresses.objects.create(connection=known, kind="S", code='="01"', city="\u00a0Zu\u0308rich", country="CH")
    changes.objects.create(
        connection_id=known.pk, account_id=account.pk, customer_code="C\u200b1", at=timezone.now(), action="created",
        record="connection",
    )  # fmt: skip
    for code in ("TAKEN", "TAKEN\u200e", "\u200b", '="007"', "Plain"):
        make(code)
    now = migrate("0011_read_texts")
    found = now.get_model("connections", "Connection").objects.order_by("id").values_list("customer_code", flat=True)
    assert list(found) == ["C1", "TAKEN", "TAKEN\u200e", "\u200b", "007", "Plain"]
    (known,) = now.get_model("connections", "Connection").objects.filter(customer_code="C1")
    assert (known.customer_alias, known.profile_name, known.near_key) == ("Café", "C\u200b1", "c1")
    (address,) = now.get_model("connections", "Address").objects.all()
    assert (address.code, address.city) == ("01", "Zürich")
    assert now.get_model("connections", "Change").objects.get().customer_code == "C1"


def test_earlier_changes_keep_the_values_of_what_they_made():
    known = {"connection_id": 1, "at": timezone.now(), "action": "created", "record": "door"}
    old = migrate("0018_search_documents").get_model("connections", "Change")
    values = [{"name": 'L\'Été \\ "1"'}, {}, None]
    old.objects.bulk_create(old(values=one, **known) for one in values)
    now = migrate("0019_written_values").get_model("connections", "Change")
    assert list(now.objects.order_by("id").values_list("values", flat=True)) == values

"""Databases of earlier releases, brought to what the models are now.

From the newest to the oldest, so that each begins where the one before did: to walk back takes seconds.
"""

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection as database
from django.db import transaction
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.builders import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def within_a_transaction(django_db_setup, django_db_blocker):
    """All migrations are taken back with it; no index is built concurrently there."""
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock(), transaction.atomic():
        for concurrent, usual in ((AddIndexConcurrently, AddIndex), (RemoveIndexConcurrently, RemoveIndex)):
            for way in ("database_forwards", "database_backwards"):
                patched.setattr(concurrent, way, getattr(usual, way))
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def old(request, within_a_transaction):
    """The models as they were at a migration, and the database with them: what a test does from there is taken back."""
    return migrate(request.param)


def beginning_at(name):
    return pytest.mark.parametrize("old", [name], indirect=True, scope="module")


def migrate(name):
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(database)
    executor.migrate([("connections", name)])
    return executor.loader.project_state([("connections", name)]).apps


@beginning_at("0025_index_changes_by_people")
def test_near_keys_are_written_anew_where_separators_count_no_more(old):
    account = make_account("maison")
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


@beginning_at("0018_search_documents")
def test_earlier_changes_keep_the_values_of_what_they_made(old):
    known = {"connection_id": 1, "at": timezone.now(), "action": "created", "record": "door"}
    change = old.get_model("connections", "Change")
    values = [{"name": 'L\'Été \\ "1"'}, {}, None]
    change.objects.bulk_create(change(values=one, **known) for one in values)
    now = migrate("0019_written_values").get_model("connections", "Change")
    assert list(now.objects.order_by("id").values_list("values", flat=True)) == values


@beginning_at("0010_index_near_keys")
def test_texts_are_stored_as_files_say_them(old):
    account = make_account("maison")
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


@beginning_at("0007_originals_stay")
def test_connections_are_given_their_near_keys(old):
    account = make_account("maison")
    codes = {"00A1": "a1", "B-2": "b2", "\u200b3.0": "3", "ÄÖ": "äö"}
    for code in codes:
        old.get_model("connections", "Connection").objects.create(
            account_id=account.pk, customer_code=code, profile_name=code
        )
    now = migrate("0010_index_near_keys").get_model("connections", "Connection")
    assert dict(now.objects.values_list("customer_code", "near_key")) == codes


@beginning_at("0005_stamp_by_the_database")
def test_chains_of_duplicates_end_at_the_connection_that_stays(old):
    account, other = make_account("maison"), make_account("atelier")

    def make(code, of=None, status="rejected", owner=account):
        return old.get_model("connections", "Connection").objects.create(
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


@beginning_at("0001_initial")
def test_earlier_changes_are_given_their_account_and_customer_code(old):
    connections, changes = old.get_model("connections", "Connection"), old.get_model("connections", "Change")
    first, second = (
        connections.objects.create(account_id=make_account(code).pk, customer_code=f"{code}-C1", profile_name="A")
        for code in ("maison", "atelier")
    )
    known = {"at": timezone.now(), "action": "created", "record": "connection"}
    for pk in (first.pk, second.pk, first.pk, 0):
        changes.objects.create(connection_id=pk, **known)
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

"""Edits by people, as the change log keeps them."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.history.recording import recorded_deletion, recorded_edit
from connections.models import Address, Buyer, Change, Connection, ConnectionPaymentTerm, ConnectionPriceType, Door
from lookups.models import CompanyNumber, PaymentTerm, PriceType, SalesRep
from tests.builders import add_lookups, make_account, make_connection, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    account = make_account()
    add_lookups(account)
    connection = make_connection(
        account,
        addresses=[{"code": "STORE-1", "city": "Lyon"}],
        doors=[{"code": "STORE-1", "name": "Lyon"}],
        buyers=[{"email": "ana@example.com", "name": "Ana"}],
    )
    Connection.objects.update(source_digest=b"0123456789abcdef")
    return connection


@pytest.fixture
def user():
    return make_user("eddie")


def changes():
    return set(Change.objects.values_list("action", "record", "key", "field", "before", "after"))


def test_fields_are_recorded_as_text(connection, user):
    with recorded_edit([connection.pk], user):
        Connection.objects.update(
            profile_name="New name",
            discount=10,
            discount_line_item_level=False,
            sales_rep=SalesRep.objects.get(code="REP1"),
            company_number=CompanyNumber.objects.get(code="CN2"),
        )
    assert changes() == {
        ("updated", "connection", "", "profile_name", "Customer C1", "New name"),
        ("updated", "connection", "", "discount", None, "10"),
        ("updated", "connection", "", "discount_line_item_level", None, "false"),
        ("updated", "connection", "", "sales_rep", None, "REP1"),
        ("updated", "connection", "", "company_number", None, "CN2"),
    }
    change = Change.objects.all()[0]
    assert (change.connection, change.user, change.run_id, change.line) == (connection, user, None, None)


def test_records_are_named_by_their_keys(connection, user):
    with recorded_edit([connection.pk], user):
        Address.objects.update(city="Paris", state="")
        Address.objects.create(connection=connection, kind="B", code="HQ", country="FR")
        Door.objects.all().delete()
        Buyer.objects.update(name="Ana Lind")
        ConnectionPaymentTerm.objects.create(connection=connection, lookup=PaymentTerm.objects.get(code="N30"))
        ConnectionPriceType.objects.update(lookup=PriceType.objects.get(currency="USD"))
    assert changes() == {
        ("updated", "address", "S:STORE-1", "city", "Lyon", "Paris"),
        ("created", "address", "B:HQ", "", None, None),
        ("deleted", "door", "STORE-1", "", None, None),
        ("updated", "buyer", "ana@example.com", "name", "Ana", "Ana Lind"),
        ("created", "payment_term", "N30", "", None, None),
        ("deleted", "price_type", "EUR EU Wholesale", "", None, None),
        ("created", "price_type", "USD US Wholesale", "", None, None),
    }
    values = {(change.record, change.action): change.values for change in Change.objects.all()}
    assert values["address", "created"] == {"country": "FR"}
    assert values["door", "deleted"] == {"name": "Lyon"}
    assert values["price_type", "deleted"] == values["price_type", "created"] == {}
    assert values["address", "updated"] is None


def test_an_edit_empties_the_digest_and_tells_the_time(connection, user):
    before = connection.updated_at
    with recorded_edit([connection.pk], user):
        Door.objects.update(name="Paris")
    connection.refresh_from_db()
    assert bytes(connection.source_digest) == b""
    assert connection.updated_at > before
    assert Change.objects.get().at == connection.updated_at


def test_an_edit_that_changes_nothing_leaves_no_trace(connection, user):
    before = connection.updated_at
    with recorded_edit([connection.pk], user):
        Door.objects.update(name="Lyon")
    connection.refresh_from_db()
    assert not Change.objects.exists()
    assert bytes(connection.source_digest) == b"0123456789abcdef"
    assert connection.updated_at == before


def test_a_failed_edit_is_undone_with_its_record(connection, user):
    with pytest.raises(ValueError, match="broken"), recorded_edit([connection.pk], user):
        Door.objects.all().delete()
        raise ValueError("broken")
    assert Door.objects.exists()
    assert not Change.objects.exists()


def test_a_deleted_connection_keeps_its_history_and_its_values_in_one_row(connection, user):
    pk = connection.pk
    Connection.objects.update(status="rejected", reviewed_by=user, discount=0, discount_line_item_level=False)
    with recorded_edit([pk], user):
        connection.delete()
    (change,) = Change.objects.all()
    assert (change.connection_id, change.account_id, change.customer_code) == (pk, connection.account_id, "C1")
    assert (change.action, change.record, change.key) == ("deleted", "connection", "")
    assert change.values == {
        "values": {"profile_name": "Customer C1", "discount": "0", "discount_line_item_level": "false"},
        "status": "rejected",
        "reviewed_by": "eddie",
        "created_at": connection.created_at.isoformat(),
        "records": [
            {"record": "address", "key": "S:STORE-1", "values": {"city": "Lyon", "country": "FR"}},
            {"record": "door", "key": "STORE-1", "values": {"name": "Lyon"}},
            {"record": "buyer", "key": "ana@example.com", "values": {"name": "Ana"}},
            {"record": "price_type", "key": "EUR EU Wholesale", "values": {}},
        ],
    }


def test_many_connections_take_as_many_queries_as_one(connection, user):
    def queries(pks):
        with CaptureQueriesContext(database) as captured, recorded_edit(pks, user):
            Connection.objects.filter(pk__in=pks).update(customer_alias="x")
        return len(captured)

    pks = [make_connection(connection.account, f"M{number}").pk for number in range(20)]
    assert queries(pks) == queries([connection.pk])
    assert Change.objects.count() == 21


def test_the_connection_is_locked_before_it_is_read(connection, user):
    with CaptureQueriesContext(database) as captured, recorded_edit([connection.pk], user):
        pass
    statements = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert "FOR NO KEY UPDATE" in statements[0]


def test_duplicates_of_a_deleted_connection_are_recorded_to_be_nobodys(connection, user):
    double = make_connection(connection.account, "C2", status="rejected", duplicate_of=connection)
    with recorded_deletion([connection.pk], user):
        connection.delete()
    double.refresh_from_db()
    assert double.duplicate_of is None
    (change,) = double.changes
    assert (change.field, change.before, change.after, change.user) == ("duplicate_of", "C1", None, user)
    assert change.at == double.updated_at

"""The testing scenarios of the source document: a file goes in, the database is read."""

import pytest

from connections.models import Change, Connection
from tests.imports.customer_files import BILLING, NEW, SHIPPING


def test_add_a_connection(send):
    run = send(NEW)
    assert (run.status, run.created) == ("succeeded", 1)
    connection = Connection.objects.get(customer_code="C1")
    assert connection.profile_name == "Harbor Row"
    assert connection.status == Connection.Status.PENDING
    assert send.customer()["price_types"] == [["EUR", "EU Wholesale"]]


def test_add_and_update_a_payment_method(send):
    send(NEW)
    assert send.customer()["payment_terms"] == []
    send({"customer_code": "C1", "payment_terms_code": "N30"})
    assert send.customer()["payment_terms"] == ["N30"]
    run = send({"customer_code": "C1", "payment_terms_code": "N60"})
    assert send.customer()["payment_terms"] == ["N60"]
    changes = Change.objects.filter(run_id=run.pk).values_list("action", "record", "key").order_by("action")
    assert list(changes) == [("created", "payment_term", "N60"), ("deleted", "payment_term", "N30")]


def test_add_and_update_a_shipping_method(send):
    send(NEW)
    send({"customer_code": "C1", "shipping_terms": "UPS"})
    assert send.customer()["shipping_terms"] == ["UPS"]
    send({"customer_code": "C1", "shipping_terms": "DHL"})
    assert send.customer()["shipping_terms"] == ["DHL"]


@pytest.mark.parametrize(("row", "prefix"), [(BILLING, "billing"), (SHIPPING, "shipping")])
def test_add_and_update_an_address(send, row, prefix):
    send(NEW)
    send({"customer_code": "C1", **row, f"{prefix}_city": "Lyon", f"{prefix}_address_1": "9 Rue Mercière"})
    (address,) = send.customer()["addresses"]
    assert (address["kind"], address["city"], address["address_1"]) == (prefix[0].upper(), "Lyon", "9 Rue Mercière")
    run = send({"customer_code": "C1", **row, f"{prefix}_city": "Paris"})
    (address,) = send.customer()["addresses"]
    assert (address["city"], address["address_1"]) == ("Paris", "9 Rue Mercière")
    (change,) = Change.objects.filter(run_id=run.pk)
    assert (change.field, change.before, change.after, change.line) == ("city", "Lyon", "Paris", 2)
    assert change.key == f"{address['kind']}:{address['code']}"


def test_add_an_alias(send):
    send(NEW)
    run = send({"customer_code": "C1", "customer_alias": "Harbor"})
    assert (run.updated, send.customer()["customer_alias"]) == (1, "Harbor")


def test_add_an_additional_address_to_an_existing_connection(send):
    send(NEW | SHIPPING)
    send({"customer_code": "C1", "address_type": "S", "shipping_code": "S2", "shipping_country": "Germany"})
    assert [(address["code"], address["country"]) for address in send.customer()["addresses"]] == [
        ("S1", "FR"),
        ("S2", "DE"),
    ]


def test_add_and_update_a_discount(send):
    send(NEW)
    send({"customer_code": "C1", "discount": "10", "discount_line_item_level": "yes"})
    assert (send.customer()["discount"], send.customer()["discount_line_item_level"]) == (10, True)
    run = send({"customer_code": "C1", "discount": "15"})
    assert (send.customer()["discount"], send.customer()["discount_line_item_level"]) == (15, True)
    (change,) = Change.objects.filter(run_id=run.pk)
    assert (change.field, change.before, change.after) == ("discount", "10", "15")


def test_add_and_update_a_company_number(send):
    send(NEW)
    send({"customer_code": "C1", "company_number_code": "CN1"})
    assert send.customer()["company_number"] == "CN1"
    run = send({"customer_code": "C1", "company_number_name": "Maison New York Inc."})
    assert send.customer()["company_number"] == "CN2"
    (change,) = Change.objects.filter(run_id=run.pk)
    assert (change.field, change.before, change.after) == ("company_number", "CN1", "CN2")


def test_add_and_update_a_door(send):
    send(NEW | SHIPPING | {"shipping_name": "Harbor Row Quai"})
    assert send.customer()["doors"] == []
    send({"customer_code": "C1", **SHIPPING, "create_doors": "yes"})
    assert send.customer()["doors"] == [{"code": "S1", "name": "Harbor Row Quai"}]
    send({"customer_code": "C1", **SHIPPING, "shipping_name": "Harbor Row Port", "create_doors": "yes"})
    assert send.customer()["doors"] == [{"code": "S1", "name": "Harbor Row Port"}]


def test_add_and_update_a_buyer(send):
    send(NEW)
    send({"customer_code": "C1", "buyer_email": "ana@example.com", "buyer_name": "Ana"})
    assert send.customer()["buyers"] == [{"email": "ana@example.com", "name": "Ana"}]
    send({"customer_code": "C1", "buyer_email": "ANA@example.com", "buyer_name": "Ana Ruiz"})
    assert send.customer()["buyers"] == [{"email": "ana@example.com", "name": "Ana Ruiz"}]


def test_everything_of_a_new_customer_in_one_file_is_logged_with_its_line(send):
    run = send(
        NEW
        | BILLING
        | {"buyer_email": "ana@example.com", "payment_terms_code": "N30", "sales_rep_code": "REP1"}
        | {"discount": "0", "discount_line_item_level": "n"},
        NEW | SHIPPING | {"create_doors": "y"},
    )
    (change,) = Change.objects.filter(run_id=run.pk)
    assert (change.record, change.key, change.action, change.line) == ("connection", "", "created", 2)
    own = {"profile_name": "Harbor Row", "discount": "0", "discount_line_item_level": "false", "sales_rep": "REP1"}
    assert change.values == {
        "values": own,
        "status": "pending",
        "records": [
            {"record": "address", "key": "B:B1", "line": 2, "values": {"country": "FR"}},
            {"record": "address", "key": "S:S1", "line": 3, "values": {"country": "FR"}},
            {"record": "door", "key": "S1", "line": 3, "values": {}},
            {"record": "buyer", "key": "ana@example.com", "line": 2, "values": {}},
            {"record": "price_type", "key": "EUR EU Wholesale", "line": 2, "values": {}},
            {"record": "payment_term", "key": "N30", "line": 2, "values": {}},
        ],
    }

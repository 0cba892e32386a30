"""Export, then import: nothing changes."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.models import (
    Address,
    Buyer,
    Connection,
    ConnectionPaymentTerm,
    ConnectionPriceType,
    ConnectionShippingTerm,
    ConnectionWarehouse,
    Door,
)
from imports.exporting import export_file, export_json
from tests.builders import make_connection
from tests.imports.files import NEW, SAMPLES, SHIPPING

# Text as the database may hold it: trimmed, of any characters that PostgreSQL takes.
ALPHABET = st.one_of(
    st.sampled_from('aZ09|"\n\r\t\\,;\u2028\x0b\x1c\x85é東💎 '),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)


def text(longest: int = 12):
    return st.text(ALPHABET, max_size=longest).map(str.strip)


def filled(longest: int = 12):
    return text(longest).filter(bool)


ADDRESSES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from("BS"), "name": text(), "address_1": text(), "address_2": text(), "city": text(),
        "state": filled(), "zip": text(), "country": st.sampled_from(["FR", "US", "JP"]), "phone": text(),
        "email": st.sampled_from(["", "a@example.com"]),
    }
)  # fmt: skip
CUSTOMERS = st.fixed_dictionaries(
    {
        "fields": st.fixed_dictionaries(
            {
                "profile_name": filled(), "customer_alias": text(), "alternate_name": text(),
                "website": st.sampled_from(["", "https://www.example.com/?a|b"]),
                "discount_line_item_level": st.booleans(), "discount": st.none() | st.integers(0, 100),
                "status": st.sampled_from(["pending", "approved"]),
            }
        ),
        "addresses": st.dictionaries(filled(8), ADDRESSES, max_size=4),
        "doors": st.dictionaries(filled(8), text(), max_size=2),
        "door_of_address": st.sampled_from(["none", "same name", "other name"]),
        "buyers": st.dictionaries(st.sampled_from(["a@example.com", "B@example.com", "c.d@x.org"]), text(), max_size=3),
        "terms": st.tuples(*[st.sets(st.integers(0, 2), max_size=3)] * 4),
    }
)  # fmt: skip


def store(account, code, customer):
    """Write a customer straight into the database."""
    connection = Connection.objects.create(account=account, customer_code=code, **customer["fields"])
    doors = dict(customer["doors"])
    for address_code, address in customer["addresses"].items():
        Address.objects.create(connection=connection, code=address_code, **address)
        if address["kind"] == "S" and customer["door_of_address"] != "none":
            doors[address_code] = address["name"] if customer["door_of_address"] == "same name" else "Elsewhere"
    for door_code, name in doors.items():
        Door.objects.create(connection=connection, code=door_code, name=name)
    for email, name in customer["buyers"].items():
        Buyer.objects.create(connection=connection, email=email, name=name)
    lists: tuple[tuple[Any, Any], ...] = (
        (ConnectionPriceType, account.pricetypes), (ConnectionPaymentTerm, account.paymentterms),
        (ConnectionShippingTerm, account.shippingterms), (ConnectionWarehouse, account.warehouses),
    )  # fmt: skip
    for (model, entries), picked in zip(lists, customer["terms"], strict=True):
        available = list(entries.all())
        positions = picked or ({0} if model is ConnectionPriceType else set())
        for position in {position % len(available) for position in positions}:
            model.objects.create(connection=connection, lookup=available[position])


def exported(account, export):
    file = io.StringIO(newline="")
    export(account, file)
    return file.getvalue()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers=st.dictionaries(filled(8), CUSTOMERS, min_size=1, max_size=3))
def test_an_export_imports_back_unchanged(send, customers):
    Connection.objects.all().delete()
    for code, customer in customers.items():
        store(send.account, code, customer)
    before = exported(send.account, export_json)
    run = send.bytes(exported(send.account, export_file).encode())
    assert (run.status, run.unchanged) == ("succeeded", len(customers)), list(run.issues.all())
    assert exported(send.account, export_json) == before


def test_an_imported_sample_is_exported_whole(send):
    send.bytes((SAMPLES / "standard_layout.txt").read_bytes())
    before = send.customers()
    run = send.bytes(exported(send.account, export_file).encode())
    assert (run.status, run.unchanged) == ("succeeded", len(before))
    assert send.customers() == before


def test_the_json_export_has_one_object_per_line(send, tmp_path):
    send(NEW | SHIPPING | {"create_doors": "y", "discount": "5", "discount_line_item_level": "no"})
    path = tmp_path / "out.json"
    call_command("export_customers", "--account", "maison", "--json", "--out", str(path))
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "customer_code": "C1", "status": "pending", "profile_name": "Harbor Row", "customer_alias": "",
        "alternate_name": "", "website": "", "company_number": None, "customer_group": None, "sales_rep": None,
        "discount": 5, "discount_line_item_level": False, "price_types": [["EUR", "EU Wholesale"]],
        "payment_terms": [], "shipping_terms": [], "warehouses": [],
        "addresses": [
            {"kind": "S", "code": "S1", "name": "", "address_1": "", "address_2": "", "city": "", "state": "",
             "zip": "", "country": "FR", "email": "", "phone": ""}
        ],
        "doors": [{"code": "S1", "name": ""}], "buyers": [],
    }  # fmt: skip


def test_rejected_customers_are_in_the_json_and_not_in_the_file(account):
    make_connection(account, "GONE", status=Connection.Status.REJECTED)
    make_connection(account, "HERE")
    assert "GONE" in exported(account, export_json)
    assert "GONE" not in exported(account, export_file)
    assert "HERE" in exported(account, export_file)


def test_an_account_without_customers_exports_a_header(send):
    run = send.text(exported(send.account, export_file))
    assert (run.status, run.rows) == ("succeeded", 0)


def test_an_unknown_account_is_wrong_usage(db):
    with pytest.raises(CommandError, match="There is no account 'nobody'") as error:
        call_command("export_customers", "--account", "nobody")
    assert error.value.returncode == 2

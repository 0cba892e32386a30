"""Export, then import: nothing changes."""

import io
import json
import textwrap
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
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
from connections.nothing import NO_PLACE
from imports.errors import SettingsWrong
from imports.files import exporting
from imports.files.exporting import Layout, export_file, export_json, export_rows
from imports.formats.documents import read_format
from imports.formats.spec import STANDARD, Dialect, FormatSpec
from imports.models import FormatVersion
from imports.versioning import save_draft
from lookups.models import PriceType, SalesRep
from lookups.texts import drop_controls, read_key, read_text, space_controls
from tests.builders import make_connection
from tests.imports.customer_files import NEW, SAMPLES, SHIPPING
from tests.imports.formats.test_spec import column

# Text as the database may hold it: trimmed, of any characters that PostgreSQL takes.
ALPHABET = st.one_of(
    st.sampled_from('aZ09|"\n\r\t\\,;\u2028\x0b\x1c\x85é東💎 '),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)


def text(longest: int = 12):
    """Texts as they are stored: trimmed, in NFC, without control characters."""
    return st.text(ALPHABET, max_size=longest).map(read_text).map(space_controls).map(read_text)


def key():
    return st.text(ALPHABET, max_size=8).map(read_key).map(drop_controls).map(read_key).filter(bool)


def filled(longest: int = 12):
    return text(longest).filter(bool)


def states():
    """What is a state where one is required."""
    return filled().filter(lambda state: state not in NO_PLACE)


ADDRESSES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from("BS"), "name": text(), "address_1": text(), "address_2": text(), "city": text(),
        "state": states(), "zip": text(), "country": st.sampled_from(["FR", "US", "JP"]), "phone": text(),
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
        "addresses": st.dictionaries(key(), ADDRESSES, max_size=4),
        "doors": st.dictionaries(key(), text(), max_size=2),
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


COLUMNS = tuple(column(name) for name in ("customer_code", "sales_rep_code", "price_type_currency", "price_type_name"))


def exported(account, export, *arguments):
    file = io.StringIO(newline="")
    export(account, file, *arguments)
    return file.getvalue()


OWN = """
  - {source: No, target: customer_code}
  - {source: Name, target: profile_name}
  - {source: Mail, target: buyer_email}
  - {source: Buyer, target: buyer_name}
  - {source: Cur, target: price_type_currency}
  - {source: List, target: price_type_name}
"""
FORMATS = {
    "one shipping address": """
        name: erp
        dialect: {delimiter: ";"}
        columns:
          - {source: Code, target: shipping_code}
          - {source: City, target: shipping_city}
          - {source: Land, target: shipping_country, value_map: {Frankreich: FR, Vereinigte Staaten: US}}
    """,
    "billing and two shipping": """
        name: erp
        dialect: {delimiter: tab}
        header: [No, Unread, Name]
        columns:
          - {source: Bill code, target: billing_code}
          - {source: Bill land, target: billing_country}
          - {source: Code 1, target: shipping_code_1}
          - {source: Land 1, target: shipping_country_1}
          - {source: Code 2, target: shipping_code_2}
          - {source: Land 2, target: shipping_country_2}
          - {source: Door, target: create_doors}
    """,
    "kind on the row": """
        name: erp
        dialect: {delimiter: "|", skip_lines: 2, footer: "END OF FILE"}
        columns:
          - {source: Kind, target: address_type, value_map: {Lieferung: S, Rechnung: B}}
          - {source: Code, target: address_code}
          - {source: Land, target: address_country}
    """,
    "shipping only, by a constant": """
        name: erp
        columns:
          - {constant: S, target: address_type}
          - {source: Code, target: address_code}
          - {source: Land, target: address_country}
          - {source: "{Street} {House}", target: address_address_1}
    """,
}
POSITIONS = """
name: erp
dialect: {delimiter: "~", has_header: false}
columns:
  - {source: 2, target: customer_code}
  - {source: 4, target: profile_name}
  - {source: 5, target: price_type_currency}
  - {source: 6, target: price_type_name}
"""
FORMAT_SPECS = {
    **{
        name: read_format(textwrap.dedent(text).replace("columns:\n", "columns:" + OWN))
        for name, text in FORMATS.items()
    },
    "by position": read_format(POSITIONS),
}


@settings(max_examples=12)
@given(customers=st.dictionaries(key(), CUSTOMERS, min_size=1, max_size=3))
def test_an_export_imports_back_unchanged(send, customers):
    Connection.objects.all().delete()
    for code, customer in customers.items():
        store(send.account, code, customer)
    before = exported(send.account, export_json)
    run = send.bytes(exported(send.account, export_file).encode())
    assert (run.status, run.unchanged) == ("succeeded", len(customers)), list(run.issues.all())
    assert exported(send.account, export_json) == before


@pytest.mark.parametrize("name", FORMAT_SPECS)
@settings(max_examples=8)
@given(customers=st.dictionaries(key(), CUSTOMERS, min_size=1, max_size=3))
def test_an_export_in_a_format_imports_back_unchanged(send, name, customers):
    Connection.objects.all().delete()
    for code, customer in customers.items():
        store(send.account, code, customer)
    spec = FORMAT_SPECS[name]
    before = exported(send.account, export_json)
    run = send.bytes(exported(send.account, export_file, spec).encode(), spec)
    assert (run.status, run.unchanged) == ("succeeded", len(customers)), list(run.issues.all())
    assert exported(send.account, export_json) == before


def test_an_export_in_a_format_looks_like_the_erp_s_file(account):
    connection = make_connection(account, "C1", profile_name="Harbor Row")
    for code, country in (("S1", "FR"), ("S2", "US"), ("S3", "JP")):
        Address.objects.create(connection=connection, kind="S", code=code, country=country)
    assert exported(account, export_file, FORMAT_SPECS["one shipping address"]).splitlines() == [
        "No;Name;Mail;Buyer;Cur;List;Code;City;Land",
        "C1;Harbor Row;;;EUR;EU Wholesale;S1;;Frankreich",
        "C1;Harbor Row;;;EUR;EU Wholesale;S2;;Vereinigte Staaten",
        "C1;Harbor Row;;;EUR;EU Wholesale;S3;;JP",
    ]


def test_a_value_that_the_dialect_cannot_write_is_named(account):
    make_connection(account, "C1", profile_name='Harbor; "Row"')
    unquoted = replace(FORMAT_SPECS["one shipping address"], dialect=Dialect(delimiter=";", quotechar=None))
    with pytest.raises(SettingsWrong, match="Customer 'C1' cannot be written in the dialect of erp"):
        exported(account, export_file, unquoted)


def test_a_header_that_the_dialect_cannot_write_is_named(account):
    columns = (column("customer_code", 1), column("profile_name", 3))
    unquoted = FormatSpec("erp", Dialect(delimiter=" ", quotechar=None), columns)
    with pytest.raises(SettingsWrong, match="The header cannot be written in the dialect of erp: 'column 1' holds"):
        exported(account, export_file, unquoted)


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        ([], "No;Name;"),
        (["--format", "erp"], "No;Name;"),
        (["--format", "erp@1"], "No;Name;"),
        (["--format", "standard"], "profile_name|customer_code|"),
    ],
)
def test_the_command_exports_in_the_live_format_or_the_one_that_is_named(account, arguments, first):
    make_connection(account)
    version = save_draft(account, "erp", FORMAT_SPECS["one shipping address"])
    FormatVersion.objects.filter(pk=version.pk).update(status="live")
    output = io.StringIO()
    call_command("export_customers", "--account", "maison", *arguments, stdout=output)
    assert output.getvalue().startswith(first)


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


def test_entries_that_are_added_and_given_during_an_export_are_exported(account, monkeypatch):
    monkeypatch.setattr(exporting, "BATCH", 1)
    make_connection(account, "A")
    last = make_connection(account, "B")
    described, table = io.StringIO(), export_rows(account, account.connections.all(), Layout(STANDARD, COLUMNS))
    write = described.write

    def give(text):
        if not PriceType.objects.filter(label="Swiss").exists():
            last.sales_rep = SalesRep.objects.create(account=account, code="REP9", name="Nina", email="n@example.com")
            last.save()
            price = PriceType.objects.create(account=account, currency="CHF", label="Swiss")
            ConnectionPriceType.objects.create(connection=last, lookup=price)
        return write(text)

    next(table)
    monkeypatch.setattr(described, "write", give)
    export_json(account, described)
    one = json.loads(described.getvalue().splitlines()[-1])
    assert (one["customer_code"], one["sales_rep"], one["price_types"]) == (
        "B",
        "REP9",
        [["CHF", "Swiss"], ["EUR", "EU Wholesale"]],
    )
    (rows,) = (list(rows) for _, rows in table)
    assert rows == [["B", "REP9", "CHF", "Swiss"], ["B", "REP9", "EUR", "EU Wholesale"]]


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


@pytest.mark.parametrize("command", [["export_customers"], ["export_format", "erp"]])
def test_a_disk_that_is_full_is_told(account, command):
    save_draft(account, "erp", FORMAT_SPECS["one shipping address"])
    with pytest.raises(CommandError, match=r"/dev/full cannot be written: No space left on device\."):
        call_command(*command, "--account", "maison", "--out", "/dev/full")

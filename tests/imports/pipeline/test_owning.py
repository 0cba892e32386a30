"""What a file wanted of fields that it only fills, and did not get."""

from __future__ import annotations

import pytest

from connections.models import Change, Connection
from imports.formats.policies import Policies
from imports.formats.spec import Column, FormatSpec, Ownership
from imports.runs.reporting import count_kept
from imports.template import Target
from tests.imports.customer_files import as_text, issues_of

pytestmark = pytest.mark.django_db

HEADERS = [
    "customer_code", "profile_name", "customer_alias", "discount", "discount_line_item_level", "sales_rep_code",
    "customer_group_name", "price_type_currency", "price_type_name", "payment_terms", "warehouse_code",
    "shipping_code", "shipping_country", "shipping_city", "buyer_email", "buyer_name",
]  # fmt: skip
KEYS = {"customer_code", "shipping_code", "buyer_email"}
FIRST = {
    "customer_code": "C1", "profile_name": "Harbor", "customer_alias": "a", "discount": "5",
    "discount_line_item_level": "yes", "sales_rep_code": "REP1", "customer_group_name": "Independents",
    "price_type_currency": "EUR", "price_type_name": "EU Wholesale", "payment_terms": "Net 30",
    "warehouse_code": "WH1", "shipping_code": "S1", "shipping_country": "FR", "shipping_city": "Lyon",
    "buyer_email": "a@example.com", "buyer_name": "Ana",
}  # fmt: skip
WANTED = {
    "profile_name": "Pier", "customer_alias": "b", "discount": "10", "discount_line_item_level": "no",
    "sales_rep_code": "REP2", "customer_group_name": "Department stores", "price_type_currency": "USD",
    "price_type_name": "US Wholesale", "payment_terms": "Net 60", "warehouse_code": "WH2", "shipping_country": "DE",
    "shipping_city": "Kiel", "buyer_name": "Bo",
}  # fmt: skip


def spec(policies=None, owned=WANTED):
    columns = tuple(
        Column(target=Target(name), source=name, ownership=Ownership.IF_BLANK if name in owned else Ownership.ALWAYS)
        for name in HEADERS
    )
    return FormatSpec(name="filling", columns=columns, policies=policies or Policies())


def test_every_value_that_was_kept_is_told_with_both(send):
    assert send.text(as_text([FIRST]), spec()).status == "succeeded"
    before = send.customers()
    run = send.text(as_text([FIRST | WANTED]), spec())
    assert (run.status, run.unchanged, send.customers()) == ("succeeded", 1, before)
    told = {issue.field: issue for issue in run.issues.all()}
    assert {(issue.code, issue.severity, issue.line, issue.customer_code) for issue in told.values()} == {
        ("kept", "info", 2, "C1")
    }
    assert set(told) == {str(Target(name)) for name in WANTED} - {"price_type_currency_1"}
    assert told["customer_alias"].message == (
        "customer_alias stays 'a': a file only fills this field while it is blank, and this one says 'b'."
    )
    assert (told["customer_alias"].column, told["customer_alias"].value) == ("customer_alias", "b")
    assert "stays 'Independents'" in told["customer_group_name"].message
    assert count_kept(run) == len(told)


def test_what_is_filled_or_says_the_same_or_nothing_is_not_told(send):
    blank = dict.fromkeys(("customer_alias", "shipping_city", "buyer_name", "warehouse_code"), "")
    send.text(as_text([FIRST | blank]), spec())
    run = send.text(as_text([FIRST | {"discount": "", "sales_rep_code": "", "payment_terms": ""}]), spec())
    assert (run.updated, issues_of(run)) == (1, [])
    assert Connection.objects.get().customer_alias == "a"


def test_a_field_that_the_file_owns_changes_beside_one_that_it_only_fills(send):
    mixed = spec(owned={"customer_alias"})
    send.text(as_text([FIRST]), mixed)
    run = send.text(as_text([FIRST | {"customer_alias": "b", "profile_name": "Pier"}]), mixed)
    assert [change.field for change in Change.objects.filter(run_id=run.pk)] == ["profile_name"]
    assert issues_of(run) == [(2, "customer_alias", "kept")]


def test_a_rejected_customer_is_told_what_is_wrong_alone(send):
    send.text(as_text([FIRST]), spec())
    run = send.text(as_text([FIRST | {"customer_alias": "b", "discount": "many"}]), spec())
    assert [code for _, _, code in issues_of(run)] == ["invalid_integer"]


def test_a_clear_token_that_clears_nothing_is_told(send):
    clearing = spec(Policies(clear_token="\\N"))
    send.text(as_text([FIRST]), clearing)
    run = send.text(as_text([FIRST | {"customer_alias": "\\N"}]), clearing)
    assert "this one wants it blank" in run.issues.get().message

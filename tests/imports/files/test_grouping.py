"""Rows become customers: what contradicts, what only repeats, and what it costs."""

import pytest

from imports.files import grouping
from imports.files.customers import Customer
from imports.formats.policies import Conflict
from imports.formats.spec import BadValue
from tests.imports.customer_files import NEW, SHIPPING, issues_of
from tests.imports.formats.test_spec import column, spec


def test_rows_of_one_address_that_conflict_are_not_said_to_repeat_it(send):
    run = send(NEW | SHIPPING | {"shipping_city": "Lyon"}, NEW | SHIPPING | {"shipping_city": "Paris"})
    assert issues_of(run) == [(3, "shipping_city_1", "conflict")]


def test_rows_whose_conflict_the_format_settles_are_not_said_to_repeat_it(send):
    format_ = spec(*map(column, SHIPPING), column("shipping_city"), conflict=Conflict.LAST)
    text = "customer_code|profile_name|address_type|shipping_code|shipping_country|shipping_city\n"
    run = send.text(text + "C1|A|S|S1|FR|Lyon\nC1|A|S|S1|FR|Paris\nC1|A|S|S1|FR|Paris\n", format_)
    assert issues_of(run) == [(3, "shipping_city_1", "conflict"), (4, "shipping_code_1", "repeated_address")]
    assert send.customer()["addresses"][0]["city"] == "Paris"


def test_groups_of_one_row_that_conflict_name_both_columns(send):
    run = send.text(
        "customer_code|profile_name|price_type_currency|price_type_name"
        "|Shipping Code 1|Shipping Country 1|Ort 1|Shipping City 1|Shipping Code 2|Shipping Country 2|Shipping City 2"
        "|buyer_email_1|buyer_name_1|buyer_email_2|buyer_name_2\n"
        "C1|A|EUR|EU Wholesale|S1|FR||Lyon|S1|FR|Paris|a@example.com|Ana|A@example.com|Bo\n"
    )
    messages = list(run.issues.filter(code="conflict").order_by("id").values_list("message", flat=True))
    assert messages == [
        "buyer_name_2 is 'Bo' here and 'Ana' in buyer_name_1 of the same row. Send one value.",
        "shipping_city_2 is 'Paris' here and 'Lyon' in shipping_city_1 of the same row. Send one value.",
    ]


def test_a_column_is_named_as_the_file_does_where_that_differs(send):
    names = ("shipping_code_1", "shipping_country_1", "shipping_code_2", "shipping_country_2", "shipping_city_2")
    format_ = spec(*map(column, names), column("shipping_city_1", "Ort"))
    header = "|".join(["customer_code", "profile_name", *names, "Ort"])
    run = send.text(f"{header}\nC1|A|S1|FR|S1|FR|Paris|Lyon\n", format_)
    assert "'Lyon' in shipping_city_1 (column 'Ort') of the same row" in run.issues.get(code="conflict").message


def test_a_name_without_an_e_mail_costs_its_customer_unless_such_a_name_may_be_left_out(send):
    text = "customer_code|profile_name|buyer_name|buyer_email\nC1|A|Ana|\n"
    expected = {BadValue.REJECT: ("rejected", "buyer_email_1"), BadValue.LEAVE_OUT: ("succeeded", "buyer_name_1")}
    for bad_value, (status, field) in expected.items():
        run = send.text(text, spec(column("buyer_name", bad_value=bad_value), column("buyer_email")))
        assert (run.status, issues_of(run)) == (status, [(2, field, "required")])
    assert send.customer()["buyers"] == []


def test_a_value_that_came_later_is_named_with_its_own_place(send):
    run = send(
        NEW | SHIPPING | {"shipping_city": ""},
        NEW | SHIPPING | {"shipping_city": "Lyon"},
        NEW | SHIPPING | {"shipping_city": "Paris"},
    )
    assert "'Lyon' on line 3" in run.issues.get(code="conflict").message


def test_a_clear_token_that_conflicts_is_shown_as_it_is_written(send):
    format_ = spec(column("customer_alias"), clear_token=r"\N")
    run = send.text("customer_code|profile_name|customer_alias\nC1|A|x\nC1|A|\\N\n", format_)
    issue = run.issues.get(code="conflict")
    assert issue.value == r"\N"
    assert "CLEAR" not in issue.message


class Watched(list):
    """A list that counts how often somebody goes through it."""

    walks = 0

    def __iter__(self):
        Watched.walks += 1
        return super().__iter__()


@pytest.mark.parametrize("cell", [{"shipping_code": ""}, {"shipping_country": ""}, {"shipping_country": "?"}])
def test_the_cost_of_a_bad_row_does_not_grow_with_those_before(send, monkeypatch, cell):
    Watched.walks = 0
    monkeypatch.setattr(grouping, "Customer", lambda code, note: Customer(code, note, problems=Watched()))
    rows = [
        NEW | SHIPPING | {"shipping_code": f"S{number}", "shipping_city": f"T{number}"} | cell for number in range(200)
    ]
    run = send(*rows)
    assert run.issues.count() == 200
    assert Watched.walks <= 3

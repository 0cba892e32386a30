"""What rules allow, but seems to be something else: told, and stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.stored import NO_ADDRESS
from imports.files.totals import find_change
from imports.formats.marked_names import may_say_gone
from imports.pipeline.doubting import doubts_of, doubts_of_text, is_usual
from tests.builders import make_connection
from tests.imports.customer_files import NEW, SHIPPING, issues_of


@pytest.mark.parametrize(
    ("part", "value", "code"),
    [
        ("city", "TBD", "placeholder"), ("zip", "00000", "placeholder"), ("phone", "000-000-0000", "placeholder"),
        ("zip", "7500l", "mangled_value"), ("zip", "7500", "mangled_value"), ("zip", "Lyon", "mangled_value"),
        ("city", "0", "placeholder"), ("email", "none@none.com", "placeholder"),
        ("name", "Oak (closed)", "marked_name"), ("phone", "0", "placeholder"), ("city", "wie oben", "placeholder"),
        ("address_1", "Same as billing", "placeholder"), ("phone", "503-555-O1OO", "mangled_value"),
        ("zip", "'75001", "mangled_value"),
        ("city", "['Lyon']", "mangled_value"), ("city", "75001", "mangled_value"),
        ("address_1", "see billing address", "placeholder"),
    ],
)  # fmt: skip
def test_what_an_address_cannot_mean_is_told_once_and_stored(send, part, value, code):
    run = send(NEW | SHIPPING | {f"shipping_{part}": value})
    assert (run.status, issues_of(run)) == ("succeeded", [(2, f"shipping_{part}_1", code)])
    assert send.customer()["addresses"][0][part] == value
    assert not issues_of(send(NEW | SHIPPING | {f"shipping_{part}": value, "shipping_name": "Shop"}))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("profile_name", "*** CLOSED *** Harbor Row", "marked_name"), ("customer_alias", "DO NOT USE", "marked_name"),
        ("buyer_email", "No-Reply@shop.example", "placeholder"), ("website", "https://www.oak", "mangled_value"),
        ("customer_alias", "b'Oak'", "mangled_value"),
    ],
)  # fmt: skip
def test_what_a_customer_cannot_mean_is_told_where_it_is_new(send, field, value, code):
    run = send(NEW | {field: value})
    issue = run.issues.get()
    assert (run.status, issue.severity, issue.line, issue.field.removesuffix("_1"), issue.code) == (
        "succeeded", "warning", 2, field, code,
    )  # fmt: skip
    assert repr(value) in issue.message
    assert not issues_of(send(NEW | {field: value, "alternate_name": "Oak"}))


@pytest.mark.parametrize(
    ("address", "field", "code", "said"),
    [
        ({"country": "Georgia", "state": "GA", "zip": "30303"}, "country", "doubtful_country", "are of Georgia in"),
        ({"country": "US", "state": "NY", "zip": "M5V 2T6"}, "country", "doubtful_country", "which is of CA"),
        ({"country": "CA", "state": "ON", "zip": "10001"}, "country", "doubtful_country", "which is of US"),
        ({"country": "FR", "zip": "SW1A 1AA"}, "country", "doubtful_country", "which is of GB"),
        ({"country": "GB", "zip": "1017 AB"}, "country", "doubtful_country", "which is of NL"),
        ({"country": "GB", "zip": "75001"}, "zip", "mangled_value", "holds no letter"),
        ({"country": "CH", "zip": "801"}, "zip", "mangled_value", "which has 4 digits"),
        ({"country": "US", "state": "NJ", "zip": "0710"}, "zip", "mangled_value", "which has 5 or 9 digits"),
        ({"country": "US", "state": "XX", "zip": "97205"}, "state", "unknown_state", "such as NY or New York"),
    ],
)  # fmt: skip
def test_an_address_that_contradicts_itself_is_told(send, address, field, code, said):
    run = send(NEW | SHIPPING | {f"shipping_{part}": value for part, value in address.items()})
    issue = run.issues.get()
    assert (run.status, issue.field, issue.code) == ("succeeded", f"shipping_{field}_1", code)
    assert said in issue.message


@pytest.mark.parametrize("code", ["1,234", "12,345,678", "1'234", "1\u2019234", "1,00,017"])
def test_a_code_as_spreadsheets_write_amounts_makes_no_customer(send, code):
    run = send(NEW | {"customer_code": code})
    assert (run.status, issues_of(run)) == ("rejected", [(2, "customer_code", "mangled_code")])
    run = send(NEW | SHIPPING | {"shipping_code": code})
    assert (run.status, issues_of(run)) == ("succeeded", [(2, "shipping_code_1", "mangled_value")])
    make_connection(send.account, code)
    assert send(NEW | {"customer_code": code}).status == "succeeded"


def test_codes_with_marks_of_their_own_are_taken(send):
    codes = ["1,2", "12,34", "1234,5678", "A1,B2", "1.234.5", "10'2", "0,123", "12.345"]
    run = send(*(NEW | {"customer_code": code} for code in codes))
    assert (run.status, run.created, issues_of(run)) == ("succeeded", len(codes), [])


@pytest.mark.parametrize(
    ("before", "after"), [("Café Noir", "Caf? Noir"), ("Café Noir", "Caf Noir"), ("オーク", "???")]
)
def test_a_name_that_lost_letters_is_told_with_the_one_before(send, before, after):
    send(NEW | SHIPPING | {"profile_name": before, "shipping_city": before})
    run = send(NEW | SHIPPING | {"profile_name": after, "shipping_city": after})
    assert (run.status, {code for _, _, code in issues_of(run)}) == ("succeeded", {"lost_character"})
    assert {field for _, field, _ in issues_of(run)} == {"profile_name", "shipping_city_1"}
    assert send.customer()["profile_name"] == after


def test_a_state_that_stays_where_the_country_changes_is_told(send):
    american = {"shipping_country": "US", "shipping_state": "OR"}
    send(NEW | SHIPPING | american)
    run = send(NEW | SHIPPING | {"shipping_country": "FR", "shipping_state": ""})
    assert (run.status, issues_of(run)) == ("succeeded", [(2, "shipping_state_1", "stale_value")])
    assert send.customer()["addresses"][0]["state"] == "OR"
    assert not issues_of(send(NEW | SHIPPING | american | {"shipping_state": "WA"}))


@pytest.mark.parametrize("state", ["same", "0"])
def test_a_state_that_points_elsewhere_or_is_a_zero_is_none(send, state):
    run = send(NEW | SHIPPING | {"shipping_country": "US", "shipping_state": state})
    assert (run.status, issues_of(run)) == ("rejected", [(2, "shipping_state_1", "required")])


ODD_TEXTS = st.text("Oo A1[]'\"@.-–(*Éé東\n", max_size=6) | st.sampled_from(
    ["Oak CLOSED", "INACTIVE Oak", "'GESPERRT oak", "Oak GELÖSCHT", "Oak - closed", "(closed)", "do not use", "b'Oak'",
     "System.String[]", "Harbor Row 7", "Ørsted & Søn", "{0}", "['Oak']"]
)  # fmt: skip
ODD_FIGURES = st.text("09l-O' (+", max_size=8) | st.sampled_from(["00000", "000-000-0000", "75001", "SW1A 1AA", "111"])
ODD_CODES = st.from_regex(r"[0-9]{0,4}[-./]?(?:Mar|K|Jan|STORE)?[-.]?[0-9]{0,4}", fullmatch=True) | st.sampled_from(
    ["1,234", "'A1'", "10.0", "2026-01-02", "1-2-2026", "A-1\n", '"A"']
)


@given(ODD_CODES, ODD_TEXTS, ODD_TEXTS, ODD_TEXTS, ODD_FIGURES, ODD_FIGURES)
def test_one_look_at_an_address_misses_nothing_that_a_closer_one_finds(code, name, street, city, figure, phone):
    values = NO_ADDRESS._replace(name=name, address_1=street, city=city, zip=figure, country="FR", phone=phone)
    found = [doubts_of_text(text, "", is_name=text is name) for text in (name, street, city)]
    closer = [*filter(None, found), find_change(code), doubts_of(values, seems_usual=False)]
    if is_usual(code, values) and not may_say_gone(name):
        assert closer == [None, doubts_of(values, seems_usual=True)]


def test_one_look_at_a_usual_address_is_enough():
    values = NO_ADDRESS._replace(
        name="Harbor Row 7", address_1="14 Rue du Bac", city="Lyon", zip="69002", country="FR", phone="+33 478372915"
    )
    assert is_usual("STORE-1", values)

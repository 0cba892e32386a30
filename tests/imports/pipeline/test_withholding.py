"""Values that people keep: no file changes them, and what it wanted of them is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.history.keeping import KEEPABLE
from connections.models import Change, Connection, Door
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, GIVEN_OF_CONNECTION, Kept, fetch_stored
from imports.files.grouping import Grouper
from imports.files.mapping import CustomerMapping
from imports.files.records import Row
from imports.formats.policies import AssignmentMode, Policies, UnknownLookup
from imports.formats.spec import Blank, Column, FormatSpec, Ownership
from imports.pipeline.judging import Judge, Verdict
from imports.template import FIELDS, Group, Target
from lookups.directory import LookupDirectory
from lookups.models import Warehouse
from tests.builders import keep_values, let_values_go, make_user
from tests.imports.customer_files import NEW, as_text, issues_of

pytestmark = pytest.mark.django_db

FIRST = {
    "customer_code": "C1", "profile_name": "Harbor", "customer_alias": "a", "discount": "5",
    "discount_line_item_level": "yes", "sales_rep_code": "REP1", "customer_group_name": "Independents",
    "price_type_currency": "EUR", "price_type_name": "EU Wholesale", "payment_terms": "Net 30",
    "warehouse_code": "WH1", "shipping_code": "S1", "shipping_name": "Dock", "shipping_country": "FR",
    "shipping_city": "Lyon", "create_doors": "yes", "buyer_email": "Ana@example.com", "buyer_name": "Ana",
}  # fmt: skip
WANTED = FIRST | {
    "profile_name": "Pier", "customer_alias": "b", "discount": "10", "discount_line_item_level": "no",
    "sales_rep_code": "NOBODY", "customer_group_name": "No such group", "price_type_currency": "USD",
    "price_type_name": "No such type", "payment_terms": "Net 60", "warehouse_code": "NOWHERE",
    "shipping_name": "Quay", "shipping_country": "DE", "shipping_city": "Kiel", "buyer_email": "ANA@example.com",
    "buyer_name": "Bo",
}  # fmt: skip
OWN = [("connection", "", name) for name in KEEPABLE["connection"]]
ADDRESS = [("address", "S:S1", name) for name in KEEPABLE["address"]]
DOOR, BUYER = ("door", "S1", "name"), ("buyer", "Ana@example.com", "name")


@pytest.fixture
def anna():
    return make_user("anna")


def spec(**columns):
    """A format of these files; `columns` say more of a column by its name."""
    return FormatSpec(
        name="kept",
        columns=tuple(Column(target=Target(name), source=name, **columns.get(name, {})) for name in FIRST | columns),
        policies=Policies(clear_token="\\N"),
    )


def test_no_file_changes_what_is_kept_until_it_is_let_go(send, anna):
    send(FIRST)
    before = send.customers()
    one = Connection.objects.get()
    keep_values(one, anna, *OWN, *ADDRESS, DOOR, BUYER)
    run = send(WANTED)
    assert (run.status, run.unchanged, send.customers()) == ("succeeded", 1, before)
    told = {issue.field: issue for issue in run.issues.all()}
    assert {(issue.code, issue.severity, issue.line) for issue in told.values()} == {("kept", "info", 2)}
    assert set(told) == {
        "profile_name", "customer_alias", "discount", "discount_line_item_level", "sales_rep_code",
        "customer_group_name", "price_type_name_1", "payment_terms_1", "warehouse_code_1", "shipping_name_1",
        "shipping_country_1", "shipping_city_1", "buyer_name_1",
    }  # fmt: skip
    day = f"{Connection.objects.get().updated_at:%Y-%m-%d}"
    assert told["shipping_city_1"].message == (
        f"shipping_city_1 stays 'Lyon': anna keeps it since {day}, and this file says 'Kiel'."
    )
    assert "stays 'Independents'" in told["customer_group_name"].message
    assert "says 'USD No such type'" in told["price_type_name_1"].message

    assert send(WANTED).issues.count() == 0  # sent again, it is not looked at
    let_values_go(one, anna, ("connection", "", "customer_alias"), ("address", "S:S1", "city"))
    run = send(WANTED)
    assert sorted(Change.objects.filter(run_id=run.pk).values_list("record", "field", "after")) == [
        ("address", "city", "Kiel"),
        ("connection", "customer_alias", "b"),
    ]


def test_of_what_is_kept_nothing_is_created(send, anna):
    send(FIRST)
    keep_values(Connection.objects.get(), anna, ("connection", "", "warehouses"), ("connection", "", "customer_group"))
    creating = replace(
        spec(),
        policies=Policies(unknown_lookup={"warehouses": UnknownLookup.CREATE, "customer_groups": UnknownLookup.CREATE}),
    )
    wanted = FIRST | {"warehouse_code": "NOWHERE", "customer_group_name": "No such group"}
    assert send.text(as_text([wanted]), creating).status == "succeeded"
    assert not Warehouse.objects.filter(code="NOWHERE").exists()


@pytest.mark.parametrize(
    ("columns", "kept", "sent", "told"),
    [
        ({}, "customer_alias", {"customer_alias": "\\N"}, ["customer_alias"]),
        ({}, "sales_rep", {"sales_rep_code": "\\N"}, ["sales_rep_code"]),
        ({}, "payment_terms", {"payment_terms": "\\N"}, ["payment_terms_1"]),
        ({"customer_alias": {"blank": Blank.CLEAR}}, "customer_alias", {"customer_alias": ""}, ["customer_alias"]),
        ({"sales_rep_code": {"blank": Blank.CLEAR}}, "sales_rep", {"sales_rep_code": ""}, ["sales_rep_code"]),
        ({"payment_terms": {"blank": Blank.CLEAR}}, "payment_terms", {"payment_terms": ""}, ["payment_terms_1"]),
        ({"customer_alias": {"ownership": Ownership.IF_BLANK}}, "customer_alias", {"customer_alias": "b"},
         ["customer_alias"]),
        ({"sales_rep_code": {"ownership": Ownership.IF_BLANK}}, "sales_rep", {"sales_rep_code": "REP2"},
         ["sales_rep_code"]),
        ({"payment_terms": {"ownership": Ownership.IF_BLANK}}, "payment_terms", {"payment_terms": "Net 60"},
         ["payment_terms_1"]),
        ({"customer_group_code": {}}, "customer_group", {"customer_group_code": "DEPT"}, ["customer_group_code"]),
        ({}, "customer_alias", {"customer_alias": ""}, []),
        ({}, "customer_alias", {"customer_alias": "a"}, []),
        ({}, "sales_rep", {"sales_rep_code": "REP1"}, []),
        ({}, "customer_group", {"customer_group_name": "Independents"}, []),
        ({}, "payment_terms", {"payment_terms": "Net 30"}, []),
        ({}, "price_types", {}, []),
    ],
)  # fmt: skip
def test_each_way_of_changing_it_is_told_once_and_what_says_the_same_is_not(send, anna, columns, kept, sent, told):
    send(FIRST)
    before = send.customers()
    keep_values(Connection.objects.get(), anna, ("connection", "", kept))
    run = send.text(as_text([FIRST | sent]), spec(**columns))
    assert (run.status, send.customers()) == ("succeeded", before)
    assert issues_of(run) == [(2, field, "kept") for field in told]


def test_what_is_kept_blank_stays_blank_though_a_file_would_fill_it(send, anna):
    send(NEW)
    one = Connection.objects.get()
    blank = ("customer_alias", "sales_rep", "payment_terms", "discount", "discount_line_item_level")
    keep_values(one, anna, *(("connection", "", name) for name in blank))
    filling = {name: {"ownership": Ownership.IF_BLANK} for name in ("customer_alias", "sales_rep_code")}
    run = send.text(as_text([FIRST]), spec(**filling))
    one.refresh_from_db()
    assert (one.customer_alias, one.sales_rep, one.discount, one.payment_terms.count()) == ("", None, None, 0)
    assert one.customer_group and one.warehouses.count() == 1  # what nobody keeps is filled
    assert run.issues.filter(code="kept").count() == len(blank)
    assert "customer_alias stays blank: anna keeps it" in run.issues.get(field="customer_alias").message


def test_entries_that_a_format_adds_are_told_where_the_list_lacks_one(send, anna):
    send(FIRST)
    keep_values(Connection.objects.get(), anna, ("connection", "", "payment_terms"))
    adding = replace(spec(), policies=Policies(assignments={Group.PAYMENT_TERMS: AssignmentMode.ADD}))
    assert issues_of(send.text(as_text([FIRST]), adding)) == []
    assert issues_of(send.text(as_text([FIRST | {"payment_terms": "Net 60"}]), adding)) == [
        (2, "payment_terms_1", "kept")
    ]


@pytest.mark.parametrize(
    ("stored", "kept", "sent", "field", "said"),
    [
        ({}, ("connection", "", "discount"), {"discount": "\\N", "discount_line_item_level": "\\N"},
         "discount_line_item_level", "(discount: anna keeps it"),
        ({"discount": "", "discount_line_item_level": ""}, ("connection", "", "discount_line_item_level"), {},
         "discount_line_item_level", "(discount_line_item_level: anna keeps it"),
        ({}, ("address", "S:S1", "state"), {"shipping_country": "US", "shipping_state": "CA"},
         "shipping_state_1", "for addresses in US (state: anna keeps it"),
        ({"shipping_country": "US", "shipping_state": "CA"}, ("address", "S:S1", "country"),
         {"shipping_country": "FR", "shipping_state": "\\N"}, "shipping_state_1", "(country: anna keeps it"),
    ],
)  # fmt: skip
def test_rules_hold_with_what_is_kept_and_say_who_keeps_it(send, anna, stored, kept, sent, field, said):
    columns = {**FIRST, "shipping_state": ""}
    format_ = replace(spec(), columns=tuple(Column(target=Target(name), source=name) for name in columns))
    send.text(as_text([columns | stored]), format_)
    before = send.customers()
    keep_values(Connection.objects.get(), anna, kept)
    run = send.text(as_text([columns | sent]), format_)
    assert (run.rejected, send.customers()) == (1, before)
    issue = run.issues.get()
    assert (issue.field, issue.code) == (field, "required")
    assert said in issue.message


def test_a_door_is_kept_while_its_address_is_renamed(send, anna):
    send(FIRST)
    keep_values(Connection.objects.get(), anna, DOOR)
    run = send(FIRST | {"shipping_name": "Quay"})
    assert (Door.objects.get().name, send.customer()["addresses"][0]["name"]) == ("Dock", "Quay")
    assert issues_of(run) == [(2, "shipping_name_1", "kept")]


def test_a_rejected_customer_is_told_what_is_wrong_alone(send, anna):
    send(FIRST)
    keep_values(Connection.objects.get(), anna, ("connection", "", "customer_alias"))
    assert [code for *_, code in issues_of(send(FIRST | {"customer_alias": "b", "discount": "many"}))] == [
        "invalid_integer"
    ]


# -- the law


CELLS = {name: st.sampled_from(["", "\\N", FIRST[name], WANTED[name]]) for name in FIRST}
KEYS = ("customer_code", "shipping_code", "buyer_email")
PLACES = [*OWN, *ADDRESS, DOOR, ("buyer", "ana@example.com", "name")]


def standing(verdict):
    """What shall stand of each value, by record, key and field."""
    stored = verdict.stored
    found = {("connection", "", field.name): getattr(verdict.values, field.column) for field in GIVEN_OF_CONNECTION}
    for kind in ASSIGNMENT_MODELS:
        given = {lookup for of, lookup, _ in verdict.given if of == kind}
        taken = {lookup for of, lookup, _ in verdict.taken if of == kind}
        found["connection", "", kind] = stored.assignments[kind] - taken | given
    addresses = {key: old.values for key, old in stored.addresses.items()}
    addresses |= {record.key: record.values for record in verdict.addresses}
    for key, values in addresses.items():
        found |= {("address", ":".join(key), name): getattr(values, name) for name in ADDRESS_FIELDS}
    found |= {("door", code, "name"): old.name for code, old in stored.doors.items()}
    found |= {("door", *record.key, "name"): record.values[0] for record in verdict.doors}
    found |= {("buyer", email, "name"): old.name for email, old in stored.buyers.items()}
    found |= {("buyer", record.key[0].lower(), "name"): record.values[0] for record in verdict.buyers}
    return found


@pytest.fixture
def known(account, send, anna):
    """What is stored of a customer, who keeps what, and the account's lists."""
    send(FIRST)
    keep_values(Connection.objects.get(), anna, ("connection", "", "discount"))
    (stored,) = fetch_stored(account.connections.all()).values()
    return replace(stored, kept={}), stored.kept["connection", ""]["discount"], LookupDirectory(account)


WAYS = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from([{"blank": Blank.CLEAR}, {"ownership": Ownership.IF_BLANK}])
        for name in FIRST
        if name not in KEYS and not FIELDS[name].required
    },
)


@settings(max_examples=150)
@given(data=st.data())
def test_kept_values_never_change_and_everything_else_comes_out_as_without(known, data):
    stored, keeping, directory = known
    mapping = CustomerMapping(spec(**data.draw(WAYS)), list(FIRST))
    row = Row(2, [FIRST[name] if name in KEYS else data.draw(CELLS[name]) for name in FIRST], b"")
    kept = data.draw(st.sets(st.sampled_from(PLACES)))
    held: dict[tuple[str, str], dict[str, Kept]] = {}
    for record, key, field in kept:
        held.setdefault((record, key), {})[field] = keeping

    def judge(of):
        return Judge(mapping, directory).judge(Grouper(mapping).group("C1", [row]), replace(stored, kept=of))

    free, bound = judge({}), judge(held)
    before, after = standing(Verdict(bound.customer, stored, stored.values)), standing(bound)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    if not free.customer.errors and not bound.customer.errors:
        without = standing(free)
        assert {name: after[name] for name in without.keys() - kept} == {
            name: without[name] for name in without.keys() - kept
        }

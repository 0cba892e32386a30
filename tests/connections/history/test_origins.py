"""The change log, read from its start, comes to what stands; so it tells where each value is from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections import review
from connections.history.origins import OWN, find_origins, replay
from connections.history.recording import record_created, recorded_deletion, recorded_edit
from connections.history.states import read_states
from connections.models import Address, Buyer, Change, Connection, ConnectionPaymentTerm, Door
from lookups.models import PaymentTerm
from tests.builders import add_lookups, make_account, make_change, make_connection, make_user
from tests.imports.customer_files import BILLING, NEW, SHIPPING, Sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def rosa():
    return make_user("rosa")


UNLOGGED = {"reviewed_by", "reviewed_at", "created_at"}
"""Of these a creation tells, and for a review who wrote its changes and when."""


def told(account):
    """What the log comes to of every customer, without what is blank."""
    changes: dict[str, list[Change]] = {}
    for change in Change.objects.filter(account=account).order_by("id"):
        changes.setdefault(change.customer_code, []).append(change)
    replayed = {code: replay(known) for code, known in changes.items()}
    return {
        code: {key: filled({name: origin.value for name, origin in made.values.items()}) for key, made in known.items()}
        for code, known in replayed.items()
        if known
    }


def stored(account):
    states = read_states(account.connections.values_list("pk", flat=True))
    return {
        state.customer_code: {
            key: filled(values | state.review if key == OWN else values) for key, values in state.records.items()
        }
        for state in states.values()
    }


def filled(values):
    return {name: value for name, value in values.items() if value and name not in UNLOGGED}


CODES = st.sampled_from(["C1", "C2", "C3"])
TEXTS = st.sampled_from(["", "Lyon", "“q\\uote” \\n", "京都"])


def send_file(account, rosa, folder, code, text):
    row = (
        NEW | SHIPPING | {"customer_code": code, "profile_name": f"x{text}", "shipping_city": text, "buyer_name": text}
    )
    row |= {"buyer_name": text}
    more = {"buyer_email": "Ana@example.com", "create_doors": "y", "shipping_name": text, "payment_terms_code": "N30"}
    assert Sender(account, folder)(row | more | {"shipping_code": f"S{len(text)}"}).status in ("succeeded", "rejected")


def send_terms(account, rosa, folder, code, text):
    terms = {"payment_terms_code": "N60" if text else "PRE", "discount": str(len(text)), "sales_rep_code": "REP2"}
    Sender(account, folder)(NEW | BILLING | terms | {"customer_code": code, "discount_line_item_level": "n"})


def edit(account, rosa, folder, code, text):
    pks = list(account.connections.filter(customer_code=code).values_list("pk", flat=True))
    with recorded_edit(pks, rosa):
        Connection.objects.filter(pk__in=pks).update(customer_alias=text, discount=None)
        Address.objects.filter(connection__in=pks).update(city=text)
        Buyer.objects.filter(connection__in=pks).delete()
        Door.objects.filter(connection__in=pks).update(name=text)
        for pk in pks:
            if text:
                ConnectionPaymentTerm.objects.get_or_create(
                    connection_id=pk, lookup=PaymentTerm.objects.get(code="PRE")
                )
            else:
                ConnectionPaymentTerm.objects.filter(connection=pk).delete()


def decide(account, rosa, folder, code, text):
    found = account.connections.filter(customer_code=code)
    if text and not found.filter(duplicates__isnull=False).exists():
        review.reject(found, rosa)
    else:
        review.approve(found, rosa)


def delete(account, rosa, folder, code, text):
    found = account.connections.filter(customer_code=code)
    with recorded_deletion(list(found.values_list("pk", flat=True)), rosa):
        found.delete()


def add(account, rosa, folder, code, text):
    if not account.connections.filter(customer_code=code).exists():
        made = make_connection(account, code, customer_alias=text, doors=[{"code": "D", "name": text}])
        record_created(made, rosa)


STEPS = st.tuples(st.sampled_from([send_file, send_terms, edit, decide, delete, add]), CODES, TEXTS)


@given(st.lists(STEPS, min_size=3, max_size=8))
@settings(max_examples=25)
def test_the_log_read_from_nothing_comes_to_what_stands(account, rosa, tmp_path, steps):
    Change.objects.all().delete()
    account.connections.all().delete()
    for step, code, text in steps:
        step(account, rosa, tmp_path, code, text)
        assert told(account) == stored(account), step.__name__


def test_each_value_names_its_last_writer(account, rosa, tmp_path):
    send = Sender(account, tmp_path)
    lyon, paris = (NEW | SHIPPING | {"shipping_city": city} for city in ("Lyon", "Paris"))
    first = send(NEW | {"customer_alias": "a", "buyer_email": "a@example.com"}, lyon)
    connection = account.connections.get()
    rosa.token_name = "shop"
    with recorded_edit([connection.pk], rosa):
        Connection.objects.update(customer_alias="b")
    second = send(NEW | {"customer_code": "C2"}, paris)
    found = find_origins(connection)

    def by(origin):
        change = origin.change
        return change.run_id, origin.line, change.user and change.user.username, change.token

    own, address = found[OWN], found["address", "S:S1"]
    assert by(own.values["profile_name"]) == (first.pk, 2, None, "")
    assert by(own.values["customer_alias"]) == (None, None, "rosa", "shop")
    assert (by(address.made), by(address.values["city"])) == ((first.pk, 3, None, ""), (second.pk, 3, None, ""))
    assert by(found["buyer", "a@example.com"].made) == (first.pk, 2, None, "")


def test_changes_that_were_logged_without_values_tell_what_they_can(account):
    connection = make_connection(account, addresses=[{"code": "S1"}])
    made = make_change(connection, run_id=1, line=2)
    address = make_change(connection, record="address", key="S:S1", run_id=1, line=3)
    city = make_change(
        connection,
        action="updated",
        record="address",
        key="S:S1",
        field="city",
        before="",
        after="Lyon",
        run_id=2,
        line=9,
    )
    found = find_origins(connection)
    assert (found[OWN].made.change, found[OWN].values) == (made, {})
    assert found["address", "S:S1"].made.change == address
    assert found["address", "S:S1"].values["city"] == ("Lyon", city, 9)

"""What people keep: it follows its record, goes with it, is told by the log, and stands in nobody's way."""

from __future__ import annotations

import pytest

from connections.history.keeping import KEEPABLE, ValueName, read_kept
from connections.history.recording import recorded_deletion, recorded_edit
from connections.history.timeline import Entry, read_timeline
from connections.models import Address, Buyer, Change, Connection, Door, KeptValue
from imports.runs.undoing import undo_run
from tests.builders import add_lookups, keep_values, let_values_go, make_account, make_connection, make_user
from tests.connections.history.replayed import read_stored, replay_log
from tests.imports.customer_files import NEW, SHIPPING, Sender

pytestmark = pytest.mark.django_db

ALIAS, CITY = ValueName("connection", "", "customer_alias"), ValueName("address", "S:S1", "city")
DOOR, BUYER = ("door", "S1", "name"), ("buyer", "ana@example.com", "name")


@pytest.fixture
def anna():
    return make_user("anna")


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def shop(account, anna):
    shop = make_connection(
        account, addresses=[{"code": "S1", "city": "Lyon"}, {"code": "S2"}], doors=[{"code": "S1"}],
        buyers=[{"email": "ana@example.com"}], source_digest=b"1",
    )  # fmt: skip
    keep_values(shop, anna, ALIAS, CITY, ("address", "S:S2", "city"), DOOR, BUYER)
    return shop


def test_every_field_that_files_give_can_be_kept():
    assert KEEPABLE["connection"][-4:] == ("price_types", "payment_terms", "shipping_terms", "warehouses")
    assert {"profile_name", "website", "sales_rep", "discount"} < set(KEEPABLE["connection"])
    assert {"name", "city", "country"} < set(KEEPABLE["address"])
    assert not {"customer_code", "status", "kind", "code", "email_"} & {*KEEPABLE["connection"], *KEEPABLE["address"]}


def test_keeping_and_letting_go_are_told_and_let_the_next_file_be_looked_at(shop, anna):
    shop.refresh_from_db()
    assert (bytes(shop.source_digest), shop.updated_at) == (b"", read_kept(shop)[ALIAS].kept_at)
    Connection.objects.update(source_digest=b"1")
    keep_values(shop, anna, ALIAS)  # once more: nothing happens
    shop.refresh_from_db()
    assert bytes(shop.source_digest) == b"1"
    let_values_go(shop, anna, ALIAS, ("connection", "", "website"))
    shop.refresh_from_db()
    assert bytes(shop.source_digest) == b""
    assert ALIAS not in read_kept(shop)
    went, came = read_timeline(shop, 50)
    assert (went.source, went.entries) == ("anna", [Entry("connection let go", "customer_alias", "", "", None)])
    assert Entry("shipping address S1 kept", "city", "", "", None) in came.entries


def test_what_is_kept_follows_its_record_and_goes_with_it(shop, anna):
    with recorded_edit([shop.pk], anna):
        Address.objects.filter(code="S1").update(code="S9")
        door, buyer = Door.objects.get(), Buyer.objects.get()
        door.code, buyer.email = "D9", "ANA@example.com"
        door.save()
        buyer.save()
        Address.objects.get(code="S2").delete()
    assert set(read_kept(shop)) == {
        ALIAS, ("address", "S:S9", "city"), ("door", "D9", "name"), ("buyer", "ANA@example.com", "name")
    }  # fmt: skip
    Address.objects.all().delete()
    Door.objects.all().delete()
    Buyer.objects.all().delete()
    assert set(read_kept(shop)) == {ALIAS}
    with recorded_deletion([shop.pk], anna):
        shop.delete()
    assert not KeptValue.objects.exists()


def test_the_log_comes_to_the_same_whatever_is_kept(account, anna, tmp_path):
    Sender(account, tmp_path)(NEW | SHIPPING)
    shop = account.connections.get()
    keep_values(shop, anna, ALIAS)
    let_values_go(shop, anna, ALIAS)
    assert replay_log(account) == read_stored(account)


def test_an_undo_restores_what_is_kept_too_and_takes_away_what_is_kept_of_what_it_deletes(account, anna, tmp_path):
    send = Sender(account, tmp_path)
    first = send(NEW)
    second = send(NEW | SHIPPING | {"customer_alias": "b", "shipping_city": "Lyon"})
    shop = account.connections.get()
    keep_values(shop, anna, ALIAS, CITY)
    _, undone = undo_run(second)
    assert (undone.left, undone.restored) == ([], 1)
    shop.refresh_from_db()
    assert (shop.customer_alias, shop.addresses.count(), set(read_kept(shop))) == ("", 0, {ALIAS})
    assert not Change.objects.filter(action=Change.Action.KEPT, run_id__isnull=False).exists()
    undo_run(first)
    assert not Connection.objects.exists()
    assert not KeptValue.objects.exists()

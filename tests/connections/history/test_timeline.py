"""What happened to a customer, and where its values come from, in the admin and the API."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.history.provenance import Provenance
from connections.history.recording import recorded_deletion, recorded_edit
from connections.history.timeline import Entry, read_timeline
from connections.models import Address, Connection
from tests.api.conftest import Program
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.imports.customer_files import NEW, SHIPPING, Sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def rosa(account):
    user = make_user("rosa")
    add_member(account, user)
    return user


@pytest.fixture
def run(account, tmp_path):
    return Sender(account, tmp_path)(NEW | {"customer_alias": "a"}, NEW | SHIPPING | {"shipping_city": "Lyon"})


@pytest.fixture
def connection(account, run, rosa):
    """Made by a file, then edited by a program."""
    connection = account.connections.get()
    rosa.token_name = "shop"
    with recorded_edit([connection.pk], rosa):
        Connection.objects.update(customer_alias="b")
        Address.objects.all().delete()
    return connection


def test_the_timeline_tells_what_each_did_at_once_and_who_began_it(connection, run, rosa):
    edit, creation = read_timeline(connection, 50)
    assert (edit.source, edit.run) == ("rosa by token shop", None)
    assert sorted(edit.entries) == [
        Entry("connection", "customer_alias", "a", "b", None),
        Entry("shipping address S1 deleted", "", "city: Lyon, country: FR", "", None),
    ]
    assert (creation.source, creation.run) == (f"run {run.pk}, customers.txt", run.pk)
    assert [(entry.what, entry.line) for entry in creation.entries] == [
        ("connection created", 2), ("shipping address S1 created", 3), ("price type EUR EU Wholesale created", 2),
    ]  # fmt: skip
    run.started_by = rosa
    for changed, said in (
        ({}, "customers.txt by rosa"),
        ({"attempts": 1}, "customers.txt uploaded by rosa"),
        ({"released_from": run}, "customers.txt released by rosa"),
        ({"replays": run}, f"replay of run {run.pk} by rosa"),
        ({"undoes": run}, f"undo of run {run.pk} by rosa"),
    ):
        for name, value in changed.items():
            setattr(run, name, value)
        run.save()
        assert read_timeline(connection, 50)[1].source == f"run {run.pk}, {said}"


def test_the_page_shows_timeline_and_origins(client, rosa, connection, run):
    client.force_login(rosa)
    page = client.get(reverse("admin:connections_connection_change", args=[connection.pk])).content.decode()
    assert f"run {run.pk}, customers.txt" in page
    assert "rosa by token shop" in page
    row = f"{reverse('admin:imports_run_row', args=[run.pk])}?line=3"
    assert row in page
    assert [cell.text for cell in client.get(row).context["cells"]][:2] == ["C1", "Harbor Row"]
    assert "no row that begins on this line" in client.get(f"{row}9").content.decode()
    assert client.get(f"{row}x").status_code == 404
    (own, *_) = Provenance(connection).show()
    by = {field: source.rpartition(",")[0] for field, _, source, _ in own[1]}
    assert (by["profile_name"], by["customer_alias"]) == (f"run {run.pk}, customers.txt, line 2", "rosa by token shop")


def test_programs_ask_where_values_come_from(rosa, connection, run):
    ask = Program(rosa)
    found = ask("get", f"accounts/maison/connections/{connection.pk}/origins/").json()
    values = {(one["record"], one["field"]): one for one in found["values"]}
    name, alias = values["connection", "profile_name"], values["connection", "customer_alias"]
    assert (name["value"], name["run"], name["line"], name["user"], name["token"]) == (
        "Harbor Row",
        run.pk,
        2,
        None,
        "",
    )
    assert (alias["value"], alias["run"], alias["user"], alias["token"]) == ("b", None, "rosa", "shop")
    assert values["price_type", ""]["key"] == "EUR EU Wholesale"


def test_a_long_history_takes_no_more_queries(rosa, connection):
    def count():
        with CaptureQueriesContext(database) as queries:
            read_timeline(connection, 50)
            Provenance(connection).show()
        return len(queries)

    few = count()
    for number in range(10):
        with recorded_edit([connection.pk], rosa):
            Connection.objects.update(customer_alias=f"x{number}")
    assert count() == few


def test_the_history_of_a_deleted_connection_is_found_by_its_code(client, rosa, connection):
    with recorded_deletion([connection.pk], rosa):
        connection.delete()
    told = Program(rosa)("get", "accounts/maison/changes/?customer_code=C1").json()["results"]
    assert (told[0]["record"], told[0]["action"]) == ("connection", "deleted")
    assert told[0]["values"]["values"]["customer_alias"] == "b"
    client.force_login(rosa)
    listed = client.get(reverse("admin:connections_change_changelist"), {"q": "C1"})
    assert listed.context["cl"].result_list[0].action == "deleted"
    assert len(listed.context["cl"].result_list) == len(told) == 4

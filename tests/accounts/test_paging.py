"""Long lists: nothing that is many is counted or offered one by one."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import lists, owned, paging
from connections.models import Connection, ConnectionWarehouse
from lookups.models import CompanyNumber, SalesRep, Warehouse
from tests.builders import add_lookups, add_member, copy_connection, make_account, make_connection, make_user
from tests.pages import text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/connections/connection/"


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_lookups(account)
    user = make_user("rosa")
    add_member(account, user)
    client.force_login(user)
    return account


def test_few_are_counted_and_many_are_turned_page_by_page(client, account, monkeypatch):
    monkeypatch.setattr(paging, "MOST_COUNTED", 60)
    copy_connection(make_connection(account, "C0"), 59)
    assert "60 connections" in text_of(client.get(LIST))
    assert "60 results" not in text_of(client.get(LIST))
    assert "60 results" in text_of(client.get(f"{LIST}?status__exact=approved"))
    make_connection(account, "LAST")
    page = client.get(LIST)
    assert "Select all that the list holds" in text_of(page)
    assert "9999999999" not in page.content.decode()
    with CaptureQueriesContext(database) as asked:
        assert [each.customer_code for each in client.get(f"{LIST}?p=2").context["cl"].result_list][-1] == "LAST"
    passed_over = [query["sql"] for query in asked if "OFFSET 50" in query["sql"]]
    assert len(passed_over) == 1
    assert "profile_name" not in passed_over[0]
    assert client.get(f"{LIST}?p=3").status_code == 200
    for number in range(50):
        make_connection(account, f"Z{number}")
    with CaptureQueriesContext(database) as asked:
        page = client.get(f"{LIST}?p=3")
    assert len(page.context["cl"].result_list) == 11
    assert "results" not in text_of(page)
    assert not [query["sql"] for query in asked if "LIMIT 61" in query["sql"] and "customer_code" in query["sql"]]
    chosen = Connection.objects.values_list("pk", flat=True)[:1]
    sent = {"action": "reject", "index": "0", "select_across": "1", "_selected_action": list(chosen)}
    assert client.post(LIST, sent).status_code == 302
    assert not Connection.objects.exclude(status="rejected").exists()


def test_a_list_that_is_too_long_keeps_its_order(client, account, monkeypatch):
    def codes(page):
        return [each.customer_code for each in page.context["cl"].result_list]

    for code, name in (("C1", "Zoe"), ("C2", "Yve"), ("C3", "Xenia")):
        make_connection(account, code, profile_name=name)
    page = client.get(f"{LIST}?o=2")
    assert codes(page) == ["C3", "C2", "C1"]
    assert "?o=1" in page.content.decode()
    monkeypatch.setattr(paging, "MOST_COUNTED", 2)
    monkeypatch.setattr(lists, "MOST_SORTED", 2)
    page = client.get(f"{LIST}?o=2")
    assert codes(page) == ["C1", "C2", "C3"]
    assert "More than 2 are not sorted by this column" in text_of(page)
    assert "?o=" not in page.content.decode()
    assert "?o=" in client.get(f"{LIST}?status__exact=approved").content.decode()
    assert codes(client.get(f"{LIST}?o=2&q=C")) == ["C1", "C2", "C3"]
    assert "not sorted" not in text_of(client.get(f"{LIST}?o=2&q=C1"))
    assert "not sorted" not in text_of(client.get("/admin/connections/change/?o=1"))


def test_filters_search_what_one_may_see_and_name_only_that(client, account):
    foreign = make_account("foreign", name="Foreign Brand")
    hidden = SalesRep.objects.create(account=foreign, code="R9", name="Hidden", email="r9@example.com")
    own = SalesRep.objects.filter(account=account)[0]
    make_connection(account, "C1", sales_rep=own)
    make_connection(account, "C2")
    page = client.get(f"{LIST}?sales_rep__id__exact={own.pk}")
    assert [each.customer_code for each in page.context["cl"].result_list] == ["C1"]
    assert str(own) in text_of(page)
    page = client.get(f"{LIST}?sales_rep__id__exact={hidden.pk}&account__id__exact={foreign.pk}").content.decode()
    assert "Hidden" not in page
    assert "Foreign Brand" not in page
    asked = {"app_label": "connections", "model_name": "connection", "field_name": "sales_rep", "term": ""}
    offered = client.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert {entry["text"] for entry in offered} == {str(rep) for rep in SalesRep.objects.filter(account=account)}


def test_no_page_offers_every_one_of_many_accounts(client, account, monkeypatch):
    monkeypatch.setattr(owned, "MOST_OFFERED", 5)
    monkeypatch.setattr("connections.admin.connections.MOST_OFFERED", 5)
    for number in range(20):
        make_account(f"brand-{number}", name=f"Brand {number}")
    client.force_login(make_user("root", is_superuser=True))
    for address in (
        "/admin/imports/feed/add/",
        "/admin/imports/webhook/add/",
        "/admin/accounts/account/add/",
        f"{LIST}add/",
    ):
        assert "Brand 15" not in client.get(address).content.decode(), address
    assert "Brand 15" in text_of(client.get(f"{LIST}add/?q=nd 15"))
    assert "called so" in text_of(client.get(f"{LIST}add/?q=nobody"))


def test_the_form_of_a_connection_with_one_of_everything_asks_little(client, account):
    connection = make_connection(
        account,
        "C1",
        addresses=[{"code": "S1"}],
        doors=[{"code": "S1"}],
        buyers=[{"email": "a@example.com"}],
        sales_rep=SalesRep.objects.filter(account=account)[0],
        company_number=CompanyNumber.objects.filter(account=account)[0],
    )
    ConnectionWarehouse.objects.create(connection=connection, lookup=Warehouse.objects.filter(account=account)[0])
    address = reverse("admin:connections_connection_change", args=[connection.pk])
    client.get(address)
    with CaptureQueriesContext(database) as asked:
        client.get(address)
    assert len(asked) <= 30

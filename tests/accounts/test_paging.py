"""Long lists: nothing that is many is counted or offered one by one."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import paging
from accounts.admin import lists, owned
from accounts.models import User
from connections.admin.connections import ConnectionAdmin
from connections.matching.finding import look_for_duplicates
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
    chosen = Connection.objects.values_list("pk", flat=True)[:1]
    sent = {"action": "reject", "index": "0", "select_across": "1", "_selected_action": list(chosen)}
    assert client.post(LIST, sent).status_code == 302
    assert not Connection.objects.exclude(status="rejected").exists()


def turn(client, page, to):
    """The page that a link of another one leads to; None where it is none."""
    link = re.search(rf'href="([^"]*)" rel="{to}"', page.content.decode())
    return client.get(f"{page.request['PATH_INFO']}{html.unescape(link[1])}") if link else None


def codes_on(page):
    return [each.customer_code for each in page.context["cl"].result_list]


@pytest.mark.parametrize("query", ["", "q=C", "o=-1", "o=2", "status__exact=approved", "o=6"])
def test_pages_of_many_are_all_reached_in_both_directions(client, account, monkeypatch, query):
    """Of two accounts, in any order that is offered; by columns of other tables (`o=6`) pages have numbers."""
    monkeypatch.setattr(paging, "MOST_COUNTED", 3)
    monkeypatch.setattr(ConnectionAdmin, "list_per_page", 3)
    other = make_account("other")
    add_member(other, User.objects.get(username="rosa"))
    for number in range(8):
        make_connection((account, other)[number % 2], f"C{number}", profile_name=f"Name {number // 3}")
    look_for_duplicates(account.pk)
    look_for_duplicates(other.pk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "MOST_COUNTED", 1000)
        patch.setattr(ConnectionAdmin, "list_per_page", 50)
        whole = codes_on(client.get(f"{LIST}?{query}"))
    pages = [client.get(f"{LIST}?{query}")]
    while page := turn(client, pages[-1], "next"):
        pages.append(page)
    assert [code for page in pages for code in codes_on(page)] == whole
    assert [len(codes_on(page)) for page in pages] == [3, 3, 2]
    assert not turn(client, pages[0], "prev")
    for page, before in zip(pages[1:], pages, strict=False):
        assert codes_on(turn(client, page, "prev")) == codes_on(before)
    assert codes_on(turn(client, turn(client, pages[1], "prev"), "next")) == codes_on(pages[1])


def test_a_page_keeps_its_place_while_others_write(client, account, monkeypatch):
    monkeypatch.setattr(paging, "MOST_COUNTED", 3)
    monkeypatch.setattr(ConnectionAdmin, "list_per_page", 3)
    copy_connection(make_connection(account, "C1"), 7)
    first = client.get(LIST)
    second = codes_on(turn(client, first, "next"))
    make_connection(account, "0-NEW")
    Connection.objects.filter(customer_code=codes_on(first)[-1]).delete()
    page = turn(client, first, "next")
    assert codes_on(page) == second
    assert len(codes_on(turn(client, page, "prev"))) == 3
    last = turn(client, page, "next")
    Connection.objects.filter(customer_code__in=codes_on(last)).delete()
    assert codes_on(client.get(last.request["PATH_INFO"] + "?" + last.request["QUERY_STRING"])) == []


def test_a_list_whose_last_page_was_decided_keeps_its_filters_and_shows_the_page_before(client, account, monkeypatch):
    monkeypatch.setattr(ConnectionAdmin, "list_per_page", 3)
    copy_connection(make_connection(account, "C1", status="pending"), 6)
    last = f"{LIST}?status__exact=pending&p=3"
    chosen = codes_on(client.get(last))
    ids = Connection.objects.filter(customer_code__in=chosen).values_list("pk", flat=True)
    page = client.post(last, {"action": "approve", "index": "0", "_selected_action": list(ids)}, follow=True)
    assert page.request["QUERY_STRING"] == "status__exact=pending&p=3"
    assert codes_on(page) == codes_on(client.get(f"{LIST}?status__exact=pending&p=2"))
    assert len(codes_on(page)) == 3
    for number in ("0", "-1", "99"):
        assert client.get(f"{LIST}?status__exact=pending&p={number}").status_code == 200


def test_numbers_of_pages_end_where_nothing_is_counted_any_more(client, account, monkeypatch):
    for module in (paging, lists):
        monkeypatch.setattr(module, "MOST_COUNTED", 6)
    monkeypatch.setattr(ConnectionAdmin, "list_per_page", 3)
    copy_connection(make_connection(account, "C1"), 9)
    with CaptureQueriesContext(database) as asked:
        page = client.get(f"{LIST}?p=4000")
    assert not [query for query in asked if "OFFSET" in query["sql"]]
    assert codes_on(page) == codes_on(client.get(f"{LIST}?p=2"))
    assert "Only the first 6 are paged by number. Go on with Next, or filter or search." in text_of(page)
    assert len(codes_on(turn(client, page, "next"))) == 3
    assert "paged by number" not in text_of(client.get(f"{LIST}?p=2"))
    for unknown in ("x", "WzEsMl0:forged", ""):
        assert codes_on(client.get(f"{LIST}?p={unknown}")) == codes_on(client.get(LIST))
    assert client.get(f"{LIST}?p=0").status_code == 302


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

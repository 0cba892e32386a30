"""The way to a page: each part leads back, and the last one says what the page is."""

from __future__ import annotations

import re

import pytest

from tests.builders import add_member, make_account, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("lookups/paymentterm/", ["Lookups", "Payment terms"]),
        ("lookups/paymentterm/add/", ["Lookups", "Payment terms", "Add payment term"]),
        ("lookups/paymentterm/import/", ["Lookups", "Payment terms", "Import"]),
        ("connections/connection/add/", ["Customers", "Connections", "Add connection"]),
        ("imports/run/upload/", ["Imports", "Runs", "Upload a file"]),
    ],
)
def test_the_way_to_a_page_ends_with_what_it_is(client, path, way):
    account = make_account("maison")
    add_member(account, user := make_user("rosa"), "editor")
    client.force_login(user)
    page = client.get(f"/admin/{path}", follow=True).content.decode()
    head = page.partition("<h1")[2].partition("</h1>")[0].partition(">")[2]
    parts = [text for text in re.split(r"<[^>]*>|\s{2,}", head) if text.strip() and text != "chevron_right"]
    assert parts == way

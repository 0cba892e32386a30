"""A person without any account, lists without entries, and what the navigation counts."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils.html import escape

from imports.models import Run
from tests.accounts.test_admin import url
from tests.builders import add_member, make_account, make_connection, make_user
from tests.pages import text_of

pytestmark = pytest.mark.django_db


def test_a_person_without_an_account_is_told_whom_to_ask(client):
    make_user("root", is_superuser=True, first_name="Ida", last_name="Root")
    client.force_login(make_user("newcomer"))
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    assert "Ida Root" in text_of(answer)
    assert "root@example.com" in text_of(answer)
    assert "/admin/connections/" not in answer.content.decode()
    assert f'action="{reverse("admin:logout")}"' in answer.content.decode()
    for model in admin.site._registry:
        refused = client.get(url(model, "changelist"))
        assert refused.status_code == 403
        assert "in no account yet" in text_of(refused)
    assert client.post(reverse("admin:logout")).status_code < 400


def test_the_navigation_counts_production_alone_and_leads_to_what_it_counts(client):
    account = make_account("maison")
    sandbox = make_account("maison-test", sandbox_of=account)
    add_member(account, user := make_user("eddie"))
    add_member(sandbox, user)
    for owner, codes in ((account, "AB"), (sandbox, "CDE"), (make_account("northwind"), "F")):
        for code in codes:
            make_connection(owner, code, status="pending")
            Run.objects.create(account=owner, file_name=f"{code}.txt", status="held")
    client.force_login(user)
    shown = client.get(reverse("admin:lookups_warehouse_changelist")).content.decode()
    reviews, held = reverse("admin:connections_connection_review"), r"[^\"]*kind=production"
    links = re.findall(rf'<a href="({reviews}|{held})"[^>]*>(.*?)</a>', shown, re.DOTALL)
    assert [re.findall(r">\s*(\d+)\s*<", entry) for _, entry in links] == [["2"], ["2"]]
    assert "Review 1 of 2" in client.get(links[0][0]).content.decode()
    to_decide = links[1][0].replace("&amp;", "&")
    assert client.get(to_decide).context["cl"].result_count == 2
    for address, marked in (
        (reverse("admin:index"), []),
        (reverse("admin:connections_connection_changelist"), ["Connections"]),
        (reverse("admin:connections_connection_change", args=[account.connections.all()[0].pk]), ["Connections"]),
        (reviews, ["To review"]),
        (reverse("admin:connections_connection_review_unlike"), ["To review"]),
        (url(Run, "changelist"), ["Runs"]),
        (f"{url(Run, 'changelist')}?awaits=yes", ["Runs"]),
        (f"{to_decide}&q=A", ["To decide"]),
        (reverse("admin:accounts_account_holdings"), ["What is kept"]),
    ):
        groups = client.get(address).context["sidebar_navigation"]
        assert [item["title"] for group in groups for item in group["items"] if item["active"]] == marked, address


def test_every_empty_list_says_what_would_fill_it(client):
    client.force_login(make_user("root", is_superuser=True))
    registry: dict[Any, Any] = admin.site._registry
    for model, model_admin in registry.items():
        shown = client.get(url(model, "changelist"))
        if shown.context["cl"].result_count == 0:
            assert escape(model_admin.when_empty) in shown.content.decode()
        searched = client.get(url(model, "changelist"), {"q": "nothing-like-it"})
        if searched.context["cl"].search_fields:
            assert "Nothing is like what you look for" in text_of(searched)


def test_moments_are_written_alike(client):
    client.force_login(user := make_user("root", is_superuser=True))
    account = make_account("maison")
    for page in (url(type(account), "changelist"), url(type(user), "change", user.pk)):
        shown = text_of(client.get(page))
        assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d", shown.replace("\xa0", " ")), page
        assert not re.search(r"[ap]\.m\.|(Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec)\.? \d+, 20", shown)

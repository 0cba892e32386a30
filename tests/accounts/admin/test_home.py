"""The home page: what needs somebody, of the accounts that one may see, and where each number leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.admin.home import MOST_COUNTED
from accounts.models import Account, Membership
from imports.models import Feed, Run
from tests.builders import add_member, copy_connection, make_account, make_connection, make_user


@pytest.fixture
def account(db):
    return make_account("maison")


@pytest.fixture
def rosa(account, client):
    user = make_user("rosa")
    add_member(account, user)
    client.force_login(user)
    return client


def make_run(account, **fields):
    return Run.objects.create(account=account, file_name="customers.txt", format_name="standard", **fields)


def make_feed(account, **fields):
    return Feed.objects.create(account=account, name=fields.pop("name", "erp"), protocol="folder", **fields)


def shown(client, query=""):
    page = client.get(f"/admin/{query}")
    assert page.status_code == 200
    return {need.text: need for need in page.context["needs"]}


def fill(account):
    make_connection(account, "C1", status="pending")
    make_run(account, status="held", held_for="limits")
    make_run(account, status="held", held_for="limits", dry_run=True)
    make_run(account, status="rejected")
    make_run(account, status="partial", rejected=1)
    make_run(account, status="failed")
    long_ago = make_run(account, status="rejected")
    Run.objects.filter(pk=long_ago.pk).update(started_at=timezone.now() - timedelta(days=3))
    make_feed(account, name="failing", failures=3, problem="It is <full>.")
    make_feed(account, name="off", failures=3, enabled=False)
    make_feed(account, name="stuck", move_problem="No permission.")
    silent = make_feed(account, name="silent", silent_after_hours=24)
    Feed.objects.filter(pk=silent.pk).update(created_at=timezone.now() - timedelta(days=3))


def test_every_number_leads_to_a_list_of_as_many(account, rosa):
    fill(account)
    needs = shown(rosa)
    assert len(needs) == 8
    for need in needs.values():
        listed = rosa.get(need.url)
        assert (need.text, listed.status_code) == (need.text, 200)
        found = listed.context["queue"].ids if "queue" in listed.context else listed.context["cl"].queryset
        assert (need.text, len(found)) == (need.text, need.count) == (need.text, 1)


def test_what_waits_elsewhere_waits_for_others(account, rosa):
    fill(make_account("other"))
    sandbox = Account.objects.create(code="maison-sandbox", name="Sandbox", sandbox_of=account)
    fill(sandbox)
    add_member(sandbox, account.memberships.get().user)
    assert shown(rosa) == {}
    assert len(shown(rosa, "?account=maison-sandbox")) == 8
    page = rosa.get("/admin/?account=other")
    assert "There is no account other that you may see" in page.content.decode()


def test_many_are_not_counted(account, rosa):
    copy_connection(make_connection(account, "C1", status="pending"), MOST_COUNTED + 5)
    (need,) = shown(rosa).values()
    assert need.number == "more than 1,000"


def test_the_chart_holds_each_day_and_leads_to_its_runs(account, rosa):
    make_run(account, status="succeeded", created=30, updated=10)
    make_run(account, status="partial", created=10, rejected=50)
    make_run(account, status="held", held_for="limits", created=1000)
    undone = make_run(account, status="undone", created=1000)
    make_run(account, status="succeeded", deleted=1000, updated=1000, undoes=undone)
    before = make_run(account, status="succeeded", updated=50)
    Run.objects.filter(pk=before.pk).update(started_at=timezone.now() - timedelta(days=2))
    page = rosa.get("/admin/")
    runs = page.context["panels"][0].context
    assert len(runs["bars"]) == 14
    assert runs["highest"] == 100
    assert [bar.total for bar in runs["bars"]][-3:] == [50, 0, 100]
    assert runs["bars"][-1].parts == [("rejected", 48.0, 48.0), ("updated", 38.4, 9.6), ("created", 0.0, 38.4)]
    assert rosa.get(runs["bars"][-3].url).context["cl"].queryset.get() == before
    assert "40 created, 10 updated, 50 rejected" in page.content.decode()


def test_feeds_that_need_somebody_stand_first(account, rosa):
    fill(account)
    held = make_feed(account, name="held", pulled_at=timezone.now())
    make_run(account, feed=held, status="held", held_for="limits")
    rows = rosa.get("/admin/").context["panels"][1].context["rows"]
    assert [(row["feed"].name, row["state"][0]) for row in rows][:2] == [
        ("held", "waits for a decision"), ("failing", "failing"),
    ]  # fmt: skip
    assert {row["feed"].name: row["why"] for row in rows if row["why"]} == {
        "failing": "It is <full>.", "stuck": "No permission.",
    }  # fmt: skip
    assert "It is &lt;full&gt;." in rosa.get("/admin/").content.decode()


@pytest.mark.parametrize("role", Membership.Role.values)
def test_it_says_whose_work_waits(account, rosa, role):
    fill(account)
    Membership.objects.update(role=role)
    text = rosa.get("/admin/").content.decode()
    assert ("What needs you" in text, "What waits for editors" in text) == (role == "editor", role == "viewer")


def test_an_empty_installation_says_what_to_do_next(account, rosa):
    text = rosa.get("/admin/").content.decode()
    assert "Nothing waits for anybody" in text
    assert "Add the first feed" in text
    assert reverse("admin:imports_run_upload") in text


def test_the_page_asks_as_much_of_the_database_for_one_account_as_for_many(account, rosa):
    fill(account)
    rosa.get("/admin/")
    with CaptureQueriesContext(connection) as few:
        rosa.get("/admin/")
    for number in range(20):
        other = make_account(f"brand-{number}")
        add_member(other, account.memberships.get().user)
        fill(other)
    with CaptureQueriesContext(connection) as many:
        rosa.get("/admin/")
    assert len(many) == len(few) <= 30


def test_the_first_day_begins_with_an_account(db, client):
    client.force_login(make_user("root", is_superuser=True))
    page = client.get("/admin/").content.decode()
    assert f'href="{reverse("admin:accounts_account_add")}">Add the first account' in page
    assert "Add the first feed" not in page
    assert "Upload a file</a>" not in page
    assert "Nothing waits" not in page
    form = {"name": "Maison", "code": "maison", "auto_approval": "never", "review_hours": 48}
    rows = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    added = client.post(reverse("admin:accounts_account_add"), form | rows, follow=True)
    assert added.redirect_chain == [("/admin/?account=maison", 302)]
    page = added.content.decode()
    assert "Add the first account" not in page
    pk = Account.objects.get().pk
    assert f'href="{reverse("admin:lookups_pricetype_changelist")}?account__id__exact={pk}"' in page
    for name in ("imports_format_add", "imports_run_upload", "imports_feed_add"):
        assert f'href="{reverse(f"admin:{name}")}?account={pk}"' in page

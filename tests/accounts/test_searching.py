"""The search box: one question, answered by the apps for the accounts that one may see, the best first."""

from __future__ import annotations

import pytest
from django.urls import reverse

from connections.matching.finding import look_for_duplicates
from imports.models import Feed, Format, Issue, Run
from tests.builders import add_member, make_account, make_change, make_connection, make_user
from tests.pages import text_of

pytestmark = pytest.mark.django_db


def make_run(account, name="customers.txt", **fields):
    return Run.objects.create(
        account=account, file_name=name, format_name="standard", **{"status": "partial", **fields}
    )


def reject(run, code, message, **fields):
    return Issue.objects.create(
        run=run, customer_code=code, message=message, code="x", **{"severity": "error", "line": 2, **fields}
    )


def fill(account):
    make_connection(account, "C1", profile_name="Galerie Lumière", addresses=[{"code": "S1", "city": "Lyon"}])
    make_connection(account, "C10", profile_name="Lyon Mode")
    make_connection(account, "c-1", profile_name="C1 Studio")
    look_for_duplicates(account.pk)
    Feed.objects.create(account=account, name="lyon erp", protocol="folder")
    Format.objects.create(account=account, name="lyon layout")
    run = make_run(account, "lyon.txt")
    reject(run, "GONE", "No currency.")
    return run


@pytest.fixture
def account():
    account = make_account("maison", name="Maison")
    add_member(account, make_user("rosa"))
    return account


@pytest.fixture
def rosa(client, account):
    client.force_login(account.memberships.get().user)
    return client


def ask(client, text):
    answer = client.get(reverse("admin:search"), {"s": text, "extended": "1"})
    assert answer.status_code == 200
    return [(found.title, found.link) for found in answer.context["results"]] if answer.content else []


def titles(client, text):
    return [title for title, _ in ask(client, text)]


def test_the_best_answer_stands_first_and_every_link_opens(account, rosa):
    run = fill(account)
    assert titles(rosa, "C1") == ["C1 · Galerie Lumière", "c-1 · C1 Studio", "C10 · Lyon Mode"]
    found = ask(rosa, "lyon")
    assert {title for title, _ in found} == {
        "C1 · Galerie Lumière", "C10 · Lyon Mode", "lyon erp", "lyon layout", f"Run {run.pk} · lyon.txt",
    }  # fmt: skip
    assert [title for title, _ in found][-1] == "C1 · Galerie Lumière"
    assert titles(rosa, "mais") == ["Maison"]
    for text in (str(run.pk), f"run {run.pk}", f"#{run.pk}"):
        assert f"Run {run.pk} · lyon.txt" in titles(rosa, text)
    for title, link in found:
        assert (title, rosa.get(link).status_code) == (title, 200)


def test_nothing_of_other_accounts_is_found(account, rosa):
    run = fill(make_account("other", name="Other Lyon"))
    for text in ("C1", "lyon", "GONE", str(run.pk), "other"):
        assert titles(rosa, text) == []
    page = rosa.get(reverse("admin:imports_issue_customer"), {"code": "GONE"})
    assert "No currency" not in text_of(page)


@pytest.mark.parametrize("text", ["", "   ", "'", "%", "_", "\\", "9" * 30, "a" * 1000, "²"])
def test_odd_questions_find_nothing(account, rosa, text):
    fill(account)
    assert titles(rosa, text) == []


def test_why_a_customer_was_rejected_is_said_at_once_with_the_newest_file_first(account, rosa):
    fill(account)
    first, second = make_run(account, "monday.txt"), make_run(account, "tuesday.txt")
    reject(first, "X7", "The currency is missing.")
    reject(second, "X7", "A warning.", severity="warning")
    reject(second, "X7", "The currency 'EURO' is unknown.")
    make_change(make_connection(account, "X7"), run_id=first.pk, action="updated")
    for code in ("X7", "x7"):
        answer = rosa.get(reverse("admin:search"), {"s": code}).context["results"]
        assert [found.title for found in answer if found.icon == "help"] == [
            f"X7 was rejected in run {second.pk} · tuesday.txt", f"X7 was rejected in run {first.pk} · monday.txt",
        ]  # fmt: skip
    assert (
        "line 2: The currency 'EURO' is unknown." in next(found for found in answer if found.icon == "help").description
    )
    page = text_of(rosa.get(next(found.link for found in answer if found.icon == "help")))
    assert page.index("tuesday.txt") < page.index("'EURO' is unknown") < page.index("monday.txt")
    assert "1 updated" in page


def test_a_code_that_no_connection_has_is_explained_and_one_that_no_file_has_is_told(account, rosa):
    fill(account)
    assert "GONE was rejected" in ask(rosa, "GONE")[0][0]
    page = text_of(rosa.get(reverse("admin:imports_issue_customer"), {"code": "GONE"}))
    assert "No connection has this code" in page
    assert "No currency." in page
    page = text_of(rosa.get(reverse("admin:imports_issue_customer"), {"code": "NEVER"}))
    assert "No file changed this customer" in page


def test_files_that_list_only_some_of_their_problems_are_named(account, rosa):
    run = make_run(account, "many.txt")
    Issue.objects.create(run=run, severity="error", code="x", message="5 more like this.", more=5)
    assert "many.txt" in text_of(rosa.get(reverse("admin:imports_issue_customer"), {"code": "NEVER"}))


def test_a_superuser_of_very_many_accounts_finds_codes_too(account, client, monkeypatch):
    fill(account)
    monkeypatch.setattr("accounts.searching.MOST_LISTED", 0)
    client.force_login(make_user("root", is_superuser=True))
    assert titles(client, "C1")[0] == "C1 · Galerie Lumière"
    assert "C10 · Lyon Mode" in titles(client, "lyon")

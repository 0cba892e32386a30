"""The pages of runs and issues: only looked at, and never slower than a page of them."""

import re

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.paging import MOST_COUNTED
from imports.models import Issue, Run
from tests.builders import add_member, make_account, make_user
from tests.pages import text_of

pytestmark = pytest.mark.django_db

RUNS, ISSUES = "admin:imports_run_changelist", "admin:imports_issue_changelist"


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_member(account, user := make_user("eddie"))
    client.force_login(user)
    return account


def make_run(account, issues=0, **fields):
    run = Run.objects.create(account=account, **{"file_name": "c.txt", "format_name": "standard template", **fields})
    Issue.objects.bulk_create(
        Issue(run=run, line=line, field="profile_name", code="required", severity="error", message=f"Problem {line}")
        for line in range(2, issues + 2)
    )
    return run


def test_a_run_shows_what_became_of_the_file(client, account):
    run = make_run(account, 1, status="partial", rows=1234, seconds=0.5, file_size=98765, message="Two were rejected.")
    shown = client.get(reverse("admin:imports_run_change", args=[run.pk])).content.decode()
    for text in ("c.txt", "partial", "1,234", "0.5", "98,765", "Two were rejected."):
        assert text in shown, text
    assert f"{reverse(ISSUES)}?run__id__exact={run.pk}" in shown


def test_a_run_without_issues_links_to_none(client, account):
    run = make_run(account)
    assert "run__id__exact" not in client.get(reverse("admin:imports_run_change", args=[run.pk])).content.decode()


def test_the_issues_of_a_run_come_in_the_order_of_the_file(client, account):
    run = make_run(account, 3)
    make_run(account, 3)
    response = client.get(reverse(ISSUES), {"run__id__exact": run.pk})
    assert [issue.line for issue in response.context["cl"].result_list] == [2, 3, 4]
    assert {issue.run for issue in response.context["cl"].result_list} == {run}
    assert f'href="{reverse("admin:imports_run_change", args=[run.pk])}">{run}</a>' in response.content.decode()
    for odd in (run.pk + 99, "x", "9" * 30):
        assert "those of all runs" not in text_of(client.get(reverse(ISSUES), {"run__id__exact": odd}, follow=True))


def test_the_issues_of_all_runs_name_their_files_and_those_of_one_do_not(client, account):
    run = make_run(account, 1, file_name="monday.txt")
    named = f"monday.txt (run {run.pk})"
    assert named in text_of(client.get(reverse(ISSUES)))
    assert named not in text_of(client.get(reverse(ISSUES), {"run__id__exact": run.pk}))


@pytest.mark.parametrize(("role", "offered"), [("editor", True), ("viewer", False)])
def test_the_list_of_runs_leads_editors_to_the_upload(client, account, role, offered):
    account.memberships.update(role=role)
    make_run(account)
    shown = client.get(reverse(RUNS)).content.decode()
    assert (reverse("admin:imports_run_upload") in shown) == offered


def test_the_side_bar_is_opened_by_a_button_that_has_a_name(client, account):
    shown = client.get(reverse(RUNS)).content.decode()
    buttons = re.findall(r"<button[^>]*><span[^>]*>dock_to_right</span></button>", shown)
    assert len(buttons) == 2
    assert all('aria-label="Side bar"' in button and 'aria-controls="nav-sidebar"' in button for button in buttons)
    assert 'id="nav-sidebar"' in shown


@pytest.mark.parametrize(
    ("given", "found"),
    [({"severity__exact": "warning"}, 1), ({"code": "too_long"}, 1), ({"field": "profile_name"}, 3), ({"q": "C9"}, 1)],
)
def test_issues_are_filtered(client, account, given, found):
    run = make_run(account, 3)
    Issue.objects.create(
        run=run, code="too_long", severity="warning", message="Long", field="website", customer_code="C9"
    )
    response = client.get(reverse(ISSUES), {"run__id__exact": run.pk, **given})
    assert len(response.context["cl"].result_list) == found


def test_the_lists_count_no_further_than_a_thousand_and_never_ask_per_row(client, account):
    def statements(url):
        with CaptureQueriesContext(database) as captured:
            assert client.get(url).status_code == 200
        return [query["sql"] for query in captured]

    run = make_run(account, 1)
    url = f"{reverse(ISSUES)}?run__id__exact={run.pk}"
    few, few_runs = len(statements(url)), len(statements(reverse(RUNS)))
    make_run(account, 150)
    Issue.objects.update(run=run)
    many = statements(url)
    assert len(many) == few
    assert len(statements(reverse(RUNS))) == few_runs
    counted = [sql for sql in many if "COUNT(" in sql and "imports_issue" in sql]
    assert all(f"LIMIT {MOST_COUNTED + 1}" in sql for sql in counted)


def test_runs_are_deleted_by_superusers_alone_and_with_their_issues(client, account):
    run = make_run(account, 5)
    delete = reverse("admin:imports_run_delete", args=[run.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    client.force_login(make_user("root", is_superuser=True))
    assert "with its issues" in client.get(delete).content.decode()
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not Issue.objects.exists()

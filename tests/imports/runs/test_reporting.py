"""What a run changed: counted, listed, and as a table."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from connections.models import Connection
from imports.formats.policies import Policies
from imports.formats.spec import FormatSpec
from imports.models import Run
from imports.runs.reporting import summarise
from imports.runs.undoing import undo_run
from tests.api.conftest import Program
from tests.builders import add_member, make_user
from tests.imports.customer_files import NEW, SHIPPING

pytestmark = pytest.mark.django_db

CHANGED = {"customer_alias": "=HYPERLINK(1)", "payment_terms_code": "N60"}


@pytest.fixture
def rosa(account):
    user = make_user("rosa")
    add_member(account, user)
    return user


@pytest.fixture
def first(send):
    return send(NEW | SHIPPING | {"payment_terms_code": "N30", "customer_alias": "a"}, NEW | {"customer_code": "C2"})


@pytest.fixture
def run(send, first):
    return send(NEW | CHANGED, NEW | CHANGED | {"customer_code": "C2"}, NEW | {"customer_code": "C3"})


def counted(run):
    summary = summarise(run)
    assert summary is not None
    return {(one["record"], one["action"], one["field"]): one["count"] for one in summary["changes"]}


def table_of(answer):
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def brief(rows):
    names = ("customer_code", "action", "record", "key", "field", "before", "after", "line")
    return [tuple(row[name] for name in names) for row in rows]


def test_changes_are_counted_by_field(run):
    assert counted(run) == {
        ("connection", "updated", "customer_alias"): 2,
        ("payment_term", "created", ""): 2,
        ("payment_term", "deleted", ""): 1,
        ("connection", "created", ""): 1,
    }


def test_the_api_counts_and_lists_and_gives_a_table(account, rosa, first, run):
    ask = Program(rosa)
    place = f"accounts/maison/runs/{run.pk}/report/"
    report = ask("get", place).json()
    assert (report["run"], report["kept"]) == (run.pk, 0)
    assert report["changes"][0]["count"] == 2
    assert [(one["customer_code"], one["field"], one["before"], one["after"]) for one in report["samples"]] == [
        ("C3", "profile_name", None, "Harbor Row"),
        ("C1", "customer_alias", "a", "=HYPERLINK(1)"),
        ("C2", "customer_alias", "", "=HYPERLINK(1)"),
    ]
    found = ask("get", f"accounts/maison/changes/?run={run.pk}&field=customer_alias&customer_code=C2").json()["results"]
    assert [(one["before"], one["after"]) for one in found] == [("", "=HYPERLINK(1)")]
    table = table_of(ask("get", f"{place}csv/?customer_code=C1"))
    assert brief(table) == [
        ("C1", "created", "payment_term", "N60", "", "", "", "2"),
        ("C1", "updated", "connection", "", "customer_alias", "a", "'=HYPERLINK(1)", "2"),
        ("C1", "deleted", "payment_term", "N30", "", "", "", "2"),
    ]
    assert brief(table_of(ask("get", f"accounts/maison/runs/{first.pk}/report/csv/?customer_code=C1"))) == [
        ("C1", "created", "connection", "", "", "", "", "2"),
        ("C1", "created", "connection", "", "profile_name", "", "Harbor Row", "2"),
        ("C1", "created", "connection", "", "customer_alias", "", "a", "2"),
        ("C1", "created", "connection", "", "status", "", "pending", "2"),
        ("C1", "created", "address", "S:S1", "", "", "", "2"),
        ("C1", "created", "address", "S:S1", "country", "", "FR", "2"),
        ("C1", "created", "price_type", "EUR EU Wholesale", "", "", "", "2"),
        ("C1", "created", "payment_term", "N30", "", "", "", "2"),
    ]


@pytest.mark.parametrize("query", ["?record=nothing", "?colour=red", "?field="])
def test_what_no_change_can_be_is_refused(rosa, run, query):
    answer = Program(rosa)("get", f"accounts/maison/runs/{run.pk}/report/csv/{query}")
    assert answer.status_code == 400


def test_runs_of_other_accounts_are_not_reported(run):
    luc = make_user("luc")
    for path in ("report/", "report/csv/"):
        assert Program(luc)("get", f"accounts/maison/runs/{run.pk}/{path}").status_code == 404


def test_the_admin_shows_the_report_and_leads_to_the_changes(client, rosa, run):
    client.force_login(rosa)
    page = reverse("admin:imports_run_report", args=[run.pk])
    assert page in client.get(reverse("admin:imports_run_change", args=[run.pk])).content.decode()
    shown = client.get(page)
    most = shown.context["counts"][0]
    assert (most["what"], most["field"], most["count"]) == ("connection updated", "customer alias", "2")
    listed = client.get(shown.context["counts"][0]["list"])
    assert listed.status_code == 200
    assert [change.customer_code for change in listed.context["cl"].result_list] == ["C2", "C1"]
    assert len(table_of(client.get(shown.context["counts"][0]["table"]))) == 2


def test_a_held_file_is_reported_with_what_it_would_change(client, rosa, send, first):
    guarded = FormatSpec(name="guarded", policies=Policies(max_change_percent=0))
    rows = [NEW | {"customer_code": f"C{number}", "customer_alias": "b"} for number in range(1, 12)]
    send(*rows)
    held = send(*[row | {"customer_alias": "c"} for row in rows], spec=guarded)
    held.refresh_from_db()
    assert (held.status, Connection.objects.filter(customer_alias="b").count()) == ("held", 11)
    place, page = f"accounts/maison/runs/{held.pk}/report/", reverse("admin:imports_run_report", args=[held.pk])
    told = Program(rosa)("get", place).json()
    assert (told["changes"][0]["count"], len(told["samples"])) == (11, 10)
    client.force_login(rosa)
    shown = client.get(page)
    assert (shown.context["counts"][0]["count"], "list" in shown.context["counts"][0]) == ("11", False)
    Run.objects.filter(pk=held.pk).update(evidence=None)
    told = Program(rosa)("get", place).json()
    assert (told["changes"], told["samples"]) == (None, None)
    assert "not known: it did not come so far" in client.get(page).content.decode()


def test_a_dry_run_of_an_undo_is_reported_with_what_it_would_change(client, rosa, run):
    dry, _ = undo_run(run, dry_run=True)
    assert counted(dry)["connection", "updated", "customer_alias"] == 2
    client.force_login(rosa)
    assert "What it would change" in client.get(reverse("admin:imports_run_change", args=[dry.pk])).content.decode()

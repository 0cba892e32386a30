"""The page of a run: what happened, who must act, and what a click does about it, in each of its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from imports.admin.run_page import describe_progress
from imports.formats.policies import Policies
from imports.formats.spec import Column, FormatSpec
from imports.lanes import Lane
from imports.models import Heartbeat, Issue, Run
from imports.template import Target
from imports.versioning import save_draft, start_testing
from lookups.models import PaymentTerm
from tests.builders import add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW
from tests.imports.test_versioning import SPEC
from tests.pages import text_of

pytestmark = pytest.mark.django_db

GUARDED = FormatSpec(name="standard template", policies=Policies(max_change_percent=10))
WRONG = [
    NEW | {"customer_code": "C2", "payment_terms_code": "N45"},
    NEW | {"customer_code": "C3", "payment_terms_code": "N45"},
    NEW | {"customer_code": "C4", "discount": "ten", "discount_line_item_level": "maybe"},
]


@pytest.fixture
def rosa(client, account):
    user = make_user("rosa")
    add_member(account, user, "editor")
    client.force_login(user)
    return user


def make_run(account, **fields):
    return Run.objects.create(
        account=account, **{"file_name": "customers.txt", "format_name": "standard template", **fields}
    )


def open_page(client, run, name="change"):
    with CaptureQueriesContext(database) as captured:
        page = client.get(reverse(f"admin:imports_run_{name}", args=[run.pk]))
    assert page.status_code == 200
    assert len(captured) <= 30, [query["sql"] for query in captured]
    return page


def steps_of(page):
    return [step.name for step in page.context["steps"]]


def at_work():
    Heartbeat.objects.update_or_create(name=Lane.PROMPT.heartbeat, defaults={"at": timezone.now()})


# -- states

HELD_THEN_REJECTED = {
    "status": "rejected", "held_for": "limits", "decision": "rejected", "decided_by": "vera", "customers": 1,
    "created": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said", "steps"),
    [
        ({"status": "succeeded", "customers": 2, "created": 2}, "says of 2 customers went in", ["Undo"]),
        ({"status": "succeeded", "customers": 2, "unchanged": 2}, "all as they are known", []),
        ({"status": "succeeded"}, "holds no customers", []),
        ({"status": "partial", "customers": 3, "created": 2, "rejected": 1}, "1 of 3 customers was rejected", ["Undo"]),
        ({"status": "rejected", "message": "The file is empty."}, "Nothing of the file was applied. The file", []),
        ({"status": "rejected", "customers": 2, "rejected": 2}, "No customer of the file could be taken", []),
        (
            {"status": "held", "held_for": "limits", "message": "Too many."},
            "until somebody releases",
            ["(Release)", "Reject"],
        ),
        (
            {"status": "held", "held_for": "limits", "message": "Too many.", "customers": 2, "rejected": 2},
            "2 would be rejected",
            ["Release", "(Reject)"],
        ),
        (
            {"status": "held", "held_for": "near_keys", "message": "Mangled.", "customers": 2, "created": 2},
            "until somebody releases",
            ["Release", "(Reject)"],
        ),
        (HELD_THEN_REJECTED, "then rejected by vera", []),
        (HELD_THEN_REJECTED, "1 would be created", []),
        (
            {"status": "failed", "message": "No room."},
            "the operator must look at. No room.",
            ["(Upload the file again)"],
        ),
        ({"status": "undone", "customers": 2, "created": 2}, "was taken back", []),
        ({"status": "undone", "customers": 2, "created": 2}, "2 created and taken back", []),
        (
            {"status": "succeeded", "dry_run": True, "customers": 2, "created": 2},
            "2 would be created",
            ["(Upload the file again)"],
        ),
        (
            {"status": "held", "dry_run": True, "message": "Too many.", "customers": 1, "updated": 1},
            "1 would be updated",
            ["(Upload the file again)"],
        ),
    ],
)
def test_the_page_says_what_happened_and_offers_what_can_be_done(client, rosa, account, fields, said, steps):
    run = make_run(account, finished_at=timezone.now(), **fields)
    page = open_page(client, run)
    assert said in text_of(page)
    first = [step.name for step in page.context["steps"] if step.is_first]
    assert [f"({step})" if [step] == first else step for step in steps_of(page)] == steps
    assert page.context["refresh"] not in page.content.decode()
    kind = " (dry run)" if run.dry_run else ""
    assert page.context["title"] == f"Run {run.pk} · customers.txt · {run.status}{kind}"
    assert page.content.decode().count(page.context["title"]) == 2


def test_whoever_only_looks_is_offered_no_step(client, account, send):
    vera = make_user("vera")
    add_member(account, vera, "viewer")
    client.force_login(vera)
    for run in (send(NEW, *WRONG), make_run(account, status="held", held_for="limits")):
        page = open_page(client, run)
        assert steps_of(page) == []
        for step in ("release", "reject/", "replay", "undo", "add-entry", "map-value", "delete"):
            assert f"/{run.pk}/{step}" not in page.content.decode().replace("/rejects/", "")


def test_a_sandbox_says_so(client, rosa, account):
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_member(sandbox, rosa)
    page = open_page(client, make_run(sandbox, status="succeeded", customers=1, created=1))
    assert "the customers of Maison are not touched" in text_of(page)


def test_nobody_sees_the_run_of_another_account(client, rosa):
    run = make_run(make_account("northwind"))
    for name in ("change", "progress"):
        assert client.get(reverse(f"admin:imports_run_{name}", args=[run.pk])).status_code == 404


def test_the_counts_fill_the_bar(client, rosa, account):
    run = make_run(account, status="partial", customers=8, created=1, updated=2, unchanged=1, rejected=4)
    page = open_page(client, run)
    assert [(part.name, part.count, part.x, part.width) for part in page.context["bar"]] == [
        ("created", 1, 0, 12.5), ("updated", 2, 12.5, 25), ("unchanged", 1, 37.5, 12.5), ("rejected", 4, 50, 50),
    ]  # fmt: skip
    assert "4 rejected" in text_of(page)


# -- while it runs


def test_a_queued_file_says_what_it_waits_for(client, rosa, account):
    make_run(account, status="queued")
    run = make_run(account, status="queued")
    page = open_page(client, run)
    assert "1 file is before it" in text_of(page)
    assert "No worker is at work" in text_of(page)
    assert "Reload the page" in text_of(page)
    at_work()
    assert "No worker" not in text_of(open_page(client, run))


def test_progress_moves_by_itself_until_the_run_has_ended(client, rosa, account):
    now = timezone.now()
    run = make_run(
        account, status="running", stage="Checking", stage_done=4000, stage_total=10000,
        stage_at=now - timedelta(seconds=4), heartbeat_at=now,
    )  # fmt: skip
    progress = reverse("admin:imports_run_progress", args=[run.pk])
    assert f'hx-get="{progress}" hx-trigger="every 2s"' in open_page(client, run).content.decode()
    moved = open_page(client, run, "progress")
    assert "4,000 of 10,000 customers, 1,000 customers a second; this step ends in about 6 seconds" in text_of(moved)
    assert "<html" not in moved.content.decode()
    Run.objects.filter(pk=run.pk).update(status="succeeded", customers=1, created=1)
    ended = open_page(client, run, "progress")
    assert "went in" in text_of(ended)
    assert progress not in ended.content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stage": ""}, "This takes a moment."),
        ({"stage": "Writing", "stage_done": 0, "stage_total": 1}, "This takes a moment."),
        ({"stage": "Reading", "stage_done": 1 << 20, "stage_total": 1 << 22}, "1.0\xa0MB of 4.0\xa0MB."),
    ],
)
def test_progress_says_only_what_is_known(fields, said):
    assert describe_progress(Run(status="running", **fields))["said"] == said


def test_a_held_run_shows_its_release_at_work(client, rosa, account):
    run = make_run(account, status="held", held_for="limits", release_asked_at=timezone.now(), release_asked_by=rosa)
    assert "It waits for a worker" in text_of(open_page(client, run))
    release = make_run(account, status="running", released_from=run, stage="Reading", stage_done=1, stage_total=4)
    page = open_page(client, run, "progress")
    assert "rosa has released it" in text_of(page)
    assert "of 4" in text_of(page)
    Run.objects.filter(pk=release.pk).update(status="succeeded")
    Run.objects.filter(pk=run.pk).update(decision="released", decided_by="rosa")
    page = open_page(client, run, "progress")
    assert "released by rosa" in text_of(page)
    assert ("Released by", f"{release}, succeeded") in [link[:2] for link in page.context["links"]]


# -- issues


def groups_of(page):
    return {(group.found["code"], group.found["field"]): group for group in page.context["issues"]["groups"]}


def test_issues_come_in_groups_with_what_ends_them(client, rosa, account, send):
    run = send(NEW, *WRONG)
    run.refresh_from_db()
    page = open_page(client, run)
    groups = groups_of(page)
    lacking = groups["unknown_lookup", "payment_terms_code_1"]
    assert (lacking.who, lacking.found["line"], lacking.found["value"]) == ("2 customers, 2 issues", 3, "N45")
    assert lacking.steps[0][0] == "Add and replay: payment terms N45 (2 customers)"
    assert "Add the entry to its list" in text_of(page)
    listed = client.get(lacking.list_page)
    assert len(listed.context["cl"].result_list) == 2
    assert set(groups) == {
        ("unknown_lookup", "payment_terms_code_1"), ("invalid_integer", "discount"),
        ("invalid_boolean", "discount_line_item_level"),
    }  # fmt: skip
    assert next(iter(groups))[0] == "unknown_lookup"
    assert reverse("admin:imports_run_rejects_file", args=[run.pk]) in page.content.decode()


def test_what_is_wrong_with_a_header_is_one_group_of_each_kind(client, rosa, account):
    run = make_run(account, status="rejected")
    wrong = {"discount": "missing_column", "website": "missing_column", "address_type": "renamed_column"}
    for field, code in wrong.items():
        Issue.objects.create(run=run, code=code, field=field, severity="error", message=f"No {field}.", line=1)
    groups = groups_of(open_page(client, run))
    assert {key: group.who for key, group in groups.items()} == {
        ("missing_column", ""): "2 issues",
        ("renamed_column", "address_type"): "1 issue",
    }
    assert len(client.get(groups["missing_column", ""].list_page).context["cl"].result_list) == 2


def test_a_dry_run_leads_to_the_entry_that_its_list_lacks(client, rosa, account, send):
    run = send(*WRONG, dry_run=True)
    page = open_page(client, run)
    ((said, url),) = groups_of(page)["unknown_lookup", "payment_terms_code_1"].steps
    assert [step.name for step in page.context["steps"] if step.is_first] == [said]
    assert said == "Add: payment terms N45 (2 customers)"
    shown = client.get(url)
    assert 'value="N45"' in shown.content.decode()
    assert "was only tried out: import it next" in text_of(shown)
    page = client.post(url, {"code": "N45", "name": ""}, follow=True)
    assert "N45 is in the list." in text_of(page)
    assert (page.context["run"], page.context["issues"]["awaited"]) == (run, None)
    assert "The list has it by now." in text_of(client.get(url))
    assert PaymentTerm.objects.get(account=account, code="N45")
    assert not Run.objects.filter(replays__isnull=False).exists()
    assert send(*WRONG, dry_run=True).rejected == 1


def test_the_entry_that_a_held_run_lacks_is_added_before_it_is_released(client, rosa, account, send):
    send(*WRONG)
    run = send(NEW | {"customer_code": "C9"}, *WRONG, dry_run=True)
    Run.objects.filter(pk=run.pk).update(dry_run=False, status="held", held_for="limits")
    url = groups_of(open_page(client, run))["unknown_lookup", "payment_terms_code_1"].steps[0][1]
    assert "stays held: release it next" in text_of(client.get(url))
    page = client.post(url, {"code": "N45", "name": ""}, follow=True)
    assert page.context["run"] == run
    assert [step.name for step in page.context["steps"] if step.is_first] == ["Release"]
    assert Run.objects.filter(replays__isnull=False).exclude(replays=run).count() == 1


def test_older_runs_are_grouped_when_they_are_opened(client, rosa, account, monkeypatch):
    run = make_run(account, status="partial")
    Issue.objects.bulk_create(
        Issue(run=run, line=line, field="discount", code="invalid_integer", severity="error", message="No number.",
              customer_code=f"C{line}")
        for line in range(2, 22)
    )  # fmt: skip
    monkeypatch.setattr("imports.admin.groups.MOST_GROUPED", 15)
    page = open_page(client, run)
    assert groups_of(page)["invalid_integer", "discount"].who == "15 customers, 15 issues"
    assert "Of the first 15 issues" in text_of(page)


def test_a_value_gets_its_meaning_in_the_next_version(client, rosa, account, send):
    make_account("maison-sandbox", sandbox_of=account)
    spec = replace(SPEC, columns=(*(SPEC.columns or ()), Column(target=Target("shipping_country", 1), source="Land")))
    version = start_testing(save_draft(account, "erp", spec))
    run = make_run(account, status="partial", format_version=version, format_name=str(version))
    target = "shipping_country_1"
    Issue.objects.create(
        run=run, line=2, field=target, code="invalid_country", severity="error", message="No country.", value="Gaul"
    )
    page = open_page(client, run)
    ((said, url),) = groups_of(page)["invalid_country", target].steps
    assert said == "Say what 'Gaul' means, in the next version of the format"
    assert 'value="Gaul"' in client.get(url).content.decode()
    refused = client.post(url, {"cell": "Gaul", "value": "Gallia"})
    assert "Gallia" in text_of(refused)
    answer = client.post(url, {"cell": "Gaul", "value": "FR"})
    draft = version.format.versions.get(status="draft")
    assert answer["Location"] == reverse("admin:imports_formatversion_change", args=[draft.pk])
    assert draft.columns.get(target=target).value_map["Gaul"] == "FR"
    assert "Gaul" not in version.columns.get(target=target).value_map
    account.memberships.update(role="viewer")
    sandbox = account.sandboxes.get()
    add_member(sandbox, rosa)
    Run.objects.filter(pk=run.pk).update(account=sandbox)
    assert groups_of(open_page(client, run))["invalid_country", target].steps == []
    assert "Only editors of Maison" in text_of(client.post(url, {"cell": "Gaul", "value": "DE"}))


# -- evidence


def test_a_held_run_shows_what_it_would_change(client, rosa, account, send):
    for number in range(20):
        make_connection(account, f"C{number}", customer_alias="Old")
    rows = [NEW | {"customer_code": f"C{number}", "customer_alias": "<New>"} for number in range(21)]
    run = send(*rows, spec=GUARDED)
    page = open_page(client, run)
    assert run.status == "held"
    assert {"count": "20 customers", "what": "customer_alias"} in page.context["evidence"]["changes"]
    assert {"count": "1 customer", "what": "new"} in page.context["evidence"]["changes"]
    assert len(page.context["evidence"]["samples"]) == 10
    assert "&lt;New&gt;" in page.content.decode()
    assert steps_of(page) == ["Release", "Reject"]


# -- the row


def open_row(client, run, **found):
    issue = run.issues.filter(**found).first()
    page = client.get(reverse("admin:imports_issue_change", args=[issue.pk]))
    assert page.status_code == 200
    return page


def test_an_issue_opens_its_row_with_the_cell_marked(client, rosa, account, send):
    run = send(
        NEW, NEW | {"customer_code": "C4", "profile_name": "1 < 2", "discount": "ten", "discount_line_item_level": "?"}
    )
    page = open_row(client, run, code="invalid_integer")
    marked = {cell.header: cell.text for cell in page.context["cells"] if cell.wrong}
    assert marked == {"discount": "ten", "discount_line_item_level": "?"}
    assert "1 &lt; 2" in page.content.decode()
    assert [cell.text for cell in page.context["cells"]][:2] == ["C4", "1 < 2"]
    assert [other["place"] for other in page.context["others"]] == ["Line 3"]
    Run.objects.filter(pk=run.pk).update(kept_file=None)
    assert "No copy of customers.txt is kept any more" in text_of(open_row(client, run, code="invalid_integer"))


def test_an_issue_of_the_whole_file_has_no_row(client, rosa, account):
    run = make_run(account, status="rejected")
    Issue.objects.create(run=run, code="empty_file", severity="error", message="The file is empty.")
    assert "as the file has it" not in text_of(open_row(client, run))


def test_nobody_sees_a_row_of_another_account(client, rosa):
    run = make_run(make_account("northwind"), status="partial")
    issue = Issue.objects.create(run=run, line=2, code="required", severity="error", message="Missing.")
    assert client.get(reverse("admin:imports_issue_change", args=[issue.pk])).status_code == 404

"""Runs through the API: a file goes in, and what became of it comes out."""

import json
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imports import tasks
from imports.models import Issue, Message, Run, Webhook
from imports.pipeline import beating
from imports.pipeline import importing as pipeline
from tests.imports.customer_files import NEW, as_text, kept_path
from tests.processes import wait_until
from tests.queue import lose_tasks, work

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "accounts/maison/runs/"
GOOD = {**NEW, "customer_code": "C1"}
BAD = {**NEW, "customer_code": "C2", "discount": "many"}


def file(rows, name="customers.txt"):
    return SimpleUploadedFile(name, (rows if isinstance(rows, str) else as_text(rows)).encode())


def upload(world, rows, **data):
    answer = world.rosa.upload(f"{PATH}upload/", file=file(rows), **data)
    assert answer.status_code == 202, answer.content
    return answer


def test_an_uploaded_file_is_imported_by_a_worker(world):
    answer = upload(world, [GOOD, BAD])
    run = answer.json()
    assert (run["status"], run["file"], run["started_by"]) == ("queued", "customers.txt", "rosa")
    assert not world.maison.connections.exists()
    place = answer["Location"].removeprefix("/api/v1/")
    work()
    run = world.rosa("get", place).json()
    assert run["status"] == "partial"
    assert (run["counts"]["created"], run["counts"]["rejected"]) == (1, 1)
    assert run["progress"] is None
    issues = world.vera("get", f"{place}issues/").json()["results"]
    assert [(issue["line"], issue["field"], issue["customer_code"]) for issue in issues] == [(3, "discount", "C2")]
    assert world.rosa("get", f"{place}issues/?code=nothing").json()["results"] == []
    rejects = b"".join(world.rosa("get", f"{place}rejects/").streaming_content).decode()
    assert "C2" in rejects
    assert "C1|" not in rejects
    assert b"".join(world.rosa("get", f"{place}file/").streaming_content).decode() == as_text([GOOD, BAD])
    changes = world.rosa("get", f"accounts/maison/changes/?run={run['id']}").json()["results"]
    assert {change["customer_code"] for change in changes} == {"C1"}


def test_a_dry_run_changes_nothing(world):
    run = upload(world, [GOOD], dry_run="true").json()
    work()
    run = world.rosa("get", f"{PATH}{run['id']}/").json()
    assert (run["status"], run["dry_run"], run["counts"]["created"]) == ("succeeded", True, 1)
    assert not world.maison.connections.exists()


def test_the_same_upload_with_the_same_key_is_one_run(world):
    client = world.rosa.client
    for _ in range(2):
        answer = client.post(
            f"/api/v1/{PATH}upload/", {"file": file([GOOD])}, format="multipart", HTTP_IDEMPOTENCY_KEY="k1"
        )
        assert answer.status_code == 202
    assert Run.objects.count() == 1
    assert answer["Location"]
    other = client.post(f"/api/v1/{PATH}upload/", {"file": file([BAD])}, format="multipart", HTTP_IDEMPOTENCY_KEY="k1")
    assert other.status_code == 422


def test_a_task_that_comes_twice_imports_once(world):
    run = upload(world, [GOOD]).json()
    tasks.import_upload(run["id"])
    assert tasks.import_upload(run["id"]) == "It was begun already."
    assert Run.objects.get().status == "succeeded"


def test_an_upload_whose_worker_was_killed_before_it_began_is_queued_again(world):
    upload(world, [GOOD])
    lose_tasks()
    work()
    assert Run.objects.get().status == "queued"
    tasks.enqueue_due()
    work()
    assert Run.objects.get().status == "succeeded"


def test_a_file_that_is_gone_fails_and_is_told(world):
    Webhook.objects.create(account=world.maison, url="https://example.com", secret="whsec_c2VjcmV0")
    upload(world, [GOOD])
    kept_path(Run.objects.get().kept_file).unlink()
    work()
    assert Run.objects.get().status == "failed"
    assert Message.objects.get().event == "run.failed"


def test_uploads_are_kept_until_they_are_imported_even_where_none_are_kept(world, settings):
    settings.KEEP_FILES_DAYS = 0
    upload(world, [GOOD])
    upload(world, [BAD])
    work()
    assert sorted(Run.objects.values_list("status", flat=True)) == ["rejected", "succeeded"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"file": "text"}, 400),
        ({"file": SimpleUploadedFile("empty.txt", b"")}, 400),
        ({"file": SimpleUploadedFile("a.txt", b"x"), "format": "nowhere"}, 409),
        ({"file": SimpleUploadedFile("a.txt", b"x"), "dry_run": "perhaps"}, 400),
    ],
)
def test_what_cannot_be_imported_is_refused(world, data, status):
    answer = world.rosa.upload(f"{PATH}upload/", **data)
    assert answer.status_code == status, answer.content
    assert not Run.objects.exists()


def test_too_long_an_upload_is_refused(world, settings):
    settings.UPLOAD_LIMIT = 1000
    answer = world.rosa.upload(f"{PATH}upload/", file=SimpleUploadedFile("a.txt", b"x" * 2000))
    assert answer.status_code == 413
    assert "at most 1,000" in answer.json()["detail"]


def test_names_lead_nowhere(world):
    upload(world, [GOOD])
    client = world.rosa.client
    client.post(f"/api/v1/{PATH}upload/", {"file": file([GOOD], "../../../etc/x.txt")}, format="multipart")
    kept = [kept_path(run.kept_file) for run in Run.objects.all()]
    assert all(path.is_relative_to(project_settings.MEDIA_ROOT) for path in kept)


def test_progress_is_seen_from_elsewhere_while_the_run_runs(world, monkeypatch):
    monkeypatch.setattr(beating, "TOLD_EVERY", 0.02)
    seen: list[dict[str, Any]] = []
    stage = pipeline._Import._check

    def look(self, *arguments):
        def is_told():
            seen[:] = [world.vera("get", f"{PATH}{self.run.pk}/").json()]
            return seen[0]["progress"]["done"]

        wait_until(is_told)
        return stage(self, *arguments)

    monkeypatch.setattr("imports.pipeline.importing._Import._check", look)
    upload(world, [GOOD])
    work()
    (run,) = seen
    assert run["status"] == "running"
    assert run["progress"]["stage"] == "Reading"
    assert 0 < run["progress"]["done"] <= run["progress"]["total"] == run["size"]


# -- decisions


@pytest.fixture
def held(world):
    upload(world, [GOOD])
    work()
    Run.objects.update(status="held", message="Too many customers changed.")
    world.maison.connections.all().delete()
    return Run.objects.get()


def test_a_held_run_is_released_by_a_worker(world, held):
    answer = world.rosa("post", f"{PATH}{held.pk}/release/", {"reason": "A new price list"})
    assert (answer.status_code, answer.json()["status"]) == (202, "held")
    again = world.rosa("post", f"{PATH}{held.pk}/release/")
    assert (again.status_code, again.json()["code"], again["Location"]) == (409, "in_progress", answer["Location"])
    work()
    run = world.rosa("get", f"{PATH}{held.pk}/").json()
    assert (run["decision"], run["decided_by"], run["reason"]) == ("released", "rosa", "A new price list")
    assert answer["Location"] == f"/api/v1/{PATH}{held.pk}/"
    newest = world.rosa("get", PATH).json()["results"][0]
    assert run["released_as"] == newest["id"]
    assert (newest["released_from"], newest["status"]) == (held.pk, "succeeded")


def test_a_release_over_a_newer_file_has_to_be_forced(world, held):
    Run.objects.create(account=world.maison, file_name="b", format_name="standard template", status="succeeded")
    refused = world.rosa("post", f"{PATH}{held.pk}/release/")
    assert (refused.status_code, "newer file" in refused.json()["detail"]) == (409, True)
    assert world.rosa("post", f"{PATH}{held.pk}/release/", {"force": True}).status_code == 202


def test_a_held_run_is_rejected_once(world, held):
    refused = world.rosa("post", f"{PATH}{held.pk}/reject/", {"reason": "x" * 1001})
    assert (refused.status_code, "1000" in refused.json()["detail"]) == (400, True)
    assert world.rosa("post", f"{PATH}{held.pk}/reject/").json()["status"] == "rejected"
    again = world.rosa("post", f"{PATH}{held.pk}/reject/")
    assert (again.status_code, "rejected by rosa" in again.json()["detail"]) == (409, True)


# -- lists


def test_runs_are_filtered(world, held):
    Run.objects.create(account=world.maison, file_name="b.txt", format_name="standard template", status="failed")
    assert [run["file"] for run in world.rosa("get", f"{PATH}?status=failed").json()["results"]] == ["b.txt"]
    assert [run["id"] for run in world.rosa("get", f"{PATH}?file=customers.txt").json()["results"]] == [held.pk]


@pytest.mark.parametrize("path", [PATH, f"{PATH}1/issues/"])
def test_a_full_page_takes_no_more_queries_than_a_short_one(world, path):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert world.rosa("get", path).status_code == 200
        return len(queries)

    first = Run.objects.create(pk=1, account=world.maison, file_name="a", format_name="b", started_by=world.rosa.user)
    Issue.objects.create(run=first, line=1, code="x", severity="error", message="m")
    few = count()
    for _ in range(20):
        Run.objects.create(account=world.maison, file_name="a", format_name="b", started_by=world.vera.user)
        Issue.objects.create(run=first, line=1, code="x", severity="error", message="m")
    assert count() == few


def test_runs_and_files_of_others_are_not_found(world, held):
    for page in ("", "file/", "rejects/", "issues/"):
        assert world.luc("get", f"accounts/atelier/runs/{held.pk}/{page}").status_code == 404
    assert json.loads(world.luc("get", "accounts/atelier/runs/").content)["results"] == []


def test_rejected_customers_are_replayed_by_a_worker(world):
    run = upload(world, [GOOD, {**GOOD, "customer_code": "C2", "payment_terms_code": "N45"}]).json()
    work()
    world.maison.paymentterms.create(code="N45")
    answer = world.rosa("post", f"{PATH}{run['id']}/replay/", {})
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["replays"]) == ("queued", run["id"])
    work()
    again = world.rosa("get", answer["Location"].removeprefix("/api/v1/")).json()
    assert (again["status"], again["counts"]["created"]) == ("succeeded", 1)
    refused = world.rosa("post", f"{PATH}{again['id']}/replay/", {"dry_run": True})
    assert (refused.status_code, "rejected nothing" in refused.json()["detail"]) == (409, True)
    assert world.vera("post", f"{PATH}{run['id']}/replay/", {}).status_code == 403


def test_a_run_is_undone_by_a_worker(world):
    run = upload(world, [GOOD]).json()
    work()
    dry = world.rosa("post", f"{PATH}{run['id']}/undo/", {"dry_run": True})
    answer = world.rosa("post", f"{PATH}{run['id']}/undo/", {"reason": "The wrong file"})
    assert (answer.status_code, answer.json()["status"], answer.json()["undoes"]) == (202, "queued", run["id"])
    work()
    dry, undo = (world.rosa("get", each["Location"].removeprefix("/api/v1/")).json() for each in (dry, answer))
    assert [(each["status"], each["deleted"], each["dry_run"]) for each in (dry, undo)] == [
        ("succeeded", 1, True),
        ("succeeded", 1, False),
    ]
    assert (dry["reason"], undo["reason"]) == ("", "The wrong file")
    assert world.rosa("get", f"{PATH}{run['id']}/").json()["status"] == "undone"
    assert not world.maison.connections.exists()
    (change,) = world.rosa("get", f"accounts/maison/changes/?run={undo['id']}").json()["results"]
    assert (change["action"], change["customer_code"], change["values"]["status"]) == ("deleted", "C1", "pending")
    refused = world.rosa("post", f"{PATH}{run['id']}/undo/", {})
    assert (refused.status_code, "undone already" in refused.json()["detail"]) == (409, True)
    assert world.vera("post", f"{PATH}{undo['id']}/undo/", {}).status_code == 403


def test_what_an_undo_leaves_is_among_its_issues(world):
    run = upload(world, [GOOD]).json()
    work()
    pk = world.maison.connections.get().pk
    world.rosa("post", f"accounts/maison/connections/{pk}/approve/")
    undo = world.rosa("post", f"{PATH}{run['id']}/undo/", {}).json()
    work()
    (issue,) = world.rosa("get", f"{PATH}{undo['id']}/issues/?code=changed_since").json()["results"]
    assert (issue["customer_code"], issue["column"], issue["severity"]) == ("C1", "connection", "warning")
    assert "changed since by rosa" in issue["message"]

"""A file is uploaded, shown by a dry run, and imported for real from the same copy."""

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from connections.models import Change
from imports.models import Run
from imports.runs.queued import import_queued
from imports.runs.uploading import queue_for_real
from imports.versioning import save_draft, start_testing
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, as_text, kept_bytes
from tests.imports.test_versioning import FILE, SPEC
from tests.pages import text_of

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:imports_run_upload")
ROWS = as_text(
    [NEW, {**NEW, "customer_code": "C0", "profile_name": "New name"}, {**NEW, "customer_code": "C2", "discount": "x"}]
)


@pytest.fixture
def user(account, client):
    user = make_user("eddie")
    add_member(account, user)
    client.force_login(user)
    return user


def upload(client, account, content, reading="", name="customers.txt", **fields):
    content = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile(name, content)
    return client.post(UPLOAD, {"account": account.pk, "reading": reading, "file": file, **fields}, follow=True)


def page_of(run, name="change"):
    return reverse(f"admin:imports_run_{name}", args=[run.pk])


def test_a_file_is_tried_and_then_imported_for_real_from_the_same_copy(account, user, client):
    known = make_connection(account, "C0", profile_name="Old name")
    page = upload(client, account, ROWS, dry_run="on")
    dry = Run.objects.get()
    assert page.redirect_chain[-1][0] == page_of(dry)
    assert (dry.status, dry.dry_run, dry.started_by, dry.created, dry.updated) == ("partial", True, user, 1, 1)
    assert "A dry run: nothing was changed" in text_of(page)
    assert [change["what"] for change in page.context["evidence"]["changes"]] == ["new", "profile_name"]
    assert not Change.objects.exists()
    assert [step.url for step in page.context["steps"]] == [page_of(dry, "import_for_real")]
    assert "from the copy that the dry run kept" in text_of(client.get(page_of(dry, "import_for_real")))
    answer = client.post(page_of(dry, "import_for_real"), follow=True)
    run = Run.objects.get(dry_run=False)
    assert answer.redirect_chain[-1][0] == page_of(run)
    assert (run.status, run.started_by, run.file_name) == ("partial", user, "customers.txt")
    assert (run.created, run.updated, run.rejected, run.issues.count()) == (1, 1, 1, 1)
    assert kept_bytes(run.kept_file) == ROWS.encode()
    known.refresh_from_db()
    assert known.profile_name == "New name"
    again = client.post(page_of(dry, "import_for_real"), follow=True)  # of another tab
    assert again.redirect_chain[-1][0] == page_of(run)
    assert "This run imports customers.txt already" in text_of(again)
    page = client.get(page_of(dry))
    assert [step.name for step in page.context["steps"]] == [f"Go on with run {run.pk}"]
    assert ("Imported by", f"{run}, partial", page_of(run)) in page.context["links"]
    assert queue_for_real(dry, user) == run
    Run.objects.filter(pk=run.pk).update(status="undone")
    assert [step.name for step in client.get(page_of(dry)).context["steps"]] == ["Import it for real"]
    Run.objects.filter(pk=dry.pk).update(kept_file=None)
    page = client.get(page_of(dry))
    assert [step.name for step in page.context["steps"]] == ["Upload the file again"]
    assert "Upload the file again" in text_of(client.post(page_of(dry, "import_for_real")))
    assert "no dry run" in text_of(client.post(page_of(run, "import_for_real")))


def test_without_a_dry_run_it_goes_in_at_once(account, user, client):
    page = upload(client, account, as_text([NEW]))
    assert "says of 1 customer went in" in text_of(page)
    assert account.connections.count() == 1


def test_the_form_tries_first_unless_told_otherwise_and_offers_what_the_account_reads(account, user, client):
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_lookups(sandbox)
    add_member(sandbox, user)
    version = start_testing(save_draft(account, "erp", SPEC))
    form = client.get(f"{UPLOAD}?account={sandbox.pk}").context["form"]
    assert form["dry_run"].value() is True
    assert str(version) in str(form["reading"])
    assert form["account"].value() == sandbox.pk
    assert str(version) not in str(client.get(f"{UPLOAD}?account={account.pk}").context["form"]["reading"])
    refused = upload(client, account, FILE, str(version))
    assert "production account" in str(refused.context["form"].errors["reading"])
    upload(client, sandbox, FILE, str(version))
    assert sandbox.connections.count() == 2
    assert Run.objects.get().format_version == version


def test_formats_of_other_people_are_not_offered(account, user, client):
    other = make_account("northwind")
    make_account("northwind-sandbox", sandbox_of=other)
    start_testing(save_draft(other, "secret", SPEC))
    for asked in ("", f"?account={other.pk}", "?account=9999999999999999999", "?account=x"):
        assert "secret" not in client.get(f"{UPLOAD}{asked}").content.decode()
    assert upload(client, account, FILE, "secret@1").context["form"].errors["reading"]


def test_only_editors_upload_and_only_into_their_accounts(account, user, client):
    seen, other = make_account("seen"), make_account("northwind")
    add_member(seen, user, "viewer")
    for theirs in (seen, other):
        assert upload(client, theirs, as_text([NEW])).context["form"].errors["account"]
        assert not theirs.runs.exists()
    dry = Run.objects.create(account=seen, status="succeeded", dry_run=True, file_name="c.txt", format_name="x")
    assert client.post(page_of(dry, "import_for_real")).status_code == 403
    vera = make_user("vera")
    add_member(account, vera, "viewer")
    client.force_login(vera)
    assert client.get(UPLOAD).status_code == 403
    for page in (reverse("admin:index"), reverse("admin:accounts_account_change", args=[account.pk])):
        assert UPLOAD not in client.get(page).content.decode()


def test_home_and_account_lead_to_the_upload(account, user, client):
    assert f'href="{UPLOAD}"' in client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert f'href="{UPLOAD}?account={account.pk}"' in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest of a workbook", "is a spreadsheet or an archive"),
        ("name\nHarbor Row\n", "customer_code"),
        (b"customer_code|profile_name\nC1|\xff\n", "Byte 0xFF"),
        (as_text([{**NEW, "profile_name": ""}]), "The sender fills it in"),
        ("", "empty"),
    ],
)
@pytest.mark.parametrize("fields", [{"dry_run": "on"}, {}])
def test_a_bad_file_is_answered_on_the_page(account, user, client, content, message, fields):
    page = upload(client, account, content, **fields)
    assert page.status_code == 200
    assert message in text_of(page)
    assert not account.connections.exists()


def test_a_large_file_waits_for_a_worker(account, user, client, monkeypatch):
    monkeypatch.setattr("imports.runs.queued.AT_ONCE", 10)
    page = upload(client, account, as_text([NEW]))
    run = Run.objects.get()
    assert (run.status, run.queued_at is not None) == ("queued", True)
    assert "It waits for a worker" in text_of(page)
    import_queued(run.pk)
    assert "went in" in text_of(client.get(page_of(run)))


def test_a_small_file_waits_while_another_one_is_imported(account, user, client):
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"customersync.account.{account.pk}"])
        page = upload(client, account, as_text([NEW]))
    run = Run.objects.get()
    assert (run.status, run.queued_at is not None) == ("queued", True)
    assert "It waits for a worker" in text_of(page)

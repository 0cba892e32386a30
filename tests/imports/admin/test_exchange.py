"""Import and export of connections in the admin, step by step."""

from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from connections.models import Change, Connection
from imports.models import Run
from imports.versioning import save_draft, start_testing
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, as_text, customers_of
from tests.imports.test_versioning import FILE, SPEC

pytestmark = pytest.mark.django_db


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    """Where files wait for their confirmation."""
    monkeypatch.setattr("lookups.uploads._folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def user(account, client, uploads):
    user = make_user("eddie")
    add_member(account, user)
    client.force_login(user)
    return user


def preview(client, account, content, reading="", name="customers.txt"):
    content = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile(name, content)
    return client.post(
        reverse("admin:connections_connection_import"),
        {"account": account.pk, "reading": reading, "import_file": file, "format": "0", "resource": "0"},
    )


def confirm(client, shown, **changes):
    return client.post(
        reverse("admin:connections_connection_process_import"),
        shown.context["confirm_form"].initial | changes,
        follow=True,
    )


def export(client, account, query=""):
    url = reverse("admin:connections_connection_export") + query
    return client.post(url, {"account": account.pk, "format": "0", "resource": "0"})


def text_of(page):
    return " ".join(page.content.decode().split())


def said(answer):
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_file_is_shown_and_goes_in_once_it_is_confirmed(account, user, client):
    known = make_connection(account, "C0", profile_name="Old name")
    rows = [
        NEW,
        {**NEW, "customer_code": "C0", "profile_name": "New name"},
        {**NEW, "customer_code": "C2", "discount": "x"},
    ]
    shown = preview(client, account, as_text(rows))
    page = shown.content.decode()
    assert "1 new, 1 to be updated, 0 left as they are" in page
    assert "Line 4: discount &#x27;x&#x27;" in page
    assert not account.connections.filter(customer_code="C1").exists()
    assert not Change.objects.exists()
    answer = confirm(client, shown)
    run = Run.objects.get(dry_run=False)
    assert (run.status, run.started_by, run.file_name, run.account) == ("partial", user, "customers.txt", account)
    assert (run.created, run.updated, run.rejected, run.issues.count()) == (1, 1, 1, 1)
    with run.kept_file.open("rb") as kept:
        assert kept.read() == as_text(rows).encode()
    assert reverse("admin:imports_run_change", args=[run.pk]) in said(answer)
    assert answer.redirect_chain[-1][0] == reverse("admin:connections_connection_changelist")
    known.refresh_from_db()
    assert known.profile_name == "New name"
    assert confirm(client, shown).redirect_chain[-1][0] == reverse("admin:connections_connection_import")
    assert Run.objects.filter(dry_run=False).count() == 1


def test_an_export_imports_back_and_changes_nothing(account, user, client):
    make_connection(account, "C1", profile_name="=1+1", addresses=[{"code": "S1", "phone": "+33 1"}])
    make_connection(account, "C2", customer_alias="'+quoted")
    before = customers_of(account)
    answer = export(client, account)
    assert answer["Content-Disposition"].startswith('attachment; filename="maison-customers-')
    shown = preview(client, account, answer.content)
    assert "0 new, 0 to be updated, 2 left as they are, 0 rejected" in text_of(shown)
    confirm(client, shown)
    assert customers_of(account) == before
    assert not Change.objects.exists()


def test_an_export_holds_what_the_list_shows(account, user, client):
    make_connection(account, "C1", status="pending")
    make_connection(account, "C2")
    other = make_account("northwind")
    make_connection(other, "C3")
    assert "C3" not in export(client, account).content.decode()
    assert "C2" not in export(client, account, "?status__exact=pending").content.decode()
    refused = export(client, other)
    assert refused.context["form"].errors["account"]


def test_a_viewer_exports_and_does_not_import(account, client):
    viewer = make_user("vera")
    add_member(account, viewer, "viewer")
    client.force_login(viewer)
    make_connection(account, "C1")
    assert "C1" in export(client, account).content.decode()
    assert preview(client, account, as_text([NEW])).status_code == 403
    assert client.post(reverse("admin:connections_connection_process_import"), {}).status_code == 403
    page = client.get(reverse("admin:connections_connection_changelist")).content.decode()
    assert reverse("admin:connections_connection_export") in page
    assert reverse("admin:connections_connection_import") not in page


def test_only_accounts_that_the_user_edits_are_offered_and_taken(account, user, client):
    seen, other = make_account("seen"), make_account("northwind")
    add_member(seen, user, "viewer")
    for theirs in (seen, other):
        add_lookups(theirs)
        shown = preview(client, theirs, as_text([NEW]))
        assert shown.context["form"].errors["account"]
        assert not theirs.runs.exists()


@pytest.mark.parametrize("change", ["account", "reading", "import_file_name", "role"])
def test_a_confirmation_goes_only_where_it_was_shown(account, user, client, change):
    other = make_account("northwind")
    add_lookups(other)
    add_member(other, user)
    shown = preview(client, account, as_text([NEW]), "standard")
    changes: dict[str, dict[str, Any]] = {
        "account": {"account": other.pk},
        "reading": {"reading": ""},
        "import_file_name": {"import_file_name": "../x"},
    }
    if change == "role":
        account.memberships.update(role="viewer")
    answer = confirm(client, shown, **changes.get(change, {}))
    assert "Import it again" in said(answer)
    assert not Connection.objects.exists()


def test_another_person_cannot_confirm(account, user, client):
    shown = preview(client, account, as_text([NEW]))
    other = make_user("olga")
    add_member(account, other)
    client.force_login(other)
    assert "Import it again" in said(confirm(client, shown))
    assert not Connection.objects.exists()


def test_a_version_in_testing_reads_files_of_the_sandbox_alone(account, user, client):
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_lookups(sandbox)
    add_member(sandbox, user)
    version = start_testing(save_draft(account, "erp", SPEC))
    form = client.get(reverse("admin:connections_connection_import")).context["form"]
    assert str(version) in str(form["reading"])
    refused = preview(client, account, FILE, str(version))
    assert "production account" in str(refused.context["form"].errors["reading"])
    shown = preview(client, sandbox, FILE, str(version))
    assert "2 new" in shown.content.decode()
    confirm(client, shown)
    assert sandbox.connections.count() == 2
    assert Run.objects.get(dry_run=False).format_version == version


def test_formats_of_other_people_are_not_offered(account, user, client):
    other = make_account("northwind")
    make_account("northwind-sandbox", sandbox_of=other)
    start_testing(save_draft(other, "secret", SPEC))
    assert "secret" not in client.get(reverse("admin:connections_connection_import")).content.decode()
    refused = preview(client, account, FILE, "secret@1")
    assert refused.context["form"].errors["reading"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest of a workbook", "spreadsheet"),
        ("name\nHarbor Row\n", "customer_code"),
        (b"customer_code|profile_name\nC1|\xff\n", "Line 2: Byte 0xFF"),
        (as_text([{**NEW, "profile_name": ""}]), "Line 2: profile_name"),
        ("", "empty"),
    ],
)
def test_a_bad_file_is_answered_on_the_page_and_cannot_be_confirmed(account, user, client, content, message, uploads):
    shown = preview(client, account, content)
    assert shown.status_code == 200
    assert message in shown.content.decode()
    assert "Traceback" not in shown.content.decode()
    assert shown.context.get("confirm_form") is None
    assert not list(uploads.glob("*/list"))


def test_a_large_file_waits_for_a_worker(account, user, client, monkeypatch):
    monkeypatch.setattr("imports.admin.connections.LARGEST_SHOWN", 10)
    answer = preview(client, account, as_text([NEW]))
    run = Run.objects.get()
    assert answer["Location"] == reverse("admin:imports_run_change", args=[run.pk])
    assert (run.status, run.started_by, run.file_name) == ("queued", user, "customers.txt")
    assert run.queued_at is not None


@pytest.fixture
def busy(account):
    """While another process imports into the account."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"customersync.account.{account.pk}"])
        yield


def test_a_preview_says_when_another_file_is_being_imported(account, user, client, busy):
    shown = preview(client, account, as_text([NEW]))
    assert "Another file is being imported into maison" in shown.content.decode()
    assert shown.context.get("confirm_form") is None


def test_a_confirmed_file_waits_for_a_worker_while_another_is_being_imported(account, user, client, request):
    shown = preview(client, account, as_text([NEW]))
    request.getfixturevalue("busy")
    answer = confirm(client, shown)
    run = Run.objects.get(dry_run=False)
    assert answer.redirect_chain[-1][0] == reverse("admin:imports_run_change", args=[run.pk])
    assert (run.status, run.started_by, run.file_name) == ("queued", user, "customers.txt")
    with run.kept_file.open("rb") as kept:
        assert kept.read() == as_text([NEW]).encode()


def test_the_rows_on_the_page_are_capped(account, user, client, monkeypatch):
    monkeypatch.setattr("imports.runs.previewing.MOST_SHOWN", 20)
    rows = [{**NEW, "customer_code": f"C{number}"} for number in range(50)]
    page = preview(client, account, as_text(rows)).content.decode()
    assert "50 new" in page
    assert "And 30 more" in page
    assert page.count('<tr class="new">') == 20


def test_a_page_that_is_opened_shows_what_can_be_done(account, user, client):
    page = client.get(reverse("admin:connections_connection_changelist")).content.decode()
    assert reverse("admin:connections_connection_import") in page
    form = client.get(reverse("admin:connections_connection_import"))
    assert form.context["form"].initial.get("format", 0) == 0
    assert "buyer_email_1" in form.content.decode()
    assert client.get(reverse("admin:connections_connection_export")).status_code == 200

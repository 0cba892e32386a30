"""What the page of connections gives out, and where it leads for what comes in."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from connections.models import Change
from imports.runs.queued import import_queued
from imports.runs.uploading import store_upload
from tests.builders import add_member, make_account, make_connection, make_user
from tests.imports.customer_files import customers_of

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:connections_connection_changelist") + "upload"


@pytest.fixture
def user(account, client):
    user = make_user("eddie")
    add_member(account, user)
    client.force_login(user)
    return user


def export(client, account, query=""):
    url = reverse("admin:connections_connection_export") + query
    return client.post(url, {"account": account.pk, "format": "0", "resource": "0"})


def test_an_export_imports_back_and_changes_nothing(account, user, client):
    make_connection(account, "C1", profile_name="=1+1", addresses=[{"code": "S1", "phone": "+33 1"}])
    make_connection(account, "C2", customer_alias="'+quoted")
    before = customers_of(account)
    answer = export(client, account)
    assert answer["Content-Disposition"].startswith('attachment; filename="maison-customers-')
    run = store_upload(account, SimpleUploadedFile("back.txt", answer.content), user)
    import_queued(run.pk)
    run.refresh_from_db()
    assert (run.status, run.unchanged) == ("succeeded", 2)
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


def test_a_viewer_exports_and_does_not_upload(account, client):
    viewer = make_user("vera")
    add_member(account, viewer, "viewer")
    client.force_login(viewer)
    make_connection(account, "C1")
    assert "C1" in export(client, account).content.decode()
    page = client.get(reverse("admin:connections_connection_changelist")).content.decode()
    assert reverse("admin:connections_connection_export") in page
    assert UPLOAD not in page


def test_the_list_leads_an_editor_to_the_upload(account, user, client):
    page = client.get(reverse("admin:connections_connection_changelist")).content.decode()
    assert UPLOAD in page
    assert client.get(UPLOAD, follow=True).redirect_chain[-1][0] == reverse("admin:imports_run_upload")
    assert client.get(reverse("admin:connections_connection_export")).status_code == 200


def test_the_upload_goes_into_the_account_that_the_list_is_filtered_to(account, user, client):
    add_member(other := make_account("other"), user, "editor")
    filtered = {"account__id__exact": str(other.pk)}
    page = client.get(reverse("admin:connections_connection_changelist"), filtered)
    assert f'href="{UPLOAD}/?account__id__exact={other.pk}"' in page.content.decode()
    form = client.get(UPLOAD, filtered, follow=True).context["form"]
    assert form["account"].initial == other
    for odd in ("0", "x&y=1", "9" * 40):
        page = client.get(reverse("admin:connections_connection_changelist"), {"account__id__exact": odd})
        assert page.status_code in (200, 302, 400)
        assert client.get(UPLOAD, {"account__id__exact": odd}, follow=True).status_code == 200

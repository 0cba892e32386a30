"""Import and export of lists in the admin."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from lookups.directory import LISTS
from lookups.models import PaymentTerm, PriceType, SalesRep
from tests.builders import add_lookups, add_member, make_account, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(client):
    account = make_account("maison")
    add_lookups(account)
    user = make_user("eddie")
    add_member(account, user)
    client.force_login(user)
    return account


def url(model, page):
    return reverse(f"admin:lookups_{model._meta.model_name}_{page}")


def preview(client, model, content):
    content = content if isinstance(content, bytes) else content.encode()
    return client.post(
        url(model, "import"), {"import_file": SimpleUploadedFile("list.csv", content), "format": "0", "resource": "0"}
    )


def import_file(client, model, content):
    """Upload, look at the preview, confirm it."""
    shown = preview(client, model, content)
    assert shown.status_code == 200
    form = shown.context.get("confirm_form")
    assert form is not None, shown.context["result"]
    return client.post(url(model, "process_import"), form.initial, follow=True)


@pytest.mark.parametrize("name", LISTS)
def test_an_export_imports_back_and_changes_nothing(client, account, name):
    model = LISTS[name]
    before = list(model._default_manager.order_by("pk").values())
    content = client.post(url(model, "export"), {"format": "0", "resource": "0"}).content
    shown = preview(client, model, content)
    assert shown.context["result"].totals["skip"] == len(before)
    import_file(client, model, content)
    assert list(model._default_manager.order_by("pk").values()) == before


def test_an_import_adds_and_renames(client, account):
    import_file(client, PaymentTerm, "account,code,name\nmaison,N30,Thirty days\nmaison, N90 ,Net 90\n")
    assert dict(PaymentTerm.objects.values_list("code", "name")) == {
        "N30": "Thirty days",
        "N60": "Net 60",
        "PRE": "Prepay",
        "N90": "Net 90",
    }


def test_a_file_without_accounts_goes_to_the_only_one_the_user_edits(client, account):
    import_file(client, PaymentTerm, "code,name\nN90,Net 90\n")
    assert PaymentTerm.objects.get(code="N90").account == account


def test_a_file_without_accounts_is_refused_where_there_are_several(client, account):
    client.force_login(make_user("root", is_superuser=True))
    make_account("northwind")
    shown = preview(client, PaymentTerm, "code,name\nN90,Net 90\n")
    assert shown.context["result"].has_errors()
    assert "needs a column" in shown.content.decode()


@pytest.mark.parametrize("code", ["northwind", "atelier", "nowhere", ""])
def test_rows_of_accounts_the_user_does_not_edit_are_refused(client, account, code):
    northwind, atelier = make_account("northwind"), make_account("atelier")
    add_lookups(northwind)
    add_lookups(atelier)
    add_member(atelier, account.memberships.get().user, "viewer")
    shown = preview(client, PaymentTerm, f"account,code,name\n{code},N30,Hijacked\n")
    assert shown.status_code == 200
    assert shown.context.get("confirm_form") is None
    assert not PaymentTerm.objects.filter(name="Hijacked").exists()


def test_a_confirmation_is_checked_again(client, account):
    shown = preview(client, PaymentTerm, "account,code,name\nmaison,N90,Net 90\n")
    account.memberships.update(role="viewer")
    answer = client.post(url(PaymentTerm, "process_import"), shown.context["confirm_form"].initial)
    assert answer.status_code == 403
    assert not PaymentTerm.objects.filter(code="N90").exists()


def test_a_file_that_went_bad_after_the_preview_is_not_imported(client, account):
    rows = "account,code,name,email\nmaison,REP8,Ana,ana@example.com\nmaison,REP9,Ida,ida@example.com\n"
    shown = preview(client, SalesRep, rows)
    SalesRep.objects.create(account=account, code="OTHER", email="ida@example.com")
    answer = client.post(url(SalesRep, "process_import"), shown.context["confirm_form"].initial, follow=True)
    assert "Nothing was imported" in answer.content.decode()
    assert not SalesRep.objects.filter(code__in=["REP8", "REP9"]).exists()


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (PriceType, "account,currency,label\nmaison,XYZ,Any\n"),
        (PriceType, "account,currency,label\nmaison,EUR,\n"),
        (PaymentTerm, "account,code,name\nmaison,,No code\n"),
        (PaymentTerm, f"account,code,name\nmaison,{'x' * 256},Long\n"),
        (PaymentTerm, "account,code,name\nmaison,a\0b,NUL\n"),
        (PaymentTerm, "account,name\nmaison,No code\n"),
        (PaymentTerm, "account,code,name\nmaison\n"),
        (PaymentTerm, "account,code,name\nmaison,N30,a,b,c\n"),
        (PaymentTerm, b"account,code,name\nmaison,N30,\xe9t\xe9\n"),
        (PaymentTerm, b"\x00\x01\x02"),
        (PaymentTerm, ""),
        (SalesRep, "account,code,name,email\nmaison,REP9,Ana,ROSA@example.com\n"),
        (SalesRep, "account,code,name,email\nmaison,REP9,Ana,nobody\n"),
    ],
)
def test_a_bad_file_is_answered_on_the_page(client, account, model, content):
    before = list(model.objects.order_by("pk").values())
    shown = preview(client, model, content)
    assert shown.status_code == 200
    assert shown.context.get("confirm_form") is None
    result = shown.context.get("result")
    assert shown.context["form"].errors or result.has_errors() or result.has_validation_errors()
    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_searched(client, account, name):
    entry: Any = LISTS[name]._default_manager.filter(account=account).last()
    term = entry.label if name == "price_types" else entry.code
    response = client.get(url(LISTS[name], "changelist"), {"q": term})
    assert list(response.context["cl"].queryset) == [entry]

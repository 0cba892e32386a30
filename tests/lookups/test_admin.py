"""Import and export of lists in the admin."""

import csv
import os
import time
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from lookups.directory import LISTS
from lookups.models import PaymentTerm, PriceType, SalesRep, ShippingTerm
from lookups.uploads import KEPT_SECONDS
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


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_whatever_ends_its_lines_a_file_is_read_as_the_command_reads_it(client, account, end):
    import_file(
        client, PaymentTerm, end.join(["Account,Code,Name", "maison,N90,Net 90", "", 'maison,N99,"Net\n99"', ""])
    )
    assert PaymentTerm.objects.get(code="N90").name == "Net 90"
    assert PaymentTerm.objects.get(code="N99").name == "Net\n99"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,name\rN90,a\r\rN91\r", "Line 4: &#x27;N91&#x27; has 1 cells where the header has 2."),
        ('code,name\nN90,"a\n', "Line 2: A quote that opens in this row is never closed."),
        (b"code,name\rN90,\xe9\r", "Line 2: &#x27;e9&#x27; The byte e9 is not UTF-8"),
        (
            "code,name,code\nN90,a,N91\n",
            "Line 1, code: &#x27;code&#x27; The column stands in the header more than once.",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line(client, account, content, said):
    assert said in preview(client, PaymentTerm, content).content.decode()


def test_a_problem_names_the_line_that_the_row_stands_in(client, account):
    shown = preview(client, PaymentTerm, "code,name\nN90,Net 90\n\n,No code\n")
    assert [row.number for row in shown.context["result"].invalid_rows] == [4]


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_searched(client, account, name):
    entry: Any = LISTS[name]._default_manager.filter(account=account).last()
    term = entry.label if name == "price_types" else entry.code
    response = client.get(url(LISTS[name], "changelist"), {"q": term})
    assert list(response.context["cl"].queryset) == [entry]


# The second step


def confirmation(client, model, content):
    return preview(client, model, content).context["confirm_form"].initial


NEW_TERM = "account,code,name\nmaison,N90,Net 90\n"


@pytest.mark.parametrize("name", ["secret.txt", "../secret.txt", "", "a" * 32, "nonsense:signed"])
def test_the_second_step_reads_and_removes_no_file_but_its_own(client, account, tmp_path, monkeypatch, name):
    secret = tmp_path / "secret.txt"
    secret.write_text("account,code,name\nmaison,LEAK,leaked\n")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = confirmation(client, PaymentTerm, NEW_TERM) | {"import_file_name": name}
    answer = client.post(url(PaymentTerm, "process_import"), data, follow=True)
    assert "Import it again" in answer.content.decode() or "required" in answer.content.decode()
    assert secret.is_file()
    assert not PaymentTerm.objects.filter(code__in=["LEAK", "N90"]).exists()


def test_a_confirmation_is_good_for_one_person_one_list_and_once(client, account):
    data = confirmation(client, PaymentTerm, NEW_TERM)
    add_member(account, other := make_user("ida"))
    mine = account.memberships.get(user__username="eddie").user
    client.force_login(other)
    answer = client.post(url(PaymentTerm, "process_import"), data, follow=True)
    assert "Import it again" in answer.content.decode()
    client.force_login(mine)
    answer = client.post(url(ShippingTerm, "process_import"), data, follow=True)
    assert "Import it again" in answer.content.decode()
    assert not PaymentTerm.objects.filter(code="N90").exists()
    assert not ShippingTerm.objects.filter(code="N90").exists()
    client.post(url(PaymentTerm, "process_import"), data)
    assert PaymentTerm.objects.filter(code="N90").exists()
    answer = client.post(url(PaymentTerm, "process_import"), data, follow=True)
    assert "Import it again" in answer.content.decode()


def test_two_who_import_at_once_each_get_their_own_file(client, account):
    add_member(account, other := make_user("ida"))
    mine = confirmation(client, PaymentTerm, NEW_TERM)
    hers = Client()
    hers.force_login(other)
    theirs = confirmation(hers, PaymentTerm, "account,code,name\nmaison,N10,Net 10\n")
    assert client.post(url(PaymentTerm, "process_import"), mine).status_code == 302
    assert set(PaymentTerm.objects.filter(code__in=["N10", "N90"]).values_list("code", flat=True)) == {"N90"}
    assert hers.post(url(PaymentTerm, "process_import"), theirs).status_code == 302
    assert PaymentTerm.objects.filter(code="N10").exists()


@pytest.mark.parametrize("change", [{"format": "7"}, {"format": "x"}, {"resource": "9"}, {"resource": "-1"}])
def test_a_second_step_that_sends_something_else_is_refused(client, account, change):
    data = confirmation(client, PaymentTerm, NEW_TERM) | change
    answer = client.post(url(PaymentTerm, "process_import"), data, follow=True)
    assert "Import the file again" in answer.content.decode()
    assert not PaymentTerm.objects.filter(code="N90").exists()


def test_uploads_that_were_never_confirmed_are_removed_after_a_day(client, account, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    data = confirmation(client, PaymentTerm, NEW_TERM)
    (folder,) = (tmp_path / "waiting-lists").iterdir()
    assert folder.stat().st_mode & 0o77 == 0
    long_ago = time.time() - 2 * KEPT_SECONDS
    os.utime(folder, (long_ago, long_ago))
    preview(client, PaymentTerm, NEW_TERM)
    assert not folder.exists()
    answer = client.post(url(PaymentTerm, "process_import"), data, follow=True)
    assert "Import it again" in answer.content.decode()


# One function for every door


@pytest.mark.parametrize("door", ["admin", "command"])
def test_two_reps_swap_their_emails(client, account, door, tmp_path):
    rows = "REP1,Rosa Diaz,{0}jun@example.com\nREP2,Jun Mori,{0}rosa@example.com\n"
    if door == "admin":
        account_rows = "".join(f"maison,{row}\n" for row in rows.format("").splitlines())
        import_file(client, SalesRep, f"account,code,name,email\n{account_rows}")
    else:
        path = tmp_path / "lists.csv"
        path.write_text("list,code,name,currency,email\n" + "".join(
            f"sales_reps,{row}\n" for row in rows.format(",").splitlines()
        ))  # fmt: skip
        call_command("load_lookups", path, account="maison", stdout=StringIO())
    assert dict(SalesRep.objects.values_list("code", "email")) == {
        "REP1": "jun@example.com", "REP2": "rosa@example.com",
    }  # fmt: skip


def test_a_preview_shows_what_would_change_and_changes_nothing(client, account):
    rows = "maison,REP1,Rosa Diaz,jun@example.com\nmaison,REP2,Jun Mori,rosa@example.com\n"
    shown = preview(client, SalesRep, f"account,code,name,email\n{rows}")
    assert shown.context["result"].totals["update"] == 2
    assert "moving-" not in shown.content.decode()
    assert SalesRep.objects.get(code="REP1").email == "rosa@example.com"


# What a spreadsheet opens

FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "'=1", "''+1", "'plain", "＝1+1", "=cmd|'/C calc'!A0"]


@pytest.mark.parametrize("name", LISTS)
def test_no_formula_leaves_in_an_export_and_all_of_it_comes_back(client, account, name):
    model = LISTS[name]
    for value in FORMULAS:
        fields = {"currency": "EUR", "label": value} if name == "price_types" else {"code": value, "name": f"{value} x"}
        if name == "sales_reps":
            fields["email"] = f"rep{len(value)}{ord(value[0])}@example.com"
        model._default_manager.create(account=account, **fields)
    before = list(model._default_manager.order_by("pk").values())
    content = client.post(url(model, "export"), {"format": "0", "resource": "0"}).content
    cells = [cell for row in csv.reader(StringIO(content.decode())) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r＝" and cell]
    shown = preview(client, model, content)
    assert shown.context["result"].totals["skip"] == len(before), shown.context["result"].invalid_rows
    import_file(client, model, content)
    assert list(model._default_manager.order_by("pk").values()) == before


def test_every_format_that_lists_are_exported_in_is_tested(client, account):
    lists: Any = site.get_model_admin(PaymentTerm)
    assert [item.__name__ for item in lists.get_export_formats()] == ["ListFile"]


@pytest.mark.parametrize("command", ["import", "export"])
def test_the_commands_of_the_library_are_refused_with_the_way_to_go(command):
    with pytest.raises(CommandError) as refused:
        call_command(command, "CSV", "connections.Connection", "file.csv")
    assert "_customers" in str(refused.value)
    assert "lookups" in str(refused.value)

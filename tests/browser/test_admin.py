"""The admin in a real browser: log in, approve a new connection in the list, see it approved."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection as database
from django.urls import reverse

from accounts.sandboxes import add_sandbox
from connections.models import Change, Connection
from imports.models import Feed, FormatVersion
from imports.tasks import pull
from imports.versioning import save_draft
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.feeds import drop
from tests.imports.customer_files import import_path
from tests.imports.test_versioning import SPEC
from tests.servers import run_sftp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("eddie"))
    return account


def test_a_new_connection_is_approved_in_the_list(account, browse, live_server):
    make_connection(account, "C1", profile_name="Galerie Lumière", status="pending")
    with browse("eddie") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_changelist"))
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.elementFromPoint(40, 24) === document.activeElement"
        )  # the way past the side bar
        row = page.locator("#result_list tr", has_text="Galerie Lumière")
        assert "waiting for review" in row.inner_text().lower()
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter")
        row.locator("input.action-select").check()
        page.select_option("select[name=action]", "approve")
        page.click("button[name=index]")
        page.wait_for_selector("#messages[role=status] >> text=1 connection approved.")
        page.locator("#nav-sidebar-inner summary").press("Enter")
        page.locator("[role=button]:has-text('Dark')").press("Enter")
        assert page.evaluate("document.documentElement.className") == "dark"
        assert "approved" in page.locator("#result_list tr", has_text="Galerie Lumière").inner_text().lower()
    assert Connection.objects.get().status == "approved"


def test_an_address_is_added_on_the_form(account, browse, live_server):
    connection = make_connection(account, "C1")
    with browse("eddie") as page:
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(live_server.url + reverse("admin:connections_connection_change", args=[connection.pk]))
        page.wait_for_function("document.documentElement.scrollWidth <= 390")
        assert page.locator("#tabs-dropdown a").count() > 1
        page.set_viewport_size({"width": 1400, "height": 900})
        page.click("a[href='#addresses']")
        page.click("text=Add another Address")
        page.select_option("select[name='addresses-0-kind']", "S")
        page.fill("input[name='addresses-0-code']", "STORE-1")
        page.select_option("select[name='addresses-0-country']", "FR")
        page.click("button[name=_save]")
        page.wait_for_selector("text=was changed successfully")
    address = connection.addresses.get()
    assert (address.kind, address.code, address.country) == ("S", "STORE-1", "FR")
    assert connection.changes.get().key == "S:STORE-1"


def fill_row(page, prefix, number, values):
    """Press "Add another" below an inline and fill what a person sees there."""
    page.locator(f"#{prefix}-group .add-row a, #{prefix}-group a.add-row").first.click()
    for name, value in values.items():
        field = page.locator(f"[name='{prefix}-{number}-{name}']")
        if isinstance(value, tuple):  # searched for in a list
            page.locator(f"#{prefix}-group .select2-selection").last.click()
            page.locator("input.select2-search__field").fill(value[0])
            page.locator(".select2-results__option", has_text=value[0]).first.click()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def save(page):
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")


def test_every_inline_of_a_connection_is_filled_and_saved(account, browse, live_server):
    connection = make_connection(account, "C1")
    rows = [
        ("connectionpricetype_set", 1, {"lookup": ("US Wholesale",)}),
        ("addresses", 0, {"kind": "S", "code": "S1", "country": "FR"}),
        ("doors", 0, {"code": "S1", "name": "Shop"}),
        ("buyers", 0, {"email": "ana@example.com", "name": "Ana"}),
        ("connectionpaymentterm_set", 0, {"lookup": ("Net 30",)}),
        ("connectionshippingterm_set", 0, {"lookup": ("UPS Ground",)}),
        ("connectionwarehouse_set", 0, {"lookup": ("Rotterdam",)}),
    ]
    with browse("eddie", "dark") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_change", args=[connection.pk]))
        for prefix, number, values in rows:
            page.click(f"a[href='#{prefix}']")
            fill_row(page, prefix, number, values)
        save(page)
    keys = {(change.record, change.key) for change in Change.objects.all()}
    assert keys == {
        ("price_type", "USD US Wholesale"), ("address", "S:S1"), ("door", "S1"), ("buyer", "ana@example.com"),
        ("payment_term", "N30"), ("shipping_term", "UPS"), ("warehouse", "WH1"),
    }  # fmt: skip


def test_columns_and_members_are_added(account, browse, live_server):
    make_user("root", is_superuser=True)
    vera = make_user("vera")
    draft = save_draft(account, "erp", SPEC)
    count = draft.columns.count()
    with browse("root", "dark") as page:
        page.goto(live_server.url + reverse("admin:imports_formatversion_change", args=[draft.pk]))
        fill_row(page, "columns", count, {"constant": "10", "target": "discount"})
        save(page)
        page.goto(live_server.url + reverse("admin:accounts_account_change", args=[account.pk]))
        fill_row(page, "memberships", 1, {"user": ("vera",), "role": "viewer"})
        save(page)
        page.goto(live_server.url + reverse("admin:accounts_user_change", args=[vera.pk]))
        page.select_option("[name='memberships-0-role']", "editor")
        save(page)
    assert draft.columns.get(target="discount").constant == "10"
    assert account.memberships.get(user=vera).role == "editor"


def test_what_a_file_changed_meanwhile_is_decided_on_the_page(account, browse, live_server, tmp_path):
    connection = make_connection(account, "C1", customer_alias="Old")
    file = tmp_path / "customers.txt"
    file.write_text("customer_code|customer_alias|alternate_name\nC1|Theirs|Second name\n")
    with ThreadPoolExecutor(1) as worker, browse("eddie") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_change", args=[connection.pk]))
        page.fill("#id_customer_alias", "Mine")
        status = worker.submit(import_elsewhere, account, file).result()
        page.click("button[name=_save]")
        page.wait_for_selector("text=It was changed while this page was open")
        row = page.locator("#meanwhile tr", has_text="Customer alias").inner_text()
        assert page.input_value("#id_customer_alias") == "Mine"
        assert page.input_value("#id_alternate_name") == "Second name"
        page.click("text=Save mine on top")
        page.wait_for_selector("text=was changed successfully")
    assert status == "succeeded"
    assert all(word in row for word in ("Old", "Theirs", "Mine", "line 2"))
    connection.refresh_from_db()
    assert (connection.customer_alias, connection.alternate_name) == ("Mine", "Second name")


def import_elsewhere(account, file):
    try:
        return import_path(account, file).status
    finally:
        database.close()


NORTHWIND = Path(__file__).parents[1] / "samples" / "northwind_customers.csv"


def test_a_sample_becomes_a_live_format(account, browse, live_server):
    add_sandbox(account)
    with browse("eddie", by_form=True) as page:
        clicks = 1  # to log in

        def click(selector):
            nonlocal clicks
            clicks += 1
            page.locator(selector).first.click()

        click("a[href$='/imports/format/']")
        click("a[href$='/imports/format/add/']")
        clicks += 2  # into the name, and to choose the file
        page.fill("input[name=name]", "northwind")
        page.set_input_files("input[name=sample]", NORTHWIND)
        click("button[name=_save]")
        page.wait_for_selector("text=3 questions wait for an answer")
        click("button:has-text('Use all suggestions')")
        page.wait_for_selector("text=The draft is complete.")
        click("a:has-text('Start testing')")
        click("button:has-text('Start testing')")
        page.wait_for_selector("text=northwind@1 is testing.")
        click("a:has-text('Send the sample to maison-sandbox')")
        click("button:has-text('Send the sample')")
        page.wait_for_selector("text=91 created")
        print(f"from log-in to the first customers of an unseen file: {clicks} clicks")
        assert clicks <= 12
    version = FormatVersion.objects.get()
    assert version.runs.get().created == 91
    with browse("eddie", "dark") as page:
        page.goto(live_server.url + reverse("admin:imports_formatversion_next_draft", args=[version.pk]))
        page.click("button:has-text('Next draft')")
        page.click("a:has-text('Look through the columns')")
        page.wait_for_selector("text=91 rows of the sample were looked at")
        page.focus("#column-2")
        page.keyboard.press("Control+A")
        page.keyboard.type("customer_alias")
        page.keyboard.press("Escape")
        page.focus("#column-3")
        page.keyboard.type("profile_name")
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=2 columns of northwind@2 changed.")
        page.click("a:has-text('Try the sample')")
        page.wait_for_selector("article >> text=Maria Anders")
        page.click("a:has-text('Back to')")
        page.click("a:has-text('How it is read')")
        page.fill("#id_delimiter", "semicolon")
        page.wait_for_selector("td:has-text('ALFKI,Alfreds')")
    with browse("eddie", "dark") as page:
        page.goto(live_server.url + reverse("admin:imports_formatversion_go_live", args=[version.pk]))
        page.fill("textarea[name=reason]", "the pilot customer waits")
        page.click("button:has-text('Go live')")
        page.wait_for_selector("text=northwind@1 is live.")
    assert FormatVersion.objects.get(pk=version.pk).status == "live"


def test_a_feed_is_made_checked_and_pulled(account, browse, live_server, tmp_path):
    """The password is typed once; of the keys that are shown, one is trusted; then a worker pulls what is due."""
    drop(tmp_path, "customers.txt", "C1")
    with run_sftp(tmp_path) as server, browse("eddie", "dark") as page:
        page.goto(live_server.url + reverse("admin:imports_feed_add"))
        page.select_option("#id_protocol", "ftps")
        assert page.is_visible("#id_ca_bundle") and not page.is_visible("#id_host_key")
        page.select_option("#id_protocol", "dropbox")
        assert not any(map(page.is_visible, ("#id_host", "#id_ca_bundle", "#id_folder", "#id_url")))
        page.select_option("#id_protocol", "sftp")
        assert page.is_visible("#id_host_key") and not page.is_visible("#id_url")
        page.fill("#id_mask", "customers_{%Y}*")
        page.fill("#mask-tried", "customers_2026.txt, prices.csv")
        page.wait_for_selector("#mask-names >> text=takes 1 of 2 files")
        page.fill("#id_mask", "")
        page.fill("#id_name", "erp")
        page.fill("#id_host", "127.0.0.1")
        page.fill("#id_port", str(server.settings.port))
        page.fill("#id_user", server.settings.user)
        page.fill("#id_password_0", server.settings.password)
        page.click("summary:has-text('Taking a file')")
        page.fill("#id_settle_seconds", "0")
        page.click("button[name=_save]")
        page.click("button:has-text('Trust this one') >> nth=0")
        page.wait_for_selector("text=It is the one that is trusted.")
        page.wait_for_selector("th:has-text('customers.txt')")
        page.fill("#id_mask", "c*.txt")
        page.wait_for_selector("#mask-names >> text=c*.txt takes 1 of 1 file")
        page.click("button:has-text('Enable it and pull now')")
        page.wait_for_selector("text=Waiting for a worker")
        page.evaluate("window.never_reloaded = true")
        with ThreadPoolExecutor(1) as worker:
            worker.submit(pull_elsewhere).result()
        page.wait_for_selector("text=The last pull: 1 file imported.")
        page.wait_for_selector("a:has-text('customers.txt')")
        assert page.evaluate("window.never_reloaded")
    assert Feed.objects.get().runs.get().status == "succeeded"


def pull_elsewhere():
    """As a worker does."""
    try:
        pull(Feed.objects.get().pk)
    finally:
        database.close()


def test_a_drop_box_is_made_for_an_erp(account, browse, live_server):
    """From the log-in to the page that goes to the team of the ERP."""
    clicks = 0
    with browse("eddie", by_form=True) as page:

        def click(target):
            nonlocal clicks
            clicks += 1
            page.click(target)

        click("a:has-text('Feeds') >> nth=0")
        click("main a:has-text('Add feed'), #main a:has-text('Add feed')")
        page.fill("#id_name", "erp")
        page.select_option("#id_protocol", "dropbox")
        clicks += 1
        click("button[name=_save]")
        password = page.inner_text("#secret")
        click("text=Back")
        click("a:has-text('For its senders')")
        page.wait_for_selector("button:has-text('Print')")
        page.emulate_media(media="print")
        assert "maison-erp" in page.inner_text("pre")
        assert not any(map(page.is_visible, ("#nav-sidebar-inner", "#header-inner button", "[data-print]")))
        page.emulate_media(media="screen")
    print(f"from log-in to the page for the senders of a new drop box: {clicks} clicks")
    assert clicks <= 6
    assert "maison-erp" in password
    assert Feed.objects.get().logins.get().password

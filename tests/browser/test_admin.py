"""The admin in a real browser: log in, approve a new connection in the list, see it approved."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.urls import reverse

from accounts.sandboxes import add_sandbox
from connections.models import Connection
from imports.models import Feed, FormatVersion
from imports.pipeline import import_file
from imports.tasks import pull
from tests.builders import PASSWORD, add_lookups, add_member, make_account, make_connection, make_user
from tests.feeds import drop
from tests.servers import run_sftp

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def browse(live_server, username):
    """A page of a headless browser where the user is logged in; every error it meets fails the test.

    Ask the database before and after, not within: the browser's event loop runs in this thread meanwhile.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    errors = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("response", lambda response: errors.append(response.url) if response.status >= 400 else None)
        log_in(page, live_server, username)
        yield page
        browser.close()
    assert not errors


def log_in(page, live_server, username):
    page.goto(live_server.url + reverse("admin:index"))
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("text=Connections")


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("eddie"))
    return account


def test_a_new_connection_is_approved_in_the_list(account, live_server):
    make_connection(account, "C1", profile_name="Galerie Lumière", status="pending")
    with browse(live_server, "eddie") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_changelist"))
        row = page.locator("#result_list tr", has_text="Galerie Lumière")
        assert "waiting for review" in row.inner_text().lower()
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter")
        row.locator("input.action-select").check()
        page.select_option("select[name=action]", "approve")
        page.click("button[name=index]")
        page.wait_for_selector("text=1 connection approved.")
        assert "approved" in page.locator("#result_list tr", has_text="Galerie Lumière").inner_text().lower()
    assert Connection.objects.get().status == "approved"


def test_an_address_is_added_on_the_form(account, live_server):
    connection = make_connection(account, "C1")
    with browse(live_server, "eddie") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_change", args=[connection.pk]))
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


NORTHWIND = Path(__file__).parents[1] / "samples" / "northwind_customers.csv"


def test_a_sample_becomes_a_live_format(account, live_server):
    sandbox = add_sandbox(account)
    with browse(live_server, "eddie") as page:
        page.goto(live_server.url + reverse("admin:imports_format_add"))
        page.fill("input[name=name]", "northwind")
        page.set_input_files("input[name=sample]", NORTHWIND)
        page.fill("input[name=price_type_currency]", "USD")
        page.fill("input[name=price_type_name]", "US Wholesale")
        page.select_option("select[name=address_type]", "S")
        page.click("button[name=_save]")
        page.wait_for_selector("text=91 rows of the sample were looked at")
        evidence = page.locator("tr", has=page.locator("td", has_text="companyName")).last
        assert "profile_name" in evidence.inner_text()
        page.fill("input[name='columns-1-default']", "unnamed")
        page.click("button[name=_continue]")
        page.wait_for_selector("text=was changed successfully")
        page.click("text=Start testing")
        page.click("button:has-text('Start testing')")
        page.wait_for_selector("text=northwind@1 is testing.")
    version = FormatVersion.objects.get()
    assert version.columns.get(target="profile_name").default == "unnamed"
    assert import_file(sandbox, NORTHWIND, version=version).created == 91
    with browse(live_server, "eddie") as page:
        page.goto(live_server.url + reverse("admin:imports_formatversion_go_live", args=[version.pk]))
        page.fill("textarea[name=reason]", "the pilot customer waits")
        page.click("button:has-text('Go live')")
        page.wait_for_selector("text=northwind@1 is live.")
    assert FormatVersion.objects.get().status == "live"


def test_a_feed_is_made_checked_and_pulled(account, live_server, tmp_path):
    """Its key is shown when it is missing, and pinned; then a worker pulls what is due."""
    drop(tmp_path, "customers.txt", "C1")
    with run_sftp(tmp_path) as server:
        with browse(live_server, "eddie") as page:
            page.goto(live_server.url + reverse("admin:imports_feed_add"))
            page.fill("#id_name", "erp")
            page.fill("#id_host", "127.0.0.1")
            page.fill("#id_port", str(server.settings.port))
            page.fill("#id_user", server.settings.user)
            page.fill("#id_password_0", server.settings.password)
            page.fill("#id_settle_seconds", "0")
            page.click("button[name=_save]")
            page.wait_for_selector("text=paste: ssh-ed25519")
            pin = page.locator("text=paste: ssh-ed25519").first.inner_text().partition("paste: ")[2].strip()
            page.fill("#id_host_key", pin)
            page.fill("#id_password_0", server.settings.password)
            page.click("button[name=_save]")
            page.wait_for_selector("text=was added successfully")
            page.click("text=erp >> nth=0")
            page.click("text=Check >> nth=0")
            page.click("text=Log in and look")
            page.wait_for_selector("text=It is the one that is trusted.")
            page.wait_for_selector("td:has-text('customers.txt')")
            page.click("text=Back")
            page.click("text=Pull now >> nth=0")
            page.click("main button:has-text('Pull now'), form button:has-text('Pull now')")
            page.wait_for_selector("text=erp is queued to be pulled")
        feed = Feed.objects.get()
        pull(feed.pk)
    assert feed.runs.get().status == "succeeded"

"""Files and runs in a real browser, with the clicks that they take from the first page after the log-in."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection as database
from django.urls import reverse

from imports.formats.policies import Policies
from imports.formats.spec import FormatSpec
from imports.models import Run
from imports.runs.queued import import_queued
from imports.runs.releasing import release_asked_for
from lookups.models import PaymentTerm
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, as_text, import_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("eddie"))
    return account


@pytest.fixture
def elsewhere():
    """Run a function in another thread, as a worker would: the browser's event loop runs in this one."""
    with ThreadPoolExecutor(1) as worker:

        def run(function, *args):
            def work():
                try:
                    return function(*args)
                finally:
                    database.close()

            return worker.submit(work).result()

        yield run


class Hand:
    """Clicks and counts."""

    def __init__(self, page):
        self.page = page
        self.clicks = 0

    def click(self, selector):
        self.clicks += 1
        self.page.locator(selector).first.click()


def stay(page):
    """Mark the page, so that a reload would be seen."""
    page.evaluate("window.stays = true")


def is_readable_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 800})
    fits = page.evaluate("document.documentElement.scrollWidth <= 390")
    page.set_viewport_size({"width": 1400, "height": 900})
    return fits


def test_a_file_with_errors_goes_in_once_its_list_has_what_it_names(account, browse, elsewhere, tmp_path):
    known = make_connection(account, "C1", profile_name="Galerie Lumière")
    file = tmp_path / "customers.txt"
    rows = [
        NEW | {"profile_name": "Galerie Soleil"},
        NEW | {"customer_code": "C2", "payment_terms_code": "N45"},
        NEW | {"customer_code": "C3", "discount": "a lot"},
    ]
    file.write_text(as_text(rows))
    with browse("eddie", "dark", by_form=True) as page:
        hand = Hand(page)
        hand.click("a:has-text('Upload a file')")
        page.click("form button:has-text('Upload')")
        page.wait_for_selector("text=This field is required.")
        page.wait_for_function("document.activeElement.name === 'file'")
        assert (
            page.inner_text("#" + page.get_attribute("#id_file", "aria-describedby").split()[-1])
            == "This field is required."
        )
        hand.clicks += 1
        page.set_input_files("input[name=file]", str(file))
        hand.click("main button:has-text('Upload'), form button:has-text('Upload')")
        page.wait_for_selector("text=A dry run: nothing was changed.")
        assert "profile_name" in page.locator(".run-changes").inner_text()
        assert is_readable_on_a_phone(page)
        hand.click("a:has-text('Import it for real')")
        hand.click("button:has-text('Import it for real')")
        page.wait_for_selector("text=2 of 3 customers were rejected; the others went in.")
        hand.click("a:has-text('Add and replay: payment terms N45')")
        assert page.input_value("#id_code") == "N45"
        hand.click("button:has-text('Add and replay')")
        page.wait_for_selector("text=It waits for a worker")
        stay(page)
        replay = elsewhere(lambda: Run.objects.get(replays__isnull=False).pk)
        elsewhere(import_queued, replay)
        page.wait_for_selector("text=1 of 2 customers was rejected")
        assert page.evaluate("window.stays")
        print(f"from log-in to the replay of what a list lacked: {hand.clicks} clicks")
        assert hand.clicks <= 8
        hand.click(".run-example a")
        assert "a lot" in page.locator("tr.is-faulty").inner_text()
        assert is_readable_on_a_phone(page)
    known.refresh_from_db()
    assert known.profile_name == "Galerie Soleil"
    assert PaymentTerm.objects.filter(account=account, code="N45").exists()
    assert sorted(account.connections.values_list("customer_code", flat=True)) == ["C1", "C2"]


def test_a_held_file_is_released_and_followed_without_a_reload(account, browse, elsewhere, tmp_path):
    for number in range(20):
        make_connection(account, f"C{number}", customer_alias="Old")
    file = tmp_path / "customers.txt"
    file.write_text(as_text([{"customer_code": f"C{number}", "customer_alias": "New"} for number in range(20)]))
    spec = FormatSpec(name="standard template", policies=Policies(max_change_percent=10))
    held = import_path(account, file, spec)
    assert held.status == "held"

    def follow(**fields):
        Run.objects.update_or_create(
            released_from=held, account=account, status="running", file_name="customers.txt", format_name="x",
            defaults={"stage": "Checking", "stage_total": 4000, **fields},
        )  # fmt: skip

    with browse("eddie", by_form=True) as page:
        hand = Hand(page)
        hand.click("a:has-text('file is held and waits for a decision')")
        hand.click("#result_list a:has-text('customers.txt')")
        assert "20 customers: customer_alias" in page.locator(".run-changes").inner_text()
        assert page.locator("td:has-text('Old')").count() == 10
        hand.click("a:has-text('Release')")
        hand.click("button:has-text('Release')")
        print(f"from log-in to the release of a held file: {hand.clicks} clicks")
        assert hand.clicks <= 4
        page.wait_for_selector("text=It waits for a worker")
        stay(page)
        page.click("summary:has-text('Details')")
        page.focus("a:has-text('The file as it came')")
        for done in (1000, 2000):
            elsewhere(lambda done=done: follow(stage_done=done))
            page.wait_for_selector(f"text={done:,} of 4,000 customers")
        assert page.evaluate("document.activeElement.textContent") == "The file as it came"
        assert page.is_visible("dt:has-text('Started at')")
        assert page.inner_text("#said") == "Checking"
        elsewhere(lambda: Run.objects.filter(released_from=held).delete())
        elsewhere(release_asked_for, held.pk)
        page.wait_for_selector("text=released by eddie")
        assert page.locator(".run-progress").count() == 0
        assert "then released by eddie" in page.inner_text("#said")
        assert page.evaluate("window.stays")
    assert set(account.connections.values_list("customer_alias", flat=True)) == {"New"}


def test_what_is_listed_is_exported(account, browse, live_server):
    make_connection(account, "C1", profile_name="Galerie Soleil")
    make_connection(account, "C2", profile_name="Harbor Row")
    with browse("eddie") as page:
        page.goto(live_server.url + reverse("admin:connections_connection_changelist"))
        page.click("a[href*='/connections/connection/export/']")
        with page.expect_download() as download:
            page.locator("button", has_text="Submit").click()
        exported = Path(download.value.path()).read_text()
    assert [line.split("|")[0] for line in exported.splitlines()[1:]] == ["Galerie Soleil", "Harbor Row"]

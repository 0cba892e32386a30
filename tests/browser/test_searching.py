"""The search box in a real browser: from the log-in to the reason why a customer was rejected."""

import pytest

from connections.matching.finding import look_for_duplicates
from imports.models import Run
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import import_path

pytestmark = pytest.mark.django_db(transaction=True)

MOST_CLICKS = 3
HEAD = "customer_code|profile_name|price_type_currency|price_type_name\n"


def test_why_a_customer_was_rejected_is_found_in_three_clicks(browse, tmp_path):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("eddie"))
    make_connection(account, "K1", profile_name="Galerie Lumière")
    file = tmp_path / "customers.txt"
    file.write_text(f"{HEAD}K2|Harbor Row|EUR|EU Wholesale\nK3|Quay|EUR|Nobody's list\n")
    import_path(account, file)
    look_for_duplicates(account.pk)
    run = Run.objects.get()
    with browse("eddie", "dark", by_form=True) as page:
        clicks = 1  # the one that logged in
        page.click("button:has-text('Search')")
        clicks += 1
        page.locator("#search-input-command").press_sequentially("k3")
        reason = page.locator("#command-results-list a", has_text=f"K3 was rejected in run {run.pk}")
        reason.wait_for()
        assert "Nobody's list" in reason.inner_text()
        reason.click()
        clicks += 1
        page.wait_for_selector("h2:has-text('K3')")
        assert "No connection has this code" in page.inner_text("main, body")
        assert "Nobody's list" in page.inner_text("article")
        page.keyboard.press("Control+k")
        page.locator("#search-input-command").press_sequentially("lumiere")
        page.locator("#command-results-list a", has_text="K1 · Galerie Lumière").wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector("#id_profile_name")
        page.goto(page.url.partition("/admin/")[0] + "/admin/connections/connection/")
        page.click("text=Filters >> nth=0")
        page.locator(".select2-selection").first.wait_for()
    print(f"from log-in to the reason why a customer was rejected: {clicks} clicks")
    assert clicks <= MOST_CLICKS

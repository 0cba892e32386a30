"""The review in a real browser: by keys, one after the other, and many at once, with the clicks that it takes."""

from random import Random
from string import ascii_lowercase

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from connections.matching.finding import look_for_duplicates
from connections.models import Connection
from tests.browser.test_runs import Hand, is_readable_on_a_phone
from tests.builders import ELM, add_lookups, add_member, make_account, make_connection, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("eddie"))
    return account


def decided(code):
    connection = Connection.objects.get(customer_code=code)
    return connection.status, connection.duplicate_of and connection.duplicate_of.customer_code, connection.review_note


def hold_time(page, rate):
    """How fast pages of this tab go from coming to being pressed."""
    session = page.context.new_cdp_session(page)
    session.send("Animation.enable")
    session.send("Animation.setPlaybackRate", {"playbackRate": rate})


def settle(page):
    page.wait_for_function('document.getAnimations().every(each => each.playState === "finished")')


def test_a_second_click_or_key_decides_nothing_about_the_next_one(account, browse):
    for code in ("A", "B", "C"):
        make_connection(account, code, profile_name=f"Customer {code}", status="pending")
    with browse("eddie", by_form=True) as page:
        sent = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.click("a:has-text('new customers wait for a review')")
        settle(page)
        hold_time(page, 0)
        page.locator("button:has-text('Approve')").dblclick(force=True)
        page.wait_for_selector("h2:has-text('Customer B')")
        for press in ("Approve", "Reject"):
            page.locator(f"button:has-text('{press}')").click(force=True)
            page.keyboard.press(press[0].lower())
        page.fill("#note", "not before somebody looks")
        page.keyboard.press("Enter")
        assert len(sent) == 1
        hold_time(page, 1)
        page.click("button:has-text('Reject')")
        page.wait_for_selector("h2:has-text('Customer C')")
    assert decided("A") == ("approved", None, "")
    assert decided("B") == ("rejected", None, "not before somebody looks")
    assert decided("C") == ("pending", None, "")


def test_connections_are_reviewed_with_keys(account, browse):
    make_connection(account, "C1", profile_name="Elm Street Outfitters", addresses=[ELM])
    make_connection(account, "A", profile_name="Oak Supplies", status="pending")
    make_connection(account, "B", profile_name="Elm St Outfiters", addresses=[ELM], status="pending")
    make_connection(account, "C", profile_name="Harbor Row", status="pending")
    make_connection(account, "D", profile_name="Galerie Soleil", status="pending")
    look_for_duplicates(account.pk)
    with browse("eddie", "dark", by_form=True) as page:
        page.click("a:has-text('new customers wait for a review')")
        page.wait_for_selector("strong:has-text('Review 1 of 4')")
        page.keyboard.press("j")
        page.wait_for_selector("h2:has-text('Elm St Outfiters')")
        assert "same address" in page.locator(".review-likeness").inner_text()
        assert page.locator("td.is-different", has_text="Elm Street Outfitters").inner_text().startswith("≠")
        assert is_readable_on_a_phone(page)
        page.keyboard.press("k")
        page.wait_for_selector("h2:has-text('Oak Supplies')")
        settle(page)
        page.keyboard.press("n")
        page.keyboard.type("a jar of rye")
        assert page.input_value("#note") == "a jar of rye"
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        page.wait_for_selector("h2:has-text('Elm St Outfiters')")
        settle(page)
        page.keyboard.press("d")
        page.wait_for_selector("h2:has-text('Harbor Row')")
        settle(page)
        page.uncheck("#keys")
        page.keyboard.press("r")
        page.reload()
        settle(page)
        page.keyboard.press("r")
        assert page.locator("h2:has-text('Harbor Row')").count() == 1
        page.check("#keys")
        settle(page)
        page.keyboard.press("r")
        page.wait_for_selector("h2:has-text('Galerie Soleil')")
    assert decided("A") == ("approved", None, "a jar of rye")
    assert decided("B") == ("rejected", "C1", "")
    assert decided("C") == ("rejected", None, "")
    assert decided("D") == ("pending", None, "")


def test_all_is_decided_without_scripts(account, browse, live_server):
    for code in ("A", "B", "C", "D"):
        make_connection(account, code, profile_name=f"Customer {code}", status="pending")
    with browse("eddie", by_form=True, scripts=False) as page:
        page.click("a:has-text('new customers wait for a review')")
        page.fill("#note", "a jar of rye")
        page.click("button:has-text('Reject')")
        page.wait_for_selector("h2:has-text('Customer B')")
        page.goto(live_server.url + reverse("admin:connections_connection_changelist"))
        page.check(f"tr:has-text('Customer B') input[name={ACTION_CHECKBOX_NAME}]")
        page.select_option("select[name=action]", "approve")
        page.click("button:has-text('Run')")
        page.wait_for_selector("text=1 connection approved.")
        page.click('#result_list a:text-is("C")')
        page.click("button:has-text('Save and approve')")
        page.wait_for_selector("text=was changed successfully")
        page.set_viewport_size({"width": 390, "height": 800})
        page.click("#nav-sidebar-inner a:has-text('To review')")
        page.wait_for_selector("h2:has-text('Customer D')")
        page.click("#nav-sidebar-inner summary")
        page.click("button:has-text('Log out')")
        page.wait_for_selector("text=successfully logged out")
    assert [decided(code)[0] for code in "ABCD"] == ["rejected", "approved", "approved", "pending"]
    assert decided("A")[2] == "a jar of rye"


def test_new_connections_that_are_like_nothing_are_approved_in_a_few_clicks(account, browse):
    letters = Random(48)
    for number in range(48):
        name = "".join(letters.choices(ascii_lowercase, k=12))
        make_connection(account, f"N{number}", profile_name=name, status="pending")
    look_for_duplicates(account.pk)
    with browse("eddie", by_form=True) as page:
        hand = Hand(page)
        hand.click("a:has-text('new customers wait for a review')")
        hand.click("a:has-text('Approve all with nothing similar')")
        assert is_readable_on_a_phone(page)
        hand.click("button:has-text('Approve 48')")
        page.wait_for_selector("text=48 connections approved.")
        page.wait_for_selector("text=Nothing waits for a review")
        print(f"from log-in to the review of 48 new connections without similar ones: {hand.clicks} clicks")
        assert hand.clicks <= 4
    assert set(account.connections.values_list("status", flat=True)) == {"approved"}

"""The queue of the review in the admin: one after the other beside what is similar, and many at once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.admin import review_pages
from connections.matching.finding import look_for_duplicates
from connections.models import Connection
from tests.builders import (
    add_member,
    copy_connection,
    make_account,
    make_change,
    make_connection,
    make_user,
)
from tests.pages import filled_in, text_of

QUEUE = "admin:connections_connection_review"
UNLIKE = "admin:connections_connection_review_unlike"

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(account, twin):
    """Looked at already."""
    look_for_duplicates(account.pk)
    return twin


@pytest.fixture
def waiting(account):
    return [make_connection(account, code, profile_name=name, status="pending") for code, name in WAITING]


WAITING = (("A", "Oak Supplies"), ("B", "Harbor Row"), ("C", "Galerie Soleil"))


def show(client, **query):
    return client.get(reverse(QUEUE), query)


def decide(client, page, decision, **given):
    return client.post(reverse(QUEUE), {**filled_in(page), "decision": decision, **given}, follow=True)


def shown_in(page):
    found = page.context.get("found")
    return found and found.customer_code


def said(page):
    return " ".join(str(message) for message in page.context["messages"])


def statuses():
    return dict(Connection.objects.values_list("customer_code", "status"))


def test_what_is_due_first_comes_first_and_the_next_one_at_once(client, account, waiting):
    Connection.objects.filter(customer_code="B").update(created_at=timezone.now() - timedelta(hours=49))
    page = show(client)
    assert shown_in(page) == "B"
    assert "Review 1 of 3" in text_of(page)
    assert "overdue" in text_of(page)
    for odd in ("", "yesterday", "2026-99-99T00:00:00", "\0"):
        assert shown_in(decide(client, page, "approve", seen=odd)) == "B"
    page = decide(client, page, "approve", note=" Called\0 them. ")
    assert "You approved" in said(page)
    assert shown_in(page) == "A"
    page = decide(client, page, "reject")
    assert shown_in(page) == "C"
    page = decide(client, page, "approve")
    assert "Nothing waits for a review" in text_of(page)
    assert statuses() == {"A": "rejected", "B": "approved", "C": "approved"}
    assert Connection.objects.get(customer_code="B").review_note == "Called them."


def test_hours_are_those_of_each_account_and_what_was_reopened_waits_from_then(client, account, waiting):
    hasty = make_account("hasty", review_hours=1)
    add_member(hasty, account.memberships.get().user)
    make_connection(hasty, "H", status="pending")
    Connection.objects.filter(customer_code="A").update(reviewed_at=timezone.now() + timedelta(minutes=1))
    assert [Connection.objects.get(pk=pk).customer_code for pk in show(client).context["queue"].ids] == list("HBCA")
    assert shown_in(show(client, account=account.pk)) == "B"
    assert "Only" in text_of(show(client, account=account.pk))


def test_one_goes_on_and_back_and_what_was_passed_over_comes_again_at_the_end(client, account, waiting):
    page = client.get(show(client).context["next_page"])
    page = client.get(page.context["next_page"])
    assert (shown_in(page), page.context["next_page"]) == ("C", "")
    assert shown_in(client.get(page.context["previous_page"])) == "B"
    assert shown_in(decide(client, page, "approve")) == "A"


def test_what_differs_from_the_likeliest_is_marked_in_words(client, account, known, twin):
    make_change(twin, run_id=7, line=12)
    page = show(client)
    text = text_of(page)
    assert "names nearly alike, same address" in text
    assert "C1 · Elm Street Outfitters is" in text
    assert "run 7 , line 12" in text
    rows = {name: (own, cells[0].text, cells[0].differs) for name, own, cells in page.context["rows"]}
    assert rows["profile name"] == ("Elm St Outfiters", "Elm Street Outfitters", True)
    assert rows["addresses"][2] is False
    assert rows["price types"][0] == "EUR EU Wholesale"
    assert text.count("differs:") == 1


def test_a_duplicate_of_the_likeliest_takes_one_step(client, account, known, twin):
    page = show(client)
    assert filled_in(page)["duplicate_of"] == str(known.pk)
    page = decide(client, page, "duplicate", note="Entered twice.")
    assert f"You rejected {twin} as a duplicate of {known}" in text_of(page)
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of, twin.review_note) == ("rejected", known, "Entered twice.")


@pytest.mark.parametrize("given", ["", "0", "x", "99999999999999999999"])
def test_a_duplicate_of_nothing_is_refused(client, account, twin, given):
    page = decide(client, show(client), "duplicate", duplicate_of=given)
    assert "Choose what" in said(page)
    assert (shown_in(page), statuses()["C2"]) == ("C2", "pending")


def test_another_account_s_connection_stands_for_none(client, account, twin):
    other = make_connection(make_account("other"), "X")
    decide(client, show(client), "duplicate", duplicate_of=other.pk)
    assert statuses()["C2"] == "pending"


@pytest.mark.parametrize("mine", ["approve", "reject"])
def test_what_somebody_else_decided_meanwhile_stands_and_is_said(client, account, waiting, mine):
    page = show(client)
    other = make_user("olga")
    Connection.objects.filter(customer_code="A").update(
        status="rejected", reviewed_by=other, reviewed_at=timezone.now()
    )
    page = decide(client, page, mine)
    assert "was rejected by olga meanwhile" in said(page)
    assert (shown_in(page), statuses()["A"]) == ("B", "rejected")
    assert "was rejected by olga meanwhile" in said(show(client, at=waiting[0].pk))
    decide(client, page, mine)
    assert f"You {statuses()['B']} B" in said(show(client, at=waiting[1].pk))


def test_what_was_changed_since_it_was_shown_is_looked_at_again(client, account, waiting):
    page = show(client)
    make_change(waiting[0], action="updated", field="website", before="", after="x", run_id=9, line=2)
    Connection.objects.filter(customer_code="A").update(updated_at=timezone.now())
    page = decide(client, page, "approve")
    assert "was changed by" in said(page)
    assert (shown_in(page), statuses()["A"]) == ("A", "pending")
    assert statuses()["A"] == "pending"
    assert "You approved" in said(decide(client, page, "approve"))


def test_what_was_deleted_meanwhile_is_said(client, account, waiting):
    page = show(client)
    waiting[0].delete()
    page = decide(client, page, "approve")
    assert "deleted meanwhile" in said(page)
    assert shown_in(page) == "B"


def test_what_a_decision_would_break_is_refused_and_said(client, account, waiting):
    make_connection(account, "Z", status="rejected", duplicate_of=waiting[0])
    page = decide(client, show(client), "reject")
    assert "stands for its duplicates Z" in said(page)
    assert shown_in(page) == "A"


def test_a_viewer_looks_and_decides_nothing(client, account, waiting):
    account.memberships.update(role="viewer")
    page = show(client)
    assert "its editors decide" in text_of(page)
    assert b'value="approve"' not in page.content
    assert reverse(UNLIKE).encode() not in page.content
    sent = {"connection": waiting[0].pk, "seen": waiting[0].updated_at.isoformat(), "decision": "approve"}
    assert client.post(reverse(QUEUE), sent).status_code == 403
    assert "nothing to approve" in text_of(client.get(reverse(UNLIKE)))


def test_strangers_see_nothing(client, waiting):
    client.force_login(make_user("stranger"))
    assert client.get(reverse(QUEUE)).status_code == 403
    add_member(make_account("other"), user := make_user("otto"))
    client.force_login(user)
    assert "Nothing waits" in text_of(show(client, at=waiting[0].pk))
    assert client.post(reverse(QUEUE), {"connection": waiting[0].pk, "decision": "approve"}).status_code == 302
    assert statuses()["A"] == "pending"


@pytest.mark.parametrize("junk", ["x", "-1", "0", "99999999999999999999", "١"])
def test_junk_in_the_address_shows_the_first(client, account, waiting, junk):
    assert shown_in(show(client, at=junk, account=junk)) == "A"


def test_more_than_a_thousand_are_not_counted_and_queries_are_few(
    client, account, waiting, twin, django_assert_max_num_queries
):
    copy_connection(waiting[2], 1200)
    with django_assert_max_num_queries(30):
        page = show(client)
    assert "Review 1 of more than 1,000" in text_of(page)
    Connection.objects.filter(pk=twin.pk).update(created_at=timezone.now())
    with django_assert_max_num_queries(30):
        last = show(client, at=twin.pk)
    assert (shown_in(last), last.context["title"]) == ("C2", "Review")
    assert shown_in(client.get(last.context["next_page"])) == shown_in(page)


def test_the_home_page_and_the_side_bar_lead_to_the_queue(client, account, waiting):
    content = client.get(reverse("admin:index")).content.decode()
    assert content.count(f'href="{reverse(QUEUE)}"') >= 2
    assert (
        f'href="{reverse(QUEUE)}?account={account.pk}"'
        in client.get(reverse("admin:index"), {"account": "maison"}).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_what_is_like_nothing_is_approved_at_once(
    client, account, waiting, twin, django_assert_max_num_queries, monkeypatch
):
    add_member(viewed := make_account("viewed"), account.memberships.get().user, role="viewer")
    make_connection(viewed, "V", status="pending")
    look_for_duplicates(viewed.pk)
    look_for_duplicates(account.pk)
    make_connection(account, "L", profile_name="Linden Works", status="pending")
    with django_assert_max_num_queries(30):
        page = client.get(reverse(UNLIKE))
    assert "3 new connections of all production accounts that you may edit wait" in text_of(page)
    with monkeypatch.context() as patch:
        patch.setattr(review_pages, "MOST_LISTED", 0)  # as if they were too many to be told one by one
        assert "3 new connections of all production accounts" in text_of(client.get(reverse(UNLIKE)))
    Connection.objects.filter(customer_code="B").update(status="rejected")
    Connection.objects.filter(customer_code="C").update(updated_at=timezone.now())
    with django_assert_max_num_queries(30):
        answer = client.post(reverse(UNLIKE), filled_in(page))
    assert answer.status_code == 302
    waits = dict.fromkeys(["C", "C2", "L", "V"], "pending")
    assert statuses() == {"A": "approved", "B": "rejected", "C1": "approved", **waits}
    assert Connection.objects.get(customer_code="A").review_note == "Nothing similar was found."
    change = Connection.objects.get(customer_code="A").changes.filter(field="status").get()
    assert (change.before, change.after, str(change.user)) == ("pending", "approved", "eddie")

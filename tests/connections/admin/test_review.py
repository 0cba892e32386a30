"""The review in the admin: what is due, what is similar, and decisions with their notes."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.matching.finding import look_for_duplicates
from connections.models import Connection
from tests.builders import make_change, make_connection
from tests.connections.admin.pages import LIST, add_data, page
from tests.pages import errors_of, filled_in

pytestmark = pytest.mark.django_db


def listed(client, **query):
    return [connection.customer_code for connection in client.get(reverse(LIST), query).context["cl"].result_list]


def test_the_list_is_asked_for_what_is_overdue_and_for_what_is_like_nothing_else(client, account, twin):
    make_connection(account, "C3", profile_name="Oak Supplies", status="pending")
    Connection.objects.filter(customer_code="C3").update(created_at=timezone.now() - timedelta(hours=49))
    look_for_duplicates(account.pk)
    assert "overdue since" in client.get(reverse(LIST), {"due": "overdue"}).content.decode()
    assert listed(client, due="overdue") == ["C3"]
    assert listed(client, due="later") == ["C2"]
    assert listed(client, due="similar") == ["C2"]
    assert listed(client, due="unlike") == ["C3"]
    assert listed(client, due="nonsense") == ["C1", "C2", "C3"]


def test_the_page_shows_where_a_connection_came_from_and_what_is_similar(client, account, known, twin):
    make_change(twin, run_id=7, line=12)
    look_for_duplicates(account.pk)
    assert page(twin, "similar") in client.get(page(twin)).content.decode()
    shown = client.get(page(twin, "similar")).content.decode()
    assert "Waiting for review" in shown
    assert "run 7, line 12" in shown
    assert "names nearly alike, same address" in shown
    assert page(known) in shown
    assert f"{page(twin, 'duplicate')}?duplicate_of={known.pk}" in shown
    assert "Elm St Outfiters" in shown
    assert "profile name" in shown
    assert "Similar connections" in client.get(page(known, "similar")).content.decode()


def test_the_page_says_what_is_not_known_yet(client, account):
    waiting = make_connection(account, "C3", status="pending")
    assert "still to be compared" in client.get(page(waiting, "similar")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_says_that_nothing_is_similar(client, account):
    waiting = make_connection(account, "C3", status="pending")
    look_for_duplicates(account.pk)
    assert "No connection of the account is similar to it." in client.get(page(waiting, "similar")).content.decode()


def test_what_is_similar_is_escaped(client, account, known, twin):
    Connection.objects.filter(pk=known.pk).update(profile_name="Elm Street Outfitters <i>")
    look_for_duplicates(account.pk)
    shown = client.get(page(twin, "similar")).content.decode()
    assert "Outfitters <i>" not in shown
    assert "Elm Street Outfitters &lt;i&gt;" in shown


def test_a_suggested_original_is_chosen_already_on_the_page_that_asks_for_it(client, account, known, twin):
    asked = client.get(page(twin, "duplicate"), {"duplicate_of": known.pk})
    data = filled_in(asked)
    assert data["duplicate_of"] == str(known.pk)
    assert client.post(page(twin, "duplicate"), {**data, "note": "Entered twice."}).status_code == 302
    twin.refresh_from_db()
    assert (twin.duplicate_of, twin.review_note) == (known, "Entered twice.")
    assert "Entered twice." in client.get(page(twin)).content.decode()


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [("pending", "approve", "approved"), ("approved", "reject", "rejected"), ("rejected", "reopen", "pending")],
)
def test_a_note_is_kept_with_a_decision_in_the_list_and_on_the_page(client, account, before, action, after):
    first, second = (make_connection(account, code, status=before) for code in ("A", "B"))
    client.post(
        reverse(LIST), {"action": action, "_selected_action": [first.pk], "index": "0", "note": " Called them. "}
    )
    data = filled_in(client.get(page(second)))
    response = client.post(page(second), {**data, f"connections_connection_save_and_{action}": "1", "note": "By mail."})
    assert response.status_code == 302, errors_of(response)
    decided = Connection.objects.order_by("customer_code").values_list("status", "review_note")
    assert list(decided) == [(after, "Called them."), (after, "By mail.")]


def test_only_decisions_that_change_something_are_offered(client, account, twin, known):
    waiting, decided = (client.get(page(each)).content.decode() for each in (twin, known))
    assert 'name="connections_connection_save_and_reopen"' not in waiting
    assert 'name="connections_connection_save_and_reopen"' in decided


def test_a_viewer_is_asked_for_no_note(client, account, twin):
    account.memberships.update(role="viewer")
    assert 'id="id_note"' not in client.get(page(twin)).content.decode()
    assert "Reject as duplicate" not in client.get(page(twin, "similar")).content.decode()


def test_whoever_adds_a_connection_is_told_of_what_is_similar(client, account, known):
    look_for_duplicates(account.pk)
    data = add_data(account, customer_code="N", profile_name="Elm Street Outfitters")
    answer = client.post(reverse("admin:connections_connection_add"), data, follow=True)
    (warning,) = [str(message) for message in answer.context["messages"] if message.level_tag == "warning"]
    assert "The account has 'C1' (Elm Street Outfitters), which may be the same customer: same name" in warning

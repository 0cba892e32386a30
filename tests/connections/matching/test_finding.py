"""Finding connections that may be one customer, and what is stored of that."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from connections import review
from connections.history.recording import recorded_edit
from connections.matching import finding
from connections.matching.finding import (
    find_accounts_to_look_at,
    look_for_duplicates,
    looked_at,
    suggestions_of,
)
from connections.models import Connection, MatchingProgress, MatchKey, Suggestion
from tests.builders import ELM, copy_connection, make_account, make_connection, make_user

pytestmark = pytest.mark.django_db

PENDING, APPROVED, REJECTED = Connection.Status.PENDING, Connection.Status.APPROVED, Connection.Status.REJECTED


@pytest.fixture
def account():
    return make_account()


@pytest.fixture
def user():
    return make_user("eddie")


@pytest.fixture(autouse=True)
def now_is_later(monkeypatch):
    """What this test's own transaction stamps is open for as long as the test runs; it is looked at all the same."""
    monkeypatch.setattr(finding, "take_watermark", lambda account_id: clock())


def clock():
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def make_elm(account, code, name="Elm Street Outfitters", **fields):
    return make_connection(account, code, profile_name=name, addresses=[ELM], **fields)


def suggested(connection):
    found = suggestions_of([connection.pk]).get(connection.pk, [])
    return [other.customer_code for _, other in found]


def test_a_new_connection_finds_the_one_that_it_may_be(account):
    known, new = make_elm(account, "C1"), make_elm(account, "C2", "Elm St. Outfiters Inc", status=PENDING)
    make_connection(account, "C3", profile_name="Oak Supplies")
    assert look_for_duplicates(account.pk) is False
    assert suggested(new) == ["C1"]
    assert suggested(known) == ["C2"]
    assert [[other for _, other in finding.find_similar(one)] for one in (new, known)] == [[known], [new]]
    (suggestion,) = Suggestion.objects.all()
    assert suggestion.score > 0.5
    assert suggestion.reasons == ["names nearly alike", "same address"]


def test_nothing_is_looked_for_where_neither_waits_for_review(account):
    make_elm(account, "C1")
    make_elm(account, "C2")
    look_for_duplicates(account.pk)
    assert not Suggestion.objects.exists()
    assert MatchKey.objects.exists()


def test_other_accounts_are_not_looked_into(account):
    make_elm(make_account("northwind"), "C1")
    new = make_elm(account, "C2", status=PENDING)
    for each in Account.objects.all():
        look_for_duplicates(each.pk)
    assert suggested(new) == []


def test_rejected_connections_are_suggested_too(account):
    make_elm(account, "C1", status=REJECTED)
    new = make_elm(account, "C2", status=PENDING)
    look_for_duplicates(account.pk)
    assert suggested(new) == ["C1"]


def test_a_code_that_looks_like_another_is_suggested_whatever_the_rest_says(account):
    make_connection(account, "123", profile_name="Rosa", addresses=[{**ELM, "city": "Paris", "country": "FR"}])
    new = make_elm(account, "00123", status=PENDING)
    look_for_duplicates(account.pk)
    assert suggested(new) == ["123"]
    assert Suggestion.objects.get().reasons[0] == "codes differ only in leading zeros"


def test_an_edit_is_followed(account, user):
    known, new = make_elm(account, "C1"), make_elm(account, "C2", status=PENDING)
    look_for_duplicates(account.pk)
    with recorded_edit([known.pk], user):
        Connection.objects.filter(pk=known.pk).update(profile_name="Zebra Toys")
        known.addresses.update(address_1="1 Far Road", city="Boise", zip="83702")
    assert looked_at(Connection.objects.all()) == {new.pk}
    look_for_duplicates(account.pk)
    assert suggested(new) == []
    with recorded_edit([new.pk], user):
        Connection.objects.filter(pk=new.pk).update(profile_name="Zebra Toys")
        new.addresses.update(address_1="1 Far Road", city="Boise", zip="83702")
    look_for_duplicates(account.pk)
    assert suggested(new) == ["C1"]


def test_only_what_was_added_or_changed_is_looked_at_again(account, monkeypatch):
    make_elm(account, "C1")
    look_for_duplicates(account.pk)
    make_elm(account, "C2", status=PENDING)
    seen = []
    monkeypatch.setattr(finding, "_look_at", lambda account_id, rows: seen.extend(rows))
    look_for_duplicates(account.pk)
    assert Connection.objects.filter(pk__in=seen).get().customer_code == "C2"


def test_many_are_looked_at_in_turns(account, monkeypatch):
    monkeypatch.setattr(finding, "TURN", 2)
    for number in range(5):
        make_elm(account, f"C{number}", status=PENDING)
    assert find_accounts_to_look_at() == [account.pk]
    assert look_for_duplicates(account.pk) is True
    assert len(looked_at(Connection.objects.all())) == 2
    assert look_for_duplicates(account.pk, turns=9) is False
    assert len(looked_at(Connection.objects.all())) == 5
    assert find_accounts_to_look_at() == []
    assert {len(found) for found in suggestions_of(list(Connection.objects.values_list("pk", flat=True))).values()} == {
        4
    }


def test_whether_accounts_have_such_is_found_without_reading_all_connections(account):
    """It is asked once a minute."""
    copy_connection(make_connection(account, "C000000"), 20_000)
    MatchingProgress.objects.create(account=account, updated_at=timezone.now() + timedelta(days=1), connection_id=0)
    with CaptureQueriesContext(database) as asked:
        assert find_accounts_to_look_at() == []
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "updates_of_an_account" in plan
    assert "Seq Scan on connections_connection" not in plan


def test_those_of_one_time_are_read_in_turns_without_sorting_what_is_left(account):
    """A first load gives all its customers the same time."""
    copy_connection(make_connection(account, "C000000"), 20_000)
    moment, number = Connection.objects.values_list("updated_at", "pk")[10_000]
    progress = MatchingProgress(account=account, updated_at=moment, connection_id=number)
    with CaptureQueriesContext(database) as asked:
        assert finding._next_rows(progress)[0][0] == number + 1
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using updates_of_an_account" in plan
    assert "Index Cond: ((account_id = " in plan
    assert "ROW(updated_at, id) >" in plan
    assert "Sort" not in plan


def test_what_very_many_share_tells_nothing(account, monkeypatch):
    monkeypatch.setattr(finding, "MOST_SHARING", 3)
    for number in range(5):
        make_elm(account, f"C{number}", status=PENDING)
    look_for_duplicates(account.pk)
    assert not Suggestion.objects.exists()


def test_what_was_found_goes_with_a_connection_however_it_is_deleted(account):
    make_elm(account, "C1"), make_elm(account, "C2", status=PENDING)
    gone = make_elm(account, "C3", status=PENDING)
    look_for_duplicates(account.pk)
    assert Suggestion.objects.count() == 3
    gone.delete()
    assert Suggestion.objects.count() == 1
    assert not MatchKey.objects.filter(connection_id=gone.pk).exists()
    account.delete()
    assert not Suggestion.objects.exists()
    assert not MatchKey.objects.exists()


# -- approval by itself


@pytest.fixture
def trusting(account):
    account.auto_approval = Account.AutoApproval.NOTHING_SIMILAR
    account.save()
    return account


def test_what_is_like_nothing_else_is_approved_and_says_why(trusting):
    make_elm(trusting, "C1")
    alike = make_elm(trusting, "C2", status=PENDING)
    unlike = make_connection(trusting, "C3", profile_name="Oak Supplies", status=PENDING)
    look_for_duplicates(trusting.pk)
    alike.refresh_from_db()
    unlike.refresh_from_db()
    assert alike.status == PENDING
    assert (unlike.status, unlike.review_note, unlike.reviewed_by) == (APPROVED, review.UNLIKE, None)
    assert list(unlike.changes.order_by("field").values_list("field", "before", "after")) == [
        ("review_note", "", review.UNLIKE),
        ("status", PENDING, APPROVED),
    ]
    look_for_duplicates(trusting.pk)
    assert find_accounts_to_look_at() == []


def test_of_two_new_ones_that_are_alike_neither_is_approved(trusting):
    make_elm(trusting, "C1", status=PENDING), make_elm(trusting, "C2", status=PENDING)
    look_for_duplicates(trusting.pk)
    assert set(trusting.connections.values_list("status", flat=True)) == {PENDING}


def test_what_a_person_sent_back_to_review_is_not_approved_by_itself(trusting, user):
    connection = make_connection(trusting, "C1", status=APPROVED)
    review.reopen(Connection.objects.all(), user)
    look_for_duplicates(trusting.pk)
    connection.refresh_from_db()
    assert connection.status == PENDING


def test_what_changed_since_it_was_compared_is_not_approved(trusting, user):
    connection = make_connection(trusting, "C1", status=PENDING)
    seen = {connection.pk: connection.updated_at}
    with recorded_edit([connection.pk], user):
        Connection.objects.update(profile_name="Other")
    assert review.approve_unlike(trusting.pk, seen) == 0


def test_an_account_that_reviews_everything_approves_nothing_by_itself(account):
    connection = make_connection(account, "C1", status=PENDING)
    assert review.approve_unlike(account.pk, {connection.pk: connection.updated_at}) == 0

"""Approving and rejecting connections."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections import review
from connections.models import Change, Connection
from tests.builders import make_account, make_connection, make_user

pytestmark = pytest.mark.django_db

PENDING, APPROVED, REJECTED = Connection.Status.PENDING, Connection.Status.APPROVED, Connection.Status.REJECTED


@pytest.fixture
def account():
    return make_account()


@pytest.fixture
def user():
    return make_user("eddie")


def only(connection):
    return Connection.objects.filter(pk=connection.pk)


def changes(connection):
    return list(connection.changes.order_by("field").values_list("field", "before", "after", "user__username"))


@pytest.mark.parametrize(
    ("decide", "before", "after"),
    [
        (review.approve, PENDING, APPROVED),
        (review.approve, REJECTED, APPROVED),
        (review.reject, PENDING, REJECTED),
        (review.reject, APPROVED, REJECTED),
    ],
)
def test_a_decision_is_recorded(account, user, decide, before, after):
    connection = make_connection(account, status=before, source_digest=b"0123456789abcdef")
    assert decide(only(connection), user) == 1
    known = connection.updated_at
    connection.refresh_from_db()
    assert (connection.status, connection.reviewed_by) == (after, user)
    assert connection.reviewed_at == connection.updated_at > known
    assert bytes(connection.source_digest) == b""
    assert changes(connection) == [("status", before, after, "eddie")]


@pytest.mark.parametrize(("decide", "status"), [(review.approve, APPROVED), (review.reject, REJECTED)])
def test_a_decision_taken_already_changes_nothing(account, user, decide, status):
    connection = make_connection(account, status=status)
    assert decide(only(connection), user) == 0
    connection.refresh_from_db()
    assert connection.reviewed_at is None
    assert not Change.objects.exists()


def test_a_duplicate_names_the_connection_that_stays(account, user):
    original, double = make_connection(account, "C1"), make_connection(account, "C2", status=PENDING)
    assert review.reject(only(double), user, original) == 1
    double.refresh_from_db()
    assert (double.status, double.duplicate_of) == (REJECTED, original)
    assert changes(double) == [("duplicate_of", None, "C1", "eddie"), ("status", PENDING, REJECTED, "eddie")]
    assert not original.changes.exists()


def test_a_rejected_connection_can_be_told_a_duplicate_later(account, user):
    original, double = make_connection(account, "C1"), make_connection(account, "C2", status=REJECTED)
    assert review.reject(only(double), user, original) == 1
    assert changes(double) == [("duplicate_of", None, "C1", "eddie")]
    assert review.reject(only(double), user, original) == 0
    assert review.reject(only(double), user) == 0


def test_an_approved_duplicate_is_none_any_more(account, user):
    original, double = make_connection(account, "C1"), make_connection(account, "C2")
    review.reject(only(double), user, original)
    review.approve(only(double), user)
    double.refresh_from_db()
    assert double.duplicate_of is None
    assert ("duplicate_of", "C1", None, "eddie") in changes(double)


def test_what_cannot_stand_for_a_duplicate_is_refused(account, user):
    double = make_connection(account, "C1", status=PENDING)
    foreign = make_connection(make_account("northwind"), "C1")
    gone = make_connection(account, "C2", status=REJECTED)
    for original, reason in ((double, "of itself"), (foreign, "another account"), (gone, "rejected itself")):
        with pytest.raises(ValidationError, match=reason):
            review.reject(only(double), user, original)
    double.refresh_from_db()
    assert double.status == PENDING
    assert not Change.objects.exists()


def test_the_database_knows_no_duplicate_of_itself(account):
    connection = make_connection(account)
    connection.duplicate_of = connection
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.save()


@pytest.mark.parametrize("decide", [review.approve, review.reject])
def test_many_are_decided_in_a_fixed_number_of_queries(account, user, decide, django_assert_max_num_queries):
    for number in range(30):
        make_connection(account, f"C{number}", status=PENDING)
    with django_assert_max_num_queries(7):
        assert decide(Connection.objects.all(), user) == 30

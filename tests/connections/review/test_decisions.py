"""Approving and rejecting connections."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from connections import review
from connections.models import Change, Connection
from tests.builders import make_account, make_connection, make_user
from tests.processes import a_session_waits, wait_until

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


def test_a_duplicate_of_a_duplicate_is_one_of_the_connection_at_the_end(account, user):
    end, middle, double = (make_connection(account, code) for code in ("C1", "C2", "C3"))
    review.reject(only(middle), user, end)
    assert review.reject(only(double), user, middle) == 1
    double.refresh_from_db()
    assert double.duplicate_of == end
    with pytest.raises(ValidationError, match="C1 · Customer C1 cannot be a duplicate of itself"):
        review.reject(only(end), user, middle)


@pytest.mark.parametrize("decide", [review.approve, review.reject, review.reopen])
def test_a_note_is_kept_with_the_decision_until_the_next(account, user, decide):
    connection = make_connection(account, status=APPROVED if decide == review.reject else REJECTED)
    assert decide(only(connection), user, note="Called them.") == 1
    connection.refresh_from_db()
    assert connection.review_note == "Called them."
    assert ("review_note", "", "Called them.", "eddie") in changes(connection)
    (review.approve if decide == review.reject else review.reject)(only(connection), user)
    connection.refresh_from_db()
    assert connection.review_note == ""
    assert ("review_note", "Called them.", "", "eddie") in changes(connection)


def test_a_duplicate_that_follows_its_original_keeps_its_note(account, user):
    stays, original, double = (make_connection(account, code) for code in ("C9", "C1", "C2"))
    review.reject(only(double), user, original, note="Same shop.")
    review.reject(only(original), user, stays, note="Sold.")
    notes = dict(Connection.objects.filter(duplicate_of=stays).values_list("customer_code", "review_note"))
    assert notes == {"C1": "Sold.", "C2": "Same shop."}


def test_a_decision_can_be_taken_back(account, user):
    original, double = make_connection(account, "C1"), make_connection(account, "C2", status=PENDING)
    review.reject(only(double), user, original)
    Connection.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert review.reopen(Connection.objects.all(), user) == 2
    double.refresh_from_db()
    assert (double.status, double.duplicate_of) == (PENDING, None)
    assert ("status", REJECTED, PENDING, "eddie") in changes(double)
    assert review.reopen(only(double), user) == 0
    assert not Connection.objects.overdue().exists()  # it waits anew


def test_what_waits_longer_than_the_account_says_is_overdue(account):
    make_connection(account, "C1", status=PENDING), make_connection(account, "C2", status=PENDING)
    Connection.objects.filter(customer_code="C1").update(created_at=timezone.now() - timedelta(hours=47))
    Connection.objects.filter(customer_code="C2").update(created_at=timezone.now() - timedelta(hours=49))
    assert [connection.customer_code for connection in Connection.objects.overdue()] == ["C2"]
    account.review_hours = 40
    account.save()
    assert Connection.objects.overdue().count() == 2


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


def make_duplicates(account, user, original, *codes):
    duplicates = [make_connection(account, code, status=PENDING) for code in codes]
    review.reject(Connection.objects.filter(pk__in=[double.pk for double in duplicates]), user, original)
    Change.objects.all().delete()
    return duplicates


def test_a_connection_that_stands_for_duplicates_is_not_just_rejected(account, user):
    original, other = make_connection(account, "C1"), make_connection(account, "C0")
    make_duplicates(account, user, original, "C2", "C3")
    with pytest.raises(ValidationError, match="C1 · Customer C1 stands for its duplicates C2, C3"):
        review.reject(Connection.objects.all(), user)
    assert not Change.objects.exists()
    other.refresh_from_db()
    assert other.status == APPROVED


def test_duplicates_follow_the_connection_that_stands_for_them(account, user):
    stays, original = make_connection(account, "C9"), make_connection(account, "C1")
    first, second = make_duplicates(account, user, original, "C0", "C2")
    Connection.objects.update(source_digest=b"0123456789abcdef")
    assert review.reject(only(original), user, stays) == 1
    for double in (first, second):
        double.refresh_from_db()
        assert (double.status, double.duplicate_of, bytes(double.source_digest)) == (REJECTED, stays, b"")
        assert changes(double) == [("duplicate_of", "C1", "C9", "eddie")]
    assert changes(original) == [("duplicate_of", None, "C9", "eddie"), ("status", APPROVED, REJECTED, "eddie")]
    assert not stays.changes.exists()


def test_duplicates_that_are_rejected_with_their_original_are_decided_once(account, user):
    stays, original = make_connection(account, "C9"), make_connection(account, "C1")
    (double,) = make_duplicates(account, user, original, "C2")
    assert review.reject(Connection.objects.filter(pk__in=[original.pk, double.pk]), user, stays) == 2
    assert changes(double) == [("duplicate_of", "C1", "C9", "eddie")]


def test_an_original_can_be_rejected_when_its_duplicates_are_approved(account, user):
    original = make_connection(account, "C1")
    (double,) = make_duplicates(account, user, original, "C2")
    review.approve(only(double), user)
    assert review.reject(only(original), user) == 1


def test_a_deleted_original_leaves_its_duplicates_rejected(account, user):
    original = make_connection(account, "C1")
    (double,) = make_duplicates(account, user, original, "C2")
    original.delete()
    double.refresh_from_db()
    assert (double.status, double.duplicate_of) == (REJECTED, None)
    with pytest.raises(ValidationError, match="deleted meanwhile"):
        review.reject(only(double), user, Connection(pk=0, account=account))


@pytest.mark.parametrize(
    "broken",
    [
        lambda double, original, foreign: Connection.objects.filter(pk=original.pk).update(status=REJECTED),
        lambda double, original, foreign: Connection.objects.filter(pk=double.pk).update(status=APPROVED),
        lambda double, original, foreign: Connection.objects.filter(pk=foreign.pk).update(
            status=REJECTED, duplicate_of=original
        ),
        lambda double, original, foreign: make_connection(original.account, "C3", status=REJECTED, duplicate_of=double),
    ],
)
def test_the_database_lets_no_duplicate_lead_to_nowhere(account, user, broken):
    original = make_connection(account, "C1")
    (double,) = make_duplicates(account, user, original, "C2")
    foreign = make_connection(make_account("northwind"), "C1")
    with pytest.raises(IntegrityError), transaction.atomic():
        broken(double, original, foreign)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["duplicate", "original"])
def test_two_people_who_decide_at_once_leave_no_chain(first):
    """One makes a duplicate of a connection, the other rejects that connection; the second waits and is refused."""
    account, user = make_account(), make_user("eddie")
    original, double = make_connection(account, "C1"), make_connection(account, "C2")
    decisions = [
        lambda: review.reject(only(double), user, original),
        lambda: review.reject(only(original), user),
    ]
    if first == "original":
        decisions.reverse()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            decisions[0]()
            second = pool.submit(in_own_session, decisions[1])
            wait_until(a_session_waits)
        with pytest.raises(ValidationError, match="stands for" if first == "duplicate" else "rejected itself"):
            second.result(timeout=60)
    assert not Connection.objects.filter(duplicate_of__status=REJECTED).exists()


def in_own_session(decide):
    try:
        return decide()
    finally:
        database.close()


@pytest.mark.parametrize("decide", [review.approve, review.reject])
def test_many_are_decided_in_a_fixed_number_of_queries(account, user, decide, django_assert_max_num_queries):
    for number in range(30):
        make_connection(account, f"C{number}", status=PENDING)
    with django_assert_max_num_queries(12):
        assert decide(Connection.objects.all(), user) == 30

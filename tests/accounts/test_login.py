"""Logging in: how often it may be tried, whoever counts, and what is said about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.attempts import LIMITS, WINDOW
from accounts.models import LoginAttempt
from tests.builders import PASSWORD, make_user
from tests.pages import text_of

pytestmark = pytest.mark.django_db

LOGIN = reverse("admin:login")
LIMIT = LIMITS["username", "address"]


@pytest.fixture
def user():
    return make_user("eddie", is_superuser=True)


def log_in(client, password="wrong", username="eddie", **where):  # noqa: S107  (that is the point)
    return client.post(LOGIN, {"username": username, "password": password}, **where)


def test_after_too_many_failures_the_right_password_is_refused_too_and_it_is_said_why(client, user, caplog):
    for _ in range(LIMIT):
        assert "Please enter the correct" in text_of(log_in(client))
    answer = log_in(client, PASSWORD)
    assert answer.status_code == 200
    assert "Too many attempts to log in. Try again in 15 minutes" in text_of(answer)
    assert "Login failed for 'eddie' from 127.0.0.1." in caplog.text
    assert "Login refused: more than 5 failed attempts of username 'eddie' and address '127.0.0.1'." in caplog.text
    LoginAttempt.objects.update(at=timezone.now() - WINDOW - timedelta(seconds=1))
    assert log_in(client, PASSWORD).status_code == 302
    assert not LoginAttempt.objects.exists()


def test_a_success_clears_the_count_and_the_name_counts_in_any_case(client, user):
    for _ in range(LIMIT - 1):
        log_in(client, username="Eddie")
    assert log_in(client, PASSWORD).status_code == 302
    assert not LoginAttempt.objects.exists()


def test_others_and_other_addresses_are_not_locked_out(client, user):
    make_user("rosa", is_superuser=True)
    for _ in range(LIMIT + 1):
        log_in(client)
    assert log_in(Client(), PASSWORD, "rosa").status_code == 302
    assert log_in(Client(), PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_one_address_cannot_try_one_name_after_another(client, user):
    for number in range(LIMITS["address",]):
        LoginAttempt.objects.create(username=f"user{number}", address="127.0.0.1")
    assert "Too many attempts" in text_of(log_in(client, PASSWORD))


@pytest.mark.parametrize(
    ("behind", "told", "counted"),
    [
        (True, "203.0.113.1, 192.0.2.9", "192.0.2.9"),
        (False, "203.0.113.1, 192.0.2.9", "127.0.0.1"),
        (True, "192.0.2.9:50123", "192.0.2.9"),
        (True, "[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64"),
        (True, "2001:db8:1:2::7", "2001:db8:1:2::/64"),
        (True, "::ffff:192.0.2.9", "192.0.2.9"),
        (True, "unknown", "unknown"),
    ],
)
def test_it_is_counted_whose_address_it_is_and_no_sender_s_word(client, user, settings, behind, told, counted):
    settings.BEHIND_PROXY = behind
    log_in(client, HTTP_X_FORWARDED_FOR=told)
    assert LoginAttempt.objects.get().address == counted


@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_once_gain_nothing(user):
    """Each is counted before its password is looked at, in a database session of its own."""

    def attempt(_):
        try:
            return "Too many" in text_of(log_in(Client()))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(attempt, range(24)))
    assert refused.count(False) <= LIMIT
    assert "Too many" in text_of(log_in(Client(), PASSWORD)) or LoginAttempt.objects.count() < LIMIT


def test_whoever_opens_the_page_of_the_login_itself_goes_home(client, user):
    answer = log_in(client, PASSWORD, follow=True)
    assert answer.redirect_chain == [(reverse("admin:index"), 302)]
    assert answer.status_code == 200

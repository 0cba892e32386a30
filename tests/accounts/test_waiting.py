"""Of two who wait for each other the database ends one, and that is done once more before anybody hears of it."""

import threading

import pytest
from django.db import connection, transaction

from connections.models import Address, Connection
from tests.accounts.test_admin import url
from tests.api.conftest import Program
from tests.builders import ELM, make_account, make_connection, make_user
from tests.pages import filled_in
from tests.processes import a_session_waits, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    shop = make_connection(make_account("maison"), "C1", addresses=[ELM | {"state": "OR"}])
    make_connection(shop.account, "C2")
    return shop


@pytest.fixture
def by_hand(shop):
    """Statements in the order in which none of ours comes: the first customer last, once somebody waits."""
    holds = threading.Event()

    def work():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # so that it is the other one who is ended
                Address.objects.select_for_update().get(connection=shop)
                Connection.objects.select_for_update().get(customer_code="C2")
                holds.set()
                wait_until(a_session_waits)
                Connection.objects.select_for_update().get(pk=shop.pk)
        finally:
            connection.close()

    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '2s'")  # until then the other one waits, too
    thread = threading.Thread(target=work)

    def begin():
        thread.start()
        assert holds.wait(60)

    yield begin
    thread.join(120)
    connection.close()


def test_a_form_is_saved_once_more(shop, by_hand, client):
    client.force_login(make_user("sue", is_superuser=True))
    page = url(Connection, "change", shop.pk)
    sent = filled_in(client.get(page)) | {"customer_alias": "mine", "addresses-0-city": "Nice"}
    by_hand()
    answer = client.post(page, sent)
    assert answer.status_code == 302
    shop.refresh_from_db()
    assert (shop.customer_alias, shop.addresses.get().city) == ("mine", "Nice")


def test_a_request_of_a_program_is_answered_once_more(shop, by_hand):
    program = Program(make_user("sue", is_superuser=True))
    by_hand()
    decisions = [{"customer_code": code, "decision": "reopen"} for code in ("C1", "C2")]
    answer = program("post", "accounts/maison/review/", {"decisions": decisions})
    assert [each["outcome"] for each in answer.json()["results"]] == ["decided", "decided"]

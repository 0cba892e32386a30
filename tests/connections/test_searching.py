"""Search: by the beginnings of what people know a customer by, within what they may see, as it is now."""

from __future__ import annotations

import pytest
from django.db import connection as database

from accounts.paging import Mark, Order
from connections import documents
from connections.matching.finding import look_for_duplicates
from connections.models import Connection, SearchDocument
from connections.searching import search, with_mail, with_name
from tests.builders import make_account, make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account("maison")
    make_connection(
        account,
        "0012",
        profile_name="Galerie Lumière",
        customer_alias="L'Atelier d’Été",
        alternate_name="東京 Lights",
        addresses=[{"code": "S1", "name": "Dépôt Nord", "city": "København", "email": "shop@lumiere.example"}],
        buyers=[{"email": "Anna.O'Neil@Example.com", "name": "Anna Straße"}],
    )
    make_connection(account, "AB-9", profile_name="Harbor & Row")
    look_for_duplicates(account.pk)
    return account


WAYS: tuple[tuple[dict[str, int], str], ...] = (
    ({}, ""),
    ({"MOST_COUNTED": 0}, ""),
    ({}, "a page behind"),
    ({"MOST_WALKED": 0}, "a page behind"),
    ({"MOST_WALKED": 0}, "a page before"),
)
"""Of what few have; of what so many have that they are looked for one by one; of pages behind and before some customer
where those next to it are looked for one by one, or are few."""


def found(account, text):
    """Whichever way it is looked for, in one account or in all, the same is found."""
    found = []
    order = Order(Connection, ("account_id", "customer_code"))
    for way, where in WAYS:
        for accounts in ([account.pk], None):
            page = Mark(order, (account.pk, "5"), where == "a page before") if where else None
            with pytest.MonkeyPatch.context() as patch:
                for name, value in way.items():
                    patch.setattr(f"connections.searching.{name}", value)
                connections = search(Connection.objects.filter(account=account), text, accounts, page)
                codes = connections.order_by("customer_code").values_list("customer_code", flat=True)
            if accounts or not Connection.objects.exclude(pk__in=SearchDocument.objects.values("pk")).exists():
                found.append(list(codes))
    assert all(codes == found[0] for codes in found)
    return found[0]


@pytest.mark.parametrize(
    "text",
    [
        "0012", "12", "00", "galerie", "GALERIE LUMIERE", "lumière", "lum gal", "atelier", "latelier", "ete", "東",
        "dongjing", "kobenhavn", "KØBEN", "depot", "shop@lumiere", "SHOP@lumiere.example", "@lumiere.example",
        "anna.o'neil@example.com", "strasse", "lights 12",
    ],
)  # fmt: skip
def test_a_customer_is_found_by_what_people_know_it_by(account, text):
    assert found(account, text) == ["0012"]


@pytest.mark.parametrize(
    "text", ["umiere", "galerie harbor", "'", "\\", "!", "a' | 'b", ":*", "&", "@", "😀", "(", "x" * 200]
)
def test_what_fits_no_word_finds_nothing_and_breaks_nothing(account, text):
    assert found(account, text) == []


def test_what_was_just_added_is_found_at_once_and_by_its_index_later(account):
    make_connection(account, "NEW-1", profile_name="Newcomer", buyers=[{"email": "new@example.com"}])
    for _ in range(2):
        for text in ("new-1", "newco", "new@example.com"):
            assert (text, found(account, text)) == (text, ["NEW-1"])
        assert found(account, "galerie") == ["0012"]
        by_mail = with_mail(Connection.objects.all(), account.pk, "NEW@example.com")
        assert [each.customer_code for each in by_mail] == ["NEW-1"]
        look_for_duplicates(account.pk)


def test_whoever_has_a_name_is_among_the_few_that_may_have_it(account):
    def named(name):
        return {each.customer_code for each in with_name(Connection.objects.all(), account.pk, name)}

    make_connection(account, "NEW-1", profile_name="Newcomer", customer_alias="Galerie Lumière")
    assert named("Galerie Lumière") == {"0012", "NEW-1"}
    assert named("L'Atelier d’Été") == {"0012", "NEW-1"}
    look_for_duplicates(account.pk)
    assert named("Galerie Lumière") == {"0012", "NEW-1"}
    assert (named("L'Atelier d’Été"), named("Newcomer")) == ({"0012"}, {"NEW-1"})
    assert not named("Galerie")


def test_what_was_edited_is_found_by_what_it_is_now(account):
    Connection.objects.filter(customer_code="AB-9").update(profile_name="Quay", updated_at=database_time())
    look_for_duplicates(account.pk)
    assert (found(account, "harbor"), found(account, "quay")) == ([], ["AB-9"])


def database_time():
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def test_accounts_are_kept_apart(account):
    other = make_account("other")
    make_connection(other, "0012", profile_name="Galerie Autre")
    look_for_duplicates(other.pk)
    assert search(Connection.objects.all(), "galerie", [other.pk]).get().account == other
    assert search(Connection.objects.all(), "galerie", None).count() == 2
    assert search(Connection.objects.all(), "galerie", []).count() == 0


def test_words_go_with_their_connection(account):
    Connection.objects.filter(customer_code="AB-9").delete()
    assert SearchDocument.objects.get().connection.customer_code == "0012"


def test_a_customer_with_more_than_is_stored_is_still_found_by_each_of_its_mails(account, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 100)
    buyers = [{"email": f"buyer{number}@example.com"} for number in range(20)]
    make_connection(account, "BIG", profile_name="Many buyers", buyers=buyers)
    look_for_duplicates(account.pk)
    assert with_mail(Connection.objects.all(), account.pk, "buyer19@example.com").get().customer_code == "BIG"


@pytest.mark.parametrize("mail", ["", " ", "😀", "'", "\\", "a@b", "*", "@77"])
def test_what_is_no_e_mail_is_nobodys(account, mail):
    assert not with_mail(Connection.objects.all(), account.pk, mail).exists()

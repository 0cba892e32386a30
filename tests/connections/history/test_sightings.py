"""Sightings: which connections files mention, day by day, and which they do not any more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Account
from connections.history import sightings
from connections.history.sightings import last_seen, note_sightings
from connections.models import Connection, Sighting
from imports.formats.policies import Policies
from imports.formats.spec import FormatSpec
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, Sender

FIRST = date(2026, 3, 1)


@pytest.fixture
def go_to(monkeypatch):
    """Let files come on a day, by how many it lies behind the first."""

    def go_to(days):
        monkeypatch.setattr(sightings, "today", lambda: FIRST + timedelta(days=days))

    go_to(0)
    return go_to


@pytest.fixture
def account(db):
    account = make_account()
    add_lookups(account)
    return account


def send(account, tmp_path, *codes, country="FR", **options):
    rows = [NEW | {"customer_code": code, "billing_code": "B1", "billing_country": country} for code in codes]
    run = Sender(account, tmp_path)(*rows, **options)
    Connection.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    return run


def not_seen_since(account, days):
    found = Connection.objects.not_seen_since(FIRST + timedelta(days=days), Account.objects.filter(pk=account.pk))
    return sorted(found.values_list("customer_code", flat=True))


def missing(account):
    found = Connection.objects.not_seen_since_last_full_file(Account.objects.filter(pk=account.pk))
    return sorted(found.values_list("customer_code", flat=True))


def seen_on(account):
    ids = dict(account.connections.values_list("pk", "customer_code"))
    return {ids[pk]: (day - FIRST).days for pk, day in last_seen(ids).items()}


def test_a_file_mentions_new_changed_and_unchanged_customers(account, tmp_path, go_to):
    send(account, tmp_path, "A", "B", "C", "D")
    go_to(1)
    send(account, tmp_path, "A", "B")
    go_to(5)
    send(account, tmp_path, "B", "E", country="DE")
    assert seen_on(account) == {"A": 1, "B": 5, "C": 0, "D": 0, "E": 5}
    assert not_seen_since(account, 0) == []
    assert not_seen_since(account, 1) == ["C", "D"]
    assert not_seen_since(account, 2) == ["A", "C", "D"]
    assert not_seen_since(account, 6) == ["A", "B", "C", "D", "E"]


def test_a_rejected_customer_was_mentioned_all_the_same(account, tmp_path, go_to):
    send(account, tmp_path, "A", "B")
    go_to(3)
    assert send(account, tmp_path, "A", country="nowhere").rejected == 1
    assert seen_on(account) == {"A": 3, "B": 0}


def test_a_dry_run_mentions_nobody(account, tmp_path, go_to):
    send(account, tmp_path, "A")
    go_to(3)
    send(account, tmp_path, "A", dry_run=True)
    assert seen_on(account) == {"A": 0}


def test_what_was_added_by_hand_counts_from_the_day_it_was_there(account, go_to):
    by_hand = make_connection(account, "HAND")
    Connection.objects.filter(pk=by_hand.pk).update(created_at=datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert not_seen_since(account, 1) == []
    assert not_seen_since(account, 2) == ["HAND"]
    assert last_seen([by_hand.pk]) == {}


FULL = FormatSpec(name="master", policies=Policies(full_files=True))


def test_who_is_missing_from_the_last_full_file_is_shown_and_stays(account, tmp_path, go_to):
    send(account, tmp_path, "A", "B", "C")
    assert missing(account) == []  # no file of this account lists all customers yet
    go_to(1)
    send(account, tmp_path, "A", "B", spec=FULL)
    assert missing(account) == ["C"]
    go_to(2)
    send(account, tmp_path, "C")
    assert missing(account) == []
    go_to(3)
    send(account, tmp_path, "A", spec=FULL)
    assert missing(account) == ["B", "C"]
    assert Connection.objects.count() == 3


def test_the_accounts_of_others_play_no_part(account, tmp_path, go_to):
    other = make_account("other")
    add_lookups(other)
    send(account, tmp_path, "A")
    go_to(5)
    send(other, tmp_path, "A")
    assert not_seen_since(account, 1) == ["A"]
    assert not_seen_since(other, 1) == []


@pytest.mark.django_db
@settings(max_examples=15)
@given(files=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(1, 12), unique=True)), max_size=10))
def test_each_connection_is_kept_once_with_its_last_day(files):
    account = Account.objects.create(code="law")
    try:
        day = 0
        last: dict[int, date] = {}
        with pytest.MonkeyPatch.context() as patch, connection.cursor() as cursor:
            patch.setattr(sightings, "SORTED_AT_ONCE", 2)
            for days, ids in files:
                day += days
                patch.setattr(sightings, "today", lambda at=day: FIRST + timedelta(days=at))
                half = [pk for pk in ids if pk % 2]
                created = ",".join(f"[{pk},{pk}]" for pk in sorted({*ids} - {*half}))
                note_sightings(cursor, account.pk, half, f"{{{created}}}", is_full=False)
                last |= dict.fromkeys(ids, FIRST + timedelta(days=day))
            cursor.execute(
                "SELECT pk, max(day), count(*) FROM connections_sighting, generate_series(1, 12) pk"
                " WHERE account_id = %s AND ids @> pk::bigint GROUP BY pk",
                [account.pk],
            )
            found = cursor.fetchall()
        assert {pk: on for pk, on, _ in found} == last
        assert all(rows <= 2 for _, _, rows in found)  # the days before the last one share nobody
    finally:
        Sighting.objects.filter(account=account).delete()
        account.delete()


def test_the_list_shows_who_was_not_seen_and_the_form_when(account, client, go_to, tmp_path):
    send(account, tmp_path, "A", "B")
    go_to(100)
    send(account, tmp_path, "A")
    user = make_user("rosa")
    add_member(account, user)
    client.force_login(user)
    address = reverse("admin:connections_connection_changelist")
    shown = {value: client.get(f"{address}?not_seen={value}").context["cl"].queryset for value in ("90", "365", "full")}
    codes = {value: [found.customer_code for found in queryset] for value, queryset in shown.items()}
    assert codes == {"90": ["B"], "365": [], "full": []}
    page = client.get(
        reverse("admin:connections_connection_change", args=[account.connections.get(customer_code="B").pk])
    )
    assert "2026-03-01" in page.content.decode()

"""Files, people and the search for duplicates at work on the same connections, each in sessions of its own."""

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import transaction

from accounts.models import Account
from accounts.waiting import Busy
from connections import review
from connections.history.recording import recorded_edit
from connections.matching.blocking import keys_of
from connections.matching.finding import find_similar, load_profiles, look_for_duplicates, looked_at, suggestions_of
from connections.models import Connection, MatchKey
from connections.review.deciding import Decision, decide_all
from imports.errors import AccountBusy
from imports.pipeline import ImportRequest, import_file
from tests.builders import add_lookups, make_account, make_connection, make_user
from tests.imports.customer_files import NEW, as_text
from tests.processes import a_session_waits, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("Elm Street Outfitters", "Elm St Outfiters", "Oak Supplies", "Harbor Row")


def in_own_session(work):
    try:
        return work()
    finally:
        database.close()


def test_an_edit_that_is_on_its_way_keeps_an_approval_by_itself_back():
    """What is like nothing else is about to be approved, while somebody makes it like another."""
    account, user = make_account(auto_approval=Account.AutoApproval.NOTHING_SIMILAR), make_user("eddie")
    make_connection(account, "C1", profile_name="Elm Street Outfitters")
    waiting = make_connection(account, "C2", profile_name="Oak Supplies", status="pending")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), recorded_edit([waiting.pk], user):
            Connection.objects.filter(pk=waiting.pk).update(profile_name="Elm Street Outfitters")
            search = pool.submit(in_own_session, lambda: look_for_duplicates(account.pk))
            wait_until(a_session_waits)
        search.result(timeout=60)
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert looked_at(account.connections.filter(pk=waiting.pk)) == set()
    look_for_duplicates(account.pk)
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert [other.customer_code for _, other in suggestions_of([waiting.pk])[waiting.pk]] == ["C1"]


def test_two_searches_at_once_do_the_work_once():
    account = make_account()
    look_for_duplicates(account.pk)
    for code in ("C1", "C2"):
        make_connection(account, code, profile_name="Elm Street Outfitters", status="pending")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        look_for_duplicates(account.pk)
        other = pool.submit(in_own_session, lambda: look_for_duplicates(account.pk))
        assert other.result(timeout=60) is False
    assert looked_at(account.connections.all()) == set(account.connections.values_list("pk", flat=True))


def test_files_people_and_searches_at_once_leave_everything_consistent(tmp_path):
    account, user = make_account(auto_approval=Account.AutoApproval.NOTHING_SIMILAR), make_user("eddie")
    add_lookups(account)
    codes = [f"C{number}" for number in range(8)]

    def write(dice, name):
        path = tmp_path / name
        rows = [{**NEW, "customer_code": code, "profile_name": dice.choice(NAMES)} for code in codes]
        path.write_text(as_text(rows))
        import_file(ImportRequest(account=account, path=path))

    def decide(dice, name):
        verdicts = [dice.choice(["approve", "reject", "reopen"]) for _ in range(3)]
        chosen = dice.sample(codes, 4)
        decisions = [Decision(*pair, note=name) for pair in zip(chosen[:3], verdicts, strict=True)]
        decide_all(account, decisions, user)
        decide_all(account, [Decision(chosen[3], "reject", duplicate_of=chosen[0])], user)

    def edit(dice, name):
        edited = Connection.objects.filter(customer_code=dice.choice(codes))
        with recorded_edit([edited.get().pk], user):
            edited.update(alternate_name=dice.choice(NAMES))

    def search(dice, name):
        look_for_duplicates(account.pk, turns=3)

    def many(work, seed):
        dice = random.Random(seed)
        for number in range(5):
            with contextlib.suppress(Busy, AccountBusy):
                work(dice, f"{seed} {number}")

    write(random.Random(0), "first.txt")
    with ThreadPoolExecutor(6) as pool:
        works = [write, decide, decide, edit, search, search]
        done = [pool.submit(in_own_session, lambda w=work, s=seed: many(w, s)) for seed, work in enumerate(works)]
        for each in done:
            each.result(timeout=60)
    while look_for_duplicates(account.pk) or looked_at(account.connections.all()) != set(
        account.connections.values_list("pk", flat=True)
    ):
        pass
    assert not Connection.objects.filter(duplicate_of__status="rejected").exists()
    for connection in account.connections.select_related("duplicate_of"):
        said = {
            change.field: change.after
            for change in connection.changes.filter(field__in=["status", "duplicate_of", "review_note"]).order_by("id")
        }
        assert said.get("status", connection.status) == connection.status
        assert said.get("duplicate_of") == (connection.duplicate_of and connection.duplicate_of.customer_code)
        assert said.get("review_note", "") == connection.review_note
        keys = set(MatchKey.objects.filter(connection=connection).values_list("key", flat=True))
        assert keys == set(keys_of(load_profiles([connection.pk])[connection.pk], account.pk))
        if connection.status == "pending":
            stored = {other.pk for _, other in suggestions_of([connection.pk]).get(connection.pk, [])}
            assert stored == {other.pk for _, other in find_similar(connection)}


def test_two_people_who_decide_about_many_in_another_order_do_not_lock_each_other_out():
    account, user = make_account(), make_user("eddie")
    codes = [make_connection(account, f"C{number}", status="pending").customer_code for number in range(6)]
    with ThreadPoolExecutor(2) as pool:
        orders = [
            [Decision(code, "approve") for code in codes],
            [Decision(code, "reject") for code in reversed(codes)],
        ]
        done = [pool.submit(in_own_session, lambda d=decisions: decide_all(account, d, user)) for decisions in orders]
        outcomes = [{each.outcome for each in one.result(timeout=60)} for one in done]
    assert outcomes == [{"decided"}, {"decided"}]
    assert len(set(account.connections.values_list("status", flat=True))) == 1
    assert review.reopen(account.connections.all(), user) == 6

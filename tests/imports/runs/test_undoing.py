"""Undoing: what a run changed is taken back, as far as nobody changed it since."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import RestrictedError

from connections.history.recording import recorded_deletion, recorded_edit
from connections.history.states import read_states
from connections.matching.finding import look_for_duplicates
from connections.models import Change, Connection
from connections.review.decisions import approve, reject
from imports.errors import SettingsWrong
from imports.formats.policies import Policies, UnknownLookup
from imports.formats.spec import STANDARD
from imports.models import Run
from imports.runs.queued import import_queued
from imports.runs.replaying import replay_run
from imports.runs.undoing import queue_undo, undo_run
from lookups.models import PaymentTerm
from tests.builders import make_user
from tests.imports.customer_files import BILLING, NEW, SHIPPING

pytestmark = pytest.mark.django_db

CODE = {"customer_code": "C1"}
FULL = {
    **NEW, **SHIPPING, "shipping_name": "Door 1", "create_doors": "yes", "shipping_city": "Lyon",
    "buyer_email": "ann@example.com", "buyer_name": "Ann", "payment_terms_code": "N30", "warehouse_code": "WH1",
    "sales_rep_code": "REP1", "discount": "10", "discount_line_item_level": "yes", "customer_alias": "Harbor",
}  # fmt: skip


def state(account):
    """Everything of the account but what counts versions."""
    found = read_states(list(account.connections.values_list("pk", flat=True)))
    return {pk: (state.customer_code, state.review, {str(key): value for key, value in sorted(state.records.items())})
            for pk, state in found.items()}  # fmt: skip


def left_of(undone):
    return [
        (left.customer_code, left.record, left.key, left.field, left.value, left.changed_by) for left in undone.left
    ]


def edit(user, code="C1", **fields):
    connection = Connection.objects.get(customer_code=code)
    with recorded_edit([connection.pk], user):
        Connection.objects.filter(pk=connection.pk).update(**fields)


@pytest.fixture
def rosa(account):
    return make_user("rosa")


CHANGED = {
    **CODE, "profile_name": "Harbor Row II", "customer_alias": "", "discount": "20", "sales_rep_code": "REP2",
    "payment_terms_code": "N60", "shipping_code": "S1", "shipping_city": "Paris", "shipping_country": "FR",
    "buyer_email": "ANN@example.com", "buyer_name": "Ann B.", "price_type_currency": "USD",
    "price_type_name": "US Wholesale", "address_type": "S",
}  # fmt: skip
ADDED = {**CODE, **BILLING, "billing_city": "Nice", "buyer_email": "ben@example.com"}
DOOR = {**CODE, **SHIPPING, "shipping_code": "S2", "create_doors": "yes"}


@pytest.mark.parametrize("rows", [[CHANGED], [ADDED], [DOOR], [CHANGED, {**NEW, "customer_code": "C2"}]])
def test_an_undo_restores_exactly_what_was_there(account, send, rows):
    send(FULL)
    before = state(account)
    run = send(*rows)
    assert run.status == "succeeded"
    after = state(account)
    undo, undone = undo_run(run)
    assert (undo.status, undo.undoes, undone.left) == ("succeeded", run, [])
    assert state(account) == before
    run.refresh_from_db()
    assert run.status == "undone"
    undo_run(undo)
    assert state(account) == after
    run.refresh_from_db()
    undo.refresh_from_db()
    assert (run.status, undo.status) == ("succeeded", "undone")


def test_customers_that_a_run_made_go_and_come_again_with_all_they_had(account, send):
    run = send(FULL, {**NEW, "customer_code": "C2"})
    after = state(account)
    undo, undone = undo_run(run)
    assert (undone.deleted, undone.restored, undo.deleted, undo.customers) == (2, 0, 2, 2)
    assert not account.connections.exists()
    again, redone = undo_run(undo)
    assert (redone.created, again.created) == (2, 2)
    assert state(account) == after
    assert account.connections.exclude(near_key="").count() == 2


def test_a_file_that_is_sent_again_brings_its_values_again(account, send):
    send(FULL)
    run = send(CHANGED)
    undo_run(run)
    again = send(CHANGED)
    assert (again.updated, send.customer()["profile_name"]) == (1, "Harbor Row II")
    undo_run(send({**NEW, "customer_code": "C2"}))
    assert send({**NEW, "customer_code": "C2"}).created == 1


def test_a_field_that_changed_again_since_stays_and_is_named(account, send, rosa):
    send(FULL)
    run = send({**CODE, "profile_name": "Two", "alternate_name": "Other", "discount": "20"})
    edit(rosa, alternate_name="By hand")
    later = send({**CODE, "discount": "30"})
    undo, undone = undo_run(run)
    assert (undo.status, undone.restored, undone.left_in_all) == ("partial", 1, 2)
    assert sorted(left_of(undone)) == [
        ("C1", "connection", "", "alternate_name", "By hand", "rosa"),
        ("C1", "connection", "", "discount", "30", f"run {later.pk}, line 2"),
    ]
    customer = send.customer()
    assert (customer["profile_name"], customer["alternate_name"], customer["discount"]) == ("Harbor Row", "By hand", 30)
    messages = sorted(undo.issues.values_list("code", "field", "customer_code", "message"))
    assert messages[0] == (
        "changed_since", "alternate_name", "C1",
        "Customer 'C1': connection, alternate_name, was changed since by rosa.",
    )  # fmt: skip


def test_a_value_that_was_changed_and_changed_back_stays(account, send, rosa):
    send(FULL)
    run = send({**CODE, "profile_name": "Two"})
    edit(rosa, profile_name="Three")
    edit(rosa, profile_name="Two")
    assert undo_run(run)[1].left_in_all == 1
    assert send.customer()["profile_name"] == "Two"


@pytest.mark.parametrize("touch", ["edit", "review", "file", "duplicate", "address"])
def test_a_customer_that_anything_touched_since_stays_whole(account, send, rosa, touch):
    run = send(FULL, {**NEW, "customer_code": "C2"})
    if touch == "edit":
        edit(rosa, customer_alias="By hand")
    elif touch == "review":
        approve(account.connections.filter(customer_code="C1"), rosa)
    elif touch == "file":
        send({**CODE, "discount": "30"})
    elif touch == "duplicate":
        send({**NEW, "customer_code": "C3"})
        reject(account.connections.filter(customer_code="C3"), rosa, account.connections.get(customer_code="C1"))
    else:
        send(ADDED)
    _, undone = undo_run(run)
    assert (undone.deleted, undone.spared, [left[:4] for left in left_of(undone)]) == (
        1,
        1,
        [("C1", "connection", "", "")],
    )
    assert send.customer()["buyers"]
    assert "C2" not in send.customers()


def test_a_record_that_was_touched_since_stays_and_the_others_go(account, send, rosa):
    send(NEW)
    run = send({**CODE, **SHIPPING, "shipping_city": "Lyon", "buyer_email": "ann@example.com"})
    send({**CODE, **SHIPPING, "shipping_city": "Paris"})
    _, undone = undo_run(run)
    assert [left[1:4] for left in left_of(undone)] == [("address", "S:S1", "")]
    customer = send.customer()
    assert ([address["city"] for address in customer["addresses"]], customer["buyers"]) == (["Paris"], [])


def test_an_approval_by_the_account_itself_touches_nothing_and_comes_again(account, send):
    account.auto_approval = account.AutoApproval.NOTHING_SIMILAR
    account.save()
    run = send(FULL)
    look_for_duplicates(account.pk)
    after = state(account)
    assert account.connections.get().status == "approved"
    undo, undone = undo_run(run)
    assert undone.deleted == 1
    undo_run(undo)
    assert state(account) == after
    assert account.connections.get().review_note


def test_what_a_run_replaced_is_there_again(account, send):
    send({**FULL, "payment_terms_code": "N30"})
    run = send({**CODE, "payment_terms_code": "PRE"})
    undo_run(run)
    assert send.customer()["payment_terms"] == ["N30"]


def test_what_names_an_entry_that_is_gone_is_left(account, send):
    send({**FULL, "payment_terms_code": "N30"})
    run = send({**CODE, "payment_terms_code": "PRE", "profile_name": "Two"})
    PaymentTerm.objects.filter(code="N30").delete()
    _, undone = undo_run(run)
    assert left_of(undone) == [("C1", "payment_term", "N30", "", None, "")]
    assert "in no list any more" in undone.left[0].message
    assert (send.customer()["payment_terms"], send.customer()["profile_name"]) == ([], "Harbor Row")


def test_nothing_of_a_customer_is_undone_whose_rest_would_break_a_rule(account, send, rosa):
    send(NEW, {**NEW, **SHIPPING, "customer_code": "C2"}, {**NEW, "customer_code": "C3"})
    run = send(
        {**CODE, "discount": "10", "discount_line_item_level": "yes", "profile_name": "One"},
        {"customer_code": "C2", "shipping_code": "S1", "shipping_country": "US", "shipping_state": "NY",
         "address_type": "S", "profile_name": "Two"},
        {"customer_code": "C3", "price_type_currency": "USD", "price_type_name": "US Wholesale",
         "profile_name": "Three"},
    )  # fmt: skip
    edit(rosa, discount=20)
    address = account.connections.get(customer_code="C2").addresses.get()
    with recorded_edit([address.connection_id], rosa):
        address.country = "CA"
        address.save()
    _, undone = undo_run(run)
    assert {left[0] for left in left_of(undone)} == {"C1", "C2"}
    names = {code: customer["profile_name"] for code, customer in send.customers().items()}
    assert names == {"C1": "One", "C2": "Two", "C3": "Harbor Row"}


def test_the_last_price_type_is_not_taken_away(account, send, rosa):
    send(NEW)
    run = send({**CODE, "price_type_currency": "USD", "price_type_name": "US Wholesale"})
    account.pricetypes.filter(label="EU Wholesale").delete()
    _, undone = undo_run(run)
    assert {left[2] for left in left_of(undone)} == {"USD US Wholesale", "EUR EU Wholesale"}
    assert send.customer()["price_types"] == [["USD", "US Wholesale"]]


def test_runs_are_undone_from_the_last_to_the_first_and_one_by_one_again(account, send):
    files = [FULL, CHANGED, ADDED, {**CODE, "customer_alias": "Three"}]
    states, runs = [state(account)], []
    for row in files:
        runs.append(send(row))
        states.append(state(account))
    undos = []
    for run, before in zip(reversed(runs), reversed(states[:-1]), strict=True):
        undo, undone = undo_run(run)
        undos.append(undo)
        assert (undone.left, state(account)) == ([], before)
    for undo, after in zip(reversed(undos), states[1:], strict=True):
        assert undo_run(undo)[1].left == []
        assert state(account) == after
    assert set(Run.objects.filter(undoes=None).values_list("status", flat=True)) == {"succeeded"}


def test_an_older_run_is_undone_but_for_what_came_after_it(account, send):
    send(NEW)
    first = send({**CODE, "profile_name": "Two", "customer_alias": "Two"})
    second = send({**CODE, "profile_name": "Three"})
    assert [left[3] for left in left_of(undo_run(first)[1])] == ["profile_name"]
    assert (send.customer()["profile_name"], send.customer()["customer_alias"]) == ("Three", "")
    undo_run(second)
    assert send.customer()["profile_name"] == "Two"


def test_an_undo_of_an_older_undo_does_not_bring_back_what_an_undone_file_had(account, send):
    send(NEW)
    first, second = send({**CODE, "profile_name": "Two"}), send({**CODE, "profile_name": "Three"})
    undo, _ = undo_run(second)
    undo_run(first)
    _, undone = undo_run(undo)
    assert ([left[3] for left in left_of(undone)], send.customer()["profile_name"]) == (["profile_name"], "Harbor Row")


def test_an_undo_of_an_undo_of_an_undo_leaves_all_as_their_last_says(account, send):
    send(NEW)
    run = send({**CODE, "profile_name": "Two"})
    chain = [run]
    for _ in range(4):
        chain.append(undo_run(chain[-1])[0])
    for undone in chain:
        undone.refresh_from_db()
    assert [undone.status for undone in chain] == ["succeeded", "undone", "succeeded", "undone", "succeeded"]
    assert send.customer()["profile_name"] == "Two"


def test_a_customer_deleted_since_is_named(account, send, rosa):
    send(NEW)
    run = send({**CODE, "profile_name": "Two"})
    with recorded_deletion([account.connections.get().pk], rosa):
        account.connections.all().delete()
    _, undone = undo_run(run)
    assert left_of(undone) == [("C1", "connection", "", "profile_name", None, "rosa")]
    assert [left.reason for left in undone.left] == ["gone"]
    assert not account.connections.exists()


def test_a_customer_that_is_there_again_is_not_made_twice(account, send):
    run = send(NEW)
    undo, _ = undo_run(run)
    later = send(NEW)
    _, undone = undo_run(undo)
    assert [(left.record, left.changed_by) for left in undone.left] == [("connection", f"run {later.pk}, line 2")]
    assert account.connections.count() == 1


def test_a_replay_can_be_undone_and_done_again(account, send):
    run = send(NEW, {**NEW, "customer_code": "C2", "payment_terms_code": "N45"})
    PaymentTerm.objects.create(account=account, code="N45")
    replay = replay_run(run)
    undo_run(replay)
    assert list(send.customers()) == ["C1"]
    assert replay_run(run).created == 1


def test_entries_that_a_run_added_to_lists_stay(account, send):
    spec = replace(STANDARD, policies=Policies(unknown_lookup={"payment_terms": UnknownLookup.CREATE}))
    undo_run(send({**NEW, "payment_terms_code": "N45"}, spec=spec))
    assert PaymentTerm.objects.filter(code="N45").exists()
    assert not account.connections.exists()


def test_a_dry_run_changes_nothing_and_says_what_would_be_left(account, send, rosa):
    send(FULL)
    run = send({**CODE, "profile_name": "Two", "discount": "20"}, {**NEW, "customer_code": "C2"})
    edit(rosa, discount=30)
    before, changes = state(account), Change.objects.count()
    undo, undone = undo_run(run, dry_run=True)
    assert (undo.dry_run, undone.restored, undone.deleted, undone.left_in_all) == (True, 1, 1, 1)
    assert (state(account), Change.objects.count()) == (before, changes)
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert undo_run(run)[1].deleted == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "undone"}, "is undone already"),
        ({"status": "held"}, "is held"),
        ({"status": "failed"}, "is failed"),
        ({"status": "rejected"}, "is rejected"),
        ({"status": "running"}, "is running"),
        ({"dry_run": True}, "is a dry run"),
    ],
)
def test_what_cannot_be_undone_is_refused_with_the_reason(send, fields, why):
    run = send(NEW)
    Run.objects.filter(pk=run.pk).update(**fields)
    with pytest.raises(SettingsWrong, match=why):
        undo_run(run)
    with pytest.raises(CommandError) as error:
        call_command("undo_import", str(run.pk))
    assert error.value.returncode == 2


def test_the_command_follows_its_contract(account, send, rosa):
    send(FULL)
    run = send({**CODE, "profile_name": "Two", "discount": "20"}, {**NEW, "customer_code": "C2"})
    edit(rosa, discount=30)
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("undo_import", str(run.pk), "--json", "--reason", "A test", stdout=out)
    assert stop.value.code == 1
    told = json.loads(out.getvalue())
    assert (told["run"], told["status"], told["restored"], told["deleted"]) == (run.pk, "undone", 1, 1)
    assert Run.objects.get(pk=told["undo"]).reason == "A test"
    (left,) = told["left"]
    assert {name: left[name] for name in ("customer_code", "record", "field", "value", "changed_by")} == {
        "customer_code": "C1", "record": "connection", "field": "discount", "value": "30", "changed_by": "rosa"
    }  # fmt: skip
    with pytest.raises(CommandError, match="undone already, by run") as error:
        call_command("undo_import", str(run.pk))
    assert error.value.returncode == 2
    out = StringIO()
    call_command("undo_import", str(told["undo"]), "--dry-run", stdout=out)
    assert "1 restored, 1 made again, 0 deleted; left as they are: 0 (dry run" in out.getvalue()


def test_a_worker_undoes_what_is_queued(send, rosa):
    run = send(NEW)
    queued = queue_undo(run, rosa)
    assert queue_undo(run, rosa) == queued  # asked for in two tabs
    import_queued(queued.pk)
    queued.refresh_from_db()
    run.refresh_from_db()
    assert (queued.status, queued.deleted, run.status) == ("succeeded", 1, "undone")


def test_what_was_logged_before_values_were_is_undone_as_well(account, send):
    send(NEW)
    run = send(ADDED, FULL | {"customer_code": "C2"})
    Change.objects.filter(run_id=run.pk).update(values=None)
    after = state(account)
    undo, undone = undo_run(run)
    assert (undone.deleted, undone.restored, undone.left) == (1, 1, [])
    undo_run(undo)
    assert state(account) == after


def test_runs_that_undo_each_other_go_with_their_account_or_together(account, send):
    run = send(NEW)
    undo, _ = undo_run(run)
    with pytest.raises(RestrictedError):
        run.delete()
    Run.objects.filter(pk__in=[run.pk, undo.pk]).delete()
    undo_run(send(NEW))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # as in a transaction that has not merged anything
    account.delete()
    assert not Run.objects.exists()

"""Awaiting: which entries lists lack, and who waits for them."""

import pytest

from imports.errors import SettingsWrong
from imports.models import Run
from imports.runs.awaiting import Awaited, add_and_replay, find_awaited_in
from imports.runs.queued import import_queued
from imports.runs.replaying import replay_run
from lookups.models import PaymentTerm
from tests.builders import make_user
from tests.imports.customer_files import NEW

pytestmark = pytest.mark.django_db


def customer(number, **fields):
    return {**NEW, "customer_code": f"C{number}", **fields}


def test_each_entry_that_a_list_lacks_is_found_with_who_waits_for_it(account, send):
    run = send(
        customer(1, payment_terms_code="N45"),
        customer(2, payment_terms_code="N45", sales_rep_code="REP9"),
        customer(3, payment_terms="Net 45"),
        customer(4, price_type_name="Retail", price_type_currency="CHF"),
        customer(5, shipping_terms="AIR", customer_group_name="Online"),
        customer(6, warehouse_code="WH9", discount="much"),
    )
    number = (run.pk,)
    assert find_awaited_in(account) == [
        Awaited("payment_terms", "N45", True, 2, number),
        Awaited("customer_groups", "Online", False, 1, number),
        Awaited("payment_terms", "Net 45", False, 1, number),
        Awaited("price_types", "CHF Retail", True, 1, number),
        Awaited("sales_reps", "REP9", True, 1, number),
        Awaited("shipping_terms", "AIR", True, 1, number),
        Awaited("warehouses", "WH9", True, 1, number),
    ]
    assert [awaited.value for awaited in find_awaited_in(account, "payment_terms")] == ["N45", "Net 45"]


def test_a_customer_waits_where_its_last_file_was_rejected(account, send):
    first = send(customer(1, payment_terms_code="N45"), customer(2, payment_terms_code="N45"))
    second = send(customer(2, payment_terms_code="N45"))
    assert [(awaited.customers, awaited.runs) for awaited in find_awaited_in(account)] == [(2, (first.pk, second.pk))]
    send(customer(1))
    assert [(awaited.customers, awaited.runs) for awaited in find_awaited_in(account)] == [(1, (second.pk,))]


def test_where_not_everything_is_looked_at_so_many_wait_at_least(account, send):
    send(customer(1, payment_terms_code="N45"))
    newest = send(*(customer(number, payment_terms_code="N45") for number in (2, 3)))
    (entry,) = find_awaited_in(account, most=2)
    assert (entry.customers, entry.runs, str(entry)) == (
        2,
        (newest.pk,),
        "at least 2 customers wait for payment terms N45",
    )
    assert [str(entry) for entry in find_awaited_in(account, most=4)] == ["3 customers wait for payment terms N45"]


def test_nobody_waits_for_what_a_dry_run_or_a_lost_file_lacked(account, send):
    send(customer(1, payment_terms_code="N45"), dry_run=True)
    run = send(customer(2, payment_terms_code="N46"))
    assert [awaited.value for awaited in find_awaited_in(account)] == ["N46"]
    Run.objects.filter(pk=run.pk).update(kept_file=None)
    assert find_awaited_in(account) == []


def test_an_entry_is_added_and_all_who_wait_for_it_are_imported(account, send):
    rosa = make_user("rosa")
    runs = [send(customer(number, payment_terms_code="N45")).pk for number in (1, 2)]
    queued = add_and_replay(account, PaymentTerm(account=account, code="N45"), runs, rosa)
    assert [run.replays_id for run in queued] == runs
    for run in queued:
        import_queued(run.pk)
    assert {code: found["payment_terms"] for code, found in send.customers().items()} == {"C1": ["N45"], "C2": ["N45"]}
    assert find_awaited_in(account) == []


def test_nothing_is_added_where_nothing_can_be_replayed(account, send):
    run = send(customer(1, payment_terms_code="N45"))
    Run.objects.filter(pk=run.pk).update(kept_file=None)
    with pytest.raises(SettingsWrong, match="no copy"):
        add_and_replay(account, PaymentTerm(account=account, code="N45"), [run.pk], make_user("rosa"))
    assert not PaymentTerm.objects.filter(code="N45").exists()


def test_an_entry_that_is_there_is_not_added_twice(account, send):
    run = send(customer(1, payment_terms_code="N45"))
    with pytest.raises(SettingsWrong, match="already exists"):
        add_and_replay(account, PaymentTerm(account=account, code="N30"), [run.pk], make_user("rosa"))
    assert Run.objects.count() == 1


def test_after_a_replay_the_rest_waits_in_its_run(account, send):
    send(customer(1, payment_terms_code="N45"), customer(2, payment_terms_code="N46"))
    PaymentTerm.objects.create(account=account, code="N45")
    run = Run.objects.get()
    again = replay_run(run)
    assert find_awaited_in(account) == [Awaited("payment_terms", "N46", True, 1, (again.pk,))]

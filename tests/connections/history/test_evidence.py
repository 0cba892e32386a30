"""Evidence: what a held file or a dry run would change."""

from __future__ import annotations

import pytest

from imports.formats.policies import Policies
from imports.formats.spec import FormatSpec
from imports.models import Run
from tests.builders import add_lookups, make_account
from tests.imports.customer_files import NEW, Sender
from tests.pruning import grow_old, prune_all

GUARDED = FormatSpec(name="guarded", policies=Policies(max_change_percent=50))


@pytest.fixture
def send(db, tmp_path):
    account = make_account()
    add_lookups(account)
    send = Sender(account, tmp_path)
    send(*[NEW | {"customer_code": f"C{number:02}", "customer_alias": "Old"} for number in range(20)])
    return send


def rows(**fields):
    return [NEW | {"customer_code": f"C{number:02}"} | fields for number in range(21)]


def counts(run):
    return {(one["record"], one["action"], one["field"]): one["count"] for one in run.evidence["changes"]}


def test_a_held_file_shows_what_it_would_change(send):
    run = send(*rows(customer_alias="New", billing_code="B1", billing_country="FR"), spec=GUARDED)
    assert run.status == Run.Status.HELD
    run.refresh_from_db()
    assert counts(run) == {
        ("connection", "updated", "customer_alias"): 20,
        ("address", "created", ""): 20,
        ("connection", "created", ""): 1,
    }
    assert len(run.evidence["samples"]) == 10
    new, first = run.evidence["samples"][:2]
    assert (new["customer_code"], new["field"], new["before"], new["after"]) == (
        "C20", "profile_name", None, NEW["profile_name"]
    )  # fmt: skip
    assert first == {
        "customer_code": "C00", "record": "connection", "key": "", "field": "customer_alias", "before": "Old",
        "after": "New",
    }  # fmt: skip
    assert {customer["customer_alias"] for customer in send.customers().values()} == {"Old"}


def test_each_field_has_a_sample_before_any_has_two(send):
    new = rows(customer_alias="New")
    new[19]["alternate_name"] = "Only here"
    run = send(*new, spec=GUARDED)
    assert [sample["field"] for sample in run.evidence["samples"]] == [
        "profile_name",  # of the customer that is new
        "customer_alias",
        "alternate_name",
        *["customer_alias"] * 7,
    ]


def test_a_dry_run_shows_the_same_and_what_was_applied_needs_none(send):
    dry = send(*rows(customer_alias="New"), dry_run=True)
    assert counts(dry) == {("connection", "updated", "customer_alias"): 20, ("connection", "created", ""): 1}
    assert send(*rows(customer_alias="New")).evidence is None


def test_evidence_is_kept_as_long_as_files_are(send):
    held = send(*rows(customer_alias="New"), spec=GUARDED)
    dry = send(*rows(customer_alias="New"), dry_run=True)
    grow_old(held, dry, days=400)
    prune_all("copies")
    assert [Run.objects.get(pk=run.pk).evidence is None for run in (held, dry)] == [False, True]

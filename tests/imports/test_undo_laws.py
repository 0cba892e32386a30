"""The laws of undo, over any sequence of files, edits, reviews and undos.

Undone from the last to the first, runs leave what was there before the first of them, where no person came between; and
the change log alone, replayed from nothing, tells all that is stored, whatever happened.
"""

import os
import tempfile
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connections.history.keeping import read_kept
from connections.history.recording import record_created, recorded_deletion, recorded_edit
from connections.history.shortening import count_replaced, shorten_log
from connections.history.states import read_states
from connections.models import Address
from connections.review.decisions import approve, reject
from imports.runs.undoing import find_problem, undo_run
from tests.builders import add_lookups, keep_values, let_values_go, make_account, make_connection, make_user
from tests.connections.history.replayed import read_stored, replay_log
from tests.imports.customer_files import as_text, import_path

pytestmark = pytest.mark.django_db

LONG = int(os.environ.get("LONG_LAWS", "0"))
"""Set by hand: so many sequences, long and new ones, instead of a few short ones that are always the same."""

CODES = st.sampled_from(["C1", "C2", "C3"])
ROWS = st.fixed_dictionaries(
    {
        "customer_code": CODES,
        "profile_name": st.sampled_from(["One", "Two"]),
        "price_type_currency": st.just("EUR"),
        "price_type_name": st.just("EU Wholesale"),
    },
    optional={
        "customer_alias": st.sampled_from(["", "A", "B"]),
        "discount": st.sampled_from(["10", "20"]),
        "sales_rep_code": st.sampled_from(["REP1", "REP2"]),
        "payment_terms_code": st.sampled_from(["N30", "N60"]),
        "buyer_email": st.sampled_from(["ann@example.com", "ANN@example.com", "ben@example.com"]),
        "shipping_city": st.sampled_from(["Lyon", "Paris"]),
        "create_doors": st.just("yes"),
        "price_type_currency_2": st.just("USD"),
        "price_type_name_2": st.just("US Wholesale"),
    },
)


class Undoing(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runs = []

    @initialize()
    def begin(self):
        self.account = make_account(f"laws-{id(self)}-{os.urandom(4).hex()}")
        self.user = make_user(f"rosa-{os.urandom(4).hex()}")
        add_lookups(self.account)
        self.forget()

    def state(self):
        return read_states(list(self.account.connections.values_list("pk", flat=True)))

    def forget(self):
        """A person has changed something: from here on undos are exact again."""
        self.base, self.runs = self.state(), []

    def connections(self, code):
        return self.account.connections.filter(customer_code=code)

    @rule(rows=st.lists(ROWS, min_size=1, max_size=3, unique_by=lambda row: row["customer_code"]))
    def send(self, rows):
        rows = [
            {
                **row,
                **({"discount_line_item_level": "yes"} if "discount" in row else {}),
                **({"shipping_code": "S1", "shipping_country": "FR"} if "shipping_city" in row else {}),
            }
            for row in rows
        ]
        path = Path(self.folder.name) / "customers.txt"
        path.write_text(as_text(rows))
        run = import_path(self.account, path, keep=False)
        if run.is_applied:
            self.runs.append(run)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def undo_any(self, data):
        """Also one that is an undo itself, and out of order."""
        run = data.draw(st.sampled_from(self.runs))
        run.refresh_from_db()
        if not find_problem(run):
            self.runs.append(undo_run(run)[0])

    @precondition(lambda self: self.runs)
    @rule()
    def undo_and_do_again(self):
        self.runs[-1].refresh_from_db()
        if find_problem(self.runs[-1]):
            return
        before = self.state()
        undo, undone = undo_run(self.runs[-1])
        assert undone.left == []
        again, redone = undo_run(undo)
        assert redone.left == []
        assert self.state() == before
        self.runs += [undo, again]

    @precondition(lambda self: self.runs)
    @rule()
    def undo_all(self):
        for run in reversed(self.runs):
            run.refresh_from_db()
            assert not find_problem(run)
            assert undo_run(run)[1].left == []
        assert self.state() == self.base
        self.runs = []

    @rule(code=CODES, field=st.sampled_from(["customer_alias", "alternate_name"]), value=st.sampled_from(["", "X"]))
    def edit(self, code, field, value):
        pks = list(self.connections(code).values_list("pk", flat=True))
        with recorded_edit(pks, self.user):
            self.connections(code).update(**{field: value})
        self.forget()

    @rule(code=CODES, field=st.sampled_from(["customer_alias", "discount", "sales_rep", "payment_terms"]))
    def keep_or_let_go(self, code, field):
        """It changes no value, so undos stay exact."""
        for connection in self.connections(code):
            name = ("connection", "", field)
            (let_values_go if name in read_kept(connection) else keep_values)(connection, self.user, name)

    @rule(code=CODES, city=st.sampled_from(["Nice", ""]))
    def edit_address(self, code, city):
        """Change the address of files, or delete it; where there is none, add it."""
        for connection in self.connections(code):
            with recorded_edit([connection.pk], self.user):
                found = Address.objects.filter(connection=connection, code="S1")
                if not city:
                    found.delete()
                elif not found.update(city=city):
                    Address.objects.create(connection=connection, kind="S", code="S1", country="FR", city=city)
        self.forget()

    @rule(code=CODES)
    def add_or_delete(self, code):
        found = self.connections(code).first()
        if found is None:
            record_created(make_connection(self.account, code), self.user)
        else:
            with recorded_deletion([found.pk], self.user):
                found.delete()
        self.forget()

    @rule(code=CODES, original=st.one_of(st.none(), CODES))
    def review(self, code, original):
        try:
            if original is None:
                approve(self.connections(code), self.user)
            else:
                reject(self.connections(code), self.user, self.connections(original).first())
        except ValidationError:
            pass
        self.forget()

    @rule(most=st.sampled_from([1, 1000]))
    def shorten(self, most):
        """As if all of it were old; runs from before are undone no more."""
        while shorten_log(self.account.pk, timezone.now(), most).has_more:
            pass
        assert count_replaced(self.account.pk, timezone.now()) == 0
        assert all(find_problem(run) for run in self.runs)
        self.forget()

    @invariant()
    def the_log_tells_all(self):
        if hasattr(self, "account"):
            assert replay_log(self.account) == read_stored(self.account)

    def teardown(self):
        if self.runs:
            self.undo_all()
            self.the_log_tells_all()
        self.folder.cleanup()


def test_undone_from_the_last_to_the_first_all_is_as_it_was():
    run_state_machine_as_test(
        Undoing,
        settings=settings(
            max_examples=LONG or 8,
            stateful_step_count=40 if LONG else 12,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
        ),
    )

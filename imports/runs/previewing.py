"""Preview: what a run does to each customer, seen while it stands, so also of a run that is taken back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from connections.history.states import State, read_states
from connections.models import Change
from connections.stored import GIVEN_OF_CONNECTION
from imports.models import Issue

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from imports.files.spans import Scan
    from imports.models import Run

    Records = Mapping[tuple[Change.Record, str], Mapping[str, str | None]]

MOST_SHOWN = 200
"""How many customers of a file are seen one by one; all of them are counted."""

RECORDS = {
    Change.Record.ADDRESS: "addresses",
    Change.Record.DOOR: "doors",
    Change.Record.BUYER: "buyers",
    Change.Record.PRICE_TYPE: "price_types",
    Change.Record.PAYMENT_TERM: "payment_terms",
    Change.Record.SHIPPING_TERM: "shipping_terms",
    Change.Record.WAREHOUSE: "warehouses",
}
COLUMNS = ("customer_code", *(given.name for given in GIVEN_OF_CONNECTION), *RECORDS.values())
"""What is compared of a customer: its own fields, and its records of each kind in one text."""


class Kind(StrEnum):
    NEW = "new"
    UPDATED = "updated"
    UNTOUCHED = "untouched"
    REJECTED = "rejected"
    NAMELESS = "nameless"


@dataclass(slots=True)
class Outcome:
    """What became of one customer, or of a row that names none: texts by column before and after, and the errors."""

    kind: Kind
    line: int
    code: str = ""
    connection_id: int | None = None
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    errors: list[Issue] = field(default_factory=list)


class Preview:
    """Witness of a run. Of a file with many customers, those that are wrong or change are seen before the others."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        """In the order of the file."""

    def __call__(self, run: Run, scan: Scan) -> None:
        lines = _Lines(scan)
        errors = run.issues.filter(severity=Issue.Severity.ERROR, line__isnull=False)
        changes = Change.objects.filter(run_id=run.pk).order_by()
        touched = dict(changes.values_list("customer_code", "connection_id").distinct())
        rejected = set(errors.order_by().values_list("customer_code", flat=True).distinct())
        wrong = [
            *(Outcome(Kind.REJECTED, lines.of(code), code) for code in lines.first(rejected - {""})),
            *(
                Outcome(Kind.NAMELESS, issue.line or 0, errors=[issue])
                for issue in errors.filter(customer_code="")[:MOST_SHOWN]
            ),
        ]
        wrong.sort(key=_by_line)
        changed = [Outcome(Kind.UPDATED, lines.of(code), code, touched[code]) for code in lines.first(touched)]
        wrong = wrong[: max(MOST_SHOWN // 2, MOST_SHOWN - len(changed))]
        changed = changed[: MOST_SHOWN - len(wrong)]
        others = islice(
            (code for code in scan.customers if code not in touched and code not in rejected),
            MOST_SHOWN - len(wrong) - len(changed),
        )
        untouched = [Outcome(Kind.UNTOUCHED, lines.of(code), code) for code in others]
        self._add_errors(run, wrong)
        self._add_changes(run, changed)
        self._add_stored(run, untouched)
        self.outcomes = sorted([*wrong, *changed, *untouched], key=_by_line)

    def _add_errors(self, run: Run, wrong: list[Outcome]) -> None:
        outcomes = {outcome.code: outcome for outcome in wrong if outcome.kind is Kind.REJECTED}
        errors = run.issues.filter(severity=Issue.Severity.ERROR, customer_code__in=outcomes)
        for issue in errors.order_by("line", "id"):
            outcomes[issue.customer_code].errors.append(issue)

    def _add_changes(self, run: Run, changed: list[Outcome]) -> None:
        ids = [outcome.connection_id for outcome in changed if outcome.connection_id is not None]
        states = read_states(ids)
        by_connection: dict[int, list[Change]] = defaultdict(list)
        for change in Change.objects.filter(run_id=run.pk, connection__in=ids):
            by_connection[change.connection_id].append(change)
        for outcome in changed:
            state, changes = states[outcome.connection_id or 0], by_connection[outcome.connection_id or 0]
            outcome.after = _texts(state.customer_code, state.records)
            if any(_is_creation(change) for change in changes):
                outcome.kind = Kind.NEW
            else:
                outcome.before = _texts(state.customer_code, _take_back(state, changes))

    def _add_stored(self, run: Run, untouched: list[Outcome]) -> None:
        codes = [outcome.code for outcome in untouched]
        ids = dict(run.account.connections.filter(customer_code__in=codes).values_list("customer_code", "pk"))
        states = read_states(ids.values())
        for outcome in untouched:
            if outcome.code in ids:
                outcome.connection_id = ids[outcome.code]
                outcome.before = outcome.after = _texts(outcome.code, states[ids[outcome.code]].records)


class _Lines:
    """Where the customers of a file begin."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan

    def of(self, code: str) -> int:
        return self.scan.first_line(self.scan.customers[code])

    def first(self, codes: Container[str]) -> list[str]:
        """The first of the codes in the order of the file."""
        return list(islice((code for code in self.scan.customers if code in codes), MOST_SHOWN))


def _by_line(outcome: Outcome) -> int:
    return outcome.line


def _is_creation(change: Change) -> bool:
    return change.record == Change.Record.CONNECTION and change.action == Change.Action.CREATED


def _take_back(state: State, changes: Iterable[Change]) -> Records:
    """What stood before the changes, which a run makes once to each field."""
    records = {place: dict(values) for place, values in state.records.items()}
    for change in changes:
        place = Change.Record(change.record), change.key
        if change.action == Change.Action.CREATED:
            records.pop(place, None)
        elif change.action == Change.Action.DELETED:
            records[place] = {}
        elif place in records:
            records[place][change.field] = change.before
    return records


def _texts(code: str, records: Records) -> dict[str, str]:
    own = records.get((Change.Record.CONNECTION, ""), {})
    texts = {"customer_code": code, **{name: value or "" for name, value in own.items()}}
    lists: dict[str, list[str]] = defaultdict(list)
    for (record, key), values in sorted(records.items()):
        if record in RECORDS:
            said = ", ".join(value for value in values.values() if value)
            lists[RECORDS[record]].append(f"{key} ({said})" if said else key)
    return texts | {name: "; ".join(entries) for name, entries in lists.items()}

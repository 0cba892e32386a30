"""The customers of an account as the change log alone tells them, and as they are stored.

Said anew on purpose, beside `connections.history.origins`: laws compare the log with this, which also insists that
every row could be turned round, and a mistake of the one is none of the other.
"""

from __future__ import annotations

from typing import Any

from accounts.models import Account
from connections.history.shortening import find_whole_since
from connections.history.states import read_states
from connections.models import Change

Customers = dict[str, dict[tuple[str, str], dict[str, str]]]
"""By customer code: the values of each record by its kind and key, without blanks; the review is with the connection's
own."""
REVIEW = ("status", "duplicate_of")
OWN = ("connection", "")


def replay_log(account: Account) -> Customers:
    """What all changes of the account come to, from nothing."""
    customers: Customers = {}
    since = find_whole_since(Account.objects.get(pk=account.pk))
    for change in Change.objects.filter(account=account).order_by("id"):
        _apply(customers, change, is_whole=since is None or change.at >= since)
    return customers


def _apply(customers: Customers, change: Change, *, is_whole: bool) -> None:
    """Where the log was shortened, changes need not follow from each other."""
    if change.action in (Change.Action.KEPT, Change.Action.LET_GO):
        return
    place, values = (change.record, change.key), change.values or {}
    if place == OWN and not change.field:
        if change.action == Change.Action.DELETED:
            gone = customers.pop(change.customer_code, None)
            assert gone is not None or not is_whole
        else:
            customers[change.customer_code] = _read_snapshot(values)
        return
    records = customers[change.customer_code]
    if change.action == Change.Action.CREATED:
        assert place not in records or not is_whole
        records[place] = values
    elif change.action == Change.Action.DELETED:
        assert records.pop(place, None) == values or not is_whole
    elif change.field != "review_note":
        assert records[place].get(change.field) == (change.before or None) or not is_whole
        records[place] = _with(records[place], change.field, change.after)


def _read_snapshot(snapshot: dict[str, Any]) -> dict[tuple[str, str], dict[str, str]]:
    own = {**snapshot["values"], **{name: snapshot[name] for name in REVIEW if name in snapshot}}
    return {OWN: own, **{(record["record"], record["key"]): record["values"] for record in snapshot["records"]}}


def _with(values: dict[str, str], field: str, value: str | None) -> dict[str, str]:
    others = {name: text for name, text in values.items() if name != field}
    return {**others, field: value} if value else others


def read_stored(account: Account) -> Customers:
    """What is stored, said in the same way."""
    customers: Customers = {}
    for state in read_states(list(account.connections.values_list("pk", flat=True))).values():
        records = {
            (str(record), key): {name: value for name, value in values.items() if value}
            for (record, key), values in state.records.items()
        }
        records[OWN] |= {name: text for name in REVIEW if (text := state.review[name])}
        customers[state.customer_code] = records
    return customers

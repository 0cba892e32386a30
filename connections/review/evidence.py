"""Evidence: what whoever reviews a connection looks at: where it came from, and what it may be a duplicate of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connections.history.states import read_states
from connections.models import Change, Connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Difference(NamedTuple):
    """A value in which two connections differ, by what it is called; blank where one of them has none."""

    name: str
    own: str
    other: str


class Cell(NamedTuple):
    """A value of another connection, and whether it differs."""

    text: str
    differs: bool


def find_origins(connections: Iterable[Connection]) -> dict[int, Change]:
    """The changes that made these connections of one account, by id: each names its run and line, or its author."""
    by_code = {connection.customer_code: connection for connection in connections}
    accounts = {connection.account_id for connection in by_code.values()}
    made = Change.objects.filter(
        account__in=accounts,
        customer_code__in=by_code,
        record=Change.Record.CONNECTION,
        action=Change.Action.CREATED,
    )
    return {change.connection_id: change for change in made.select_related("user").order_by("id")}


def find_differences(connection: Connection, others: Iterable[Connection]) -> dict[int, list[Difference]]:
    """Of each of the others, by id, in which values it differs from the connection: its own, and its addresses'."""
    others = list(others)
    if not others:
        return {}
    states = read_states([connection.pk, *(other.pk for other in others)])
    if connection.pk not in states:
        return {}
    own = dict(_tell(states[connection.pk].records))
    return {
        other.pk: [
            Difference(name, own.get(name, ""), values.get(name, ""))
            for name in dict.fromkeys([*own, *values])
            if own.get(name, "") != values.get(name, "")
        ]
        for other in others
        if other.pk in states
        for values in [dict(_tell(states[other.pk].records))]
    }


def compare_values(connection: Connection, others: Iterable[Connection]) -> list[tuple[str, str, list[Cell]]]:
    """Every value that one of them has: what it is called, the connection's, and those of the others in their order."""
    others = list(others)
    states = read_states([connection.pk, *(other.pk for other in others)])
    own, *values = (dict(_tell(states[one.pk].records)) if one.pk in states else {} for one in (connection, *others))
    return [
        (name, mine, [Cell(text, text != mine) for text in theirs])
        for name in dict.fromkeys(name for told in (own, *values) for name in told)
        for mine, theirs in [(own.get(name, ""), [told.get(name, "") for told in values])]
        if mine or any(theirs)
    ]


def _tell(records: dict[tuple[Change.Record, str], dict[str, str | None]]) -> Iterator[tuple[str, str]]:
    """What a person compares: the connection's values, its addresses one a line, its buyers, and the rest by key."""
    addresses, buyers = [], []
    rest: dict[str, list[str]] = {}
    for (record, key), values in records.items():
        if record == Change.Record.CONNECTION:
            for name, value in values.items():
                yield name.replace("_", " "), value or ""
        elif record == Change.Record.ADDRESS:
            names = ("name", "address_1", "address_2", "zip", "city", "state", "country", "phone", "email")
            addresses.append(", ".join(value for name in names if (value := values.get(name))))
        elif record == Change.Record.BUYER:
            buyers.append(" ".join(filter(None, (values.get("name"), key))))
        else:
            rest.setdefault(f"{record.label}s", []).append(" ".join(filter(None, (key, values.get("name")))))
    yield "addresses", "\n".join(dict.fromkeys(sorted(addresses)))
    yield "buyers", "\n".join(sorted(buyers))
    for name, texts in rest.items():
        yield name, "\n".join(sorted(texts))

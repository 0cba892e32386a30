"""Keep: single values stay as they are, whatever files say of them, until somebody lets them go.

It is a decision about a value and changes none, so it neither hinders an undo nor is undone. The change log tells it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connections.history.recording import author, write_changes
from connections.history.states import read_states
from connections.models import Change, KeptValue
from connections.stored import ASSIGNMENT_MODELS, GIVEN_OF_ADDRESS, GIVEN_OF_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import User
    from connections.models import Connection

KEEPABLE: dict[str, tuple[str, ...]] = {
    Change.Record.CONNECTION: (*(field.name for field in GIVEN_OF_CONNECTION), *ASSIGNMENT_MODELS),
    Change.Record.ADDRESS: tuple(field.name for field in GIVEN_OF_ADDRESS),
    Change.Record.DOOR: ("name",),
    Change.Record.BUYER: ("name",),
}
"""By kind of record, the fields that can be kept; of a connection its lists, too, each as a whole."""


class ValueName(NamedTuple):
    """A field of one of the connection's records; of the connection itself the key is blank."""

    record: str
    key: str
    field: str


def name_of(kept: KeptValue) -> ValueName:
    return ValueName(kept.record, kept.key, kept.field)


def name_of_value(record: str, key: str, field: str) -> ValueName:
    """By what a value of the change log is kept: an entry of a list with all of that list."""
    if (kind := f"{record}s") in ASSIGNMENT_MODELS:
        return ValueName(Change.Record.CONNECTION, "", kind)
    return ValueName(record, key, field)


def read_kept(connection: Connection) -> dict[ValueName, KeptValue]:
    """What is kept of a connection, the longest kept first."""
    return {name_of(kept): kept for kept in connection.kept_values.select_related("kept_by").order_by("id")}


def has_record(connection: Connection, record: str, key: str) -> bool:
    return any((record, key) == there for state in read_states([connection.pk]).values() for there in state.records)


def settle_kept(connection: Connection, keep: Collection[ValueName], let_go: Collection[ValueName], user: User) -> None:
    """Keep values of a connection in the user's name, and let others go; what is so already is left.

    The caller holds the connection's lock. Its next file is looked at, whatever was changed.
    """
    present = read_kept(connection)
    new = [name for name in dict.fromkeys(keep) if name not in present]
    gone = [name for name in dict.fromkeys(let_go) if name in present]
    decided = [(Change.Action.KEPT, name) for name in new] + [(Change.Action.LET_GO, name) for name in gone]
    at = write_changes(
        [
            Change(
                account_id=connection.account_id,
                customer_code=connection.customer_code,
                connection_id=connection.pk,
                **author(user),
                action=action,
                **name._asdict(),
            )
            for action, name in decided
        ]
    )
    if at is None:
        return
    KeptValue.objects.filter(pk__in=[present[name].pk for name in gone]).delete()
    KeptValue.objects.bulk_create(
        KeptValue(connection=connection, **name._asdict(), kept_by=user, kept_at=at) for name in new
    )

"""Who changed a value of a connection last, as the change log knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connections.models import Address, Buyer, Change, Connection, ConnectionPriceType, Door
from connections.stored import ASSIGNMENT_MODELS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.db.models import Model

RECORDS: dict[type[Model], Change.Record] = {
    Connection: Change.Record.CONNECTION,
    Address: Change.Record.ADDRESS,
    Door: Change.Record.DOOR,
    Buyer: Change.Record.BUYER,
    **{model: Change.Record(kind.removesuffix("s")) for kind, model in ASSIGNMENT_MODELS.items()},
}


def find_change(
    connection: Connection,
    model: type[Model],
    row: Model | None,
    field: str,
    actions: Collection[str] = Change.WRITES,
) -> Change | None:
    """The newest change of that field; without one, of the row as a whole. Of a row that is gone, the last deletion."""
    changes = connection.changes.filter(record=RECORDS[model], action__in=actions).select_related("user")
    if model is not Connection:
        changes = changes.filter(key=key_of(row)) if row else changes.filter(action=Change.Action.DELETED)
    if field:
        changes = changes.filter(field=field)
    return changes.order_by("-id").first()


def key_of(row: Model) -> str:
    """What names a record in the change log."""
    if isinstance(row, Address):
        return f"{row.kind}:{row.code}"
    if isinstance(row, Door):
        return row.code
    if isinstance(row, Buyer):
        return row.email
    lookup = row.lookup  # type: ignore[attr-defined]  # an assignment
    return str(lookup) if isinstance(row, ConnectionPriceType) else str(lookup.code)


def source_of(change: Change, runs: Mapping[int, str] | None = None, line: int | None = None) -> str:
    """A run, with its name where that is known, and its line; or a person, or a program in a person's name."""
    if change.run_id is None:
        return f"{change.user or ''} by token {change.token}".strip() if change.token else str(change.user or "")
    line = line or change.line
    name = (runs or {}).get(change.run_id)
    return f"run {change.run_id}" + (f", {name}" if name else "") + (f", line {line}" if line else "")

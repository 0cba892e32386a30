"""Review: people approve or reject connections. Each decision has one door here, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from connections.models import Change, Connection
from connections.stamping import take_stamp

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

Status = Connection.Status


def approve(connections: QuerySet[Connection], user: User) -> int:
    """Approve those that wait for review, and those rejected by mistake. Returns how many it were."""
    with transaction.atomic():
        decided = [connection for connection in _lock(connections) if connection.status != Status.APPROVED]
        _decide(decided, user, Status.APPROVED, None)
    return len(decided)


def reject(connections: QuerySet[Connection], user: User, duplicate_of: Connection | None = None) -> int:
    """Reject connections; files do not update them from then on. Returns how many it were.

    `duplicate_of` names the connection that stands for them. Raises ValidationError when it cannot: it must be of the
    same account, none of those rejected, and not rejected itself (so no chain of duplicates leads nowhere).
    """
    with transaction.atomic():
        found = _lock(connections, duplicate_of)
        if duplicate_of is None:
            decided = [connection for connection in found if connection.status != Status.REJECTED]
        else:
            chosen = set(connections.values_list("pk", flat=True))
            original = next((connection for connection in found if connection.pk == duplicate_of.pk), duplicate_of)
            rejected = [connection for connection in found if connection.pk in chosen]
            _check_original(original, rejected)
            decided = [connection for connection in rejected if connection.duplicate_of_id != original.pk]
        _decide(decided, user, Status.REJECTED, duplicate_of)
    return len(decided)


def _lock(connections: QuerySet[Connection], duplicate_of: Connection | None = None) -> list[Connection]:
    """The connections (and the one they are duplicates of), locked in the order of their ids."""
    pks = set(connections.values_list("pk", flat=True)) | ({duplicate_of.pk} if duplicate_of else set())
    rows = Connection.objects.filter(pk__in=pks).select_related("duplicate_of").defer("source_digest")
    return list(rows.locked())


def _check_original(original: Connection, rejected: list[Connection]) -> None:
    if original.pk in {connection.pk for connection in rejected}:
        raise ValidationError(f"{original} cannot be a duplicate of itself.", code="own_duplicate")
    if any(connection.account_id != original.account_id for connection in rejected):
        raise ValidationError(f"{original} belongs to another account.", code="other_account")
    if original.status == Status.REJECTED:
        raise ValidationError(f"{original} is rejected itself; choose the one that stays.", code="rejected")


def _decide(decided: list[Connection], user: User, status: str, duplicate_of: Connection | None) -> None:
    at = take_stamp(connection.account_id for connection in decided)
    changes = []
    for connection in decided:
        fields: dict[str, tuple[str | None, str | None]] = {"status": (connection.status, status)}
        if connection.duplicate_of_id != (duplicate_of and duplicate_of.pk):
            fields["duplicate_of"] = (_code(connection.duplicate_of), _code(duplicate_of))
        changes += [
            Change(
                account_id=connection.account_id,
                customer_code=connection.customer_code,
                connection_id=connection.pk,
                user_id=user.pk,
                at=at,
                action=Change.Action.UPDATED,
                record=Change.Record.CONNECTION,
                field=field,
                before=before,
                after=after,
            )
            for field, (before, after) in fields.items()
            if before != after
        ]
    Change.objects.bulk_create(changes, batch_size=1000)
    Connection.objects.filter(pk__in=[connection.pk for connection in decided]).update(
        status=status, duplicate_of=duplicate_of, reviewed_by=user, reviewed_at=at, source_digest=b"", updated_at=at
    )


def _code(connection: Connection | None) -> str | None:
    return connection.customer_code if connection else None

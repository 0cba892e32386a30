"""Review: people approve or reject connections. Each decision has one door here, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.waiting import some_patience
from connections.history import author, write_changes
from connections.models import Change, Connection

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from django.db.models import QuerySet

    from accounts.models import User

Status = Connection.Status


def approve(connections: QuerySet[Connection], user: User) -> int:
    """Approve those that wait for review, and those rejected by mistake. Returns how many it were."""
    with _deciding(connections):
        decided = [connection for connection in _lock(connections) if connection.status != Status.APPROVED]
        _decide(decided, user, Status.APPROVED, None)
    return len(decided)


def reject(connections: QuerySet[Connection], user: User, duplicate_of: Connection | None = None) -> int:
    """Reject connections; files do not update them from then on. Returns how many it were.

    `duplicate_of` names the connection that stands for them, and then for the duplicates they stood for themselves.
    Raises ValidationError when it cannot: it must be of the same account, none of those rejected, and not rejected
    itself. Without it, none of them may stand for others, so that a duplicate always leads to one that is not rejected.
    """
    with _deciding(connections):
        chosen, found = _lock_with_duplicates(connections, duplicate_of)
        rejected = [connection for connection in found if connection.pk in chosen]
        if duplicate_of is None:
            decided = [connection for connection in rejected if connection.status != Status.REJECTED]
            _check_stands_for_none(decided, found)
            _decide(decided, user, Status.REJECTED, None)
            return len(decided)
        original = next((connection for connection in found if connection.pk == duplicate_of.pk), None)
        if original is None:
            raise ValidationError(f"{duplicate_of} was deleted meanwhile.", code="deleted")
        _check_original(original, rejected)
        decided = [connection for connection in rejected if connection.duplicate_of_id != original.pk]
        following = _find_duplicates(decided, found)
        _decide([*decided, *following], user, Status.REJECTED, original)
    return len(decided)


def _deciding(connections: QuerySet[Connection]) -> AbstractContextManager[None]:
    """The transaction of a decision. Raises Busy when others hold the connections for longer than a person waits."""
    return some_patience(lambda: set(connections.values_list("account_id", flat=True)))


def _lock(connections: QuerySet[Connection]) -> list[Connection]:
    """The connections, locked in the order of their ids."""
    pks = set(connections.values_list("pk", flat=True))
    return list(Connection.objects.filter(pk__in=pks).defer("source_digest").locked())


def _lock_with_duplicates(
    connections: QuerySet[Connection], original: Connection | None
) -> tuple[set[int], list[Connection]]:
    """The ids of the connections, and they, their duplicates and the original, locked in the order of their ids.

    A connection that is locked gets no more duplicates, because they lock it too; for one that it got before, all locks
    are given back and taken again in order.
    """
    chosen = set(connections.values_list("pk", flat=True))
    duplicates = Connection.objects.filter(duplicate_of__in=chosen)
    wanted = Connection.objects.filter(
        Q(pk__in=chosen | ({original.pk} if original else set())) | Q(duplicate_of__in=chosen)
    )
    while True:
        before = transaction.savepoint()
        found = list(wanted.defer("source_digest").locked())
        if not duplicates.exclude(pk__in=[connection.pk for connection in found]).exists():
            transaction.savepoint_commit(before)
            return chosen, found
        transaction.savepoint_rollback(before)


def _find_duplicates(connections: list[Connection], among: list[Connection]) -> list[Connection]:
    """The duplicates that some connections stand for, without themselves."""
    pks = {connection.pk for connection in connections}
    return [other for other in among if other.duplicate_of_id in pks and other.pk not in pks]


def _check_stands_for_none(rejected: list[Connection], found: list[Connection]) -> None:
    for connection in rejected:
        if duplicates := [other for other in found if other.duplicate_of_id == connection.pk]:
            codes = ", ".join(other.customer_code for other in duplicates[:5])
            more = f" and {len(duplicates) - 5} more" if len(duplicates) > 5 else ""
            raise ValidationError(
                f"{connection} stands for its duplicates {codes}{more}. Reject it as a duplicate of the one that stays,"
                " and they follow it; or approve them first.",
                code="stands_for_duplicates",
            )


def _check_original(original: Connection, rejected: list[Connection]) -> None:
    if original.pk in {connection.pk for connection in rejected}:
        raise ValidationError(f"{original} cannot be a duplicate of itself.", code="own_duplicate")
    if any(connection.account_id != original.account_id for connection in rejected):
        raise ValidationError(f"{original} belongs to another account.", code="other_account")
    if original.status == Status.REJECTED:
        raise ValidationError(f"{original} is rejected itself; choose the one that stays.", code="rejected")


def _decide(decided: list[Connection], user: User, status: str, duplicate_of: Connection | None) -> None:
    originals = {connection.duplicate_of_id for connection in decided if connection.duplicate_of_id}
    codes: dict[int | None, str] = dict(Connection.objects.filter(pk__in=originals).values_list("pk", "customer_code"))
    changes: list[Change] = []
    for connection in decided:
        fields: dict[str, tuple[str | None, str | None]] = {"status": (connection.status, status)}
        if connection.duplicate_of_id != (duplicate_of and duplicate_of.pk):
            fields["duplicate_of"] = (
                codes.get(connection.duplicate_of_id),
                duplicate_of.customer_code if duplicate_of else None,
            )
        changes += [
            Change(
                account_id=connection.account_id,
                customer_code=connection.customer_code,
                connection_id=connection.pk,
                **author(user),
                action=Change.Action.UPDATED,
                record=Change.Record.CONNECTION,
                field=field,
                before=before,
                after=after,
            )
            for field, (before, after) in fields.items()
            if before != after
        ]
    at = write_changes(changes)
    Connection.objects.filter(pk__in=[connection.pk for connection in decided]).update(
        status=status, duplicate_of=duplicate_of, reviewed_by=user, reviewed_at=at
    )

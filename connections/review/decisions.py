"""Review: connections are approved, rejected, or wait again. Each decision has one door here, whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import Account
from accounts.waiting import done_again, some_patience
from connections.history.recording import author, write_changes
from connections.models import Change, Connection

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import User

Status = Connection.Status


UNLIKE = "Nothing similar was found."
"""The note of an approval that the account's setting gives by itself."""


def due_at(connection: Connection) -> datetime:
    """Until when it is to be reviewed, as `ConnectionQuerySet.with_due` says it of many."""
    return (connection.reviewed_at or connection.created_at) + timedelta(hours=connection.account.review_hours)


@done_again
def approve(connections: QuerySet[Connection], user: User, note: str = "") -> int:
    """Approve those that wait for review, and those rejected by mistake. Returns how many it were.

    The note is kept with the decision, here as with the others.
    """
    return _decide_all(connections, user, Status.APPROVED, note)


@done_again
def approve_waiting(connections: QuerySet[Connection], user: User, note: str = "") -> int:
    """Approve those that still wait, and not what somebody decided on meanwhile. Returns how many it were."""
    pks = list(connections.values_list("pk", flat=True))
    with _deciding(connections):
        waiting = Connection.objects.awaiting_review().filter(pk__in=pks)
        decided = list(waiting.defer("source_digest").locked())
        _decide(decided, user, Status.APPROVED, None, note)
    return len(decided)


@done_again
def reopen(connections: QuerySet[Connection], user: User, note: str = "") -> int:
    """Take decisions back: the connections wait for review again, for as long as new ones. Returns how many it were."""
    return _decide_all(connections, user, Status.PENDING, note)


@done_again
def reject(
    connections: QuerySet[Connection], user: User, duplicate_of: Connection | None = None, note: str = ""
) -> int:
    """Reject connections; files do not update them from then on. Returns how many it were.

    `duplicate_of` names the connection that stands for them, and then for the duplicates they stood for themselves;
    where it is a duplicate itself, the one that stands for it is meant. Raises ValidationError when that cannot be: it
    must be of the same account, none of those rejected, and not rejected itself. Without it, none of them may stand for
    others, so that a duplicate always leads to one that is not rejected.
    """
    with _deciding(connections):
        chosen, found = _lock_with_duplicates(connections, duplicate_of)
        rejected = [connection for connection in found if connection.pk in chosen]
        if duplicate_of is None:
            decided = [connection for connection in rejected if connection.status != Status.REJECTED]
            _check_stands_for_none(decided, found)
            _decide(decided, user, Status.REJECTED, None, note)
            return len(decided)
        original = _find_end(duplicate_of, found)
        _check_original(duplicate_of if duplicate_of.pk in chosen else original, rejected)
        decided = [connection for connection in rejected if connection.duplicate_of_id != original.pk]
        _decide(_find_duplicates(decided, found), user, Status.REJECTED, original)
        _decide(decided, user, Status.REJECTED, original, note)
    return len(decided)


def approve_unlike(account_id: int, seen: dict[int, datetime]) -> int:
    """Approve new connections that are like no other, where the account wants that. Returns how many it were.

    `seen` has the time of the last update with which each was compared, by id: what was changed since is not approved,
    nor what a person has decided on.
    """
    wanted = Account.objects.filter(pk=account_id, auto_approval=Account.AutoApproval.NOTHING_SIMILAR)
    if not seen or not wanted.exists():
        return 0
    waiting = Connection.objects.awaiting_review().filter(account=account_id, pk__in=seen, reviewed_at=None)
    with transaction.atomic():
        unchanged = [found for found in waiting.defer("source_digest").locked() if found.updated_at == seen[found.pk]]
        _decide(unchanged, None, Status.APPROVED, None, UNLIKE)
    return len(unchanged)


def _decide_all(connections: QuerySet[Connection], user: User, status: Status, note: str) -> int:
    with _deciding(connections):
        decided = [connection for connection in _lock(connections) if connection.status != status]
        _decide(decided, user, status, None, note)
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
    """The ids of the connections, and these, their duplicates, the original and its own, locked in the order of ids.

    A connection that is locked gets no more duplicates, because they lock it too, and becomes none; for what happened
    before, all locks are given back and taken again in order.
    """
    chosen = set(connections.values_list("pk", flat=True))
    named = {original.pk} if original else set()
    ends = Connection.objects.filter(pk__in=named, duplicate_of__isnull=False).values("duplicate_of")
    needed = Q(duplicate_of__in=chosen) | Q(pk__in=ends)
    wanted = Connection.objects.filter(Q(pk__in=chosen | named) | needed)
    while True:
        before = transaction.savepoint()
        found = list(wanted.defer("source_digest").locked())
        if not Connection.objects.filter(needed).exclude(pk__in=[connection.pk for connection in found]).exists():
            transaction.savepoint_commit(before)
            return chosen, found
        transaction.savepoint_rollback(before)


def _find_end(original: Connection, among: list[Connection]) -> Connection:
    """The connection itself, or the one that it is a duplicate of. Raises ValidationError when it is gone."""
    found = {connection.pk: connection for connection in among}
    if original.pk not in found:
        raise ValidationError(f"{original} was deleted meanwhile.", code="deleted")
    return found[found[original.pk].duplicate_of_id or original.pk]


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


def _decide(
    decided: list[Connection], user: User | None, status: str, duplicate_of: Connection | None, note: str | None = None
) -> None:
    """Write a decision and its changes; without a note, the one of the decision before stays."""
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
        if note is not None:
            fields["review_note"] = (connection.review_note, note)
        changes += [
            Change(
                account_id=connection.account_id,
                customer_code=connection.customer_code,
                connection_id=connection.pk,
                **(author(user) if user else {}),
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
        status=status,
        duplicate_of=duplicate_of,
        reviewed_by=user,
        reviewed_at=at,
        **({} if note is None else {"review_note": note}),
    )

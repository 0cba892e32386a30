"""Decide: many decisions of one request, each with its outcome. One that is refused keeps none of the others back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from accounts.waiting import done_again, some_patience
from connections.history.authors import source_of
from connections.models import Connection
from connections.review.decisions import approve, reject, reopen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from accounts.models import Account, User


class Verdict(models.TextChoices):
    """What can be decided about a connection."""

    APPROVE = "approve", "approve"
    REJECT = "reject", "reject"
    REOPEN = "reopen", "wait for review again"


class Decision(NamedTuple):
    """About one connection, by its customer code; `duplicate_of` is the code of the one that stands for it."""

    customer_code: str
    verdict: str
    duplicate_of: str = ""
    note: str = ""


class Outcome(models.TextChoices):
    DECIDED = "decided", "decided"
    UNCHANGED = "unchanged", "unchanged"
    REFUSED = "refused", "refused"


class Decided(NamedTuple):
    """What became of a decision, and where it was refused the reason."""

    customer_code: str
    outcome: Outcome
    problem: str = ""


@done_again
def decide_all(account: Account, decisions: Sequence[Decision], user: User) -> list[Decided]:
    """Decide about connections of the account, each named once; the outcomes, in the order of the decisions.

    Those that say the same are decided at once, unless one of them is refused. Raises Busy when others hold the
    connections for longer than a person waits.
    """
    done: dict[str, Decided] = {}
    with some_patience(lambda: [account.pk]):
        found = _lock(account, decisions)
        alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for code, *rest in decisions:
            alike[tuple(rest)].append(code)
        for (verdict, duplicate_of, note), codes in alike.items():
            for missing in [code for code in [*codes, duplicate_of] if code and code not in found]:
                refused = [missing] if missing in codes else codes
                reason = f"The account has no connection {missing!r}."
                done.update({code: Decided(code, Outcome.REFUSED, reason) for code in refused})
            known = [found[code] for code in codes if code not in done]
            original = found[duplicate_of] if duplicate_of and known else None
            done.update({decided.customer_code: decided for decided in _decide(known, verdict, original, note, user)})
    return [done[decision.customer_code] for decision in decisions]


@done_again
def decide_waiting(connection: Connection, decision: Decision, seen: datetime, user: User) -> Decided:
    """Decide about a connection that somebody was shown while it waited, with the time of its last update then.

    Refused where anybody decided about it or changed it since. Raises Busy like `decide_all`.
    """
    code = decision.customer_code
    with some_patience(lambda: [connection.account_id]):
        found = _lock(connection.account, [decision])
        if code not in found:
            return Decided(code, Outcome.REFUSED, f"{connection} was deleted meanwhile.")
        if decision.duplicate_of and decision.duplicate_of not in found:
            return Decided(code, Outcome.REFUSED, f"{decision.duplicate_of!r} was deleted meanwhile; look again.")
        if problem := _find_problem(found[code], seen, user):
            return Decided(code, Outcome.REFUSED, problem)
        (decided,) = _decide([found[code]], decision.verdict, found.get(decision.duplicate_of), decision.note, user)
        return decided


def say_decided(connection: Connection, user: User) -> str:
    """What became of a connection that waits no longer, and by whom, for somebody who would decide about it."""
    if connection.reviewed_by == user:
        return f"You {connection.get_status_display()} {connection} already."
    return f"{connection} was {connection.get_status_display()} by {connection.reviewed_by or 'its account'} meanwhile."


def _find_problem(connection: Connection, seen: datetime, user: User) -> str:
    if connection.status != Connection.Status.PENDING:
        return say_decided(connection, user)
    if connection.updated_at == seen:
        return ""
    change = connection.changes.select_related("user").first()
    by = f" by {source_of(change)}" if change else ""
    return f"{connection} was changed{by} since it was shown. Look again, and decide then."


def _lock(account: Account, decisions: Iterable[Decision]) -> dict[str, Connection]:
    """All connections that the decisions touch, locked at once in the order in which everybody locks, by code."""
    mine = Connection.objects.filter(account=account)
    decided = mine.filter(customer_code__in=[decision.customer_code for decision in decisions])
    originals = mine.filter(customer_code__in=[decision.duplicate_of for decision in decisions])
    touched = mine.filter(
        Q(pk__in=decided.values("pk"))
        | Q(pk__in=originals.values("pk"))
        | Q(duplicate_of__in=decided.values("pk"))
        | Q(pk__in=originals.filter(duplicate_of__isnull=False).values("duplicate_of"))
    )
    return {connection.customer_code: connection for connection in touched.defer("source_digest").locked()}


def _decide(
    chosen: list[Connection], verdict: str, original: Connection | None, note: str, user: User
) -> Iterable[Decided]:
    """Decide the same about some connections; where that is refused, about each of them."""
    queryset = Connection.objects.filter(pk__in=[connection.pk for connection in chosen])
    before = dict(queryset.values_list("customer_code", "reviewed_at"))
    try:
        with transaction.atomic():
            if verdict == Verdict.APPROVE:
                approve(queryset, user, note)
            elif verdict == Verdict.REOPEN:
                reopen(queryset, user, note)
            else:
                reject(queryset, user, original, note)
    except ValidationError as error:
        if len(chosen) == 1:
            return [Decided(chosen[0].customer_code, Outcome.REFUSED, " ".join(error.messages))]
        return [decided for one in chosen for decided in _decide([one], verdict, original, note, user)]
    after = dict(queryset.values_list("customer_code", "reviewed_at"))
    return [Decided(code, Outcome.UNCHANGED if before[code] == after[code] else Outcome.DECIDED) for code in after]

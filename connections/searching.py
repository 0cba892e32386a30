"""Search: what somebody typed → the connections that it may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import connection as database
from django.db.models import (
    BigIntegerField,
    BooleanField,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.paging import MOST_COUNTED
from accounts.searching import Found, Rank
from connections import documents
from connections.documents import Words, count_near, find_documents, find_in_front
from connections.matching.finding import not_looked_at
from connections.models import Connection, SearchDocument
from connections.near_keys import near_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from django.db.models import Expression, QuerySet

    from accounts.paging import Mark
    from accounts.searching import Question

MOST_WALKED = 6000
"""Of so many customers, the first ones of the list, those that fulfil a condition are looked for one by one; where they
fill the pages that a list reads at once, an index would be read for all who fulfil it, which may be nearly all."""
MOST_ON_A_PAGE = 100
FEW_WALKED = 1000
"""Of so many, for the search box, which shows a few and asks while somebody types."""
MOST_NARROWED_TO = 5000
MOST_FRESH = 1000
"""How many connections that were not looked at since they were written are searched without the index."""


def search(
    connections: QuerySet[Connection], text: str, accounts: list[int] | None, page: Mark | None = None
) -> QuerySet[Connection]:
    """Those of the connections that a text may mean, of these accounts (by id), or of all where none are given.

    It finds the beginnings of codes and of all words in names, e-mails and cities, in any case and without accents.
    `page` is where the page begins that is asked for, by account and code; none for the first ones.
    """
    asked = [documents.starts_with_code(text)]
    if words := documents.has_words(text):
        asked.append(f"({words})")
    condition, fresh = _within(" | ".join(asked), accounts), _find_fresh(text, accounts)
    meant = SearchDocument.objects.filter(words=Words(condition)).values("connection_id")
    if _is_walked(condition, accounts, page):
        found = Q(pk=Subquery(meant.filter(connection_id=OuterRef("pk"))))
    elif page is None:
        return connections.filter(_is_one_of(CombinedExpression(ArraySubquery(meant), "||", _array(fresh))))
    else:
        found = _is_among(meant)
    return connections.filter(found | Q(_is_one_of(_array(fresh))) if fresh else found)


def _is_walked(condition: str, accounts: list[int] | None, page: Mark | None) -> bool:
    """Whether so many of the customers in front, or of those where the page begins, fulfil it as are read."""
    if page is None:
        return len(find_in_front([condition], accounts, MOST_WALKED, MOST_COUNTED + 1)[0]) > MOST_COUNTED
    account, code = page.values
    walked, found = count_near(condition, accounts, account, code, MOST_WALKED, is_before=page.is_before)
    return walked < MOST_WALKED or found > MOST_ON_A_PAGE


def _is_among(ids: QuerySet[Any, Any]) -> Q:
    """They are read once and remembered, and the list keeps its order: what is within a function is not joined."""
    return Q(Coalesce(ExpressionWrapper(Q(pk__in=ids), output_field=BooleanField()), Value(value=False)))


def _array(ids: list[int]) -> Func:
    """As one text, where Django would adapt so many parameters one by one."""
    text = Value(f"{{{','.join(map(str, ids))}}}", output_field=TextField())
    return Func(text, template="%(expressions)s::bigint[]", output_field=ArrayField(BigIntegerField()))


def _is_one_of(ids: Expression) -> Func:
    """The database looks each of them up, where it would read the whole table for those of a subquery."""
    return Func(F("pk"), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())


def with_mail(connections: QuerySet[Connection], account_id: int, mail: str) -> QuerySet[Connection]:
    """Connections of the account, in them every one with a buyer or address of this e-mail: few others, if most of the
    account's connections were looked at."""
    return _narrow(connections, account_id, documents.has_mail(mail))


def with_name(connections: QuerySet[Connection], account_id: int, name: str) -> QuerySet[Connection]:
    """The same, in them every one with this name, whichever of its names it is."""
    return _narrow(connections, account_id, documents.has_name(name))


def _narrow(connections: QuerySet[Connection], account_id: int, condition: str) -> QuerySet[Connection]:
    behind = not_looked_at(account_id).order_by().values_list("pk", flat=True)  # asked before what was looked at
    fresh = list(behind[: MOST_NARROWED_TO + 1])
    ids = find_documents([_within(condition, [account_id])], MOST_NARROWED_TO + 1)[0]
    if max(len(fresh), len(ids)) > MOST_NARROWED_TO:
        return connections
    return connections.filter(pk__in=[*ids, *fresh])


def find(question: Question) -> Iterator[Found]:
    """For the search box: codes first, then those that look like it, then names that begin so, then all others."""
    ids: dict[int, Rank] = {}
    for found, rank in _find_ids(question):
        for pk in found:
            ids.setdefault(pk, rank)
    chosen = Connection.objects.filter(pk__in=ids, account__in=question.accounts).select_related("account")
    for connection in sorted(chosen, key=lambda each: (ids[each.pk], each.customer_code)):
        yield Found(
            title=str(connection),
            description=f"{connection.account} · customer, {connection.get_status_display()}",
            link=reverse("admin:connections_connection_change", args=[connection.pk]),
            icon="storefront",
            rank=Rank.EXACT if connection.customer_code == question.text else ids[connection.pk],
        )


def _find_ids(question: Question) -> Iterator[tuple[list[int], Rank]]:
    text, accounts = question.text, question.account_ids
    conditions = [(documents.has_code(text), Rank.NEAR), (documents.starts_with_code(text), Rank.BEGINS)]
    if words := documents.has_words(text):
        conditions += [(documents.starts_with_name(text), Rank.BEGINS), (words, Rank.OTHER)]
    asked = [_within(condition, accounts) for condition, _ in conditions]
    found = find_in_front(asked, accounts, FEW_WALKED, question.most)
    lacking = [number for number, ids in enumerate(found) if len(ids) < question.most]
    for number, ids in zip(lacking, find_documents([asked[number] for number in lacking], question.most), strict=True):
        found[number] = ids
    yield from zip(found, (rank for _, rank in conditions), strict=True)
    yield _find_fresh(text, accounts)[: question.most], Rank.OTHER


def _within(condition: str, accounts: list[int] | None) -> str:
    return f"({condition})" if accounts is None else f"{documents.of_accounts(accounts)} & ({condition})"


def _find_fresh(text: str, accounts: list[int] | None) -> list[int]:
    """Connections (by id) that a text may mean, of the last ones that were not looked at since they were written.

    A superuser's many accounts are not asked one by one.
    """
    if not accounts:
        return []
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM unnest(%s::bigint[]) a LEFT JOIN connections_matchingprogress p ON p.account_id = a"
            " CROSS JOIN LATERAL (SELECT id FROM connections_connection WHERE account_id = a"
            " AND updated_at >= coalesce(p.updated_at, '-infinity')"
            " AND (updated_at, id) > (coalesce(p.updated_at, '-infinity'), coalesce(p.connection_id, 0))"
            " ORDER BY updated_at DESC LIMIT %s) c LIMIT %s",
            [accounts, MOST_FRESH, MOST_FRESH],
        )
        fresh = [pk for (pk,) in cursor.fetchall()]
    if not fresh:
        return []
    means = Q(near_key__startswith=near_key(text)) | Q(customer_code__istartswith=text)
    for name in ("profile_name", "customer_alias", "alternate_name", "buyers__email", "addresses__city"):
        means |= Q(**{f"{name}__icontains": text})
    return list(Connection.objects.filter(means, pk__in=fresh).order_by().values_list("pk", flat=True).distinct())

"""Find: connections that were added or changed → words, keys, and those that may be the same customer, stored.

It is done after their run, in turns, in the order of their last updates; stamps (see
`connections.history.stamping`) make sure that none is missed. What nobody waits for costs nothing: pairs of which
neither waits for review are not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from connections.documents import store_documents
from connections.history.stamping import take_watermark
from connections.matching.blocking import keys_of
from connections.matching.profiles import MOST_RECORDS, Profile, make_profile
from connections.matching.scoring import SUGGESTED, Match, compare
from connections.models import Address, Buyer, Connection, MatchingProgress, Suggestion
from connections.review.decisions import approve_unlike

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.backends.utils import CursorWrapper
    from django.db.models import QuerySet

TURN = 1000
"""How many connections are looked at in one transaction."""
MOST_SHARING = 50
"""A key that more connections have tells nothing: a chain's domain, a mall's address."""
MOST_COMPARED = 40
"""With how many others a connection is compared: those that it shares the rarest keys with."""
MOST_SUGGESTED = 10
"""How many others are suggested for a connection."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Pair(NamedTuple):
    connection: int
    other: int
    match: Match


def look_for_duplicates(account_id: int, turns: int = 1) -> bool:
    """Look at connections of the account that were added or changed since the last time; whether some are left.

    Each turn is a transaction. While another process is at it, nothing is done.
    """
    return all(_take_turn(account_id) for _ in range(turns))


def find_accounts_to_look_at() -> list[int]:
    """The accounts with connections that were not looked at as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id FROM accounts_account a LEFT JOIN connections_matchingprogress p ON p.account_id = a.id"
            " CROSS JOIN LATERAL (SELECT FROM connections_connection c WHERE c.account_id = a.id"
            " AND c.updated_at >= coalesce(p.updated_at, '-infinity')"
            " AND (c.updated_at, c.id) > (coalesce(p.updated_at, '-infinity'), coalesce(p.connection_id, 0))"
            " ORDER BY c.updated_at LIMIT 1) next"  # of each account by the index; EXISTS would hash the whole table
        )
        return [pk for (pk,) in cursor.fetchall()]


def suggestions_of(connections: Collection[int]) -> dict[int, list[tuple[Suggestion, Connection]]]:
    """What is suggested for each of these connections (by id), the likeliest first, with the others. Two queries."""
    found = Suggestion.objects.filter(Q(connection__in=connections) | Q(other__in=connections))
    suggestions = list(found.select_related("connection__duplicate_of", "other__duplicate_of"))
    of: defaultdict[int, list[tuple[Suggestion, Connection]]] = defaultdict(list)
    asked = set(connections)
    for suggestion in suggestions:
        for one, other in ((suggestion.connection, suggestion.other), (suggestion.other, suggestion.connection)):
            if one.pk in asked:
                of[one.pk].append((suggestion, other))
    return dict(of)


def not_looked_at(account_id: int) -> QuerySet[Connection]:
    """The account's connections that were added or changed since they were looked at."""
    found = Connection.objects.filter(account=account_id)
    progress = MatchingProgress.objects.filter(account=account_id).first()
    return found.filter(_behind(progress)) if progress else found


def looked_at(connections: QuerySet[Connection]) -> set[int]:
    """Those (by id) of the connections that were looked at as they are now."""
    progress = {each.account_id: each for each in MatchingProgress.objects.filter(account__connections__in=connections)}
    return {
        pk
        for pk, account, updated_at in connections.values_list("pk", "account_id", "updated_at")
        if (reached := progress.get(account)) and (updated_at, pk) <= (reached.updated_at, reached.connection_id)
    }


def load_profiles(connections: Collection[int]) -> dict[int, Profile]:
    """The profiles of connections by id, as they are stored."""
    addresses: defaultdict[int, list[tuple[str, ...]]] = defaultdict(list)
    columns = ("name", "address_1", "city", "zip", "country", "email", "phone")
    for owner, *values in _records(Address, connections, columns):
        if len(addresses[owner]) < MOST_RECORDS:
            addresses[owner].append(tuple(values))
    mails: defaultdict[int, list[str]] = defaultdict(list)
    for owner, mail in _records(Buyer, connections, ("email",)):
        mails[owner].append(mail)
    rows = Connection.objects.filter(pk__in=connections).values_list(
        "pk", "customer_code", "near_key", "website", "profile_name", "alternate_name", "customer_alias"
    )
    return {
        pk: make_profile(names, website, addresses[pk], mails[pk][:MOST_RECORDS], code, near_key)
        for pk, code, near_key, website, *names in rows
    }


def _records(model: type[Address | Buyer], connections: Collection[int], columns: tuple[str, ...]) -> Iterable[Any]:
    return model.objects.filter(connection__in=connections).order_by("pk").values_list("connection_id", *columns)


@transaction.atomic
def _take_turn(account_id: int) -> bool:
    """Look at the next connections of the account; whether some are left behind them."""
    MatchingProgress.objects.get_or_create(
        account_id=account_id, defaults={"updated_at": BEGINNING, "connection_id": 0}
    )
    progress = MatchingProgress.objects.select_for_update(skip_locked=True).filter(account=account_id).first()
    if progress is None:
        return False
    watermark = take_watermark(account_id)
    rows = _next_rows(progress)
    if rows:
        _look_at(account_id, dict(rows))
    is_left = len(rows) == TURN and rows[-1][1] < watermark
    reached = (rows[-1][1], rows[-1][0]) if is_left else (watermark, 0)
    progress.updated_at, progress.connection_id = max((progress.updated_at, progress.connection_id), reached)
    progress.save()
    return is_left


def _next_rows(progress: MatchingProgress) -> list[tuple[int, datetime]]:
    rows = Connection.objects.filter(_behind(progress), account=progress.account_id)
    return list(rows.order_by("updated_at", "pk").values_list("pk", "updated_at")[:TURN])


def _behind(progress: MatchingProgress) -> RawSQL:
    """The connections that come later, by a comparison of rows: the index finds where they begin, however many there
    are of one time.
    """
    table = connection.ops.quote_name(Connection._meta.db_table)
    return RawSQL(  # noqa: S611  (a constant)
        f"({table}.updated_at, {table}.id) > (%s, %s)", (progress.updated_at, progress.connection_id), BooleanField()
    )


def _look_at(account_id: int, seen: dict[int, datetime]) -> None:
    """Store words, keys and suggestions of connections, of which the last updates are given.

    What waits for review and is like nothing else is approved, where the account wants that.
    """
    with connection.cursor() as cursor:
        cursor.execute(  # so that none is deleted meanwhile; writers do not wait for it
            "SELECT count(*) FROM (SELECT id FROM connections_connection WHERE id = ANY(%s)"
            " ORDER BY id FOR KEY SHARE) kept",
            [list(seen)],
        )
        store_documents(cursor, account_id, seen)
        profiles = load_profiles(seen)
        _store_keys(cursor, account_id, profiles)
        is_waited_for = Connection.objects.awaiting_review().filter(account=account_id).exists()
        pairs = find_pairs(cursor, account_id, profiles) if is_waited_for else []
    _store_suggestions(seen, pairs)
    alike = {pk for pair in pairs for pk in pair[:2]}
    approve_unlike(account_id, {pk: updated_at for pk, updated_at in seen.items() if pk not in alike})


def find_pairs(cursor: CursorWrapper, account_id: int, profiles: dict[int, Profile]) -> list[Pair]:
    """The likeliest others of each of these connections, as far as one of both waits for review."""
    found = _find_sharing(cursor, account_id, profiles, only_waiting=True)
    return _compare_all(profiles, found)


def find_similar(found: Connection) -> list[tuple[Match, Connection]]:
    """Those that may be the same customer as a connection as it is now, the likeliest first; nothing is stored."""
    profiles = load_profiles([found.pk])
    with connection.cursor() as cursor:
        sharing = _find_sharing(cursor, found.account_id, profiles, only_waiting=False)
    pairs = _compare_all(profiles, sharing)
    others = Connection.objects.select_related("duplicate_of").in_bulk([pair.other for pair in pairs])
    return [(pair.match, others[pair.other]) for pair in pairs if pair.other in others]


def _compare_all(profiles: dict[int, Profile], found: list[tuple[int, int]]) -> list[Pair]:
    others = profiles | load_profiles({other for _, other in found} - profiles.keys())
    pairs: defaultdict[int, list[Pair]] = defaultdict(list)
    for one, other in found:
        if other not in others:
            continue  # deleted meanwhile
        match = compare(others[one], others[other])
        if match.score >= SUGGESTED:
            pairs[one].append(Pair(one, other, match))
    return [
        pair for found in pairs.values() for pair in sorted(found, key=lambda pair: -pair.match.score)[:MOST_SUGGESTED]
    ]


def _find_sharing(
    cursor: CursorWrapper, account_id: int, profiles: dict[int, Profile], *, only_waiting: bool
) -> list[tuple[int, int]]:
    """Pairs of connections that share a key, for each the ones that share the rarest; and those with the same near-key.

    One query, by index.
    """
    keys = [(pk, key) for pk, profile in profiles.items() for key in keys_of(profile, account_id)]
    near = {pk: profile.near_key for pk, profile in profiles.items() if profile.near_key}
    cursor.execute(
        "WITH sharing AS ("
        " SELECT asked.one, o.connection_id AS other, count(*) OVER (PARTITION BY asked.one, asked.key) AS n"
        " FROM unnest(%(ones)s::bigint[], %(keys)s::bigint[]) asked(one, key) CROSS JOIN LATERAL"
        " (SELECT connection_id FROM connections_matchkey WHERE key = asked.key LIMIT %(most)s + 1) o"
        "), ranked AS ("
        " SELECT one, other, row_number() OVER (PARTITION BY one ORDER BY sum(1.0 / n) DESC, other) AS place"
        " FROM sharing WHERE n <= %(most)s AND one <> other GROUP BY one, other"
        "), pairs AS ("
        " SELECT one, other FROM ranked WHERE place <= %(compared)s"
        " UNION SELECT asked.one, o.id FROM unnest(%(near)s::bigint[], %(codes)s::text[]) asked(one, code)"
        " CROSS JOIN LATERAL (SELECT id FROM connections_connection WHERE account_id = %(account)s"
        ' AND near_key = asked.code COLLATE "C" AND id <> asked.one ORDER BY id LIMIT %(compared)s) o'
        ") SELECT one, other FROM pairs JOIN connections_connection a ON a.id = one"
        " JOIN connections_connection b ON b.id = other WHERE NOT %(waiting)s OR 'pending' IN (a.status, b.status)",
        {
            "account": account_id,
            "waiting": only_waiting,
            "ones": [pk for pk, _ in keys],
            "keys": [key for _, key in keys],
            "near": list(near),
            "codes": list(near.values()),
            "most": MOST_SHARING,
            "compared": MOST_COMPARED,
        },
    )
    return list(cursor.fetchall())


def _store_keys(cursor: CursorWrapper, account_id: int, profiles: dict[int, Profile]) -> None:
    cursor.execute("DELETE FROM connections_matchkey WHERE connection_id = ANY(%s)", [list(profiles)])
    with cursor.copy("COPY connections_matchkey (key, connection_id) FROM STDIN") as copy:
        for pk, profile in profiles.items():
            for key in keys_of(profile, account_id):
                copy.write_row((key, pk))


def _store_suggestions(seen: Collection[int], pairs: list[Pair]) -> None:
    """In the place of all that was suggested for these connections."""
    Suggestion.objects.filter(Q(connection__in=seen) | Q(other__in=seen)).delete()
    once = {frozenset(pair[:2]): pair for pair in pairs}
    Suggestion.objects.bulk_create(
        [
            Suggestion(
                connection_id=pair.connection,
                other_id=pair.other,
                score=pair.match.score,
                reasons=list(pair.match.reasons),
            )
            for pair in once.values()
        ],
        batch_size=1000,
    )

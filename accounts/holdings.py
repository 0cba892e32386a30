"""Holdings: what the database holds, by table and by account, told by what it knows of itself rather than by counting.

Apps name what belongs to accounts by `holdings` of their AppConfig, dotted paths of `Holding`s. Of each account so many
rows are counted; beyond that the statistics of PostgreSQL say how many there are about, where they tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import BigIntegerField, BooleanField, F, Func, IntegerField, Model, OuterRef
from django.utils.module_loading import import_string

from accounts.models import Account, PruneTally
from accounts.plugins import collect
from accounts.pruning import list_prunables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

MOST_COUNTED = 2000
"""Rows of an account and a kind; where there are more, they are estimated."""


@dataclass(frozen=True)
class Holding:
    """A kind of what accounts have: rows of a table that lead to an account, or the bytes that they name."""

    label: str
    model: type[Model]
    account: str = "account"
    """The path to the account."""
    size: str = ""
    """The field with bytes, where these are meant rather than rows."""

    def look(self) -> Func:
        """For a query of accounts: how many rows, and one more than are counted where there are more; or bytes.

        Bytes are those of the newest rows, as many as are counted.
        """
        rows = self._rows()
        if not self.size:  # in no order, so that the first that are found will do
            found = ArraySubquery(rows.order_by().values("pk")[: MOST_COUNTED + 1])
            return Func(found, function="CARDINALITY", output_field=IntegerField())
        found = ArraySubquery(rows.order_by("-pk").values_list(self.size)[:MOST_COUNTED])
        template = "(SELECT coalesce(sum(x), 0)::bigint FROM unnest(%(expressions)s) x)"
        return Func(found, template=template, output_field=BigIntegerField())

    def _rows(self) -> QuerySet[Any]:
        """Of an account. What belongs to runs or feeds is looked for by those of the account, as an array: a join may
        begin with the rows of all others."""
        rows = self.model._default_manager.all()
        owner, _, account = self.account.partition("__")
        if not account:
            return rows.filter(**{owner: OuterRef("pk")})
        owners: Any = self.model._meta.get_field(owner).related_model
        of_account = owners._default_manager.filter(**{account: OuterRef(OuterRef("pk"))}).order_by()
        found = ArraySubquery(of_account.values("pk"))
        template = "%(expressions)s)"
        return rows.filter(Func(F(owner), found, template=template, arg_joiner=" = ANY(", output_field=BooleanField()))


class Table(NamedTuple):
    """A table of the database: `rows` as last estimated, None before that; `size` with its indexes, in bytes."""

    name: str
    rows: int | None
    size: int


class Kept(NamedTuple):
    """A kind that is pruned: how long it is kept in words, when nothing was left to go last, and how much ever went."""

    label: str
    kept: str
    setting: str
    done_at: datetime | None
    gone: int


def list_holdings() -> list[Holding]:
    """What the installed apps name."""
    return [import_string(path) for path in collect("holdings")]


def describe_accounts(accounts: Collection[Account]) -> Iterator[tuple[Account, list[str]]]:
    """Each account with how much it has of each holding, in words; in a few queries, however many accounts it are."""
    holdings = list_holdings()
    looks = {f"held_{number}": holding.look() for number, holding in enumerate(holdings)}
    asked = Account.objects.filter(pk__in=[account.pk for account in accounts]).annotate(**looks)
    with transaction.atomic(), connection.cursor() as cursor:
        # So few rows are wanted that the planner would look for them from the start of the table rather than by index.
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = {account.pk: account for account in asked}
    shares = _read_shares()
    for account in accounts:
        said = []
        for name, holding in zip(looks, holdings, strict=True):
            count = getattr(found[account.pk], name)
            estimate = shares.get((holding.model._meta.db_table, account.pk))
            said.append(say_bytes(count) if holding.size else _say_count(count, estimate))
        yield account, said


def list_tables() -> list[Table]:
    """The tables of the database, the largest first, by the names of their models."""
    names = {model._meta.db_table: model._meta.verbose_name_plural for model in apps.get_models()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, nullif(reltuples, -1)::bigint, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = quote_ident(current_schema())::regnamespace ORDER BY 3 DESC, 1"
        )
        return [Table(str(names.get(table, table)), rows, size) for table, rows, size in cursor.fetchall()]


def list_kept() -> list[Kept]:
    tallies = {tally.kind: tally for tally in PruneTally.objects.all()}
    kept = []
    for kind in list_prunables():
        tally = tallies.get(kind.name)
        time = "until it is no longer needed" if kind.days is None else f"{kind.days:g} days"
        time = "for ever" if kind.cutoff() is None else time
        kept.append(Kept(kind.label, time, kind.setting, tally.at if tally else None, tally.total if tally else 0))
    return kept


def say_bytes(count: int) -> str:
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:,.1f} {unit}"


def _say_count(count: int, estimate: int | None) -> str:
    if count <= MOST_COUNTED:
        return f"{count:,}"
    if estimate is None or estimate <= MOST_COUNTED:
        return f"more than {MOST_COUNTED:,}"
    digits = len(str(estimate)) - 2
    return f"about {round(estimate, -digits):,}"


def _read_shares() -> dict[tuple[str, int], int]:
    """How many rows of a table the accounts have that have most of them, as PostgreSQL has estimated it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.tablename, v.account, (v.share * greatest(c.reltuples, 0))::bigint FROM pg_stats s"
            " JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = quote_ident(s.schemaname)::regnamespace"
            " CROSS JOIN LATERAL unnest(s.most_common_vals::text::bigint[], s.most_common_freqs) v(account, share)"
            " WHERE s.schemaname = current_schema() AND s.attname = 'account_id'"
        )
        return {(table, account): rows for table, account, rows in cursor.fetchall()}

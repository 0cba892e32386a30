"""Judging the rows of a file of lookups: each by itself, against each other, and against what is stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import CharField

from lookups.directory import CODED_LISTS, LISTS
from lookups.models import Lookup, PriceType, SalesRep
from lookups.texts import find_controls, name_controls
from lookups.validators import currencies, lower_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import Account
    from lookups.reading import Problem, Row

Key = tuple[str, ...]


@dataclass
class Accepted:
    """Rows by list and key: a code, or a price type's currency and label."""

    rows: dict[str, dict[Key, Row]] = field(default_factory=lambda: {name: {} for name in LISTS})


def check_rows(account: Account, rows: list[Row]) -> tuple[Accepted, list[Problem]]:
    """Sort the rows by list; the problems come in the order of their lines."""
    accepted = Accepted()
    problems: list[Problem] = []
    for row in rows:
        found = list(_judge_row(row))
        problems += found
        if found:
            continue
        name = row.cells["list"]
        key = row_key(row)
        first = accepted.rows[name].setdefault(key, row)
        if first is not row:
            column = "name" if name == "price_types" else "code"
            problems.append(
                row.problem(column, "duplicate", f"stands on line {first.line} already; give each entry once.")
            )
    problems += _doubled_emails(account, accepted.rows["sales_reps"])
    return accepted, sorted(problems, key=lambda problem: problem.line or 0)


def row_key(row: Row) -> Key:
    if row.cells["list"] == "price_types":
        return row.cells["currency"].upper(), row.cells["name"]
    return (row.cells["code"],)


def _judge_row(row: Row) -> Iterator[Problem]:
    name = row.cells["list"]
    for column in ("code", "name", "email"):
        if controls := find_controls(row.cells[column], is_key=column != "name"):
            yield row.problem(column, "control_character", f"holds {name_controls(controls)}; send it without.")
    if name not in LISTS:
        yield row.problem("list", "unknown_list", f"is not a list; the lists are {', '.join(LISTS)}.")
        return
    if name == "price_types":
        yield from _judge_price_type(row)
    else:
        yield from _judge_coded(row)
    if name != "price_types" and row.cells["currency"]:
        yield row.problem("currency", "unexpected_value", "must be blank; only price types have a currency.")
    if name != "sales_reps" and row.cells["email"]:
        yield row.problem("email", "unexpected_value", "must be blank; only sales reps have an e-mail.")


def _judge_price_type(row: Row) -> Iterator[Problem]:
    if row.cells["code"]:
        yield row.problem("code", "unexpected_value", "must be blank; a price type is known by its currency and name.")
    if not row.cells["currency"]:
        yield row.problem("currency", "required", "A price type needs a currency of ISO 4217, such as EUR.")
    elif row.cells["currency"].upper() not in currencies():
        yield row.problem("currency", "invalid_currency", "is not a currency of ISO 4217, such as EUR.")
    if not row.cells["name"]:
        yield row.problem("name", "required", "A price type needs a name, such as EU Wholesale.")
    yield from _judge_length(row, "name", _max_length(PriceType, "label"))


def _judge_coded(row: Row) -> Iterator[Problem]:
    model = CODED_LISTS[row.cells["list"]]
    if not row.cells["code"]:
        yield row.problem("code", "required", "An entry needs a code; files name it by that.")
    yield from _judge_length(row, "code", _max_length(model, "code"))
    yield from _judge_length(row, "name", _max_length(model, "name"))
    if model is SalesRep:
        yield from _judge_email(row)


def _judge_email(row: Row) -> Iterator[Problem]:
    if not row.cells["email"]:
        yield row.problem("email", "required", "A sales rep needs an e-mail, such as rosa@example.com.")
        return
    yield from _judge_length(row, "email", _max_length(SalesRep, "email"))
    try:
        validate_email(row.cells["email"])
    except ValidationError:
        yield row.problem("email", "invalid_email", "is not an e-mail address, such as rosa@example.com.")


def _judge_length(row: Row, column: str, limit: int) -> Iterator[Problem]:
    if (length := len(row.cells[column])) > limit:
        yield row.problem(column, "too_long", f"has {length} characters; at most {limit} are allowed.")


def _max_length(model: type[Lookup], name: str) -> int:
    field = model._meta.get_field(name)
    assert isinstance(field, CharField)  # noqa: S101  (narrows the type)
    return field.max_length or 0


def _doubled_emails(account: Account, reps: dict[Key, Row]) -> Iterator[Problem]:
    """Code and e-mail belong to each other one to one, judged on what will stand: so two reps may swap theirs."""
    owners: dict[str, list[str]] = defaultdict(list)
    for code, email in SalesRep.objects.filter(account=account).values_list("code", "email"):
        if (code,) not in reps:
            owners[lower_ascii(email)].append(code)
    for (code,), row in reps.items():
        others = owners[lower_ascii(row.cells["email"])]
        if others:
            yield row.problem(
                "email", "duplicate_email", f"belongs to sales rep {others[0]}; each needs one of its own."
            )
        others.append(code)

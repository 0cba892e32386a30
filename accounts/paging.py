"""Pages of lists that may be long: what is many is neither counted nor passed over.

Few are paged by number. Of many, a page begins behind the last row of the one before, or ends before the first row of
the one behind: by what these hold in the columns of the order, so it takes the same time wherever it lies, and stays in
place while others write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, QuerySet
from unfold.paginator import InfinitePaginator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

MOST_COUNTED = 1000
"""Also how many of a longer list are paged by number."""


@dataclass(frozen=True)
class Order:
    """The order of a list in which every row has a place of its own: by columns of its model that are never blank, as
    `order_by` takes them."""

    model: type[Model]
    names: tuple[str, ...]

    @classmethod
    def of(cls, found: QuerySet[Any]) -> Order | None:
        """None where it is another one, as by what stands in another table. What is given ends with what is unique."""
        names: dict[str, str] = {}
        for name in found.query.order_by:
            if not isinstance(name, str) or not _column(found.model, name):
                return None
            names.setdefault(name.removeprefix("-"), name)  # a second time it orders nothing
        return cls(found.model, tuple(names.values())) if names else None

    @property
    def columns(self) -> list[str]:
        return [name.removeprefix("-") for name in self.names]

    def behind(self, values: Sequence[Any]) -> str:
        """The name of the page that begins behind the row with these values of the columns."""
        return self._signer.sign_object([False, *map(str, values)])

    def before(self, values: Sequence[Any]) -> str:
        """The name of the page that ends before the row with these values."""
        return self._signer.sign_object([True, *map(str, values)])

    def find(self, name: str) -> Mark | None:
        """Of a page that was named so; None where that is a number, or was named in another order."""
        try:
            is_before, *texts = self._signer.unsign_object(name)
        except BadSignature:
            return None
        fields = [_column(self.model, name) for name in self.names]
        values = tuple(field.to_python(text) for field, text in zip(fields, texts, strict=True) if field)
        return Mark(self, values, is_before)

    @property
    def _signer(self) -> Signer:
        return Signer(salt=f"page:{self.model._meta.label}:{','.join(self.names)}")


@dataclass(frozen=True)
class Mark:
    """Where a page begins or ends: what the columns of the order hold there."""

    order: Order
    values: tuple[Any, ...]
    is_before: bool = False

    def read(self, rows: QuerySet[Any, Any], most: int) -> list[Any]:
        """Rows on the page's side of it, the nearest first.

        They are asked for column by column, the last one first, the columns in front of it being the same: each of
        these questions has an index, and the planner knows how many answer it.
        """
        near, found = rows.reverse() if self.is_before else rows, list[Any]()
        same = dict(zip(self.order.columns, self.values, strict=True))
        for name in reversed(self.order.names):
            column = name.removeprefix("-")
            side = "lt" if name.startswith("-") != self.is_before else "gt"
            beyond = {f"{column}__{side}": same.pop(column)}
            found += near.filter(**same, **beyond)[: most - len(found)]
            if len(found) == most:
                break
        return found


@dataclass(frozen=True)
class IdPage:
    """The ids of a page, and the names or numbers of those beside it."""

    ids: list[Any]
    paginator: Paginator[Any]
    before: str | int | None = None
    behind: str | int | None = None
    is_cut: bool = False
    """Whether a number was asked for that is too high; then this is the last page that has one."""


def read_ids(found: QuerySet[Any], asked: str, per_page: int) -> IdPage:
    """The page that is asked for by its name or number; the first one where there is none of this name.

    Of few it is the last one where the number is too high, since what was on it may have left the list meanwhile.
    Raises InvalidPage for a number that no page of many can have.
    """
    order = Order.of(found)
    if order is None:
        return _read_by_number(found.values_list("pk"), None, _number(asked), per_page)
    rows, mark = found.values_list("pk", *order.columns), order.find(asked)
    if mark is None:
        return _read_by_number(rows, order, _number(asked), per_page)
    near = mark.read(rows, per_page + 1)
    if not near:
        return IdPage([], InfinitePaginator([], per_page), before=1)
    has_more, own = len(near) > per_page, near[:per_page]
    if mark.is_before:
        own.reverse()
    return IdPage(
        [pk for pk, *_ in own],
        InfinitePaginator(own, per_page),
        before=order.before(own[0][1:]) if has_more or not mark.is_before else None,
        behind=order.behind(own[-1][1:]) if has_more or mark.is_before else None,
    )


def _read_by_number(rows: QuerySet[Any, Any], order: Order | None, number: int, per_page: int) -> IdPage:
    """Those in front are read in one query, which tells how many there are as well."""
    first = list(rows[: MOST_COUNTED + 1])
    if len(first) <= MOST_COUNTED:
        paginator = Paginator([pk for pk, *_ in first], per_page)
        return IdPage(list(paginator.get_page(number)), paginator)
    endless = InfinitePaginator(first, per_page)
    number = endless.validate_number(number)
    last = max(MOST_COUNTED // per_page, 1) if order else number
    begin = (min(number, last) - 1) * per_page
    is_in_front = begin + per_page < len(first)
    own = first[begin : begin + per_page + 1] if is_in_front else list(rows[begin : begin + per_page + 1])
    has_more, own = len(own) > per_page, own[:per_page]
    return IdPage(
        [pk for pk, *_ in own],
        endless,
        before=(order.before(own[0][1:]) if order and own else number - 1) if begin else None,
        behind=(order.behind(own[-1][1:]) if order else number + 1) if has_more else None,
        is_cut=number > last,
    )


def find_mark(found: QuerySet[Any], request: HttpRequest) -> Mark | None:
    """Where the page of a list begins or ends that is asked for; None for one in front."""
    order = Order.of(found)
    return order.find(request.GET.get(PAGE_VAR, "")) if order else None


def make_paginator(found: QuerySet[Any] | Sequence[Any], *args: Any, **kwargs: Any) -> Paginator[Any]:
    """Of what is few, with its number; else with nothing but the page before and the next one."""
    if isinstance(found, QuerySet):
        count = found.order_by()[: MOST_COUNTED + 1].count()
        if count > MOST_COUNTED:
            endless: Paginator[Any] = InfinitePaginator(found, *args, **kwargs)
            return endless
    else:
        count = len(found)
    paginator: Paginator[Any] = Paginator(found, *args, **kwargs)
    paginator.count = count
    return paginator


def count_for_badge(found: QuerySet[Any]) -> str:
    """For the navigation, on every page; nothing where nothing is found."""
    count = found.order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


def _column(model: type[Model], name: str) -> Field[Any, Any] | None:
    """The field of an `order_by` that is never blank; a key of another table stands for the order of that one."""
    bare = name.removeprefix("-")
    try:
        field = model._meta.pk if bare == "pk" else model._meta.get_field(bare)
    except FieldDoesNotExist:
        return None
    if not isinstance(field, Field) or field.null or (field.is_relation and bare != field.attname):
        return None
    return field


def _number(asked: str) -> int:
    try:
        return int(asked)
    except ValueError:
        return 1

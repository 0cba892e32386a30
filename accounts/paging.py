"""Pages of lists that may be long: what is many is not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from unfold.paginator import InfinitePaginator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

MOST_COUNTED = 1000


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


def paginate_ids(found: QuerySet[Any], page: int, per_page: int) -> tuple[Paginator[Any], list[Any]]:
    """Of the ids of what was found, for a list of which this page is asked: those in front are read in one query, which
    tells how many there are as well. Of a page behind them only its own are; they are returned, too."""
    ids = found.values_list("pk", flat=True)
    begin = (page - 1) * per_page
    if begin >= MOST_COUNTED and (own := list(ids[begin : begin + per_page])):
        return InfinitePaginator(own, per_page), own
    first = list(ids[: MOST_COUNTED + 1])
    if len(first) <= MOST_COUNTED:
        return Paginator(first, per_page), []
    return InfinitePaginator(first if page * per_page <= len(first) else ids, per_page), []


def count_passed_over(request: HttpRequest, per_page: int) -> int:
    """How many rows lie in front of the page of a list that is asked for."""
    try:
        return max(int(request.GET.get(PAGE_VAR, 1)) - 1, 0) * per_page
    except ValueError:
        return 0


def count_for_badge(found: QuerySet[Any]) -> str:
    """For the navigation, on every page; nothing where nothing is found."""
    count = found.order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")

"""Times in the zone of whoever looks: their browser says which it is, and the pages of the admin are written in it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest, HttpResponseBase

COOKIE = "zone"
"""Written by console.js; without it, or with what is no zone, times are in the site's."""


@cache
def zone_names() -> set[str]:
    """Of the machine, read once: from six hundred files."""
    return available_timezones()


def short_time(moment: datetime | None) -> str:
    """A moment as people see it everywhere: to the minute, in their time zone, which the page names."""
    return date_format(timezone.localtime(moment), "Y-m-d\xa0H:i") if moment else ""


def show_time(moment: datetime | None) -> str:
    """The same in a list, where no line ends within it."""
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), short_time(moment)) if moment else ""


class ZoneOfViewer:
    """Programs get UTC as ever: only the admin's pages are written in the viewer's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.COOKIES.get(COOKIE, "").replace("%2F", "/")
        if name not in zone_names() or not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(ZoneInfo(name)):
            return self.get_response(request)

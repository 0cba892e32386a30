"""Requests that no browser makes: pages of the admin answer them, before the database has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseBadRequest
from django.template.loader import render_to_string
from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase


class RefuseNul:
    """A NUL in the address of a page is refused: PostgreSQL holds none, so nothing can be found by it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, values: dict[str, Any]) -> HttpResponse | None:
        if not request.path.startswith(reverse("admin:index")):
            return None
        given = [text for name, texts in request.GET.lists() for text in (name, *texts)]
        if any("\0" in str(text) for text in (*given, *values.values())):
            return HttpResponseBadRequest(render_to_string("400.html", {"why": "It holds a NUL character"}))
        return None

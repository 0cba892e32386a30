"""What every request gets, page or API: an id that its answer and its lines in the log carry, and redirects that lose
no body."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.http import escape_leading_slashes

from accounts.api.problems import CONTENT_TYPE, make_problem
from accounts.watching import doing, name_also

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")
LARGEST_OF_STRANGERS = 100_000
"""Bytes that somebody may send to a page who is not logged in: a name and a password."""
_READS = ("GET", "HEAD", "OPTIONS")


class RequestId:
    """The first of all: a sane `X-Request-ID` goes on into the answer and the log; other requests get one made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        name = sent if _SANE.fullmatch(sent) else uuid.uuid4().hex
        with doing("request", request=name, method=request.method or "", path=request.path):
            response = self.get_response(request)
            if request.resolver_match is not None:
                name_also(route=request.resolver_match.route)
            name_also(status=response.status_code)
        response[HEADER] = name
        return response


class KeepMethod:
    """A write is redirected with its method and body (308), or not at all; Django's own 301 makes a GET of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in _READS:
            return self.get_response(request)
        where = request.path_info
        if not where.endswith("/") and not is_valid_path(where) and is_valid_path(f"{where}/"):
            return _redirect(escape_leading_slashes(request.get_full_path(force_append_slash=True)))
        response = self.get_response(request)
        return _redirect(response["Location"]) if response.status_code == 301 else response


class BoundBodies:
    """Of pages: a form is written to the disk before a page can look who sends it, so its size is judged before.

    The API looks itself before it reads (see `accounts.api.base`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in _READS or request.path_info.startswith("/api/"):
            return self.get_response(request)
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            return HttpResponse("Give the length of the request.", status=411, content_type="text/plain")
        user = getattr(request, "user", None)
        largest = settings.UPLOAD_LIMIT if user is not None and user.is_staff else LARGEST_OF_STRANGERS
        length = str(request.META.get("CONTENT_LENGTH") or 0)
        if not length.isdecimal() or int(length) > largest:
            sizes = {"size": length if length.isdecimal() else "", "largest": largest}
            return HttpResponse(render_to_string("413.html", sizes), status=413)
        return self.get_response(request)


def _redirect(where: str) -> JsonResponse:
    problem = make_problem(308, "moved", f"Nothing was done. Send the same request to {where}.")
    return JsonResponse(problem, status=308, content_type=CONTENT_TYPE, headers={"Location": where})

"""Going on after a session has ended: what was sent without one is kept through the login, and may be sent again."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import QueryDict
from django.urls import reverse

from accounts.waiting import offer_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

OPEN = {"login", "logout"}
SENT = "sent"
MOST_KEPT = 90_000
"""Characters, as the login's form sends them; a larger form of a stranger is not read (customersync/requests.py)."""
WHY = "You were logged out before you sent this, so nothing was saved."


class KeepWhatWasSent:
    """Middleware, behind the one that refuses what other sites send: nothing of theirs is kept.

    What was sent travels in the form of the login, so nothing of people who are not logged in is stored. Files, which
    no page can keep, have to be chosen again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        if request.method != "POST" or response.status_code != 302 or match is None or match.view_name != "admin:login":
            return response
        if not (request.user.is_authenticated and SENT in request.POST):
            return response
        return offer_again(request, "Not saved yet", WHY, response["Location"], QueryDict(request.POST[SENT]))

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method != "POST" or match is None or "admin" not in match.app_names or match.url_name in OPEN:
            return None
        if request.user.is_authenticated or request.FILES:
            return None
        sent = request.POST.copy()
        sent.pop("csrfmiddlewaretoken", None)
        kept = sent.urlencode()
        if len(quote_plus(kept)) > MOST_KEPT:
            return None
        page = request.get_full_path()
        asks = copy(request)
        asks.method = "GET"
        action = f"{reverse('admin:login')}?{urlencode({REDIRECT_FIELD_NAME: page})}"
        login: HttpResponse = admin.site.login(asks, {"app_path": action, SENT: kept})
        return login

"""Going on after a session has ended: what was sent without one is kept through the login, and may be sent again."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.waiting import offer_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

OPEN = {"login", "logout"}
SENT = "sent"
LOST = "lost"
MOST_KEPT = 90_000
"""Characters, as the login's form sends them; a larger form of a stranger is not read (customersync/requests.py)."""
WHY = "You were logged out before you sent this, so nothing was saved."


class KeepWhatWasSent:
    """Middleware, behind the one that refuses what other sites send: nothing of theirs is kept.

    What was sent travels in the form of the login, so nothing of people who are not logged in is stored. Files, which
    no page can keep, have to be chosen again. Where only a part of a page is asked for, the page itself leads to the
    login.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        if response.status_code == 302 and "HX-Request" in request.headers and not request.user.is_authenticated:
            return HttpResponse(headers={"HX-Redirect": _page_around(request)})
        if request.method != "POST" or response.status_code != 302 or match is None or match.view_name != "admin:login":
            return response
        if not (request.user.is_authenticated and SENT in request.POST):
            return response
        return offer_again(request, "Not saved yet", WHY, response["Location"], QueryDict(request.POST[SENT]))

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method != "POST" or match is None or "admin" not in match.app_names or match.url_name in OPEN:
            return None
        if request.user.is_authenticated:
            return None
        page = request.get_full_path()
        if request.FILES:
            return HttpResponseRedirect(
                f"{reverse('admin:login')}?{urlencode({REDIRECT_FIELD_NAME: page, LOST: 'file'})}"
            )
        sent = request.POST.copy()
        sent.pop("csrfmiddlewaretoken", None)
        kept = sent.urlencode()
        if len(quote_plus(kept)) > MOST_KEPT:
            return None
        asks = copy(request)
        asks.method = "GET"
        action = f"{reverse('admin:login')}?{urlencode({REDIRECT_FIELD_NAME: page})}"
        login: HttpResponse = admin.site.login(asks, {"app_path": action, SENT: kept})
        return login


def _page_around(request: HttpRequest) -> str:
    """The page of which a part is asked for, or else the first one."""
    page = request.headers.get("HX-Current-URL", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()})
    return page if is_ours else reverse("admin:index")

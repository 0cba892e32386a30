"""What monitors ask for: whether the process lives, may be given requests, and whether all that runs by itself runs.

They ask from within, by whatever name or number they know the machine, and mostly over plain HTTP. So they are
answered before anything looks at the host or leads to HTTPS.

| path | 200 while | for |
|---|---|---|
| `/health/live` | the process answers | whoever would restart it |
| `/health/ready` | the database answers too | whoever gives it requests |
| `/health/` | nothing is wrong with workers, feeds, mail, storage and clocks either | people's monitors |
| `/metrics` | it is asked with the token of METRICS_TOKEN | Prometheus |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, connection
from django.http import HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from accounts.figures import registry
from accounts.health import describe_outage, find_all_problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase


class AnswerMonitors:
    """Middleware, in front of all that looks at hosts, sessions and the like."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = VIEWS.get(request.path_info.rstrip("/"), self.get_response)
        return view(request)


@require_safe
@never_cache
def show_life(request: HttpRequest) -> HttpResponse:
    return _answer([])


@require_safe
@never_cache
def show_readiness(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return _answer([describe_outage(error)])
    return _answer([])


@require_safe
@never_cache
def show_health(request: HttpRequest) -> HttpResponse:
    return _answer(find_all_problems())


@require_safe
@never_cache
def show_figures(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return HttpResponse("Set METRICS_TOKEN to have figures here.\n", status=404, content_type="text/plain")
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        said = "Send METRICS_TOKEN as a bearer token.\n"
        return HttpResponse(said, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    write, kind = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(write(registry), content_type=kind)


def _answer(problems: list[str]) -> JsonResponse:
    return JsonResponse({"ok": not problems, "problems": problems}, status=503 if problems else 200)


VIEWS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/health/live": show_life,
    "/health/ready": show_readiness,
    "/health": show_health,
    "/metrics": show_figures,
}

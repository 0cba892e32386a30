"""How errors are told that no view has: as problems below /api/, as pages elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template import loader

from accounts.api import problems
from accounts.outages import find_full_disk, find_outage
from accounts.watching import names_of_work

NO_DATABASE = "The database does not answer."
NO_ROOM = "A disk is full here, so that what was sent could not be taken; whoever runs this site has to make room."


def bad_request(request: HttpRequest, exception: Exception) -> Any:
    """What Django itself refuses before any view has it."""
    from django.views.defaults import bad_request as page

    if not request.path.startswith("/api/"):
        return page(request, exception)
    return _answer(400, "bad_request", "The request is not as it should be. See /api/v1/docs/.")


def not_found(request: HttpRequest, exception: Exception) -> Any:
    """For URLs that no view has: a problem below /api/, a page elsewhere."""
    from django.views.defaults import page_not_found

    if not request.path.startswith("/api/"):
        return page_not_found(request, exception)
    return _answer(404, "not_found", "There is nothing at this URL. See /api/v1/docs/.")


def server_error(request: HttpRequest) -> Any:
    """Names the request, so that whoever runs the site finds it in the log."""
    error = sys.exception()
    if find_outage(error):
        return _away(request, NO_DATABASE)
    if find_full_disk(error):
        return _away(request, NO_ROOM)
    name = str(names_of_work().get("request", ""))
    if not request.path.startswith("/api/"):
        return HttpResponseServerError(loader.render_to_string("500.html", {"request_id": name}))
    return _answer(
        500, "server_error", f"Something went wrong here, and was logged as request {name}.", request_id=name
    )


def _away(request: HttpRequest, why: str) -> Any:
    """Something is missing that will be there again; the view did not get to say so."""
    if request.path.startswith("/api/"):
        answer: HttpResponse = _answer(503, "try_again_later", f"{why} Repeat the request later.")
    else:
        answer = HttpResponse(loader.render_to_string("503.html", {"why": why}), status=503)
    answer["Retry-After"] = str(problems.RETRY_AFTER_OUTAGE)
    return answer


def _answer(status: int, code: str, detail: str, **more: str) -> JsonResponse:
    problem = problems.make_problem(status, code, detail) | more
    return JsonResponse(problem, status=status, content_type=problems.CONTENT_TYPE)

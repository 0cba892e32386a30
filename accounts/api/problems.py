"""Problems: every answer that is an error, in the form of RFC 9457 (`application/problem+json`)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.waiting import Busy, explain, waited_for_lock

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds, for what others hold at this moment."""
RETRY_AFTER_OUTAGE = 30
NOBODY = "Send a token in the header `Authorization: Bearer …`. `create_token` makes one, or the admin under Tokens."
DUPLICATE = {"unique", "unique_together"}


class TooLarge(exceptions.APIException):
    """The request's body is longer than it may be."""

    status_code = 413
    default_code = "too_large"


class LengthRequired(exceptions.APIException):
    """The request does not say how long its body is."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with its Content-Length, and not in chunks."


class NotAsDocumented(exceptions.APIException):
    """The body is in a form that nobody reads here."""

    status_code = 415
    default_code = "unsupported_media_type"


class PreconditionRequired(exceptions.APIException):
    """What exists would be replaced by somebody who does not say that they have seen it."""

    status_code = 428
    default_code = "precondition_required"
    default_detail = (
        "It exists already, and would be replaced whole. Get it, and repeat the request with its ETag as If-Match; "
        "`If-Match: *` replaces whatever there is."
    )


class PreconditionFailed(exceptions.APIException):
    """What is to be changed is not any more what the client has seen."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "It was changed meanwhile. Get it again, and repeat the request with its new ETag."


class Conflict(exceptions.APIException):
    """It makes sense, and cannot be done as things are; `location` is where to look for what stands against it."""

    status_code = 409
    default_code = "conflict"

    def __init__(self, detail: str, code: str | None = None, location: str = "") -> None:
        super().__init__(detail, code)
        self.location = location


class Unavailable(exceptions.APIException):
    """Something outside went wrong that time may mend."""

    status_code = 503
    default_code = "try_again_later"
    wait: int | None = None


class KeyReused(exceptions.APIException):
    """An idempotency key names another request."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "The Idempotency-Key was used for another request. Give every request a key of its own."


def make_problem(status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of an answer that is an error."""
    described = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return {**described, "errors": errors} if errors else described


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: any error that an answer is known for."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing of this name or number, or it is not yours to see.")
    elif isinstance(error, exceptions.NotAuthenticated):
        error = exceptions.NotAuthenticated(NOBODY)
    elif isinstance(error, exceptions.MethodNotAllowed):
        method = str(context["request"].method)
        error = exceptions.MethodNotAllowed(method, f"{method} is not possible here; {_allowed(context)} are.")
    elif isinstance(error, exceptions.UnsupportedMediaType):
        taken = " or ".join(parser.media_type for parser in context["view"].parser_classes)
        error = exceptions.UnsupportedMediaType("", f"Send {taken}, and say so as Content-Type.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, ModelError):
        error = exceptions.ValidationError(detail_of(error))
    elif isinstance(error, IntegrityError):
        error = Conflict("Somebody else wrote the same at this moment. Get it again before you repeat the request.")
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge("The text in the request is too long.")
    elif isinstance(error, UnreadablePostError | SuspiciousOperation):
        error = exceptions.ParseError("The request could not be read to its end, or has too many parts.")
    elif isinstance(error, Busy) or (isinstance(error, OperationalError) and waited_for_lock(error)):
        error = Unavailable(str(error) if isinstance(error, Busy) else explain())
        error.wait = RETRY_AFTER
    elif isinstance(error, OperationalError):
        logger.error("The database gave up.", exc_info=error)
        error = Unavailable("The database does not answer, or gave up. Repeat the request later.")
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = _headers_of(error, context)
    if not isinstance(error, exceptions.ValidationError):
        body = make_problem(error.status_code, str(error.get_codes()), str(error.detail))
        return Response(body, status=error.status_code, headers=headers, content_type=CONTENT_TYPE)
    errors = list(_flatten(error.get_full_details()))
    status, code = (409, "duplicate") if {one["code"] for one in errors} <= DUPLICATE else (400, "invalid")
    detail = " ".join(_say(one["field"], one["message"]) for one in errors)
    body = make_problem(status, code, detail, errors)
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def _headers_of(error: exceptions.APIException, context: dict[str, Any]) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    elif error.status_code == 503:
        headers["Retry-After"] = str(RETRY_AFTER_OUTAGE)
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = _allowed(context)
    if isinstance(error, Conflict) and error.location:
        headers["Location"] = error.location
    if isinstance(error, NotAsDocumented):
        headers["Accept-Encoding"] = "identity"
    return headers


def _allowed(context: dict[str, Any]) -> str:
    return ", ".join(context["view"].allowed_methods)


def _say(field: str, message: str) -> str:
    return message if not field or field.endswith("non_field_errors") else f"{field}: {message}"


def detail_of(error: ModelError) -> Any:
    """What is wrong with a model, as a serializer says it."""
    if not hasattr(error, "error_dict"):
        return {"non_field_errors": _details(error)}
    return {
        ("non_field_errors" if name == NON_FIELD_ERRORS else name): [said for one in found for said in _details(one)]
        for name, found in error.error_dict.items()
    }


def _details(error: ModelError) -> list[exceptions.ErrorDetail]:
    return [
        exceptions.ErrorDetail(message, one.code or "invalid") for one in error.error_list for message in one.messages
    ]


def _flatten(details: Any, field: str = "") -> Any:
    if isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["code"], str):
        yield {"field": field, "code": details["code"], "message": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _flatten(inner, f"{field}.{name}" if field else str(name))
    else:
        for number, inner in enumerate(details):
            is_error = isinstance(inner, dict) and set(inner) == {"message", "code"}
            yield from _flatten(inner, field if is_error else f"{field}.{number}".strip("."))

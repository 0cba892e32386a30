"""Problems: every answer that is an error, in the form of RFC 9457 (`application/problem+json`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"


class TooLarge(exceptions.APIException):
    """The request's body is longer than it may be."""

    status_code = 413
    default_code = "too_large"


class PreconditionFailed(exceptions.APIException):
    """What is to be changed is not any more what the client has seen."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "It was changed meanwhile. Get it again, and repeat the request with its new ETag."


class Conflict(exceptions.APIException):
    """The request makes sense, and cannot be done as things are."""

    status_code = 409
    default_code = "conflict"


class Unavailable(exceptions.APIException):
    """Something outside went wrong that time may mend."""

    status_code = 503
    default_code = "try_again_later"


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
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, ModelError):
        error = exceptions.ValidationError(detail_of(error))
    elif isinstance(error, IntegrityError):
        error = Conflict("Somebody else wrote the same at this moment. Get it again before you repeat the request.")
    elif isinstance(error, OperationalError):
        error = Unavailable("The database does not answer, or gave up. Repeat the request later.")
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    errors = list(_flatten(error.get_full_details())) if isinstance(error, exceptions.ValidationError) else []
    detail = " ".join(one["message"] for one in errors) if errors else str(error.detail)
    code = "invalid" if errors else str(error.get_codes())
    set_rollback()
    body = make_problem(error.status_code, code, detail, errors)
    return Response(body, status=error.status_code, headers=headers, content_type=CONTENT_TYPE)


def detail_of(error: ModelError) -> Any:
    """What is wrong with a model, as a serializer says it."""
    if not hasattr(error, "error_dict"):
        return {"non_field_errors": error.messages}
    return {
        ("non_field_errors" if name == NON_FIELD_ERRORS else name): said for name, said in error.message_dict.items()
    }


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

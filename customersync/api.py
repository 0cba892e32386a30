"""The API put together: the routes of all apps, what every answer may be, and how errors are told."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseServerError, JsonResponse
from django.template import loader

from accounts.api import problems
from customersync.logs import asked
from imports.template import FIELDS

ANSWERS = {
    "400": "The request is not as it should be; `errors` says which fields.",
    "401": "No valid token.",
    "403": "You may only look at this account.",
    "404": "There is no such thing, or it is not yours to see.",
    "405": "Not done with this method.",
    "409": "It cannot be done as things are; `detail` says why.",
    "412": "It was changed meanwhile: the ETag of If-Match is not its own any more.",
    "413": "The request is too long.",
    "415": "The content type is another one than the documented.",
    "422": "What was sent can be read and makes no sense, or the Idempotency-Key names another request.",
    "429": "Too many requests of this token in this minute; `Retry-After` says how many seconds to wait.",
    "503": "Something outside went wrong; try again later.",
}
READS = ("400", "401", "404", "405", "409", "429")


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Every operation may answer with a problem; writes with more of them than reads."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("FieldProblem", _object({"field": "string", "code": "string", "message": "string"}))
    problem = _object({"type": "string", "title": "string", "status": "integer", "detail": "string", "code": "string"})
    problem["description"] = "An error, as RFC 9457 says."
    problem["properties"]["errors"] = {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}}
    problem["examples"] = [problems.make_problem(404, "not_found", "No Account matches the given query.")]
    schemas["Problem"] = problem
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if path.endswith("/schema/") or not isinstance(operation, dict) or "responses" not in operation:
                continue
            for status in READS if method == "get" else ANSWERS:
                operation["responses"].setdefault(status, {"description": ANSWERS[status], "content": content})
            parameters = operation.setdefault("parameters", [])
            if method == "post":
                parameters.append(IDEMPOTENCY_KEY)
            elif method != "get":
                parameters.append(
                    _header("If-Match", "ETag of what is to be changed: 412 where it is not that any more.")
                )
            elif path.endswith("}/"):
                parameters.append(_header("If-None-Match", "ETag of what is known: 304 where it is that still."))
                operation["responses"]["304"] = {"description": "It is what the ETag says still."}
    return result


def describe_fields(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Fields of the template are described by the template, and the main things by examples."""
    schemas = result["components"]["schemas"]
    parts = {"Connection": "", "Address": "shipping_", "Buyer": "buyer_"}
    for name, prefix in parts.items():
        for part, schema in schemas[name]["properties"].items():
            field = FIELDS.get(f"{prefix}{part}") or FIELDS.get(f"{part}_code")
            if field is not None and "$ref" not in schema:
                schema["description"] = f"{field.description} {schema.get('description', '')}".strip()
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    return result


EXAMPLES: dict[str, dict[str, Any]] = {
    "Address": {
        "kind": "S", "code": "10017-1", "name": "Elm Street Outfitters", "address_1": "12 Elm Street", "address_2": "",
        "city": "Portland", "state": "OR", "zip": "97205", "country": "US", "email": "", "phone": "",
    },
    "Buyer": {"email": "ann@example.com", "name": "Ann Lee"},
    "EntriesRequest": {
        "entries": [
            {"list": "price_types", "currency": "USD", "name": "US Wholesale"},
            {"list": "payment_terms", "code": "N30", "name": "Net 30"},
        ],
    },
    "FeedRequest": {
        "name": "erp", "protocol": "sftp", "host": "sftp.example.com", "user": "maison", "password": "…",
        "host_key": "SHA256:dLtnAgbNPeVXLAsKNeyFXzBaYfzfAdWOCtTQYjQIvqM", "folder": "out",
        "mask": "customers_{%Y%m%d%H%M%S}*.txt", "contacts": ["erp@example.com"],
    },
    "RejectionRequest": {"duplicate_of": "10016"},
    "ReleaseRequest": {"force": False},
}  # fmt: skip


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names the request: sent again with the same key within a day, it is answered and not repeated.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _object(properties: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }


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
    name = getattr(asked.get(), "id", "")
    if not request.path.startswith("/api/"):
        return HttpResponseServerError(loader.render_to_string("500.html", {"request_id": name}))
    return _answer(
        500, "server_error", f"Something went wrong here, and was logged as request {name}.", request_id=name
    )


def _answer(status: int, code: str, detail: str, **more: str) -> JsonResponse:
    problem = problems.make_problem(status, code, detail) | more
    return JsonResponse(problem, status=status, content_type=problems.CONTENT_TYPE)

"""The published schema: what every answer of every operation may be, and what the fields mean."""

from __future__ import annotations

from typing import Any

from accounts.api import problems
from accounts.plugins import load

ANSWERS = {
    "400": "The request is not as it should be; `errors` says which fields.",
    "401": "No valid token.",
    "403": "You may only look at this account, or it belongs to another one.",
    "404": "There is no such thing, or it is not yours to see.",
    "405": "Not done with this method.",
    "409": "It cannot be done as things are, or there is such a thing already; `detail` says why.",
    "411": "The body came without its length.",
    "412": "It was changed meanwhile: the ETag of If-Match is not its own any more.",
    "413": "The request is too long.",
    "415": "The content type is another one than the documented, or the body is compressed.",
    "422": "What was sent can be read and makes no sense, or the Idempotency-Key names another request.",
    "428": "It exists, and If-Match does not say that you have seen it.",
    "429": "Too many requests of this token in this minute; `Retry-After` says how many seconds to wait.",
    "500": "Something went wrong here; `request_id` names the line in the log.",
    "503": "Something outside went wrong; try again later.",
}
READS = ("400", "401", "403", "404", "405", "409", "429", "500", "503")
HEADERS = {
    "X-Request-ID": ("string", "Names the request in the log: your own `X-Request-ID`, or one that was made."),
    "RateLimit-Limit": ("integer", "Requests that the token has in a minute."),
    "RateLimit-Remaining": ("integer", "How many of them are left."),
    "RateLimit-Reset": ("integer", "Seconds until there are as many again."),
    "ETag": ("string", "What is answered, as it is now: for If-Match and If-None-Match."),
    "Location": ("string", "Where to find what was made, or to ask how far it is."),
    "Retry-After": ("integer", "Seconds to wait."),
    "Idempotency-Replayed": ("string", "`true` where the answer is that of the first such request."),
}
EVERYWHERE = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
DECISIONS = ("/approve/", "/reject/", "/test/", "/start-draft/", "/sandbox/")
"""Ends of URLs of actions that answer with the thing itself."""


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Every operation may answer with a problem; writes with more of them than reads."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.setdefault("FieldProblem", _object({"field": "string", "code": "string", "message": "string"}))
    problem = _object({"type": "string", "title": "string", "status": "integer", "detail": "string", "code": "string"})
    problem["description"] = "An error, as RFC 9457 says."
    problem["properties"]["errors"] = {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}}
    problem["properties"]["request_id"] = {"type": "string"}
    problem["examples"] = [problems.make_problem(404, "not_found", "No Account matches the given query.")]
    schemas["Problem"] = problem
    components["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in HEADERS.items()
    }
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status}": {"description": text, "content": content, "headers": _describe_headers(status)}
        for status, text in ANSWERS.items()
    }
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if not path.endswith("/schema/") and isinstance(operation, dict) and "responses" in operation:
                _describe_answers(path, method, operation)
    return result


def _describe_answers(path: str, method: str, operation: dict[str, Any]) -> None:
    replaces = method == "put" or path.endswith("/propose/")
    for status in READS if method == "get" else ANSWERS:
        if status != "428" or replaces:
            operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "query" and parameter["schema"] == {"type": "string"}:
            parameter["schema"] = {"type": "string", "minLength": 1}
    versioned = method in ("put", "patch") or path.endswith(DECISIONS)
    if method == "get":
        versioned = path.endswith("}/")
        if versioned:
            parameters.append(_header("If-None-Match", "ETag of what is known: 304 where it is that still."))
            operation["responses"]["304"] = {"description": "It is what the ETag says still."}
    elif method != "post" or versioned or replaces or path.count("{") > 1:
        needed = "; without it 428 where there is one, and `*` means whatever there is" if replaces else ""
        parameters.append(_header("If-Match", f"ETag of what is to be changed: 412 where it is not that{needed}."))
    if method == "post":
        parameters.append(IDEMPOTENCY_KEY)
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            response["headers"] = _describe_headers(status, method, versioned=versioned)


def _describe_headers(status: str, method: str = "", *, versioned: bool = False) -> dict[str, Any]:
    names = list(EVERYWHERE)
    if status == "401":
        names = ["X-Request-ID"]
    if status in ("200", "201", "304") and (versioned or status == "201"):
        names.append("ETag")
    if status in ("201", "202"):
        names.append("Location")
    if status in ("429", "503"):
        names.append("Retry-After")
    if method == "post" and status.startswith("2"):
        names.append("Idempotency-Replayed")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def describe_apps(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """What each app has to say about its own part."""
    for describe in load("api_schema"):
        describe(result["components"]["schemas"])
    return result


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

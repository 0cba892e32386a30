"""All routes of the API, as the resolver knows them, for tests that hold for every one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from dropbox.models import Login, Session
from imports.formats.documents import read_format
from imports.models import Feed, Pull, Run
from imports.versioning import save_draft
from lookups.directory import LISTS
from tests.builders import make_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts.models import Account

DOCUMENT = """
name: erp
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
SAFE = {"get", "head", "options"}
OPEN = {"api-schema", "api-docs"}
"""What may be read by anybody: it describes the API and tells of nobody."""
FORMS = {"run-upload", "format-propose"}
"""What takes a form with a file and no JSON."""


def walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern


def patterns_of_accounts() -> Iterator[tuple[str, Any]]:
    for path, pattern in walk(get_resolver().url_patterns):
        if path.startswith("api/v1/accounts/"):
            yield path, pattern.callback


def _routes() -> Iterator[tuple[str, str, str]]:
    for path, pattern in walk(get_resolver().url_patterns):
        if not path.startswith("api/v1/"):
            continue
        view: Any = pattern.callback
        actions = getattr(view, "actions", None)
        methods = actions or [method for method in view.cls.http_method_names if hasattr(view.cls, method)]
        for method in methods:
            if method not in ("head", "options") and method in view.cls.http_method_names:
                yield str(pattern.name), path, method


ROUTES = sorted(set(_routes()))
"""(name, path with parameters, method) of all that lies below /api/."""
WRITES = [route for route in ROUTES if route[2] not in SAFE]


def is_list(name: str, method: str) -> bool:
    return method == "get" and (name.endswith("-list") or name == "run-issues")


LISTED = [route for route in ROUTES if is_list(route[0], route[2])]


def fill_account(account: Account) -> Callable[[str, str], str]:
    """Give the account something for every parameter of a path; returns what puts them in."""
    save_draft(account, "erp", read_format(DOCUMENT))
    feed = Feed.objects.create(account=account, name="erp", protocol="ftp", host="127.0.0.1", port=1)
    pull = Pull.objects.create(feed=feed, status="succeeded")
    run = Run.objects.create(account=account, file_name="a.txt", format_name="standard template", status="held")
    connection = make_connection(account, "C1")
    box = Feed.objects.create(account=account, name="box", protocol="dropbox")
    login = Login.objects.create(feed=box, user_name=f"{account.code}-box")
    session = Session.objects.create(account=account, user_name=login.user_name, protocol="SFTP", address="::1")

    def fill(name: str, path: str) -> str:
        def value(match: re.Match[str]) -> str:
            parameter = match[1] or match[2]
            if parameter == "pk":
                if "lookups/" in path:
                    model = LISTS[path.partition("lookups/")[2].partition("/")[0]]
                    return str(model._default_manager.filter(account=account)[0].pk)
                things = {"/connections/": connection, "/pulls/": pull, "/runs/": run, "/sessions/": session}
                return str(next(thing.pk for part, thing in things.items() if part in path))
            names = {"account": account.code, "code": account.code, "name": "erp", "number": "1", "line": "1"}
            return {**names, "user_name": login.user_name}[parameter]

        filled = path.replace("^", "").replace("$", "").replace("\\Z", "")
        filled = re.sub(r"\(\?P<(\w+)>(?:\[[^\]]*\]|[^()\[\]])*\)|<(?:\w+:)?(\w+)>", value, filled)
        return filled.removeprefix("api/v1/").replace("\\", "")

    return fill

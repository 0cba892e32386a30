"""Who may ask what: every route that there is, for everybody who might ask."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from accounts.api.base import AccountView
from accounts.sandboxes import add_sandbox
from imports.format_files import read_format
from imports.models import Feed, Issue, Run
from imports.versioning import save_draft
from lookups.directory import LISTS
from tests.builders import add_member, make_account, make_change, make_connection

pytestmark = pytest.mark.django_db

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


def walk(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern


def routes():
    """(name, path with parameters, method) of all that lies below /api/."""
    for path, pattern in walk(get_resolver().url_patterns):
        if not path.startswith("api/v1/"):
            continue
        view = pattern.callback
        actions = getattr(view, "actions", None)
        methods = actions or [method for method in view.cls.http_method_names if hasattr(view.cls, method)]
        for method in methods:
            if method not in ("head", "options") and method in view.cls.http_method_names:
                yield pattern.name, path, method


ROUTES = sorted(set(routes()))


@pytest.fixture
def things(world):
    """Something of maison for every parameter of a path."""
    save_draft(world.maison, "erp", read_format(DOCUMENT))
    Feed.objects.create(account=world.maison, name="erp", protocol="ftp", host="127.0.0.1", port=1)
    run = Run.objects.create(account=world.maison, file_name="a.txt", format_name="standard template", status="held")
    connection = make_connection(world.maison, "C1")

    def fill(name, path):
        def value(match):
            parameter = match[1] or match[2]
            if parameter == "pk":
                if "lookups/" in path:
                    model = LISTS[path.partition("lookups/")[2].partition("/")[0]]
                    return str(model._default_manager.filter(account=world.maison)[0].pk)
                return str(connection.pk if "/connections/" in path else run.pk)
            return {"account": "maison", "code": "maison", "name": "erp", "number": "1"}[parameter]

        filled = path.replace("^", "").replace("$", "").replace("\\Z", "")
        filled = re.sub(r"\(\?P<(\w+)>(?:\[[^\]]*\]|[^()\[\]])*\)|<(?:\w+:)?(\w+)>", value, filled)
        return filled.removeprefix("api/v1/").replace("\\", "")

    return fill


def test_there_are_routes_to_look_at():
    assert len(ROUTES) > 70
    assert {name for name, *_ in ROUTES} >= {"connection-list", "run-upload", "feed-pull", "format-approve"}


def test_every_view_of_an_account_checks_it():
    for path, pattern in walk(get_resolver().url_patterns):
        if path.startswith("api/v1/accounts/"):
            assert issubclass(pattern.callback.cls, AccountView), path


@pytest.mark.parametrize(("name", "path", "method"), ROUTES)
def test_only_those_who_may_are_let_in(world, things, name, path, method):
    place = things(name, path)
    if name in OPEN:
        assert world.rosa(method, place).status_code == 200
        return
    answer = type(world.rosa.client)().generic(method, f"/api/v1/{place}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    for program in (world.luc, world.vera, world.rosa):
        body: Any = None if method == "get" else {}
        answer = world_answer(program, method, place, body, name)
        problem = answer.get("Content-Type") == "application/problem+json"
        assert answer.status_code < 500 or answer.status_code == 503, answer.content
        if name == "account-list":
            assert answer.status_code == 200
            codes = {account["code"] for account in answer.json()["results"]}
            assert codes == ({"atelier"} if program is world.luc else {"maison"})
        elif program is world.luc:
            assert (answer.status_code, problem) == (404, True)
        elif program is world.vera and method not in SAFE:
            assert (answer.status_code, problem) == (403, True)
        elif program is world.vera:
            assert answer.status_code in (200, 404, 409)
        else:
            assert answer.status_code not in (401, 403)
        if answer.status_code >= 400:
            assert problem
            assert set(json.loads(answer.content)) >= {"type", "title", "status", "detail", "code"}


def world_answer(program, method, place, body, name):
    if name in ("run-upload", "format-propose"):
        return program.upload(place)
    return program(method, place, body)


@pytest.mark.parametrize(
    ("name", "path", "method"), [route for route in ROUTES if route[2] in ("put", "patch", "delete")]
)
def test_every_write_minds_what_was_seen(world, things, name, path, method):
    place = things(name, path)
    body: dict[str, object] = {"document": {}} if name == "format-draft" else {}
    assert world.rosa(method, place, body, if_match='"something else"').status_code == 412


@pytest.mark.parametrize(
    ("name", "path", "method"), [route for route in ROUTES if route[0].endswith("-detail") and route[2] == "get"]
)
def test_everything_has_an_etag_that_spares_its_body(world, things, name, path, method):
    place = things(name, path)
    etag = world.rosa(method, place)["ETag"]
    assert world.rosa(method, place, if_none_match=f'"other", W/{etag}').status_code == 304


def is_list(name, method):
    return method == "get" and (name.endswith("-list") or name == "run-issues")


@pytest.mark.parametrize(("name", "path", "method"), [route for route in ROUTES if is_list(route[0], route[2])])
def test_a_full_page_takes_no_more_queries_than_a_short_one(world, things, name, path, method):
    """Of every list that there is."""
    place = things(name, path)
    run = Run.objects.filter(account=world.maison)[0]

    def add(number):
        code = f"N{number}"
        Run.objects.create(account=world.maison, file_name="a", format_name="b", started_by=world.vera.user)
        Issue.objects.create(run=run, line=number, code="x", severity="error", message="m")
        Feed.objects.create(account=world.maison, name=code, protocol="ftp", host="h", password="x")
        save_draft(world.maison, code, read_format(DOCUMENT))
        add_member(make_account(code), world.rosa.user)
        add_sandbox(world.maison, code=f"{code}-sandbox")
        made = make_connection(world.maison, code, addresses=[{"code": "S1"}], buyers=[{"email": "a@example.com"}])
        make_change(made, user=world.rosa.user)
        for model in LISTS.values():
            fields = {field.name for field in model._meta.fields}
            values = {"currency": "CHF", "label": code} if "currency" in fields else {"code": code}
            model(
                account=world.maison, **values, **({"email": f"{code}@example.com"} if "email" in fields else {})
            ).save()

    def count():
        with CaptureQueriesContext(connection) as queries:
            answer = world.rosa("get", place)
        return len(queries), len(answer.json()["results"])

    add(1)
    count()
    few, found = count()
    for number in range(2, 12):
        add(number)
    assert count() == (few, count()[1])
    assert count()[1] >= found + 10


@pytest.mark.parametrize("token", ["", "csync_nothing", "a b", "ü", "csync_" + "0" * 64])
def test_tokens_that_are_none(world, token):
    client = type(world.rosa.client)()
    answer = client.get("/api/v1/accounts/", HTTP_AUTHORIZATION=f"Bearer {token}".strip())
    assert answer.status_code == 401
    assert answer.json()["code"] in ("authentication_failed", "not_authenticated")


def test_a_url_that_is_none_is_a_problem_too(client, settings):
    settings.DEBUG = False
    answer = client.get("/api/v1/nowhere/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert "/api/v1/docs/" in answer.json()["detail"]
    assert client.get("/nowhere/")["Content-Type"].startswith("text/html")

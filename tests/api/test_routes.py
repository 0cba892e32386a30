"""Who may ask what: every route that there is, for everybody who might ask."""

import json
from copy import deepcopy
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.api.base import AccountView
from accounts.sandboxes import add_sandbox
from connections.models import Suggestion
from dropbox.models import Login, Session
from imports.formats.documents import read_format
from imports.models import Feed, Format, FormatVersion, Issue, Pull, Run
from imports.versioning import save_draft
from lookups.directory import LISTS
from tests.api.conftest import Program
from tests.api.once import _made, things, world
from tests.api.routes import (
    DOCUMENT,
    FORMS,
    LISTED,
    OPEN,
    ROUTES,
    SAFE,
    WRITES,
    fill_account,
    is_list,
    patterns_of_accounts,
)
from tests.builders import add_member, make_account, make_change, make_connection, make_user

__all__ = ["_made", "things", "world"]

pytestmark = pytest.mark.django_db


def test_there_are_routes_to_look_at():
    assert len(ROUTES) > 70
    assert {name for name, *_ in ROUTES} >= {"connection-list", "run-upload", "feed-pull", "format-approve"}


def test_every_view_of_an_account_checks_it():
    for path, view in patterns_of_accounts():
        assert issubclass(view.cls, AccountView), path


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


def test_what_is_anothers_is_not_found_in_ones_own_account(world, things):
    """By every route that names a thing, and on every list."""
    answers = {}
    for name, path, method in ROUTES:
        place = things(name, path)
        own = place.replace("accounts/maison/", "accounts/atelier/")
        if own != place and is_list(name, method) and name != "run-issues":
            found = world.luc(method, own).json()["results"]
            assert not [one for one in world.rosa(method, place).json()["results"] if one in found], name
        elif own != place and path.count("<") > 1:
            answers[name, method] = world_answer(world.luc, method, own, None if method == "get" else {}, name)
    assert len(answers) > 50
    assert {key for key, answer in answers.items() if answer.status_code != 404} == {("format-draft", "put")}, (
        "which makes one where there is none"
    )


def world_answer(program, method, place, body, name):
    if name in FORMS:
        return program.upload(place)
    return program(method, place, body)


@pytest.fixture(scope="module")
def _made_sandbox(_made, django_db_blocker):
    """As what it belongs to, made once."""
    maison = _made[0].maison
    with django_db_blocker.unblock():
        account = add_sandbox(maison)
        fill = fill_account(account)
        sam, ada = Program(make_user("sam")), Program(make_user("ada"))
        add_member(maison, ada.user, "viewer")
        for program in (sam, ada):
            add_member(account, program.user, "editor")
    return fill, sam, ada


@pytest.fixture
def sandbox(world, _made_sandbox):
    """Sam edits the sandbox of maison alone, and Ada views maison and edits its sandbox."""
    fill, *programs = _made_sandbox
    return fill, *deepcopy(programs)


@pytest.mark.parametrize(("name", "path", "method"), [route for route in ROUTES if route[0] not in OPEN])
def test_rights_on_formats_are_those_on_production(world, sandbox, name, path, method):
    """Everything else of a sandbox is its editors' own."""
    fill, sam, ada = sandbox
    place = fill(name, path)
    body: Any = None if method == "get" else {}
    known = FormatVersion.objects.values()[0]
    answers = {program: world_answer(program, method, place, body, name) for program in (sam, ada)}
    if name.startswith("format-") and name != "format-propose":
        assert answers[sam].status_code == 403
        assert "maison" in answers[sam].json()["detail"]
        assert answers[ada].status_code in ((200, 404, 409) if method in SAFE else (403,))
        assert FormatVersion.objects.values()[0] == known
        return
    for answer in answers.values():
        assert answer.status_code not in (401, 403), answer.content


def test_a_proposal_is_saved_by_editors_of_production_alone(world, sandbox):
    _, sam, ada = sandbox
    place = "accounts/maison-sandbox/formats/propose/"
    for program, status in ((sam, 403), (ada, 403), (world.rosa, 200)):
        sample = SimpleUploadedFile("a.csv", b"Nr;Name;Ort\n1;Elm Street;Paris\n2;Harbor Row;Lyon\n")
        answer = program.upload(place, sample=sample, save_as=f"of-{program.user}")
        assert answer.status_code == status, answer.content
        sample.seek(0)
        assert program.upload(place, sample=sample).status_code == 200
    assert set(Format.objects.values_list("name", flat=True)) == {"erp", "of-rosa"}


def test_whoever_has_the_sandbox_alone_uploads_with_any_format_of_production(world, sandbox):
    _, sam, _ = sandbox
    answer = sam.upload("accounts/maison-sandbox/runs/upload/", file=SimpleUploadedFile("a", b"Nr\n"), format="erp@1")
    assert answer.status_code == 202, answer.content


NEW = {*(route[0] for route in LISTED), "run-upload", "lookups-load"}
"""What has no ETag, because it makes something new."""


@pytest.mark.parametrize(("name", "path", "method"), WRITES)
def test_every_write_minds_what_was_seen(world, things, name, path, method):
    place = things(name, path)
    body: Any = {"document": {}} if name == "format-draft" else None if method == "delete" else {}
    if name == "format-propose":
        sample = SimpleUploadedFile("a.csv", b"Nr;Name;Ort\n1;Elm Street;Paris\n")
        answer = world.rosa.upload(place, {"HTTP_IF_MATCH": '"something else"'}, sample=sample, save_as="erp")
    else:
        answer = world.rosa(method, place, body, if_match='"something else"')
    if name in NEW:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "If-Match")
    else:
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


@pytest.mark.parametrize(("name", "path", "method"), [route for route in WRITES if route[2] == "put"])
def test_nothing_is_replaced_unseen(world, things, name, path, method):
    place = things(name, path)
    body: Any = {"document": {}} if name == "format-draft" else {}
    answer = world.rosa(method, place, body)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert world.rosa(method, place, body, if_match="*").status_code not in (412, 428)


@pytest.mark.parametrize(
    ("name", "path", "method"), [route for route in ROUTES if route[0].endswith("-detail") and route[2] == "get"]
)
def test_everything_has_an_etag_that_spares_its_body(world, things, name, path, method):
    place = things(name, path)
    etag = world.rosa(method, place)["ETag"]
    assert world.rosa(method, place, if_none_match=f'"other", W/{etag}').status_code == 304


def test_a_full_page_takes_no_more_queries_than_a_short_one(world, things):
    """Of every list that there is."""
    places = {name: things(name, path) for name, path, _ in LISTED}
    run = Run.objects.filter(account=world.maison)[0]

    def add(number):
        code = f"N{number}"
        Run.objects.create(account=world.maison, file_name="a", format_name="b", started_by=world.vera.user)
        Issue.objects.create(run=run, line=number, code="x", severity="error", message="m")
        feed = Feed.objects.create(account=world.maison, name=code, protocol="ftp", host="h", password="x")
        Pull.objects.create(feed=feed, status="succeeded")
        box = Feed.objects.create(account=world.maison, name=f"box-{number}", protocol="dropbox")
        Login.objects.create(feed=box, user_name=code)
        Session.objects.create(account=world.maison, user_name=code, protocol="SFTP", address="::1")
        save_draft(world.maison, code, read_format(DOCUMENT))
        add_member(make_account(code), world.rosa.user)
        add_sandbox(world.maison, code=f"{code}-sandbox")
        made = make_connection(world.maison, code, addresses=[{"code": "S1"}], buyers=[{"email": "a@example.com"}])
        make_change(made, user=world.rosa.user)
        waiting = make_connection(world.maison, f"W{number}", status="pending")
        Suggestion.objects.create(connection=waiting, other=made, score=0.9, reasons=["same name"])
        for model in LISTS.values():
            fields = {field.name for field in model._meta.fields}
            values = {"currency": "CHF", "label": code} if "currency" in fields else {"code": code}
            model(
                account=world.maison, **values, **({"email": f"{code}@example.com"} if "email" in fields else {})
            ).save()

    def count(place):
        world.rosa("get", place)
        with CaptureQueriesContext(connection) as queries:
            answer = world.rosa("get", place)
        return len(queries), len(answer.json()["results"])

    add(1)
    few = {name: count(place) for name, place in places.items()}
    for number in range(2, 12):
        add(number)
    for name, place in places.items():
        asked, found = count(place)
        assert (name, asked) == (name, few[name][0])
        assert found >= few[name][1] + 10, name


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

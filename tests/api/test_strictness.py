"""What is not understood is refused, on every route: names, texts, bodies and forms that are not as documented."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from imports.models import Run
from tests.api.once import _made, things, world
from tests.api.routes import FORMS, LISTED, OPEN, ROUTES, WRITES

__all__ = ["_made", "things", "world"]

pytestmark = pytest.mark.django_db

TERMS = "accounts/maison/lookups/payment_terms/"
BAD_BODIES = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"code": ' + b"[" * 50 + b"]" * 50 + b"}",
    *(b'{"code": %s}' % number for number in (b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"9" * 30)),
    *(b'{"code": "%s"}' % text for text in (b"a\\u0000", b"\\ud800", b"\xff", b'A", "code": "B')),
    *(b'{"%s": 1}' % name for name in (b"\\ud800", b"a\\u0000")),
    b'{"code": [{"x": "\\udfff"}]}',
    b'{"code": "A"',
    b"\xef\xbb\xbf{}",
    '{"code": "A"}'.encode("utf-16"),
]


def send(program, name, method, place, data: Any, **headers):
    """JSON, or a form where the route takes one; as somebody who has seen what there is."""
    if name in FORMS:
        file = "file" if name == "run-upload" else "sample"
        return program.upload(place, headers, **{file: SimpleUploadedFile("a.txt", b"a;b\n1;2\n")}, **data)
    if name in DETAILS:
        headers["HTTP_IF_MATCH"] = "*"
    return program.client.generic(method, f"/api/v1/{place}", json.dumps(data), "application/json", **headers)


DETAILS = {name for name, path, method in WRITES if method == "put"}


def raw(program, method, place, body, content_type="application/json", **headers):
    return program.client.generic(method, f"/api/v1/{place}", body, content_type, **headers)


def problem_of(answer):
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return answer.json()


# -- names


@pytest.mark.parametrize(("name", "path", "method"), WRITES)
def test_a_field_that_nobody_knows_is_refused_and_nothing_is_done(world, things, name, path, method):
    runs = Run.objects.count()
    answer = send(world.rosa, name, method, things(name, path), {"surprise": "1"})
    assert answer.status_code == 400, answer.content
    assert ("surprise", "unknown") in [(error["field"], error["code"]) for error in problem_of(answer)["errors"]]
    assert Run.objects.count() == runs


@pytest.mark.parametrize(("name", "path", "method"), [route for route in ROUTES if route[0] not in OPEN])
def test_a_parameter_that_nobody_knows_is_refused(world, things, name, path, method):
    place = things(name, path)
    for query, field in (("surprise=1", "surprise"), ("format=json", "format")):
        answer = world.rosa(method, f"{place}?{query}", None if method == "get" else {})
        assert answer.status_code == 400, answer.content
        assert [(error["field"], error["code"]) for error in problem_of(answer)["errors"]] == [(field, "unknown")]


@pytest.mark.parametrize(("name", "path", "method"), LISTED)
def test_pages_and_filters_are_as_documented_or_refused(world, things, name, path, method):
    place = things(name, path)
    for query in (
        "page_size=0",
        "page_size=1001",
        "page_size=ten",
        "page_size=%C2%B2",
        "cursor=x",
        "cursor=",
        "page=2",
    ):
        answer = world.rosa("get", f"{place}?{query}")
        assert (answer.status_code, problem_of(answer)["errors"][0]["field"]) == (400, query.partition("=")[0])
    assert problem_of(world.rosa("get", f"{place}?page_size=1&page_size=2"))["errors"][0]["code"] == "repeated"
    assert world.rosa("get", f"{place}?page_size=1000").status_code == 200


def test_the_nearest_name_is_given(world):
    file = {"file": SimpleUploadedFile("a.txt", b"x")}
    for answer, meant in (
        (world.rosa.upload("accounts/maison/runs/upload/", dryrun="true", **file), "dry_run"),
        (world.rosa("get", "accounts/maison/connections/?updatedSince=2026-01-01T00:00:00Z"), "updated_since"),
        (world.rosa("get", "accounts/maison/runs/?pagesize=5"), "page_size"),
        (world.rosa("post", TERMS, {"code": "A", "nmae": "B"}), "name"),
        (world.rosa("post", "accounts/maison/lookups/", {"entries": [{"list": "warehouses", "cod": "A"}]}), "code"),
    ):
        assert answer.status_code == 400
        assert f"Did you mean {meant}?" in problem_of(answer)["detail"]
    answer = world.rosa("get", "accounts/maison/runs/?zzz=5")
    assert "Known are: cursor, dry_run, feed, file, page_size, since, status." in problem_of(answer)["detail"]


def test_a_problem_says_what_would_be_right(world):
    runs, client = "accounts/maison/runs/", world.rosa.client
    file = SimpleUploadedFile("a.txt", b"x")
    entry = {"entries": [{"list": "shops", "code": "A"}]}
    for answer, status, said in (
        (world.rosa("get", f"{runs}?status=done"), 400, "status: Give one of queued, running,"),
        (world.rosa("get", f"{runs}?since=yesterday"), 400, "since: Give a time such as 2026-01-31T08:00:00Z."),
        (world.rosa("get", "accounts/maison/connections/?not_seen_since=1"), 400, "Give a date such as 2026-01-31."),
        (world.rosa("get", "accounts/maison/?format=json"), 400, "format is not known here. Nothing is."),
        (world.rosa("post", "accounts/maison/lookups/", entry), 400, "entries.0.list: Give one of price_types,"),
        (
            world.rosa.upload(f"{runs}upload/", dry_run="perhaps", file=file),
            400,
            "dry_run: Give true or false.",
        ),
        (
            world.rosa("post", "accounts/maison/feeds/", {"format": "nope"}),
            400,
            "format: There is none of the name nope.",
        ),
        (world.rosa("get", f"{runs}999/"), 404, "or it is not yours to see"),
        (world.rosa("delete", f"{runs}999/"), 405, "DELETE is not possible here; GET, HEAD are."),
        (client.options(f"/api/v1/{TERMS}"), 405, "OPTIONS is not possible here; GET, POST, HEAD are."),
        (client.generic("POST", f"/api/v1/{TERMS}", "a=b", ""), 415, "Send application/json, and say so"),
        (Client().get(f"/api/v1/{runs}"), 401, "`Authorization: Bearer …`"),
        (Client().get(f"/api/v1/{runs}", headers={"Authorization": "Bearer csync_x"}), 401, "Make another one."),
    ):
        assert (answer.status_code, said in problem_of(answer)["detail"]) == (status, True), answer.content


def test_a_filter_without_a_value_is_no_filter_that_takes_all(world):
    answer = world.rosa("get", "accounts/maison/connections/?customer_code=")
    assert (answer.status_code, problem_of(answer)["errors"][0]["code"]) == (400, "blank")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("dry_run", "runs"), ("enabled", "feeds"), ("enabled", "logins"), ("similar", "review"), ("overdue", "review"),
        ("not_in_last_full_file", "connections"), ("run", "changes"), ("after", "pulls"),
    ],
)  # fmt: skip
def test_a_filter_of_another_kind_is_no_filter_that_takes_all(world, name, place):
    for value in ("AAA", "0.5", "1e3", "%D9%A3", "null", "-1"):
        answer = world.rosa("get", f"accounts/maison/{place}/?{name}={value}")
        assert (answer.status_code, [error["field"] for error in problem_of(answer)["errors"]]) == (400, [name]), value
    assert world.rosa("get", f"accounts/maison/{place}/?{name}=1").status_code == 200


@pytest.mark.parametrize(
    "place", ["connections/1/keep", "connections/1/approve", "runs/1/undo", "runs/upload", "changes"]
)
def test_a_method_that_is_none_is_said_before_what_came_with_it(world, place):
    answer = world.rosa("delete", f"accounts/maison/{place}/?x=1", {"surprise": 1})
    assert (answer.status_code, problem_of(answer)["code"]) == (405, "method_not_allowed")


def test_a_field_of_a_form_is_given_once(world):
    body = [("dry_run", "true"), ("dry_run", "false")]
    form = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v.encode()) for n, v in body
    )
    form += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--x--\r\n'
    answer = raw(world.rosa, "POST", "accounts/maison/runs/upload/", form, IN_PARTS)
    assert (answer.status_code, problem_of(answer)["errors"][0]["code"]) == (400, "repeated")


def test_what_can_only_be_read_may_come_back_and_not_be_changed(world):
    made = world.rosa("post", TERMS, {"code": "NEW"})
    place = f"{TERMS}{made.json()['id']}/"
    assert world.rosa("put", place, {**made.json(), "name": "New"}, if_match=made["ETag"]).status_code == 200
    refused = world.rosa("patch", place, {"id": 1})
    assert (refused.status_code, problem_of(refused)["errors"][0]["code"]) == (400, "read_only")
    assert world.rosa("post", TERMS, {"code": "OTHER", "id": 1}).status_code == 400
    account = world.rosa("get", "accounts/maison/").json()
    assert world.rosa("patch", "accounts/maison/", {**account, "name": "Maison!"}).json()["name"] == "Maison!"


def test_details_name_the_field(world):
    detail = problem_of(world.rosa("post", "accounts/maison/lookups/sales_reps/", {}))["detail"]
    assert detail == "code: This field is required. email: This field is required."


# -- bodies


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_json_is_one_document_of_text_and_numbers(world, body):
    for place in (TERMS, "accounts/maison/lookups/"):
        answer = raw(world.rosa, "POST", place, body)
        assert answer.status_code == 400, answer.content
        problem_of(answer)


ONE_OF_A_KIND = {
    "account-detail", "format-draft", "format-propose", "lookups-load", "payment_term-detail", "review-list",
    "run-release",
}  # fmt: skip
"""Routes that are tried with everything; the others, which read a body as these do, with two of each."""
NO_DOCUMENTS = [BAD_BODIES[5], b"[1]", BAD_BODIES[0], BAD_BODIES[2], BAD_BODIES[9], b'"x"']
NO_TYPES: list[tuple[str, dict[str, str]]] = [
    ("nonsense", {}), ("application/json", {"HTTP_CONTENT_ENCODING": "gzip"}),
    ("application/json; charset=utf-16", {}), ("application/json; charset=rot13", {}), ("text/csv", {}),
    ("application/json; charset=idna", {}), ("application/x-www-form-urlencoded", {}),
    ("multipart/form-data; charset=rot13; boundary=x", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "method"), WRITES)
def test_no_route_stumbles_over_a_body(world, things, name, path, method):
    place = things(name, path)
    seen = {"HTTP_IF_MATCH": "*"} if name in DETAILS else {}
    most = None if name in ONE_OF_A_KIND else 2
    for body in NO_DOCUMENTS[:most]:
        answer = raw(world.rosa, method, place, body, **seen)
        assert answer.status_code == (415 if name in FORMS else 400), (body[:20], answer.content)
        problem_of(answer)
    for content_type, headers in NO_TYPES[:most]:
        answer = raw(world.rosa, method, place, b"{}1", content_type, **headers, **seen)
        assert answer.status_code == 415, (content_type, answer.content)
        problem_of(answer)
    chunked = raw(world.rosa, method, place, b"", HTTP_TRANSFER_ENCODING="chunked")
    assert (chunked.status_code, problem_of(chunked)["code"]) == (411, "length_required")


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--x--\r\n'


IN_PARTS = "multipart/form-data; boundary=x"
BAD_FORMS = {
    "no boundary": (FORM, "multipart/form-data"),
    "a boundary that is too long": (FORM, "multipart/form-data; boundary=" + "y" * 300),
    "bad base64": (FORM.replace(b"\r\n\r\nabc", b"\r\nContent-Transfer-Encoding: base64\r\n\r\na"), IN_PARTS),
    "too many fields": (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(1100)) + FORM,
        IN_PARTS,
    ),
    "too many files": (
        b"".join(FORM[:-7].replace(b'"file"', b'"f%d"' % n) + b"\r\n" for n in range(120)) + FORM,
        IN_PARTS,
    ),
    "a text that is too long": (
        b'--x\r\nContent-Disposition: form-data; name="format"\r\n\r\n' + b"y" * 3_000_000 + b"\r\n" + FORM,
        IN_PARTS,
    ),
}


@pytest.mark.parametrize("what", BAD_FORMS)
def test_a_form_that_is_none_is_a_problem(world, what):
    runs = Run.objects.count()
    for place in ("accounts/maison/runs/upload/", "accounts/maison/formats/propose/"):
        answer = raw(world.rosa, "POST", place, *BAD_FORMS[what])
        assert answer.status_code in (400, 413, 415), answer.content
        problem_of(answer)
    assert Run.objects.count() == runs


@pytest.mark.parametrize("name", [b"a\x1b.txt", b"a\xed\xa0\x80.txt", b"a\xc2\x9b.txt", b"..", b"a\xe2\x80\xae.txt"])
def test_names_of_files_are_text(world, name):
    raw(world.rosa, "POST", "accounts/maison/runs/upload/", FORM.replace(b"a.txt", name), IN_PARTS)
    assert all(run.file_name.isprintable() for run in Run.objects.all())


@pytest.mark.parametrize("constants", [b"[" * 100_000, b'{"a": "\\ud800"}', b'{"a": NaN}', b'{"a": "\\u0000"}', b"{"])
def test_documents_within_a_form_are_read_as_strictly(world, constants):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="constants"\r\n\r\n'
        + constants
        + b"\r\n"
        + FORM.replace(b'"file"', b'"sample"')
    )
    answer = raw(world.rosa, "POST", "accounts/maison/formats/propose/", form, "multipart/form-data; boundary=x")
    assert answer.status_code == 400, answer.content
    problem_of(answer)

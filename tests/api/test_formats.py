"""Formats through the API: from a sample to a live version."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.sandboxes import add_sandbox
from imports.models import Feed, FormatVersion
from tests.queue import work

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "accounts/maison/formats/"
SAMPLE = "Nr;Name;Ort\n1;Elm Street;Paris\n2;Harbor Row;Lyon\n"
DOCUMENT = {
    "name": "erp",
    "dialect": {"delimiter": ";"},
    "columns": [
        {"source": "Nr", "target": "customer_code"},
        {"source": "Name", "target": "profile_name"},
        {"constant": "EUR", "target": "price_type_currency"},
        {"constant": "EU Wholesale", "target": "price_type_name"},
    ],
}


def sample(text=SAMPLE):
    return SimpleUploadedFile("sample.csv", text.encode())


def test_a_sample_is_proposed_saved_tested_and_approved(world):
    add_sandbox(world.maison)
    Feed.objects.create(account=world.maison, name="north")
    proposed = world.rosa.upload(
        f"{PATH}propose/", sample=sample(), constants='{"price_type_currency": "EUR"}', save_as="erp"
    ).json()
    assert proposed["draft"] == "erp@1"
    assert proposed["proposal"]["columns"][0]["target"] == "customer_code"
    refused = world.rosa("post", f"{PATH}erp/versions/1/test/", {"without": ["price_type_name"]})
    assert (refused.status_code, "leaves open" in refused.json()["detail"]) == (409, True), refused.content
    saved = world.rosa("put", f"{PATH}erp/draft/", {"document": DOCUMENT}, if_match="*")
    assert saved.status_code == 200, saved.content
    assert saved.json()["version"]["name"] == "erp@1"
    assert world.rosa("post", f"{PATH}erp/versions/1/test/").json()["version"]["status"] == "testing"
    refused = world.rosa("post", f"{PATH}erp/versions/1/approve/", {"reason": "It was tested elsewhere."})
    assert (refused.status_code, "no accepted run" in refused.json()["detail"]) == (409, True)
    tested = world.rosa.upload("accounts/maison-sandbox/runs/upload/", file=sample(), format="erp@1")
    assert tested.status_code == 202, tested.content
    work()
    assert world.rosa("post", f"{PATH}erp/versions/1/approve/").status_code == 409
    live = world.rosa("post", f"{PATH}erp/versions/1/approve/", {"reason": "It was tested elsewhere."}).json()
    assert (live["version"]["status"], live["version"]["approver"]) == ("live", "rosa")
    assert live["feeds"] == [{"feed": "north", "format": None, "uses_it": False}]
    assert world.rosa("post", f"{PATH}erp/start-draft/").json()["version"]["name"] == "erp@2"
    assert world.rosa("get", f"{PATH}erp/versions/2/differences/").json()["differences"] == []
    versions = world.vera("get", f"{PATH}erp/").json()["versions"]
    assert [(version["name"], version["status"]) for version in versions] == [("erp@2", "draft"), ("erp@1", "live")]


def test_a_version_does_without_what_its_sample_does_not_give(world):
    add_sandbox(world.maison)
    proposed = world.rosa.upload(f"{PATH}propose/", sample=sample(), save_as="erp").json()
    asked = [needed["target"] for needed in proposed["proposal"]["constants"]]
    assert "price_type_currency_1" in asked
    tested = world.rosa("post", f"{PATH}erp/versions/1/test/", {"without": asked})
    assert (tested.status_code, tested.json().get("version", {}).get("status")) == (200, "testing"), tested.content
    assert world.rosa("post", f"{PATH}erp/versions/1/test/", {"without": ["discount"]}).status_code == 409


def test_a_version_is_a_document(world):
    world.rosa("put", f"{PATH}erp/draft/", {"document": DOCUMENT})
    found = world.vera("get", f"{PATH}erp/versions/1/").json()
    assert [column.get("source") for column in found["document"]["columns"]] == ["Nr", "Name", None, None]
    assert found["problem"] == ""
    assert world.rosa("put", f"{PATH}again/draft/", {"document": found["document"]}).status_code == 200


def test_a_draft_overwrites_nothing_that_was_not_seen(world):
    place = f"{PATH}erp/draft/"
    assert world.rosa("put", place, {"document": DOCUMENT}, if_match='"anything"').status_code == 412
    seen = world.rosa("put", place, {"document": DOCUMENT})
    version = world.rosa("get", f"{PATH}erp/versions/1/")
    assert version["ETag"] == seen["ETag"]
    assert world.rosa("get", f"{PATH}erp/versions/1/", if_none_match=seen["ETag"]).status_code == 304
    theirs = {**DOCUMENT, "dialect": {"delimiter": "|"}}
    assert world.rosa("put", place, {"document": theirs}, if_match=seen["ETag"]).status_code == 200
    assert world.rosa("put", place, {"document": DOCUMENT}, if_match=seen["ETag"]).status_code == 412
    assert world.rosa("get", f"{PATH}erp/versions/1/").json()["document"]["dialect"]["delimiter"] == "|"
    known = world.rosa("get", f"{PATH}erp/")["ETag"]
    assert world.rosa("get", f"{PATH}erp/", if_none_match=known).status_code == 304


def test_a_draft_is_previewed_with_a_file_in_the_sandbox(world):
    sandbox = add_sandbox(world.maison)
    world.rosa("put", f"{PATH}erp/draft/", {"document": DOCUMENT})
    place = f"accounts/{sandbox.code}/runs/"
    run = world.rosa.upload(f"{place}upload/", file=sample(), format="erp@1", dry_run="true").json()
    work()
    run = world.rosa("get", f"{place}{run['id']}/").json()
    assert (run["status"], run["dry_run"], run["counts"]["created"]) == ("succeeded", True, 2)
    assert not sandbox.connections.exists()
    refused = world.rosa.upload("accounts/maison/runs/upload/", file=sample(), format="erp@1", dry_run="true")
    assert (refused.status_code, "production account" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    "document",
    [{}, {"columns": 3}, {"columns": [{"source": "A", "target": "nothing"}]}, {**DOCUMENT, "dialect": {"x": 1}}],
)
def test_a_document_that_makes_no_sense_is_refused(world, document):
    answer = world.rosa("put", f"{PATH}erp/draft/", {"document": document})
    assert answer.status_code == 422, answer.content
    assert not FormatVersion.objects.exists()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"sample": SimpleUploadedFile("a", b"\x00\x01\x02" * 100)}, 422),
        ({"sample": SimpleUploadedFile("a", SAMPLE.encode()), "constants": "[]"}, 400),
        ({"sample": SimpleUploadedFile("a", SAMPLE.encode()), "constants": '{"nothing": "x"}'}, 400),
        ({"sample": SimpleUploadedFile("a", SAMPLE.encode()), "save_as": "a b"}, 409),
        ({"sample": SimpleUploadedFile("a", SAMPLE.encode()), "quotechar": "~~"}, 400),
    ],
)
def test_what_cannot_be_proposed(world, data, status):
    answer = world.rosa.upload(f"{PATH}propose/", **data)
    assert answer.status_code == status, answer.content


def test_a_proposal_changes_nothing_unless_it_is_saved(world):
    assert world.rosa.upload(f"{PATH}propose/", sample=sample()).json()["draft"] is None
    assert world.rosa("get", PATH).json()["results"] == []


def test_versions_that_are_none(world):
    world.rosa("put", f"{PATH}erp/draft/", {"document": DOCUMENT})
    assert world.rosa("get", f"{PATH}erp/versions/7/").status_code == 404
    assert world.rosa("get", f"{PATH}erp/versions/1/differences/").status_code == 409

"""Connections through the API: found, paged, decided about."""

import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections.api.connections import ConnectionFilter
from connections.history.following import Place, read_behind
from connections.history.recording import recorded_edit
from connections.history.sightings import note_sightings
from connections.models import Change, Connection
from imports.files.exporting import export_json
from lookups.models import CompanyNumber, CustomerGroup, SalesRep
from tests.builders import copy_connection, copy_row, make_account, make_change, make_connection

pytestmark = pytest.mark.django_db

PATH = "accounts/maison/connections/"


@pytest.fixture
def shop(world):
    return make_connection(
        world.maison, "C1", profile_name="Elm Street", addresses=[{"code": "S1"}], doors=[{"code": "D1"}],
        buyers=[{"email": "Ann@example.com"}],
    )  # fmt: skip


def codes(answer):
    assert answer.status_code == 200, answer.content
    return [found["customer_code"] for found in answer.json()["results"]]


def test_a_connection_is_as_the_export_writes_it(world, shop):
    out = io.StringIO()
    export_json(world.maison, out)
    exported = json.loads(out.getvalue())
    (found,) = world.rosa("get", PATH).json()["results"]
    assert {name: found[name] for name in exported} == exported
    assert world.rosa("get", f"{PATH}{shop.pk}/").json() == found


def test_all_are_found_page_by_page_while_others_write(world):
    for number in range(10):
        make_connection(world.maison, f"C{number}")
    seen, page = [], world.rosa("get", f"{PATH}?page_size=3").json()
    while True:
        seen += [found["customer_code"] for found in page["results"]]
        if len(seen) == 3:
            make_connection(world.maison, "A-new-one-before")
            Connection.objects.filter(customer_code="C0").delete()
        if not page["next"]:
            break
        page = world.rosa("get", page["next"].partition("/api/v1/")[2]).json()
    assert seen == [f"C{number}" for number in range(10)]


@pytest.mark.parametrize(
    "query",
    [
        "status=pending", "customer_code=C1", "customer_alias=elm", "profile_name=Elm Street", "address_code=S1",
        "door_code=D1", "buyer_email=ANN@EXAMPLE.COM",
    ],
)  # fmt: skip
def test_a_connection_is_found_by_any_natural_key(world, shop, query):
    make_connection(world.maison, "C2", status="approved")
    Connection.objects.filter(pk=shop.pk).update(customer_alias="elm", status="pending")
    assert codes(world.rosa("get", f"{PATH}?{query}")) == ["C1"]
    assert codes(world.rosa("get", f"{PATH}?{query.partition('=')[0]}=rejected")) == []


@pytest.mark.parametrize(
    ("name", "model"), [("sales_rep", SalesRep), ("customer_group", CustomerGroup), ("company_number", CompanyNumber)]
)
def test_a_connection_is_found_by_an_entry_and_for_an_unknown_code_none_is_looked_at(world, shop, name, model):
    mail = {"email": "rep@example.com"} if model is SalesRep else {}
    entry = model.objects.create(account=world.maison, code="E1", **mail)
    model.objects.create(account=make_account("elsewhere"), code="E2", **mail)
    make_connection(world.maison, "C2")
    Connection.objects.filter(pk=shop.pk).update(**{name: entry})
    assert codes(world.rosa("get", f"{PATH}?{name}=E1")) == ["C1"]
    with CaptureQueriesContext(connection) as asked:
        assert codes(world.rosa("get", f"{PATH}?{name}=E2")) == []
    assert not [query["sql"] for query in asked if 'FROM "connections_connection"' in query["sql"]]


def test_what_was_updated_since(world, shop):
    make_connection(world.maison, "old")
    Connection.objects.filter(customer_code="old").update(updated_at=timezone.now() - timedelta(days=2))
    since = (timezone.now() - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert codes(world.rosa("get", f"{PATH}?updated_since={since}")) == ["C1"]


def test_connections_are_approved_and_rejected_as_duplicates(world, shop):
    original = make_connection(world.maison, "C0", status="approved")
    Connection.objects.filter(pk=shop.pk).update(status="pending")
    approved = world.rosa("post", f"{PATH}{shop.pk}/approve/")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    rejected = world.rosa("post", f"{PATH}{shop.pk}/reject/", {"duplicate_of": "C0"})
    assert (rejected.json()["status"], rejected.json()["duplicate_of"]) == ("rejected", "C0")
    for duplicate_of in ("nowhere", "C1"):
        refused = world.rosa("post", f"{PATH}{shop.pk}/reject/", {"duplicate_of": duplicate_of})
        assert refused.json()["errors"][0]["field"] == "duplicate_of"
    changes = world.rosa("get", "accounts/maison/changes/?customer_code=C1&record=connection").json()["results"]
    assert {change["token"] for change in changes} == {"tests"}
    decided = [(change["field"], change["after"], change["user"]) for change in changes if change["field"] == "status"]
    assert decided == [("status", "rejected", "rosa"), ("status", "approved", "rosa")]
    assert original.pk


def test_a_connection_that_stands_for_duplicates_is_not_rejected(world, shop):
    make_connection(world.maison, "C2", status="rejected", duplicate_of=shop)
    refused = world.rosa("post", f"{PATH}{shop.pk}/reject/")
    assert refused.status_code == 409
    assert "stands for its duplicates C2" in refused.json()["detail"]
    shop.refresh_from_db()
    assert shop.status != "rejected"


def test_changes_of_other_accounts_are_not_told(world, shop):
    make_change(shop)
    assert len(world.vera("get", "accounts/maison/changes/").json()["results"]) == 1
    assert world.luc("get", "accounts/atelier/changes/").json()["results"] == []


def test_changes_of_a_deleted_connection_are_told_with_its_code_to_its_account_alone(world, shop):
    foreign = make_connection(world.atelier, "C1")
    for connection_, program in ((shop, world.rosa), (foreign, world.luc)):
        with recorded_edit([connection_.pk], program.user):
            connection_.delete()
    for account, program in (("maison", world.rosa), ("atelier", world.luc)):
        for query in ("", "?customer_code=C1", "?record=connection"):
            found = program("get", f"accounts/{account}/changes/{query}").json()["results"]
            told = {(one["customer_code"], one["user"]) for one in found}
            assert told == {("C1", program.user.username)}
            assert ("connection", "deleted") in {(one["record"], one["action"]) for one in found}


def test_pages_of_changes_are_read_by_the_index_of_the_account(world, shop):
    """However many changes other accounts have, and whichever customer or time is asked for."""
    others = make_connection(world.atelier, "C1")
    values = {"customer_code": "'C1-' || mod(number, 500)", "at": "now() - (30000 - number) * interval '1 second'"}
    with connection.cursor() as cursor:
        of_theirs, of_mine = make_change(others), make_change(shop)
        for first in range(0, 30_000, 300):
            for row, every, run in ((of_theirs, 1, "NULL"), (of_mine, 10, "number / 100")):
                numbers = f"generate_series({first}, {first + 299}, {every}) number"
                copy_row(cursor, row, numbers, values | {"run_id": run})
        cursor.execute("ANALYZE connections_change")
    mine = Change.objects.filter(account=world.maison)
    behind = Change.objects.filter(account=world.maison).order_by("id")[100]
    for page in (
        mine.filter(pk__lt=behind.pk).order_by("-id"),
        mine.filter(customer_code="C1-0").order_by("-id"),
        mine.filter(run_id=7).order_by("-id"),
        read_behind(mine, Place(behind.at, behind.pk), timezone.now()),
        read_behind(mine, Place(timezone.now() - timedelta(seconds=60)), timezone.now()),
    ):
        plan = json.loads(page[:101].explain(format="json", analyze=True))[0]["Plan"]
        assert most_rows(plan) <= 101, plan
        assert "Seq Scan" not in json.dumps(plan)


def most_rows(node):
    return max([node["Actual Rows"], *(most_rows(child) for child in node.get("Plans", []))])


@pytest.mark.parametrize("path", [PATH, "accounts/maison/changes/"])
def test_a_full_page_takes_no_more_queries_than_a_short_one(world, path):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert world.rosa("get", path).status_code == 200
        return len(queries)

    def add(number):
        made = make_connection(
            world.maison, f"C{number}", addresses=[{"code": "S1"}], buyers=[{"email": f"a{number}@example.com"}]
        )
        make_change(made)

    add(0)
    few = count()
    for number in range(1, 30):
        add(number)
    assert count() == few


def test_who_is_not_seen_in_files_any_more(world, shop):
    known = make_connection(world.maison, "C2")
    Connection.objects.update(created_at=timezone.now() - timedelta(days=40))
    with connection.cursor() as cursor:
        note_sightings(cursor, world.maison.pk, [known.pk], "{}", is_full=True)
    today = timezone.now().date()
    assert codes(world.rosa("get", f"{PATH}?not_seen_since={today}")) == ["C1"]
    assert codes(world.rosa("get", f"{PATH}?not_seen_since={today - timedelta(days=50)}")) == []
    assert codes(world.rosa("get", f"{PATH}?not_in_last_full_file=true")) == ["C1"]
    assert codes(world.rosa("get", f"{PATH}?not_in_last_full_file=false")) == ["C2"]
    found = world.rosa("get", PATH).json()["results"]
    assert {row["customer_code"]: row["last_seen_on"] for row in found} == {"C1": None, "C2": str(today)}


def test_who_asks_for_what_was_updated_since_reads_no_more_than_that(world):
    """Programs poll: most often nothing is new."""
    copy_connection(make_connection(world.maison, "C000000"), 20_000)
    filters = {"updated_since": (timezone.now() + timedelta(seconds=1)).isoformat()}
    page = ConnectionFilter(filters, Connection.objects.filter(account=world.maison)).qs.order_by("customer_code")[:101]
    plan = json.dumps(json.loads(page.explain(format="json", analyze=True))[0]["Plan"])
    assert "updates_of_an_account" in plan
    assert "Seq Scan" not in plan


def test_a_page_far_behind_is_read_by_the_index_alone(world):
    """The database reads as many rows as the page has, wherever it lies."""
    copy_connection(make_connection(world.maison, "C000000"), 20_000)
    page = Connection.objects.filter(account=world.maison, customer_code__gt="C019000").order_by("customer_code")[:101]
    plan = json.loads(page.explain(format="json", analyze=True))[0]["Plan"]
    assert most_rows(plan) <= 101
    assert "Seq Scan" not in json.dumps(plan)
    assert "Sort" not in {plan["Node Type"], *(child["Node Type"] for child in plan.get("Plans", []))}


# -- values that people keep


def test_a_program_keeps_values_and_lets_them_go(world, shop):
    place = f"{PATH}{shop.pk}/"
    city = {"record": "address", "key": "S:S1", "field": "city"}
    types = {"record": "connection", "field": "price_types"}
    assert world.rosa("post", f"{place}keep/", city).status_code == 200
    assert world.rosa("post", f"{place}keep/", city).json()["values"][1:] == []
    told = world.rosa("post", f"{place}keep/", types).json()
    assert [(one["record"], one["key"], one["field"], one["kept_by"]) for one in told["values"]] == [
        ("address", "S:S1", "city", "rosa"),
        ("connection", "", "price_types", "rosa"),
    ]
    assert world.vera("get", f"{place}kept/").json() == told
    origins = world.vera("get", f"{place}origins/").json()["values"]
    assert {(one["record"], one["kept_by"]) for one in origins if one["kept_at"]} == {("price_type", "rosa")}
    assert [change["action"] for change in world.vera("get", "accounts/maison/changes/").json()["results"]] == [
        "kept",
        "kept",
    ]
    assert len(world.rosa("post", f"{place}let-go/", city).json()["values"]) == 1
    assert len(world.rosa("post", f"{place}let-go/", city).json()["values"]) == 1
    seen = world.rosa("get", "accounts/maison/changes/?action=let_go").json()["results"]
    assert [(change["key"], change["field"], change["user"], change["token"]) for change in seen] == [
        ("S:S1", "city", "rosa", "tests")
    ]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"record": "price_type", "key": "EUR EU Wholesale", "field": "lookup"}, "record"),
        ({"record": "connection", "field": "customer_code"}, "field"),
        ({"record": "connection", "key": "C1", "field": "customer_alias"}, "key"),
        ({"record": "address", "field": "city"}, "key"),
        ({"record": "address", "key": "B:S1", "field": "city"}, "key"),
        ({"record": "door", "key": "D1", "field": "city"}, "field"),
    ],
)
def test_what_is_no_value_of_the_connection_is_not_kept(world, shop, asked, field):
    answer = world.rosa("post", f"{PATH}{shop.pk}/keep/", asked)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not shop.kept_values.exists()


def test_who_only_looks_keeps_nothing(world, shop):
    asked = {"record": "connection", "field": "customer_alias"}
    assert world.vera("post", f"{PATH}{shop.pk}/keep/", asked).status_code == 403
    assert world.luc("post", f"{PATH}{shop.pk}/keep/", asked).status_code == 404

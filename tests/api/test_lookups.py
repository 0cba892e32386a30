"""The lists through the API: entry by entry, or many at once."""

import pytest

from connections.models import ConnectionPaymentTerm
from lookups.directory import LISTS
from lookups.models import PaymentTerm, SalesRep
from tests.builders import make_connection

pytestmark = pytest.mark.django_db

PATH = "accounts/maison/lookups/"


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_listed_for_its_account_alone(world, name):
    found = world.vera("get", f"{PATH}{name}/").json()["results"]
    mine = LISTS[name]._default_manager.filter(account=world.maison).order_by("id")
    assert [entry["id"] for entry in found] == [entry.pk for entry in mine]
    theirs = LISTS[name]._default_manager.filter(account=world.atelier)[0]
    assert world.rosa("get", f"{PATH}{name}/{theirs.pk}/").status_code == 404


def test_an_entry_is_added_changed_and_removed(world):
    made = world.rosa("post", f"{PATH}payment_terms/", {"code": "N90", "name": "Net 90"})
    assert (made.status_code, made.json()["code"]) == (201, "N90")
    place = f"{PATH}payment_terms/{made.json()['id']}/"
    assert world.rosa("patch", place, {"name": "Ninety days"}).json()["name"] == "Ninety days"
    assert world.rosa("put", place, {"code": "N91", "name": ""}, if_match="*").json()["code"] == "N91"
    assert world.rosa("delete", place).status_code == 204
    assert world.rosa("get", place).status_code == 404


@pytest.mark.parametrize(
    ("name", "entry", "field"),
    [
        ("payment_terms", {"code": "N30"}, "non_field_errors"),
        ("payment_terms", {"code": " N31"}, None),
        ("price_types", {"currency": "XXQ", "label": "x"}, "currency"),
        ("price_types", {"currency": "USD", "label": "US Wholesale"}, "non_field_errors"),
        ("sales_reps", {"code": "R9", "email": "ROSA@example.com"}, "non_field_errors"),
        ("sales_reps", {"code": "R9"}, "email"),
    ],
)
def test_what_cannot_be_an_entry_is_refused(world, name, entry, field):
    answer = world.rosa("post", f"{PATH}{name}/", entry)
    if field is None:
        assert answer.status_code == 201
        return
    duplicate = field == "non_field_errors"
    assert (answer.status_code, answer.json()["code"]) == ((409, "duplicate") if duplicate else (400, "invalid"))
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_entry_in_use_stays(world):
    term = PaymentTerm.objects.filter(account=world.maison)[0]
    ConnectionPaymentTerm.objects.create(connection=make_connection(world.maison, "C1"), lookup=term)
    answer = world.rosa("delete", f"{PATH}payment_terms/{term.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


def test_many_entries_go_in_together(world):
    entries = [
        {"list": "payment_terms", "code": "N90", "name": "Net 90"},
        {"list": "payment_terms", "code": "N30", "name": "Thirty"},
        {"list": "price_types", "currency": "CHF", "name": "Swiss"},
        {"list": "sales_reps", "code": "REP9", "name": "New", "email": "new@example.com"},
    ]
    tried = world.rosa("post", PATH, {"entries": entries, "dry_run": True})
    assert tried.json()["lists"]["payment_terms"] == {"created": 1, "updated": 1, "unchanged": 0}
    assert not SalesRep.objects.filter(code="REP9").exists()
    assert world.rosa("post", PATH, {"entries": entries}).json() == tried.json()
    assert SalesRep.objects.get(account=world.maison, code="REP9").email == "new@example.com"


def test_one_bad_entry_keeps_all_out(world):
    entries = [{"list": "payment_terms", "code": "N90"}, {"list": "sales_reps", "code": "R9", "email": "x"}]
    answer = world.rosa("post", PATH, {"entries": entries})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("entries.1.email", "invalid_email")
    assert not PaymentTerm.objects.filter(code="N90").exists()


def test_a_list_is_searched_by_its_keys(world):
    found = world.rosa("get", f"{PATH}sales_reps/?email=rosa@example.com").json()["results"]
    assert [entry["code"] for entry in found] == ["REP1"]

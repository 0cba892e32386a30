"""Connections as a resource of django-import-export, used as its documentation says."""

from dataclasses import replace
from typing import Any

import pytest
from import_export.exceptions import ImportError as RowsRefused
from import_export.results import Result, RowResult
from tablib import Dataset

from connections.models import Change, Connection
from imports.errors import SettingsWrong
from imports.models import Run
from imports.resources import ConnectionResource
from imports.runs.previewing import MOST_SHOWN
from imports.versioning import save_draft
from tests.builders import add_lookups, add_member, make_account, make_connection, make_user
from tests.imports.customer_files import BILLING, NEW, SHIPPING, customers_of, kept_bytes
from tests.imports.test_versioning import FILE, SPEC

pytestmark = pytest.mark.django_db


def dataset(*rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Dataset(*([row.get(name) for name in columns] for row in rows), headers=columns)


def kinds(result: Any) -> dict[str, str]:
    return {row.customer_code: row.import_type for row in result.rows}


@pytest.fixture
def resource(account):
    return ConnectionResource(account)


def test_a_dataset_goes_in_through_the_pipeline(account, resource):
    result = resource.import_data(dataset(NEW | SHIPPING, NEW | BILLING), file_name="march.txt")
    assert isinstance(result, Result)
    assert (kinds(result), result.totals["new"], result.total_rows) == ({"C1": "new"}, 1, 2)
    assert not result.has_errors()
    assert not result.has_validation_errors()
    connection = account.connections.get()
    assert (result.rows[0].object_id, result.rows[0].object_repr) == (connection.pk, "C1")
    assert connection.addresses.count() == 2
    run = Run.objects.get()
    assert (run, run.file_name, run.status) == (result.run, "march.txt", "succeeded")
    assert kept_bytes(run.kept_file).startswith(b"customer_code|profile_name|")


def test_a_dry_run_says_the_same_and_changes_nothing(account, resource):
    make_connection(account, "C0")
    rows = dataset(NEW, {**NEW, "customer_code": "C0"}, {**NEW, "customer_code": "C2", "profile_name": ""})
    dry, changes = resource.import_data(rows, dry_run=True), Change.objects.count()
    assert (list(account.connections.values_list("profile_name", flat=True)), changes) == (["Customer C0"], 0)
    assert dry.rows[0].object_id is None
    real = resource.import_data(rows)
    assert account.connections.count() == 2
    assert kinds(dry) == kinds(real) == {"C1": "new", "C0": "update", "C2": "invalid"}
    assert dry.totals == real.totals
    assert [row.diff for row in dry.rows] == [row.diff for row in real.rows]


def test_the_diffs_are_what_the_run_changed(account, resource):
    known = make_connection(
        account, "C1", profile_name="Harbor Row", website="https://old.example", price_type="EUR EU Wholesale",
        addresses=[{"code": "S1", "city": "Lyon"}], buyers=[{"email": "Ana@example.com", "name": "Ana"}],
    )  # fmt: skip
    row = NEW | SHIPPING | {
        "website": "https://new.example", "price_type_currency": "USD", "price_type_name": "US Wholesale",
        "shipping_city": "Nice", "shipping_code": "S2", "buyer_email": "ana@example.com", "buyer_name": "Anna",
    }  # fmt: skip
    result = resource.import_data(dataset(row), dry_run=True)
    assert result.rows[0].object_id == known.pk
    assert result.diff_headers == resource.get_diff_headers()
    assert len(result.rows[0].diff) == len(result.diff_headers)
    changes = dict(result.rows[0].changes)
    assert set(changes) == {"website", "price_types", "addresses", "buyers"}
    assert "<del" in changes["website"]
    assert "<ins" in changes["website"]
    assert "S:S2 (Nice, FR)" in changes["addresses"].replace("</ins>", "")
    assert "EU Wholesale" in changes["price_types"] or ">E" in changes["price_types"]
    columns = dict(zip(result.diff_headers, result.rows[0].diff, strict=True))
    assert columns["profile_name"] == "<span>Harbor Row</span>"


def test_a_diff_shows_markup_as_text(resource):
    result = resource.import_data(dataset({**NEW, "profile_name": "<script>alert(1)</script>"}), dry_run=True)
    assert "<script>" not in dict(result.rows[0].changes)["profile_name"]


def test_a_customer_that_is_wrong_is_invalid_and_the_others_go_in(account, resource):
    rows = dataset(NEW, {**NEW, "customer_code": "C2", "discount": "12.5"}, {**NEW, "customer_code": ""})
    result = resource.import_data(rows, collect_failed_rows=True)
    assert list(account.connections.values_list("customer_code", flat=True)) == ["C1"]
    assert [(row.number, row.import_type) for row in result.rows] == [(1, "new"), (2, "invalid"), (3, "error")]
    (invalid,) = result.invalid_rows
    assert (invalid.number, list(invalid.field_specific_errors)) == (2, ["discount"])
    assert "Line 3" in invalid.field_specific_errors["discount"][0]
    assert result.has_errors()
    ((number, errors),) = result.row_errors()
    assert number == 3
    assert "customer_code is required" in str(errors[0].error)
    assert (result.totals["new"], result.totals["invalid"], result.totals["error"]) == (1, 1, 1)
    assert [row["customer_code"] for row in result.failed_dataset.dict] == ["C2", ""]
    assert "12.5" in result.failed_dataset.dict[0]["Error"]


def test_rows_are_numbered_as_in_the_dataset_whatever_lines_they_take(resource):
    rows = dataset({**NEW, "alternate_name": "two\nlines"}, {**NEW, "customer_code": "C2", "discount": "x"})
    result = resource.import_data(rows, dry_run=True)
    assert {row.customer_code: row.number for row in result.rows} == {"C1": 1, "C2": 2}
    assert result.rows[1].row_values["discount"] == "x"


@pytest.mark.parametrize("whole", ["raise_errors", "rollback_on_validation_errors"])
def test_all_goes_in_or_nothing_where_that_is_asked(account, resource, whole):
    rows = dataset(NEW, {**NEW, "customer_code": "C2", "profile_name": ""})
    if whole == "raise_errors":
        with pytest.raises(RowsRefused) as refused:
            resource.import_data(rows, raise_errors=True)
        assert (refused.value.number, refused.value.row["customer_code"]) == (2, "C2")
    else:
        assert resource.import_data(rows, rollback_on_validation_errors=True).has_validation_errors()
    assert not account.connections.exists()
    resource.import_data(dataset(NEW), **{whole: True})
    assert account.connections.count() == 1


def test_what_is_wrong_with_the_whole_file_is_a_base_error(account, resource):
    result = resource.import_data(dataset({"name": "Harbor Row"}))
    assert "customer_code" in str(result.base_errors[0].error)
    assert result.has_errors()
    with pytest.raises(Exception, match="customer_code"):
        resource.import_data(dataset({"name": "Harbor Row"}), raise_errors=True)


def test_rows_are_capped_and_the_rest_is_counted(resource):
    codes = [f"C{number}" for number in range(MOST_SHOWN + 50)]
    rows = [{**NEW, "customer_code": code, "discount": "x" if code == "C249" else ""} for code in codes]
    result = resource.import_data(dataset(*rows))
    assert (len(result.rows), result.left_out) == (MOST_SHOWN, 50)
    assert (result.totals["new"], result.totals["invalid"]) == (MOST_SHOWN + 49, 1)
    assert result.has_validation_errors(), "what is wrong is among the rows that are shown"
    again = resource.import_data(dataset(*rows[:-1], {**NEW, "customer_code": "C249"}))
    assert kinds(again)["C249"] == "new"
    assert (again.totals["skip"], again.left_out, len(again.rows)) == (MOST_SHOWN + 49, 50, MOST_SHOWN)


def test_a_customer_rejected_in_review_is_skipped(account, resource):
    make_connection(account, "C1", status="rejected")
    result = resource.import_data(dataset(NEW))
    assert (kinds(result), result.totals["skip"]) == ({"C1": "skip"}, 1)


def test_an_export_imports_back_and_changes_nothing(account, resource):
    make_connection(
        account, "C1", website="https://one.example", price_type="EUR EU Wholesale", discount=10,
        discount_line_item_level=True, buyers=[{"email": "a@example.com"}, {"email": "b@example.com", "name": "Bo"}],
        addresses=[{"code": "S1", "city": "Lyon"}, {"code": "S2", "phone": "+33 1"}, {"kind": "B", "code": "B1"}],
    )  # fmt: skip
    make_connection(account, "C2", profile_name="=1+1", customer_alias="'quoted' | \"pipe\"")
    before = customers_of(account)
    exported = resource.export()
    assert len(exported) == 4
    assert exported.dict[3]["profile_name"] == "=1+1"
    result = resource.import_data(exported)
    assert (kinds(result), result.totals["skip"]) == ({"C1": "skip", "C2": "skip"}, 2)
    assert customers_of(account) == before
    assert not Change.objects.exists()


def test_an_export_holds_only_what_is_asked_for(account, resource):
    make_connection(account, "C1", buyers=[{"email": "a@example.com"}, {"email": "b@example.com"}])
    make_connection(account, "C2")
    exported = resource.export(Connection.objects.filter(customer_code="C2"))
    assert exported["customer_code"] == ["C2"]
    assert "buyer_email_2" not in exported.headers
    chosen = resource.export(Connection.objects.order_by("pk")[:1], export_fields=["customer_code", "buyer_email_1"])
    assert chosen.headers == ["customer_code", "buyer_email_1", "buyer_email_2"]
    assert resource.export([account.connections.get(customer_code="C1")])["customer_code"] == ["C1"]


def test_accounts_are_kept_apart(account):
    northwind, user = make_account("northwind"), make_user("eddie")
    add_lookups(northwind)
    make_connection(account, "C1")
    theirs = make_connection(northwind, "C1", profile_name="Theirs")
    with pytest.raises(ValueError, match="one account"):
        ConnectionResource().export()
    assert len(ConnectionResource(account).export(Connection.objects.all())) == 1
    add_member(account, user, "viewer")
    assert ConnectionResource(user=user).export()["profile_name"] == ["Customer C1"]
    assert len(ConnectionResource(northwind, user=user).export()) == 0
    for other in (account, northwind):
        result = ConnectionResource(other, user=user).import_data(dataset(NEW))
        assert isinstance(result.base_errors[0].error, SettingsWrong)
    assert not Run.objects.exists()
    ConnectionResource(account).import_data(dataset(NEW))
    theirs.refresh_from_db()
    assert theirs.profile_name == "Theirs"


def test_an_account_must_be_named_to_import():
    assert "account" in str(ConnectionResource().import_data(dataset(NEW)).base_errors[0].error)


def test_a_format_reads_a_dataset_with_its_own_columns(account):
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_lookups(sandbox)
    version = save_draft(account, "erp", SPEC)
    rows = Dataset().load(FILE, format="csv", delimiter=";")
    for given in (version, "erp", "erp@1"):
        resource = ConnectionResource(sandbox, version=given)
        result: Any = resource.import_data(rows, dry_run=True)
        assert (result.run.format_version, result.totals["new"]) == (version, result.run.customers), result.base_errors
        assert {field.column_name for field in resource.get_user_visible_fields()} <= set(rows.headers)
    with pytest.raises(SettingsWrong):
        ConnectionResource(account, version="nothing")
    refused = ConnectionResource(account, version=version).import_data(rows)
    assert "production" in str(refused.base_errors[0].error)


def test_the_fields_are_those_of_the_template(resource):
    headers = resource.get_export_headers()
    assert headers == [field.column_name for field in resource.get_user_visible_fields()]
    assert {"customer_code", "profile_name", "buyer_email_1", "shipping_city_1"} <= set(headers)
    assert "id" not in headers
    assert resource.get_import_id_fields() == ("customer_code",)
    assert resource.fields["discount"].clean({"discount": "10 %"}) == 10


def test_a_held_file_says_so_and_shows_what_it_would_have_changed(account):
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_lookups(sandbox)
    save_draft(account, "erp", replace(SPEC, policies=replace(SPEC.policies, max_change_percent=10)))
    rows = Dataset(*([f"C{number}", "New"] for number in range(12)), headers=["Nr", "Name"])
    for code in rows["Nr"]:
        make_connection(sandbox, code, profile_name="Old")
    result: Any = ConnectionResource(sandbox, version="erp").import_data(rows, dry_run=True)
    assert result.run.status == "held"
    assert "held for a person" in str(result.base_errors[0].error)
    assert {"update"} == set(kinds(result).values())
    assert not sandbox.connections.exclude(profile_name="Old").exists()


def test_every_kind_of_result_is_one_of_the_library():
    from imports.resources import IMPORT_TYPES

    assert set(IMPORT_TYPES.values()) - RowResult.valid_import_types == {"invalid", "error"}

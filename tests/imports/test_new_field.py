"""A new field costs its row of the template and the model's field; the rest follows, in a copy of the project."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from benchmarks.servers import Server
from tests.imports.customer_files import BILLING, NEW, SHIPPING
from tests.processes import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {
    "imports/template.py": {
        '    _field("alternate_name",': '    _field("tax_number", "Tax Number", _TEXT, 40, _C, "Its tax number."),\n',
        '        field("city",': '        field("address_3", _TEXT, 100, "Third line of the street address."),\n',
    },
    "connections/models/connections.py": {
        "    alternate_name =": '    tax_number = models.CharField(max_length=40, blank=True, db_default="")\n',
    },
    "connections/models/records.py": {
        "    city =": '    address_3 = models.CharField(max_length=100, blank=True, db_default="")\n',
    },
}
"""What the recipe asks for: by file, lines to be put in front of others. Each stands between two fields of its kind."""

OUTCOME = """
import io, json, sys
from pathlib import Path

import django

django.setup()
from django.apps import apps
from django.core.management import call_command
from django.test import Client

assert Path(apps.get_app_config("imports").path).is_relative_to(Path.cwd()), "not the copy"
call_command("makemigrations", "connections", name="new_fields", verbosity=0)
call_command("makemigrations", check_changes=True, verbosity=0)
call_command("migrate", verbosity=0)

from accounts.tokens import make_token
from connections.models import Address, Change, Connection
from imports.files.exporting import export_file, export_json
from imports.formats.spec import Blank
from imports.resources import ConnectionResource
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.imports.customer_files import Sender, issues_of
from tests.imports.formats.test_spec import column, spec

first, second, long = json.loads(sys.argv[1])
maison, atelier = make_account("maison"), make_account("atelier")
rosa = make_user("rosa", is_superuser=True)
for account in (maison, atelier):
    add_lookups(account)
    add_member(account, rosa)
folder = Path(sys.argv[2])
send, copy = Sender(maison, folder), Sender(atelier, folder)


def told(run):
    return {"status": run.status, "issues": issues_of(run)}


def stored():
    own = Connection.objects.filter(account=maison).values("profile_name", "customer_alias", "tax_number", "website")
    names = ("kind", "code", "address_1", "address_2", "address_3", "city")
    of_addresses = Address.objects.filter(connection__account=maison).order_by("kind").values(*names)
    return {"connection": own.get(), "addresses": list(of_addresses)}


def export(account, write):
    out = io.StringIO()
    write(account, out)
    return out.getvalue()


outcome = {"first": told(send(*first)) | stored()}
second_run = send(*second)
outcome["second"] = told(second_run) | stored()
outcome["long"] = told(send(*long))
outcome["file"] = export(maison, export_file)
outcome["json"] = json.loads(export(maison, export_json))
outcome["dataset"] = ConnectionResource(maison).export().dict
outcome["compared"] = ConnectionResource(maison).get_diff_headers()
outcome["again"] = told(send.text(outcome["file"])) | stored()
copied = copy.text(outcome["file"])
outcome["copied"] = told(copied) | {"file": export(atelier, export_file)}

found = Connection.objects.get(account=maison)
client = Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {make_token(rosa, 'tests')[1]}")
api = "/api/v1/accounts/maison/"
outcome["list"] = client.get(f"{api}connections/").json()["results"]
outcome["detail"] = client.get(f"{api}connections/{found.pk}/").json()
outcome["changes"] = [
    [change[name] for name in ("record", "key", "field", "before", "after")]
    for change in client.get(f"{api}changes/?run={second_run.pk}").json()["results"]
]
browser = Client(SERVER_NAME="localhost")
browser.force_login(rosa)
outcome["form"] = browser.get(f"/admin/connections/connection/{found.pk}/change/").content.decode()

clearing = spec(column("tax_number", blank=Blank.CLEAR))
outcome["cleared"] = told(send.text("customer_code|profile_name|tax_number\\nC1|Harbor Row|\\n", clearing)) | stored()
print(json.dumps(outcome))
"""


def row(prefix: str) -> list[dict[str, str]]:
    """A customer with both addresses, in which every text is its own name."""
    parts = ("address_1", "address_2", "address_3", "city")
    own = {"customer_alias": f"{prefix} alias", "tax_number": f"{prefix} tax"}
    return [
        NEW | own | SHIPPING | {f"shipping_{part}": f"{prefix} {part} S" for part in parts},
        NEW | own | BILLING | {f"billing_{part}": f"{prefix} {part} B" for part in parts},
    ]


LONG = [NEW | {"customer_code": "C2", "tax_number": "x" * 41}, NEW | SHIPPING | {"shipping_address_3": "x" * 101}]


@dataclass
class Copy:
    """The project in a folder of its own, with two fields more and a database of its own."""

    folder: Path

    def add_fields(self) -> None:
        for name, lines in ROWS.items():
            text = (self.folder / name).read_text(encoding="utf-8")
            for before, line in lines.items():
                assert text.count(before) == 1, (name, before)
                text = text.replace(before, line + before)
            (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, program: str, *arguments: str, **variables: str) -> str:
        more = environment(**variables, DJANGO_SETTINGS_MODULE="customersync.settings", PYTHONDONTWRITEBYTECODE="1")
        measured = {name: value for name, value in more.items() if not name.startswith("COV")}
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder, env=measured, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, migrated, django_db_blocker) -> Any:
    """What two files, each with a row of both kinds of address, come to wherever a customer is shown."""
    folder = tmp_path_factory.mktemp("new_field")
    copy = Copy(folder / "project")
    left_out = shutil.ignore_patterns(".*", "var", "__pycache__", "samples", "docs", "node_modules")
    shutil.copytree(ROOT, copy.folder, ignore=left_out)
    copy.add_fields()
    with django_db_blocker.unblock():
        server, database = Server(), f"{connection.settings_dict['NAME']}_new_field"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_TEMPLATE", migrated)  # with all migrations but the new one
            server.create(database)
        try:
            files = json.dumps([row("old"), row("new"), LONG])
            variables = {"DATABASE_URL": server.url(database), "DATA_DIR": str(folder / "data")}
            yield json.loads(copy.run(OUTCOME, files, str(folder), **variables))
        finally:
            server.drop(database)


def expected(prefix: str) -> dict[str, Any]:
    return {
        "connection": {
            "profile_name": "Harbor Row", "customer_alias": f"{prefix} alias", "tax_number": f"{prefix} tax",
            "website": "",
        },
        "addresses": [
            {
                "kind": kind, "code": f"{kind}1",
                **{part: f"{prefix} {part} {kind}" for part in ("address_1", "address_2", "address_3", "city")},
            }
            for kind in "BS"
        ],
    }  # fmt: skip


def test_a_new_field_is_stored_and_changed_by_files(outcome):
    assert outcome["first"] == {"status": "succeeded", "issues": []} | expected("old")
    assert outcome["second"] == {"status": "succeeded", "issues": []} | expected("new")


def test_a_new_field_is_checked_as_its_row_of_the_template_says(outcome):
    assert outcome["long"] == {
        "status": "rejected",
        "issues": [[2, "tax_number", "too_long"], [3, "shipping_address_3_1", "too_long"]],
    }


def test_a_new_field_is_exported_and_comes_back_unchanged(outcome):
    filled: dict[str, str] = {}
    for cells in csv.DictReader(outcome["file"].splitlines(), delimiter="|"):
        filled |= {name: cell for name, cell in cells.items() if cell}
    assert (filled["tax_number"], filled["shipping_address_3_1"]) == ("new tax", "new address_3 S")
    assert filled["billing_address_3_1"] == "new address_3 B"
    assert outcome["again"] == {"status": "succeeded", "issues": []} | expected("new")
    assert outcome["copied"] == {"status": "succeeded", "issues": [], "file": outcome["file"]}


def test_a_new_field_is_shown_wherever_a_customer_is(outcome):
    for shown in (outcome["json"], outcome["detail"], *outcome["list"]):
        assert (shown["customer_alias"], shown["tax_number"]) == ("new alias", "new tax")
        assert [address["address_3"] for address in shown["addresses"]] == ["new address_3 B", "new address_3 S"]
    assert len(outcome["list"]) == 1
    assert {cells["tax_number"] for cells in outcome["dataset"]} == {"new tax"}
    assert "tax_number" in outcome["compared"]


def test_a_new_field_is_in_the_change_log(outcome):
    changes = {(record, key, field): (before, after) for record, key, field, before, after in outcome["changes"]}
    parts = ("address_1", "address_2", "address_3", "city")
    assert changes == {
        ("connection", "", "customer_alias"): ("old alias", "new alias"),
        ("connection", "", "tax_number"): ("old tax", "new tax"),
        **{
            ("address", f"{kind}:{kind}1", part): (f"old {part} {kind}", f"new {part} {kind}")
            for kind in "BS"
            for part in parts
        },
    }


def test_a_new_field_is_in_the_form_of_a_connection(outcome):
    for name, value in (("tax_number", "new tax"), ("addresses-0-address_3", "new address_3")):
        assert f'name="{name}"' in outcome["form"]
        assert f'value="{value}' in outcome["form"]


def test_a_blank_column_of_a_new_field_can_clear_it(outcome):
    assert outcome["cleared"] == {"status": "succeeded", "issues": []} | expected("new") | {
        "connection": expected("new")["connection"] | {"tax_number": ""}
    }

"""The contract: what generated requests make of it, of who edits one account and views another."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imports.models import Feed, Run
from lookups.directory import LISTS
from tests.api.test_formats import DOCUMENT
from tests.builders import add_member, make_account, make_connection

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = os.environ.get("SCHEMA_EXAMPLES", "2")
PHASES = os.environ.get("SCHEMA_PHASES", "fuzzing")
"""By hand, more of each: SCHEMA_EXAMPLES=100 SCHEMA_PHASES=examples,coverage,fuzzing,stateful."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
CONFIG = """
[parameters]
"path.account" = "{account}"
"path.code" = "{account}"
"path.name" = "erp"
"path.number" = 1
"path.id" = 777
"header.If-Match" = "*"
"""


def test_no_request_breaks_the_contract(world, live_server, tmp_path, settings):
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    settings.FEED_TIMEOUT = 1
    program, account = world.rosa, world.maison
    make_connection(account, "C1", pk=777, addresses=[{"code": "S1"}], buyers=[{"email": "a@example.com"}])
    Run.objects.create(pk=777, account=account, file_name="a.txt", format_name="standard template", status="held")
    for name, model in LISTS.items():
        values = {"currency": "CHF", "label": "x"} if name == "price_types" else {"code": "X"}
        values |= {"email": "x@example.com"} if name == "sales_reps" else {}
        model(pk=777, account=account, **values).save()  # type: ignore[misc]  # an id that the requests know
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="127.0.0.1", port=1)
    program("put", f"accounts/{account.code}/formats/erp/draft/", {"document": DOCUMENT})
    add_member(make_account("third"), program.user, "viewer")
    (tmp_path / "schemathesis.toml").write_text(CONFIG.format(account=account.code))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", tmp_path / "schemathesis.toml"]
    command += ["run", f"{live_server.url}/api/v1/schema/", "--checks", CHECKS, "--phases", PHASES, "--seed", "1"]
    command += ["--max-examples", EXAMPLES, "--suppress-health-check", "all", "--no-color"]
    command += ["--header", f"Authorization: Bearer {program.token}"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-12_000:] + ended.stderr[-2000:]
    sys.stdout.write(ended.stdout[-1500:])  # with -rP: how many requests it were
    generated = re.findall(r"([\d,]+) generated", ended.stdout)
    assert int(generated[0].replace(",", "")) > 120

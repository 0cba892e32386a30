"""The walk through docs/api.md, in a shell, as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connections.models import Connection
from imports.models import Run
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.imports.customer_files import NEW, as_text
from tests.processes import environment
from tests.queue import work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine"),
]
ROOT = Path(__file__).resolve().parents[2]


def test_the_walk_through_works(live_server, tmp_path):
    account = make_account("maison")
    add_lookups(account)
    add_member(account, make_user("rosa"), "editor")
    rows = [{**NEW, "customer_code": "10017"}, {**NEW, "customer_code": "2", "discount": "many"}]
    (tmp_path / "customers.txt").write_text(as_text(rows))
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    walk = (ROOT / "docs" / "api.md").read_text().partition("## A walk through")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", walk, re.DOTALL)
    assert len(blocks) == 12
    kept = tmp_path / "kept"
    kept.write_text("")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    printed = []
    for block in blocks:
        block = block.replace("http://127.0.0.1:8000", live_server.url)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"source {kept}\n{block}\nexport -p > {kept}"],
            cwd=tmp_path, env={**environment(PATH=path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, (block, ended.stdout, ended.stderr)
        printed.append(ended.stdout)
        if "upload" in block:
            assert json.loads(ended.stdout)["status"] == "queued"
            work()
    assert json.loads(printed[4])["status"] == "partial"
    assert "discount" in printed[5]
    assert "many" in (tmp_path / "rejects.txt").read_text()
    assert Connection.objects.get().status == "approved"
    assert Run.objects.count() == 1
    assert "revoked" in printed[-1]

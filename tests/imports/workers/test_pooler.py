"""PgBouncer before the database: in session mode all works as without it, in transaction mode nothing begins."""

from __future__ import annotations

import json
import signal

import pytest
from django.utils import timezone

from imports.models import Feed, Run
from tests.imports.customer_files import NEW, SHIPPING, as_text
from tests.poolers import pooler
from tests.processes import start_command, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW | SHIPPING, NEW | {"customer_code": "C2"}]))
    return path


def run(*arguments, **variables):
    process = start_command(*map(str, arguments), **variables)
    said = process.communicate(timeout=120)
    return process.returncode, *said


def test_sessions_that_are_shared_between_transactions_are_refused_in_one_line(account, file, tmp_path):
    for arguments, turns in ((["run_workers"], "0"), (["import_customers", file, "--account", "maison"], "1")):
        with pooler(tmp_path, "transaction", server_round_robin=turns, min_pool_size="2") as url:
            code, _, said = run(*arguments, DATABASE_URL=url)
        assert code == 2, said
        assert said.count("\n") == 1
        assert "The sessions of the database default are shared between transactions. Let DATABASE_URL name" in said
    assert not Run.objects.exists()


def test_imports_pulls_and_workers_go_through_a_pool_of_sessions(account, file, tmp_path):
    with pooler(tmp_path, "session", default_pool_size="30") as url:
        for outcome in ("created", "unchanged"):
            code, said, wrong = run("import_customers", file, "--account", "maison", "--json", DATABASE_URL=url)
            assert (code, json.loads(said)["counts"][outcome]) == (0, 2), wrong
            file.write_text(file.read_text() + "\n")
        feed = Feed.objects.create(account=account, name="erp", protocol="dropbox", queued_at=timezone.now())
        workers = start_command("run_workers", DATABASE_URL=url, WORKERS_BEAT_SECONDS="2")
        wait_until(lambda: feed.pulls.filter(status="succeeded").exists())
        workers.send_signal(signal.SIGTERM)
        said, wrong = workers.communicate(timeout=120)
    assert workers.returncode == 0, wrong
    assert "Traceback" not in wrong

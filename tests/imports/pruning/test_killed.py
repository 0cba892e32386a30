"""A pruning that is killed, beside imports that go on."""

import os
import signal

import pytest
from django.db import connection

from imports.models import Issue, Run
from tests.imports.customer_files import NEW, as_text, import_path
from tests.processes import start_command, wait_until
from tests.pruning import grow_old, prune_all

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 60_000


def test_a_killed_pruning_leaves_what_it_had_committed_and_imports_go_on_meanwhile(account, tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW, {**NEW, "customer_code": "C2", "sales_rep_code": "NOBODY"}]))
    old = Run.objects.create(account=account, file_name="old", status="partial")
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO imports_issue (run_id, code, severity, message, value, customer_code, "column", field)'
            " SELECT %s, 'x', 'error', '', '', '', '', '' FROM generate_series(1, %s)",
            [old.pk, MANY],
        )
    grow_old(old, days=400)
    process = start_command("prune", "issues")
    try:
        wait_until(lambda: Issue.objects.filter(run=old).count() < MANY)
        run = import_path(account, path)
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    left = Issue.objects.filter(run=old).count()
    assert 0 < left < MANY
    assert (run.status, run.issues.count()) == ("partial", 1)
    assert prune_all("issues").total == left
    assert Run.objects.get(pk=run.pk).issues.count() == 1

"""A pruning that is killed, beside imports that go on."""

import os
import signal

import pytest
from django.db import connection

from accounts.pruning import BATCH, PrunedAlready
from imports.models import Issue, Run
from tests.imports.customer_files import NEW, as_text, import_path
from tests.processes import a_session_waits, start_command, wait_until
from tests.pruning import grow_old, prune_all

MANY = 3 * BATCH
STOP_IN_THE_SECOND_BATCH = f"""
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM imports_issue WHERE code = 'x') < {MANY - BATCH} THEN
        PERFORM pg_advisory_xact_lock(7);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stop AFTER DELETE ON imports_issue EXECUTE FUNCTION stop();
SELECT pg_advisory_lock(7);
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stopped():
    """Whoever prunes stops before its second batch is committed, until the lock is given back."""
    with connection.cursor() as cursor:
        cursor.execute(STOP_IN_THE_SECOND_BATCH)
        yield
        cursor.execute("SELECT pg_advisory_unlock_all(); DROP FUNCTION stop CASCADE")


def prune_issues(pruned):
    """Note how many went; False while the session of the killed process has not ended."""
    try:
        pruned.append(prune_all("issues").total)
    except PrunedAlready:
        return False
    return True


def test_a_killed_pruning_leaves_what_it_had_committed_and_imports_go_on_meanwhile(account, stopped, tmp_path):
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
    wait_until(a_session_waits)
    run = import_path(account, path)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert Issue.objects.filter(run=old).count() == MANY - BATCH
    assert (run.status, run.issues.count()) == ("partial", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(7)")
    pruned: list[int] = []
    wait_until(lambda: prune_issues(pruned))
    assert pruned == [MANY - BATCH]
    assert Run.objects.get(pk=run.pk).issues.count() == 1

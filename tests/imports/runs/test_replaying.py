"""Replaying: the rejected customers of a kept file are imported again, and never over what came later."""

import json
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from connections.review.decisions import reject
from imports.errors import AccountBusy, SettingsWrong
from imports.formats.documents import read_format
from imports.models import Run
from imports.pipeline import issues as issue_log
from imports.pipeline.claiming import claim_account
from imports.runs.queued import import_queued
from imports.runs.releasing import find_newer
from imports.runs.replaying import check_replay, queue_replay, replay_run
from imports.versioning import save_draft, start_testing
from lookups.models import PaymentTerm
from tests.builders import add_lookups, make_account, make_user
from tests.imports.customer_files import NEW, Sender, import_path, issues_of, kept_bytes, kept_path

pytestmark = pytest.mark.django_db

C1, C2, C3, C4 = ({**NEW, "customer_code": f"C{number}", "profile_name": f"Shop {number}"} for number in range(1, 5))
WAITS = {"payment_terms_code": "N45"}


def renamed(row, name):
    return {**row, "profile_name": name}


def add_term(account, code="N45"):
    PaymentTerm.objects.create(account=account, code=code)


def left_by(run):
    return {issue.customer_code: issue.message for issue in run.issues.filter(code="not_replayed")}


@pytest.fixture
def run(send):
    """C1 was taken; C2 and C3 wait for a payment term."""
    return send(C1, {**C2, **WAITS}, {**C3, **WAITS})


def test_rejected_customers_are_imported_once_the_list_is_mended(account, send, run):
    add_term(account)
    again = replay_run(run)
    assert (again.status, again.replays, again.file_name) == ("succeeded", run, run.file_name)
    assert again.counts == {**dict.fromkeys(Run.COUNTS, 0), "rows": 2, "customers": 2, "created": 2}
    assert send.customer("C2")["payment_terms"] == ["N45"]
    assert again.pk in set(account.connections.get(customer_code="C3").changes.values_list("run_id", flat=True))
    with pytest.raises(SettingsWrong, match="rejected nothing"):
        replay_run(again)


def test_what_is_still_wrong_is_rejected_again_with_its_line_and_can_be_replayed(account, send):
    run = send(C1, {**C2, **WAITS}, {**C3, "payment_terms_code": "N90"})
    add_term(account)
    again = replay_run(run)
    assert (again.status, again.created, again.rejected) == ("partial", 1, 1)
    assert issues_of(again) == [(4, "payment_terms_code_1", "unknown_lookup")]
    assert "C3" in kept_bytes(again.rejects_file).decode()
    add_term(account, "N90")
    assert (replay_run(again).created, replay_run(run).skipped) == (1, 2)


def test_a_replayed_customer_is_unchanged_when_it_is_sent_again(account, send, run):
    add_term(account)
    replay_run(run)
    assert send(C1, {**C2, **WAITS}, {**C3, **WAITS}).unchanged == 3


def test_a_dry_run_changes_nothing(account, send, run):
    add_term(account)
    dry = replay_run(run, dry_run=True)
    assert (dry.dry_run, dry.created, dry.replays) == (True, 2, run)
    assert list(send.customers()) == ["C1"]
    assert replay_run(run).created == 2


def test_customers_that_came_again_are_left_and_named(account, send):
    send(C1, C2, C3, C4)
    run = send(*({**renamed(row, "Old"), **WAITS} for row in (C1, C2, C3, C4)))
    changed = send(renamed(C1, "New"))
    unchanged = send(C2)
    rejected = send({**C3, "discount": "much"})
    add_term(account)
    again = replay_run(run)
    assert (again.status, again.updated, again.skipped, again.customers) == ("succeeded", 1, 3, 4)
    assert left_by(again) == {
        "C1": f"Customer 'C1' is left as it is: run {changed.pk} has taken it since.",
        "C2": f"Customer 'C2' is left as it is: the file of run {unchanged.pk} has it too.",
        "C3": f"Customer 'C3' is left as it is: run {rejected.pk} rejected it too; replay that one.",
    }
    names = {code: customer["profile_name"] for code, customer in send.customers().items()}
    assert names == {"C1": "New", "C2": "Shop 2", "C3": "Shop 3", "C4": "Old"}


def test_where_nobody_knows_whether_a_known_customer_came_again_it_is_left(account, send):
    send(C1)
    run = send({**renamed(C1, "Old"), **WAITS}, {**C2, **WAITS})
    later = send(C1)
    kept_path(later.kept_file).unlink()
    add_term(account)
    again = replay_run(run)
    assert left_by(again).keys() == {"C1"}
    assert f"no copy of the file of run {later.pk} is kept" in left_by(again)["C1"]
    assert again.created == 1  # who was not there cannot have been unchanged


def test_a_later_dry_run_or_another_account_takes_nothing(account, send, run, tmp_path):
    send(C2, dry_run=True)
    other = make_account("atelier")
    add_lookups(other)
    Sender(other, tmp_path)(C2, C3)
    add_term(account)
    assert replay_run(run).created == 2


def test_a_customer_that_was_rejected_in_review_stays_so(account, send):
    send(C1)
    run = send({**renamed(C1, "Old"), **WAITS})
    reject(account.connections.all(), make_user("rosa"))
    add_term(account)
    again = replay_run(run)
    assert (again.skipped, [code for *_, code in issues_of(again)]) == (1, ["rejected_connection"])


def test_all_rejected_customers_are_known_though_issues_are_cut(account, send, monkeypatch):
    monkeypatch.setattr(issue_log, "MOST_OF_A_CODE", 1)
    run = send(C1, {**C2, **WAITS}, {**C3, **WAITS})
    add_term(account)
    assert replay_run(run).created == 2


def test_later_issues_that_are_cut_do_not_hide_who_came_again(account, send, monkeypatch):
    run = send({**C2, **WAITS}, {**C3, **WAITS})
    monkeypatch.setattr(issue_log, "MOST_OF_A_CODE", 1)
    send({**C2, **WAITS}, {**C3, **WAITS})
    add_term(account)
    assert replay_run(run).skipped == 2


DOCUMENT = """
name: erp
dialect: {delimiter: ","}
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {source: Land, target: billing_country}
  - {source: Nr, target: billing_code}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""


@pytest.fixture
def sandbox(account):
    """An account whose format may be edited while it is used."""
    sandbox = make_account("maison-sandbox", sandbox_of=account)
    add_lookups(sandbox)
    return sandbox


def send_with(sandbox, tmp_path, document, text):
    path = tmp_path / "erp.csv"
    path.write_text(text)
    return import_path(sandbox, path, version=save_draft(sandbox, "erp", read_format(document)))


def test_the_format_is_read_as_it_is_now(sandbox, tmp_path):
    run = send_with(sandbox, tmp_path, DOCUMENT, "Nr,Name,Land\n1,One,FR\n2,Two,Utopia\n")
    assert run.status == "partial"
    save_draft(
        sandbox, "erp", read_format(DOCUMENT.replace("billing_country}", "billing_country, value_map: {Utopia: GR}}"))
    )
    again = replay_run(run)
    assert (again.status, again.created) == ("succeeded", 1)
    assert again.format_digest != run.format_digest


def test_a_file_rejected_as_a_whole_is_read_whole(sandbox, tmp_path):
    run = send_with(sandbox, tmp_path, DOCUMENT, 'Nr,Name,Land\n1,One,FR\n2,"Two,FR\n')
    assert (run.status, run.customers) == ("rejected", 0)
    document = DOCUMENT.replace('delimiter: ","', """delimiter: ",", quotechar: ''""")
    save_draft(sandbox, "erp", read_format(document))
    assert replay_run(run).created == 2


def test_rows_that_named_nobody_are_taken_where_they_do_now(sandbox, tmp_path):
    text = "Nr,Name,Land,Old nr\n1,One,FR,1\n,Two,FR,2\n"
    document = DOCUMENT.replace(
        "  - {source: Nr, target: customer_code}",
        "  - {source: Nr, target: customer_code}\n  - {source: Old nr, target: customer_alias}",
    )
    run = send_with(sandbox, tmp_path, document, text)
    assert (run.status, run.rows_rejected) == ("partial", 1)
    start_testing(run.format_version)
    mended = DOCUMENT.replace("{source: Nr, target: customer_code}", "{source: Old nr, target: customer_code}").replace(
        "{source: Nr, target: billing_code}", "{source: Old nr, target: billing_code}"
    )
    save_draft(sandbox, "erp", read_format(mended))
    again = replay_run(run)
    assert (again.created, again.customers) == (1, 1)
    assert sandbox.connections.filter(customer_code="2").exists()


def test_a_format_that_does_not_read_the_file_is_told_before_anything_begins(sandbox, tmp_path):
    run = send_with(sandbox, tmp_path, DOCUMENT, "Nr,Name,Land\n2,Two,Utopia\n")
    save_draft(sandbox, "erp", read_format(DOCUMENT.replace("source: Name", "source: Company")))
    with pytest.raises(SettingsWrong, match="does not read its file"):
        replay_run(run)
    assert Run.objects.count() == 1


def test_limits_of_the_format_hold_no_replay(sandbox, tmp_path):
    rows = "".join(f"{number},Shop,FR\n" for number in range(30)) + "".join(
        f"X{number},Shop,Utopia\n" for number in range(12)
    )
    document = f"{DOCUMENT}policies: {{max_error_percent: 50}}\n"
    run = send_with(sandbox, tmp_path, document, f"Nr,Name,Land\n{rows}")
    assert (run.status, run.rejected) == ("partial", 12)
    assert replay_run(run).status == "rejected"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "succeeded"}, "rejected nothing"),
        ({"status": "undone"}, "is undone"),
        ({"status": "failed"}, "is failed"),
        ({"status": "running"}, "is running"),
        ({"status": "queued"}, "is queued"),
        ({"status": "held", "held_for": "limits"}, "its file is held"),
        (
            {"status": "rejected", "held_for": "limits", "decision": "rejected", "decided_by": "rosa"},
            "rejected by rosa",
        ),
        ({"dry_run": True}, "dry run"),
        ({"kept_file": None}, "no copy of"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(run, fields, why):
    Run.objects.filter(pk=run.pk).update(**fields)
    with pytest.raises(SettingsWrong, match=why):
        check_replay(run)
    with pytest.raises(CommandError) as error:
        call_command("replay_run", str(run.pk))
    assert error.value.returncode == 2
    assert Run.objects.count() == 1


def test_the_command_prints_what_became_of_it(account, send, run):
    add_term(account)
    out = StringIO()
    call_command("replay_run", str(run.pk), "--dry-run", stdout=out)
    assert "2 created" in out.getvalue()
    assert "nothing was kept" in out.getvalue()
    later = send({**C3, **WAITS})
    out = StringIO()
    call_command("replay_run", str(run.pk), "--json", "--reason", "N45 is there", stdout=out)
    told = json.loads(out.getvalue())
    assert Run.objects.get(pk=told["run"]).reason == "N45 is there"
    assert (told["replays"], told["status"], told["counts"]["created"]) == (run.pk, "succeeded", 1)
    assert told["left"] == [
        {"customer_code": "C3", "reason": f"Customer 'C3' is left as it is: run {later.pk} has taken it since."}
    ]


def test_the_command_fails_where_something_is_rejected_again(run):
    with pytest.raises(SystemExit) as stop:
        call_command("replay_run", str(run.pk), stdout=StringIO())
    assert stop.value.code == 1


def test_a_worker_replays_what_is_queued(account, send, run):
    add_term(account)
    rosa = make_user("rosa")
    queued = queue_replay(run, rosa)
    assert (queued.status, queued.replays, str(queued.started_by)) == ("queued", run, "rosa")
    assert queued.kept_file == run.kept_file
    assert queue_replay(run, rosa) == queued  # asked for in two tabs
    import_queued(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, queued.created) == ("succeeded", 2)


def test_a_queued_replay_that_makes_no_sense_any_more_fails_with_the_reason(account, send, run):
    queued = queue_replay(run, make_user("rosa"))
    Run.objects.filter(pk=run.pk).update(status="undone")
    import_queued(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, "is undone" in queued.message) == ("failed", True)


def test_a_replay_is_no_newer_file(account, send, run):
    add_term(account)
    held = Run.objects.create(account=account, file_name="held.txt", status="held")
    replay_run(run)
    assert find_newer(held) is None
    assert find_newer(run) is not None


@pytest.mark.django_db(transaction=True)
def test_a_replay_waits_for_the_account_like_any_other_run(account, run):
    outcomes = []

    def replay():
        try:
            outcomes.append(replay_run(run, patient=False).status)
        except AccountBusy:
            outcomes.append("busy")
        finally:
            connection.close()

    with claim_account(account):
        thread = threading.Thread(target=replay)
        thread.start()
        thread.join()
    assert outcomes == ["busy"]

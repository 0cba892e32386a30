"""Nothing waits for ever: runs show that they live, killed and frozen ones are ended, busy accounts hold no worker."""

import contextlib
import os
import re
import signal
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.health import find_problems
from accounts.sandboxes import add_sandbox
from imports import tasks
from imports.errors import AccountBusy, SettingsWrong
from imports.feeds.claiming import PulledAlready, claim_feed, is_claimed
from imports.feeds.fetching import fetch_file
from imports.feeds.pulling import pull_feed
from imports.feeds.sessions import Sessions
from imports.lanes import Lane
from imports.models import Feed, Message, Pull, Run
from imports.pipeline import beating
from imports.pipeline import importing as pipeline
from imports.pipeline.claiming import claim_account
from imports.pipeline.guards import find_reason_to_hold
from imports.querysets import LEASE
from imports.queueing import request_release
from imports.runs.releasing import release_run
from imports.runs.uploading import store_upload
from imports.tasks import enqueue_due
from imports.versioning import approve, save_draft, start_testing
from tests.builders import add_lookups, make_account, make_user
from tests.feeds import customers, drop, make_feed
from tests.imports.customer_files import import_path, kept_path
from tests.imports.test_versioning import FILE, SPEC
from tests.processes import a_session_waits, run_cluster, start_command, wait_until
from tests.queue import lose_tasks, queued, work
from tests.threads import elsewhere, in_a_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rosa():
    return make_user("rosa")


def upload(account, user, *codes, **options):
    """A file as the API takes it: stored, and in the queue."""
    return store_upload(account, SimpleUploadedFile("customers.txt", customers(*codes).encode()), user, **options)


@contextlib.contextmanager
def merges_blocked():
    """No file can be merged meanwhile: imports stay in the middle of their longest statement."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE connections_connection IN SHARE MODE")
        yield


def busy(account):
    return elsewhere(lambda: claim_account(account))


def import_path_if_free(account, path):
    with contextlib.suppress(AccountBusy):
        return import_path(account, path, patient=False)


def has_running_runs():
    """After the schedule has had its turn."""
    enqueue_due()
    return Run.objects.filter(status="running").exists()


def find_busy_worker(log):
    """The process that said last that it processes something."""
    (name,) = re.findall(r"(Process-\w+) processing \S+ 'imports.tasks.work'", log)[-1:]
    return int(re.findall(rf"{name} ready for work at (\d+)", log)[0])


def killed(run):
    """What a worker that was killed leaves of a queued run."""
    lose_tasks()
    Run.objects.filter(pk=run.pk, status="queued").update(status="running", attempts=F("attempts") + 1, queued_at=None)


# -- signs of life


def test_a_run_shows_that_it_lives_during_a_long_statement(account, tmp_path, monkeypatch):
    monkeypatch.setattr(beating, "TOLD_EVERY", 0.05)
    monkeypatch.setattr(beating, "BEATS_EVERY", 0.1)
    path = drop(tmp_path, "a.txt", "C1")
    process = in_a_thread(lambda: import_path(account, path))
    with elsewhere(merges_blocked):
        process.start()
        wait_until(lambda: Run.objects.filter(stage="Writing").exists())
        seen = Run.objects.get().heartbeat_at
        wait_until(lambda: Run.objects.get().heartbeat_at > seen + timedelta(seconds=0.3))
        assert Run.objects.get().status == "running"
    process.join(60)
    assert Run.objects.get().status == "succeeded"


def test_health_tells_of_runs_that_give_no_sign_of_life(account):
    run = Run.objects.create(account=account, file_name="a", format_name="b")
    assert not any("sign of life" in problem for problem in find_problems())
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - LEASE - timedelta(seconds=1))
    assert "1 runs gave no sign of life for 5 minutes" in find_problems()[0]


def test_health_tells_of_uploads_that_nobody_takes(account, rosa):
    run = upload(account, rosa, "C1")
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=31))
    assert any("1 uploads wait for more than 30 minutes" in problem for problem in find_problems())


# -- killed and frozen processes


def test_an_upload_whose_worker_is_killed_is_taken_up_again(account, rosa, tmp_path):
    with run_cluster(tmp_path):
        with elsewhere(merges_blocked):
            run = upload(account, rosa, "C1")
            wait_until(a_session_waits)
            os.kill(find_busy_worker((tmp_path / "cluster.log").read_text()), signal.SIGKILL)
            wait_until(lambda: not has_running_runs())
            assert "taken up again" in Run.objects.get().message
        wait_until(lambda: Run.objects.get().status not in ("queued", "running"))
    run.refresh_from_db()
    assert (run.status, run.attempts, run.message) == ("succeeded", 2, "")
    assert account.connections.count() == 1


def test_an_upload_that_kills_its_workers_is_held_and_told(account, rosa):
    run = upload(account, rosa, "C1")
    for attempt in range(1, 4):
        killed(run)
        assert Run.objects.get().attempts == attempt
        enqueue_due()
        assert queued() == [("import_upload", run.pk)]
    work()
    run.refresh_from_db()
    assert (run.status, run.held_for) == ("held", "failures")
    assert "The process ended before the run did" in run.message
    assert "failed 3 times" in run.message
    message = Message.objects.get()
    assert (message.event, message.payload["to"]) == ("run.held", ["rosa@example.com"])
    assert release_run(run, by="rosa").status == "succeeded"


def test_an_upload_whose_session_is_lost_is_imported_all_the_same(account, rosa):
    run = upload(account, rosa, "C1")
    with elsewhere(merges_blocked):
        worker = in_a_thread(work)
        worker.start()

        def cut():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'WITH created%'"
                    " AND datname = current_database() AND pid <> pg_backend_pid()"
                )
                return cursor.fetchone()

        wait_until(cut)
        worker.join(60)
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("queued", 1)
    assert "gave up" in run.message
    enqueue_due()
    work()
    run.refresh_from_db()
    assert (run.status, run.message, Message.objects.count()) == ("succeeded", "", 0)


FILL_DISK = """
CREATE FUNCTION fill_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'could not extend file' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER fill_disk BEFORE INSERT ON connections_connection EXECUTE FUNCTION fill_disk();
"""
MAKE_ROOM = "DROP TRIGGER fill_disk ON connections_connection; DROP FUNCTION fill_disk()"


@contextlib.contextmanager
def full_disk():
    """That of the server, as it is for whoever stores a customer."""
    with connection.cursor() as cursor:
        cursor.execute(FILL_DISK)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(MAKE_ROOM)


def test_a_full_disk_of_the_server_counts_against_no_file_which_is_tried_once_a_minute(account, rosa, caplog):
    run = upload(account, rosa, "C1")
    with full_disk():
        for _ in range(4):
            work()
            run.refresh_from_db()
            assert (run.status, run.attempts, run.queued_at) == ("queued", 0, None)
            enqueue_due()
    assert "could not extend file. Make room on the disk of the database's server." in run.message
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 4
    work()
    run.refresh_from_db()
    assert (run.status, run.message, Message.objects.count()) == ("succeeded", "", 0)


def test_a_frozen_import_is_ended_and_frees_its_account(account, tmp_path):
    path = drop(tmp_path, "a.txt", "C1")
    with elsewhere(merges_blocked):
        frozen = start_command("import_customers", str(path), "--account", account.code)
        wait_until(a_session_waits)
        frozen.send_signal(signal.SIGSTOP)
        enqueue_due()
        assert Run.objects.get().status == "running"
        Run.objects.update(heartbeat_at=timezone.now() - LEASE - timedelta(seconds=1))
        enqueue_due()
        run = Run.objects.get()
        assert (run.status, "Nothing was applied" in run.message) == ("failed", True)
    assert import_path(account, path).status == "succeeded"
    frozen.send_signal(signal.SIGCONT)
    _, errors = frozen.communicate(timeout=60)
    assert frozen.returncode == 1
    assert "Nothing was applied" in errors
    assert "Traceback" not in errors
    assert Run.objects.get(pk=run.pk).message == run.message


def test_a_frozen_comparison_of_formats_frees_its_account_too(account, tmp_path):
    """What it reads again is a run that gives signs of life, and leaves nothing behind once it is over."""
    (path := tmp_path / "a.csv").write_text(FILE)
    sandbox, version = add_sandbox(account), start_testing(save_draft(account, "erp", SPEC))
    import_path(sandbox, path, version=version)
    version = approve(version, "rosa", reason="a test")
    save_draft(account, "erp", SPEC)
    import_path(account, path, version=version)
    account.connections.all().delete()  # so that either reading has something to merge
    with elsewhere(merges_blocked):
        frozen = start_command("compare_format", "erp", "--account", account.code)
        wait_until(a_session_waits)
        frozen.send_signal(signal.SIGSTOP)
        with pytest.raises(AccountBusy):
            import_path(account, path, version=version, patient=False)
        Run.objects.update(heartbeat_at=timezone.now() - LEASE - timedelta(seconds=1))
        enqueue_due()
        assert not Run.objects.filter(status="running").exists()
    assert import_path(account, path, version=version).status == "succeeded"
    frozen.send_signal(signal.SIGCONT)
    _, errors = frozen.communicate(timeout=60)
    assert (frozen.returncode, "Traceback" in errors) == (1, False)
    Run.objects.filter(dry_run=True).delete()
    call_command("compare_format", "erp", "--account", account.code, stdout=StringIO())
    assert not Run.objects.filter(dry_run=True).exists()


def test_a_process_frozen_beside_its_runs_frees_its_account_too(account, tmp_path, monkeypatch):
    """Its last run is over, or its first one has not begun: nothing is left whose signs of life could be missed."""
    path = drop(tmp_path, "a.txt", "C1")
    with busy(account), pytest.raises(AccountBusy):
        import_path(account, path, patient=False)
    monkeypatch.setattr("imports.pipeline.claiming.LEASE", timedelta(seconds=0.2))
    with busy(account):
        wait_until(lambda: import_path_if_free(account, path))
    assert Run.objects.get().status == "succeeded"


def test_a_process_frozen_beside_its_pulls_frees_its_feed_too(feed, folder, monkeypatch):
    drop(folder, "a.txt", "C1")
    with elsewhere(lambda: claim_feed(feed, Sessions())):
        with pytest.raises(PulledAlready):
            pull_feed(feed)
        Pull.objects.update(status="succeeded")
        with pytest.raises(PulledAlready):
            pull_feed(feed)
        monkeypatch.setattr("imports.feeds.claiming.LEASE", timedelta(seconds=0.2))
        wait_until(lambda: not is_claimed(feed.pk))
        assert pull_feed(feed).imported == 1


def test_an_import_at_a_terminal_ends_a_frozen_one_too(account, tmp_path):
    path = drop(tmp_path, "a.txt", "C1")
    with busy(account):
        Run.objects.create(account=account, file_name="frozen", format_name="b")
        Run.objects.update(heartbeat_at=timezone.now() - LEASE - timedelta(seconds=1))
        assert import_path(account, path).status == "succeeded"
    assert [run.status for run in Run.objects.order_by("pk")] == ["failed", "succeeded"]


def test_a_thawed_process_leaves_the_run_to_whoever_took_it_up(account, rosa, monkeypatch):
    run = upload(account, rosa, "C1")
    real = pipeline._Import._check

    def freeze(self, *arguments):
        monkeypatch.setattr(pipeline._Import, "_check", real)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            session = cursor.fetchone()[0]
        other = in_a_thread(lambda: take_over(session))
        other.start()
        other.join(60)
        return real(self, *arguments)

    def take_over(session):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
        enqueue_due()
        work()
        assert Run.objects.get().status == "succeeded"

    monkeypatch.setattr(pipeline._Import, "_check", freeze)
    work()
    run.refresh_from_db()
    assert (run.status, run.attempts, run.message, run.created) == ("succeeded", 2, "", 1)


# -- busy accounts


def test_a_busy_account_gives_the_worker_back_and_its_files_go_in_as_they_came(account, rosa):
    runs = [upload(account, rosa, "C1") for _ in range(3)]
    with busy(account):
        for run in reversed(runs):
            assert "Another file is being imported" in tasks.import_upload(run.pk)
        lose_tasks()
    assert {run.status for run in Run.objects.all()} == {"queued"}
    assert queued() == [("import_upload", runs[0].pk)]
    work()
    assert [run.status for run in Run.objects.order_by("finished_at")] == ["succeeded"] * 3
    assert list(Run.objects.order_by("finished_at").values_list("pk", flat=True)) == [run.pk for run in runs]
    assert queued(Lane.PROMPT) == []


def test_a_task_takes_the_file_that_waits_longest(account, rosa):
    first, second = upload(account, rosa, "C1"), upload(account, rosa, "C1")
    tasks.import_upload(second.pk)
    assert [run.status for run in (Run.objects.get(pk=first.pk), Run.objects.get(pk=second.pk))] == [
        "succeeded",
        "queued",
    ]
    work()
    assert set(Run.objects.values_list("status", flat=True)) == {"succeeded"}


def test_a_feed_of_a_busy_account_is_pulled_when_the_account_is_free(account, feed, folder):
    drop(folder, "a.txt", "C1")
    Feed.objects.update(next_pull_at=timezone.now())
    with busy(account):
        assert "pulled after it" in tasks.pull(feed.pk)
        assert not Pull.objects.exists()
        assert queued() == []
    assert queued() == [("pull", feed.pk)]
    work()
    assert Run.objects.get().status == "succeeded"
    feed.refresh_from_db()
    assert (feed.waits_for_account, feed.failures) == (False, 0)


def test_a_pull_whose_account_becomes_busy_goes_on_afterwards(account, feed, folder, monkeypatch):
    drop(folder, "a.txt", "C1")
    real, stack = fetch_file, contextlib.ExitStack()

    def fetch(*arguments):
        stack.enter_context(busy(account))
        return real(*arguments)

    monkeypatch.setattr("imports.feeds.taking.fetch_file", fetch)
    with stack:
        assert "pulled after it" in tasks.pull(feed.pk)
        pull = Pull.objects.get()
        assert (pull.status, "The rest is pulled then" in pull.message) == ("succeeded", True)
    monkeypatch.setattr("imports.feeds.taking.fetch_file", real)
    assert queued() == [("pull", feed.pk)]
    work()
    assert Run.objects.get().status == "succeeded"


def test_uploads_into_a_busy_account_keep_no_other_account_waiting(account, rosa, folder, server, tmp_path):
    other = make_account("atelier")
    add_lookups(other)
    feed = make_feed(other, server)
    drop(folder, "a.txt", "C1")
    with run_cluster(tmp_path):
        with busy(account):
            runs = [upload(account, rosa, "C1") for _ in range(4)]
            wait_until(lambda: Run.objects.get(pk=runs[0].pk).queued_at is None)
            enqueue_due()
            wait_until(lambda: Run.objects.filter(feed=feed, status="succeeded").exists())
            assert account.runs.filter(status="queued").count() == 4
        wait_until(lambda: account.runs.filter(status="succeeded").count() == 4)
    ended = account.runs.order_by("finished_at").values_list("pk", flat=True)
    assert list(ended) == [run.pk for run in runs]


# -- releases


@pytest.fixture
def held(account, rosa):
    run = upload(account, rosa, "C1")
    work()
    Run.objects.update(status="held", held_for="limits", message="Too many customers changed.")
    Message.objects.all().delete()
    run.refresh_from_db()
    return run


def test_whoever_asked_for_a_release_is_told_that_it_was_refused(account, held, rosa):
    request_release(held, rosa)
    newer = Run.objects.create(account=account, file_name="b", format_name="c", status="succeeded")
    work()
    held.refresh_from_db()
    assert (held.status, held.release_asked_at, held.decision) == ("held", None, "")
    assert f"A newer file went in since: {newer}" in held.release_problem
    message = Message.objects.get()
    assert (message.event, message.payload["to"]) == ("run.release_refused", ["rosa@example.com"])
    assert message.payload["problem"] == held.release_problem
    request_release(held, rosa, force=True)
    work()
    held.refresh_from_db()
    assert (held.decision, held.decided_by, held.release_problem) == ("released", "rosa", "")


def test_a_release_waits_for_a_busy_account(account, held, rosa):
    request_release(held, rosa)
    with busy(account):
        work()
        assert (queued(), Run.objects.count()) == ([], 1)
    assert queued() == [("release", held.pk)]
    work()
    assert held.releases.get().status == "succeeded"


def test_a_release_that_kills_its_workers_is_refused_in_the_end(account, held, rosa):
    request_release(held, rosa)
    for _ in range(3):
        lose_tasks()
        Run.objects.create(account=account, file_name="a", format_name="b", released_from=held, attempts=1)
        enqueue_due()
        assert queued(Lane.PROMPT) == [("release", held.pk)]
    work()
    held.refresh_from_db()
    assert "could not be released in 3 attempts" in held.release_problem


def test_a_full_disk_of_the_server_counts_against_no_release(account, held, rosa):
    account.connections.all().delete()
    request_release(held, rosa)
    with full_disk():
        for _ in range(4):
            work()
            held.refresh_from_db()
            assert (held.release_problem, held.release_asked_at is None) == ("", False)
            enqueue_due()
    assert list(held.releases.values_list("status", "attempts")) == [("failed", 0)] * 4
    work()
    held.refresh_from_db()
    assert (held.decision, held.releases.first().status) == ("released", "succeeded")


# -- files that fail


@pytest.fixture
def poison(monkeypatch):
    """A file that no code of ours can take."""
    real = find_reason_to_hold

    def fail(run, *arguments):
        if run.file_name == "1.txt":
            raise ZeroDivisionError
        return real(run, *arguments)

    monkeypatch.setattr("imports.pipeline.importing.find_reason_to_hold", fail)
    return monkeypatch


def test_a_file_that_fails_three_times_is_held_and_the_feed_goes_on(feed, folder, poison):
    Feed.objects.update(contacts=["erp@example.com"])
    drop(folder, "1.txt", "C1")
    drop(folder, "2.txt", "C2")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pull_feed(feed)
    assert [(run.status, run.attempts) for run in Run.objects.order_by("pk")] == [
        ("failed", 1), ("failed", 2), ("failed", 3),
    ]  # fmt: skip
    assert pull_feed(feed).imported == 2
    held, other = Run.objects.order_by("pk")[3:]
    assert (held.status, held.held_for, other.status) == ("held", "failures", "succeeded")
    assert "ZeroDivisionError" in held.message
    assert held.issues.get().code == "failed_repeatedly"
    assert kept_path(held.kept_file).is_file()
    assert sorted(Message.objects.filter(kind="email").values_list("event", flat=True))[-1] == "run.held"
    assert pull_feed(feed).imported == 0
    poison.undo()
    with pytest.raises(SettingsWrong, match="A newer file went in"):
        release_run(held, by="rosa")
    released = release_run(held, by="rosa", force=True)
    assert (released.status, released.created) == ("succeeded", 1)


def test_other_bytes_of_the_same_name_are_tried_anew(feed, folder, poison):
    drop(folder, "1.txt", "C1")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            pull_feed(feed)
    drop(folder, "1.txt", "C1", "C2")
    with pytest.raises(ZeroDivisionError):
        pull_feed(feed)
    assert list(Run.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 2, 1]


def test_what_does_not_lie_in_the_file_holds_no_file(feed, folder, settings, tmp_path):
    drop(folder, "1.txt", "C1")
    settings.MEDIA_ROOT = tmp_path / "data"
    (tmp_path / "data" / "incoming").mkdir(parents=True)
    (tmp_path / "data" / "copies").write_text("in the way")
    for _ in range(5):
        assert pull_feed(feed).status == "failed"
    assert set(Run.objects.values_list("status", "attempts")) == {("failed", 0)}
    (tmp_path / "data" / "copies").unlink()
    pull_feed(feed)
    assert Run.objects.latest("pk").status == "succeeded"


def test_killed_processes_count_as_failures_of_the_file(feed, folder):
    drop(folder, "1.txt", "C1")
    with elsewhere(merges_blocked):
        process = start_command("pull_feeds", feed.name)
        wait_until(a_session_waits)
        process.kill()
        process.communicate()
        wait_until(lambda: not has_running_runs())
    assert [(run.status, run.attempts) for run in Run.objects.all()] == [("failed", 1)]
    Run.objects.update(attempts=3)
    pull_feed(feed)
    assert [run.status for run in Run.objects.order_by("pk")] == ["failed", "held"]

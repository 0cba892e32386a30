"""Rows that were kept long enough, and those that something still needs."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Task

from accounts.models import IdempotencyKey, LoginAttempt
from connections.history.provenance import Provenance
from connections.history.timeline import read_timeline
from connections.models import Change
from dropbox.models import Session
from imports.models import Feed, Issue, KeptFile, Message, Pull, Run
from imports.runs.replaying import replay_run
from imports.runs.undoing import undo_run
from tests.builders import add_lookups, make_account, make_user
from tests.imports.customer_files import NEW, as_text, import_path
from tests.pruning import grow_old, prune_all

pytestmark = pytest.mark.django_db(transaction=True)

REJECTED = {**NEW, "customer_code": "C2", "sales_rep_code": "NOBODY"}
LONG = 400


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text(as_text([NEW, REJECTED]))
    return path


@pytest.fixture
def plain_feed(account):
    return Feed.objects.create(account=account, name="erp", protocol="sftp", host="example.com", host_key="x")


def ago(days):
    return timezone.now() - timedelta(days=days)


def forget_copies(*runs):
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(kept_file=None, rejects_file=None)


def add_issues(run, count=1):
    Issue.objects.bulk_create(Issue(run=run, code="x", severity="error", message="") for _ in range(count))


def left_of(model):
    return set(model.objects.values_list("pk", flat=True))


# -- issues


def test_old_issues_go_with_what_was_counted_of_them(account, file):
    old, young = import_path(account, file), import_path(account, file)
    grow_old(old, days=LONG)
    grow_old(young, days=1)
    forget_copies(old)
    assert prune_all("issues").total == 1
    assert [run.issues.count() for run in (old, young)] == [0, 1]
    assert Run.objects.get(pk=old.pk).issue_groups is None
    assert Run.objects.get(pk=young.pk).issue_groups


def test_issues_stay_that_somebody_waits_for(account, file):
    held, queued, told = (Run.objects.create(account=account, file_name=name) for name in ("held", "queued", "told"))
    Run.objects.filter(pk=held.pk).update(status="held", held_for="limits")
    Run.objects.filter(pk=queued.pk).update(status="queued")
    Run.objects.filter(pk=told.pk).update(status="partial")
    message = Message.objects.create(account=account, run=told, kind="webhook", event="run.partial", key="1")
    for run in (held, queued, told):
        add_issues(run)
    grow_old(held, queued, told, days=LONG)
    assert prune_all("issues").total == 0
    Run.objects.filter(pk__in=[held.pk, queued.pk]).update(status="rejected", decision="rejected")
    message.delete()
    assert prune_all("issues").total == 3


def test_a_replay_finds_what_later_runs_rejected_however_old_they_are(account, file, settings):
    """Copies may be kept for longer than issues; of other accounts no issue stays for that."""
    settings.KEEP_FILES_DAYS = 1000
    other = make_account("other")
    add_lookups(other)
    first, second, others = import_path(account, file), import_path(account, file), import_path(other, file)
    grow_old(first, second, others, days=LONG)
    forget_copies(second, others)
    assert prune_all("issues").total == 1
    assert [run.issues.count() for run in (first, second, others)] == [1, 1, 0]
    replay = replay_run(first)
    assert "run 2" in replay.issues.get(code="not_replayed").message.replace(str(second.pk), "2")


def test_an_undo_is_taken_back_to_how_its_run_ended_when_issues_are_gone(account, file):
    run = import_path(account, file)
    connection = account.connections.get()
    later = import_path(account, file_of(file, "Changed"))
    undo, undone = undo_run(run)
    assert undone.left_in_all
    forget_copies(run, later, undo)
    grow_old(run, later, undo, days=LONG)
    prune_all("issues")
    assert undo.issues.filter(code="changed_since").exists()
    undo.refresh_from_db()
    again, _ = undo_run(undo)
    assert Run.objects.get(pk=run.pk).status == "partial"
    undo_run(again)
    assert Run.objects.get(pk=undo.pk).status == "partial"
    assert connection.pk in left_of(type(connection))


def file_of(file, name):
    path = file.with_name(f"{name}.txt")
    path.write_text(as_text([{**NEW, "profile_name": name}]))
    return path


# -- pulls, messages, the queue, sessions


def test_old_pulls_go_but_for_the_last_and_the_last_with_a_file(plain_feed):
    imported, _, _, running = (
        Pull.objects.create(feed=plain_feed, status=status, imported=count)
        for status, count in [("succeeded", 2), ("succeeded", 0), ("failed", 0), ("running", 0)]
    )
    silent = Feed.objects.create(account=plain_feed.account, name="silent", protocol="sftp")
    last = Pull.objects.create(feed=silent, status="succeeded")
    Pull.objects.update(started_at=ago(91))
    young = Pull.objects.create(feed=plain_feed, status="succeeded")
    assert prune_all("pulls").total == 2
    assert left_of(Pull) == {imported.pk, running.pk, last.pk, young.pk}


def test_old_messages_go_that_nobody_waits_for(account):
    held = Run.objects.create(account=account, status="held", held_for="limits")
    kinds = [
        ("delivered", {"delivered_at": ago(91)}),
        ("given up", {"given_up_at": ago(91)}),
        ("waits", {}),
        ("of a held run", {"delivered_at": ago(91), "run": held}),
        ("young", {"delivered_at": ago(1)}),
    ]
    for key, fields in kinds:
        Message.objects.create(account=account, kind="email", event="x", key=key, **fields)
    Message.objects.exclude(key="young").update(created_at=ago(91))
    assert prune_all("messages").total == 2
    assert set(Message.objects.values_list("key", flat=True)) == {"waits", "of a held run", "young"}


def test_results_of_failed_tasks_go(account):
    for number, days in enumerate((31, 29)):
        Task.objects.create(id=str(number), name="x", func="f", started=ago(days), stopped=ago(days), success=False)
    assert prune_all("queue").total == 1
    assert Task.objects.get().id == "1"


def test_stays_on_the_drop_box_go_also_of_hosts_that_are_gone(account):
    ended, _, young = (
        Session.objects.create(account=account, user_name="x", protocol="SFTP", address="::1", server=server)
        for server in ("here:1", "gone:2", "here:3")
    )
    Session.objects.exclude(pk=young.pk).update(seen_at=ago(91))
    Session.objects.filter(pk=ended.pk).update(ended_at=ago(91))
    assert prune_all("stays").total == 2
    assert left_of(Session) == {young.pk}


def test_what_runs_out_goes(client, account):
    rosa = make_user("rosa")
    client.force_login(rosa)
    keys = [IdempotencyKey.objects.create(user=rosa, key=key, fingerprint="") for key in ("old", "young")]
    IdempotencyKey.objects.filter(pk=keys[0].pk).update(made_at=ago(2))
    LoginAttempt.objects.create(username="rosa")
    LoginAttempt.objects.update(at=ago(1))
    session = client.session
    assert prune_all("sessions", "logins", "answers").counts == {"sessions": 0, "logins": 1, "answers": 1}
    type(session).get_model_class().objects.update(expire_date=ago(1))
    assert prune_all("sessions").total == 1
    assert IdempotencyKey.objects.get().key == "young"


@pytest.mark.parametrize("setting", ["ISSUES", "MESSAGES", "PULLS", "QUEUE", "DROPBOX_SESSIONS", "RUNS", "CHANGES"])
def test_no_days_mean_for_ever(account, settings, setting):
    setattr(settings, f"PRUNE_{setting}_AFTER_DAYS", 0)
    name = "stays" if setting == "DROPBOX_SESSIONS" else setting.lower()
    assert prune_all(name).counts == {}


# -- runs


def test_runs_go_that_changed_nothing_and_that_nothing_needs(account, plain_feed, settings):
    settings.PRUNE_RUNS_AFTER_DAYS = 100

    def add(name, **fields):
        return Run.objects.create(**{"account": account, "status": "succeeded", "file_name": name, **fields})

    of_feed = {"feed": plain_feed, "remote_path": "/a.txt"}
    gone = [
        add("unchanged"), add("dry run", dry_run=True), add("taken again since", **of_feed),
        add("moved", feed=plain_feed, remote_path="/b.txt", archived_at=ago(200)),
        add("rejects as later ones", rejects_header="a"),
    ]  # fmt: skip
    for run in gone:
        add_issues(run, 2)
    undone = add("undone", status="undone")
    other = make_account("other")
    kept = KeptFile.objects.create(account=account, key="x")
    needed = [
        add("still on the server", **of_feed), add("kept", kept_file=kept), undone, add("undo", undoes=undone),
        add("held", status="held"), add("queued", status="queued"), add("changed"), add("told"),
    ]  # fmt: skip
    held_elsewhere = add("held", account=other, status="held")
    needed += [held_elsewhere, add("went in after it", account=other), add("last of the other", account=other)]
    Change.objects.create(
        account=account, customer_code="C1", connection_id=1, run_id=needed[6].pk, at=ago(200), action="updated",
        record="connection",
    )  # fmt: skip
    Message.objects.create(account=account, run=needed[7], kind="email", event="x", key="1")
    # whose rejects may come back; a failure is not what the next file is compared with
    last = add("last of its account", rejects_header="a")
    failed = add("failed", status="failed")
    Run.objects.update(started_at=ago(200))
    assert prune_all("runs").total == len(gone)
    assert left_of(Run) == {run.pk for run in [*needed, last, failed]}
    assert not Issue.objects.filter(run__in=gone).exists()


def test_timeline_origins_and_undo_stand_when_runs_around_are_gone(account, file, settings):
    settings.PRUNE_RUNS_AFTER_DAYS = settings.PRUNE_ISSUES_AFTER_DAYS = 100
    made = import_path(account, file)
    same = import_path(account, file)
    changed = import_path(account, file_of(file, "Changed"))
    same_again = import_path(account, file_of(file, "Changed"))
    last = import_path(account, file_of(file, "Changed"))
    forget_copies(made, same, changed, same_again, last)
    grow_old(made, same, changed, same_again, last, days=LONG)
    connection = account.connections.get()
    before = (read_timeline(connection, 100), Provenance(connection).show())
    prune_all()
    assert left_of(Run) == {made.pk, same.pk, changed.pk, last.pk}, "rejects of the second may come back"
    assert (read_timeline(connection, 100), Provenance(connection).show()) == before
    _, undone = undo_run(changed)
    assert (undone.restored, undone.left_in_all) == (1, 0)
    connection.refresh_from_db()
    assert connection.profile_name == NEW["profile_name"]

"""The engine: batches, claims, what an hour may see, and the command."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from accounts import pruning
from accounts.management.commands import prune as command
from accounts.models import LoginAttempt, PruneTally
from accounts.pruning import (
    PrunableRows,
    PrunedAlready,
    find_last_before,
    list_prunables,
    prune,
    prune_by_schedule,
)
from tests.threads import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


class Attempts(PrunableRows):
    name = "attempts"
    label = "attempts"
    setting = "KEEP_FILES_DAYS"

    model = LoginAttempt
    time = "at"

    def find_unneeded(self):
        return LoginAttempt.objects.all()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch, settings):
    monkeypatch.setattr(pruning, "BATCH", 3)
    monkeypatch.setattr(pruning, "list_prunables", lambda names=(): [Attempts()])
    settings.KEEP_FILES_DAYS = 30


def add(count, *, days):
    rows = LoginAttempt.objects.bulk_create(LoginAttempt(username=str(n)) for n in range(count))
    LoginAttempt.objects.filter(pk__in=[row.pk for row in rows]).update(at=timezone.now() - timedelta(days=days))
    return rows


def test_old_rows_go_in_batches_and_young_ones_stay():
    add(8, days=31), add(2, days=29)
    pruned = prune([Attempts()])
    assert (pruned.counts, pruned.is_done, LoginAttempt.objects.count()) == ({"attempts": 8}, True, 2)
    assert PruneTally.objects.get().total == 8


def test_a_process_that_is_killed_in_the_middle_loses_nothing_and_the_next_goes_on(monkeypatch):
    add(8, days=31)
    real = Attempts.prune_batch

    def die(self, before, most):
        if LoginAttempt.objects.count() == 2:
            raise KeyboardInterrupt
        return real(self, before, most)

    monkeypatch.setattr(Attempts, "prune_batch", die)
    with pytest.raises(KeyboardInterrupt):
        prune([Attempts()])
    assert LoginAttempt.objects.count() == 2
    monkeypatch.undo()
    assert prune([Attempts()]).total == 2


def test_two_do_not_prune_at_once():
    with elsewhere(pruning.claim_pruning), pytest.raises(PrunedAlready):
        prune([Attempts()])
    prune([Attempts()])


def test_the_schedule_prunes_so_many_an_hour_and_goes_on_in_the_next(settings, monkeypatch):
    settings.PRUNE_ROWS_PER_HOUR = 5
    add(8, days=31)
    assert (prune_by_schedule(60).total, LoginAttempt.objects.count()) == (5, 3)
    assert prune_by_schedule(60).total == 0
    PruneTally.objects.update(hour=timezone.now() - timedelta(hours=2))
    assert (prune_by_schedule(60).total, LoginAttempt.objects.count()) == (3, 0)
    assert PruneTally.objects.get().total == 8


def test_a_turn_ends_after_its_time_and_says_that_something_is_left():
    add(8, days=31)
    pruned = prune_by_schedule(1e-9)
    assert (pruned.total, pruned.is_done) == (3, False)


def test_what_is_worth_a_look_once_a_day_is_looked_at_once_a_day(monkeypatch):
    monkeypatch.setattr(Attempts, "every", timedelta(days=1))
    add(1, days=31)
    prune_by_schedule(60)
    add(1, days=31)
    assert prune_by_schedule(60).total == 0
    PruneTally.objects.update(at=timezone.now() - timedelta(days=1))
    assert prune_by_schedule(60).total == 1


def test_a_look_that_its_time_ended_goes_on_the_same_day(monkeypatch):
    monkeypatch.setattr(Attempts, "every", timedelta(days=1))
    add(8, days=31)
    assert not prune_by_schedule(1e-9).is_done
    assert prune_by_schedule(60).total == 5
    add(1, days=31)
    assert prune_by_schedule(60).total == 0


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_days_that_no_calendar_has_let_nothing_go(settings, days):
    settings.KEEP_FILES_DAYS = days
    add(1, days=31)
    prune([Attempts()])
    assert LoginAttempt.objects.count() == 1


def test_a_database_that_gives_up_keeps_no_other_kind_waiting(monkeypatch):
    class Broken(Attempts):
        name = "broken"

        def prune_batch(self, before, most):
            raise OperationalError("canceling statement due to lock timeout\nCONTEXT: …")

    add(1, days=31)
    pruned = prune([Broken(), Attempts()])
    assert pruned.problems == ["attempts: The database gave up: canceling statement due to lock timeout."]
    assert pruned.counts == {"broken": 0, "attempts": 1}


@pytest.mark.parametrize("old", [0, 1, 5, 6])
def test_the_last_older_row_is_found_without_an_index_by_time(old):
    rows = add(old, days=31) + add(6 - old, days=1)
    LoginAttempt.objects.filter(pk__in=[row.pk for row in rows[1:3]]).delete()  # numbers have gaps
    expected = max(
        LoginAttempt.objects.filter(at__lt=timezone.now() - timedelta(days=30)).values_list("pk", flat=True), default=0
    )
    assert find_last_before(LoginAttempt.objects.all(), "at", timezone.now() - timedelta(days=30)) == expected


# -- the command


def run_command(*arguments):
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prunes_everything(settings, monkeypatch):
    monkeypatch.setattr(command, "list_prunables", lambda names=(): [Attempts()])
    settings.PRUNE_ROWS_PER_HOUR = 1
    add(8, days=31)
    said = json.loads(run_command("--dry-run", "--json"))
    assert (said["counts"], LoginAttempt.objects.count()) == ({"attempts": 8}, 8)
    assert json.loads(run_command("--most", "4", "--json"))["is_done"] is False
    assert run_command().splitlines()[-1] == "4 went."
    assert not LoginAttempt.objects.exists()


def test_the_command_names_every_kind_and_refuses_others(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path  # other tests leave copies behind that this database does not know
    said = run_command("--dry-run")
    assert all(kind.name in said for kind in list_prunables())
    with pytest.raises(CommandError, match="There is no kind 'everything'; there are copies"):
        run_command("everything")
    with pytest.raises(CommandError, match="from 1"):
        run_command("--most", "0")

"""The watch over the workers, with real processes: whatever is killed, the lanes go on, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from benchmarks.servers import Server
from imports.lanes import Lane
from imports.models import Feed, Heartbeat
from tests.processes import ROOT, environment, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Running:
    """`run_workers`, and its log."""

    def __init__(self, folder, **variables):
        self.log = folder / "workers.log"
        with self.log.open("w") as output:
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "run_workers"],
                cwd=ROOT, env=environment(**{"Q_WORKERS": "4", "WORKERS_BEAT_SECONDS": "0.5", **variables}),
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def family(self):
        return self.process.children(recursive=True)

    def workers(self, lane):
        """The processes of a lane's workers that are ready, by the order in which they came."""
        groups = [os.getpgid(child.pid) for child in self.process.children()]
        ready = re.findall(r"ready for work at (\d+)", self.log.read_text())
        group = groups[list(Lane).index(lane)]
        return [int(one) for one in ready if psutil.pid_exists(int(one)) and os.getpgid(int(one)) == group]


@contextmanager
def running(folder, **variables):
    """Once every lane was seen at work."""
    run = Running(folder, **variables)
    try:
        wait_until(lambda: lanes_seen() == len(Lane))
        yield run
    finally:
        family = run.family if run.process.is_running() else []
        with suppress(psutil.NoSuchProcess):
            run.process.kill()
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        run.process.wait()


def test_workers_are_at_work_again_after_an_idle_one_was_killed_that_held_the_queue(tmp_path, account):
    with running(tmp_path) as run:
        wait_until(lambda: len(run.workers(Lane.FEEDS)) == 2)
        first, second = run.workers(Lane.FEEDS)
        for worker in (first, second):  # one of them waits for a task, the other for its turn to
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: "lane feeds take no tasks any more" in run.log.read_text())
        feed = Feed.objects.create(account=account, name="erp", protocol="dropbox", queued_at=timezone.now())
        wait_until(lambda: feed.pulls.exists())


def test_a_database_that_is_away_is_waited_for_and_they_end_when_they_are_told_to(tmp_path, account):
    with running(tmp_path, WORKERS_BEAT_SECONDS="2") as run:  # none is taken for silent, however busy the machine is
        family = run.family
        with database_away():
            wait_until(lambda: "The database does not answer" in run.log.read_text())
        Heartbeat.objects.all().delete()
        feed = Feed.objects.create(account=account, name="erp", protocol="dropbox", queued_at=timezone.now())
        wait_until(lambda: feed.pulls.exclude(finished_at=None).exists() and lanes_seen() == len(Lane))
        assert run.family == family
        assert run.log.read_text().count("The database does not answer") == 1
        run.process.terminate()
        assert run.process.wait(60) == 0
        assert ended(family)
        assert "Traceback" not in run.log.read_text()


def test_a_lane_whose_first_process_is_killed_is_started_anew_and_all_end_with_their_watch(tmp_path):
    with running(tmp_path) as run:
        prompt = run.process.children()[0]
        orphans = [one for one in run.family if os.getpgid(one.pid) == prompt.pid]
        assert len(orphans) >= 5
        noting = next(one for one in run.process.children() if os.getpgid(one.pid) != one.pid)
        noting.kill()
        wait_until(lambda: ended([noting]))
        Heartbeat.objects.all().delete()
        prompt.kill()
        wait_until(lambda: Heartbeat.objects.filter(name="workers.prompt").exists())
        assert ended(orphans)
        family = run.family
        run.process.kill()
        wait_until(lambda: ended(family))


def lanes_seen():
    return Heartbeat.objects.filter(name__startswith="workers.").count()


def ended(processes):
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


@contextmanager
def database_away():
    """All other sessions are ended, and none can be opened."""
    name, server = connection.settings_dict["NAME"], Server()
    connection.close()
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        yield
    finally:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

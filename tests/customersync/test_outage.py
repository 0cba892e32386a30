"""A database that is away for a while: web, workers and drop box wait for it, and say so once a minute each."""

from __future__ import annotations

import contextlib
import ftplib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests
from django.db import connection

from imports.lanes import Lane
from imports.models import Heartbeat
from tests.builders import PASSWORD, make_account
from tests.dropbox.visitors import FTPSClient, Running, make_box, start_dropbox
from tests.processes import ROOT, environment, free_port, run_cluster, start_command, wait_until
from tests.proxies import gate

pytestmark = pytest.mark.django_db(transaction=True)

KNOWN = {"Cookie": f"sessionid={'x' * 32}", "Authorization": f"Bearer csync_{'x' * 64}"}
"""What a database is asked about."""
SAID = "The database does not answer: "


@contextlib.contextmanager
def run_web(folder: Path, **variables: str):
    port = free_port()
    command = [str(Path(sys.executable).with_name("gunicorn")), "customersync.wsgi", "--bind", f"127.0.0.1:{port}"]
    production = {"DEBUG": "off", "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "off"}
    with (folder / "web.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--threads", "4"], cwd=ROOT, env=environment(**production, **variables), stdout=log, stderr=log
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def test_it_is_said_once_a_minute_and_everything_goes_on_afterwards(tmp_path):
    visitor = make_box(make_account(), tmp_path).login.user_name
    with gate() as way:
        # Twelve seconds of silence, after which a lane is started anew, do not pass on a busy machine either.
        variables = {"DATABASE_URL": way.url(connection.settings_dict["NAME"]), "WORKERS_BEAT_SECONDS": "2"}
        with run_web(tmp_path, **variables) as url, run_cluster(tmp_path, **variables):
            box = start_dropbox(**variables)
            try:
                wait_until(lambda: not find_silent(), say=find_silent)
                wait_until(lambda: status_of(f"{url}/health/ready") == 200)
                inside = log_in(box, visitor)
                way.shut()
                shut_at = time.monotonic()
                wait_until(lambda: SAID in (tmp_path / "cluster.log").read_text())
                assert box.process.stderr is not None
                said = {"dropbox": box.process.stderr.readline()}
                for _ in range(5):
                    assert status_of(f"{url}/health/live") == 200
                    assert status_of(f"{url}/health/ready") == 503
                    for page in ("/admin/", "/api/v1/accounts/maison/runs/"):
                        answer = requests.get(f"{url}{page}", headers=KNOWN, timeout=60)
                        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
                        assert "database does not answer" in answer.text
                with pytest.raises(ftplib.error_temp, match=r"^421 The server's database does not answer"):
                    log_in(box, visitor)
                for command in ("SIZE /in/a.txt", "STOR /in/a.txt", "DELE /in/a.txt"):
                    with pytest.raises(ftplib.error_temp, match=r"^451 The server's database does not answer"):
                        inside.sendcmd(command)
                way.open()
                assert inside.cwd("/in").startswith("250")
                inside.quit()
                minutes = 1 + int(time.monotonic() - shut_at) // 60
                Heartbeat.objects.all().delete()
                wait_until(lambda: status_of(f"{url}/health/ready") == 200)
                log = tmp_path / "cluster.log"
                wait_until(lambda: not find_silent(), say=lambda: f"{find_silent()} are silent: {log.read_text()}")
            finally:
                box.process.send_signal(signal.SIGTERM)
                rest = box.process.communicate(timeout=60)[1]
    said["dropbox"] += rest
    said |= {name: (tmp_path / f"{name}.log").read_text() for name in ("web", "cluster")}
    for name, log in said.items():
        assert 1 <= log.count(SAID) <= minutes, (name, log)
        assert "Traceback" not in log, (name, log)
        grave = [line for line in log.splitlines() if " ERROR " in line or " CRITICAL " in line]
        assert len(grave) == log.count(SAID), (name, log)


def test_a_database_that_never_answers_keeps_nobody_from_looking_after_lanes_or_from_ending(tmp_path):
    with gate() as way:
        variables = {"DATABASE_URL": way.url(connection.settings_dict["NAME"])}
        box = start_dropbox(**variables)
        workers = start_command("run_workers", WORKERS_BEAT_SECONDS="2", **variables)
        wait_until(lambda: not find_silent(), say=find_silent)
        way.hold(b"imports_heartbeat")
        wait_until(lambda: len(way.waiting) == 2)  # the drop box, and who notes the heartbeats of the lanes
        before = psutil.Process(workers.pid).children()
        before[0].kill()
        wait_until(lambda: len(set(psutil.Process(workers.pid).children()) - set(before)) == 1)
        for process in (box.process, workers):
            process.send_signal(signal.SIGTERM)
        said = [process.communicate(timeout=100)[1] for process in (box.process, workers)]
    assert [box.process.returncode, workers.returncode] == [1, 0], said
    assert "The drop box ends without the answers that it waits for" in said[0]
    assert "Traceback" not in "".join(said)


def log_in(box: Running, user_name: str) -> FTPSClient:
    client = FTPSClient(timeout=60)
    client.connect("127.0.0.1", box.ports["FTPS"])
    try:
        client.login(user_name, PASSWORD)
    except ftplib.Error:
        client.close()
        raise
    return client


def find_silent() -> set[str]:
    """Who has given no sign of life."""
    names = {"dropbox", *(lane.heartbeat for lane in Lane)}
    return names - set(Heartbeat.objects.values_list("name", flat=True))


def status_of(url: str) -> int:
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(url, timeout=60).status_code
    return 0

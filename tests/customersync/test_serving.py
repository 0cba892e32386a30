"""The site as operations.md says to serve it: uploads may be slow, and nobody else's reach the disk."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from accounts.tokens import make_token
from imports.models import Run
from tests.builders import add_lookups, add_member, make_account, make_user
from tests.feeds import customers
from tests.imports.customer_files import kept_bytes
from tests.processes import ROOT, environment, free_port, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "/api/v1/accounts/maison/runs/upload/"
BOUNDARY = "b"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="customers.txt"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
TIMEOUT = 4
"""Seconds after which gunicorn ends a worker that gives no sign of life, instead of 30."""


@pytest.fixture
def temporary(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def port(tmp_path, temporary, db):
    """Gunicorn as gunicorn.conf.py has it, but with one worker, which begins at once on a busy machine too."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "customersync.wsgi", "--workers", "1", "--preload"]
    command += ["--timeout", str(TIMEOUT)]
    with (tmp_path / "gunicorn.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=environment(TMPDIR=str(temporary)),
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def maison(db):
    account = make_account("maison")
    add_lookups(account)
    return account


def answers(port):
    """Whether the worker has begun its work; before, requests only pile up."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/static/nothing", timeout=60) as answer:
            return answer
    except HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def ask(port, place, headers, *parts, pause=0.0):
    """Send a request by and by; returns its status, which may come before all is sent."""
    lines = [f"POST {place} HTTP/1.1", "Host: localhost", f"Content-Type: multipart/form-data; boundary={BOUNDARY}"]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as session:
        session.sendall("\r\n".join([*lines, *headers, "", ""]).encode())
        for part in parts:
            session.sendall(part)
            time.sleep(pause)
        return int(session.recv(1000).split()[1])


def token(user):
    return f"Authorization: Bearer {make_token(user, 'tests')[1]}"


def test_a_slow_upload_outlives_the_servers_patience(maison, port):
    rosa = make_user("rosa")
    add_member(maison, rosa, "editor")
    content = customers("C1").encode()
    body = HEAD + content + TAIL
    parts = [body[start : start + 100] for start in range(0, len(body), 100)]
    pause = 1.5 * TIMEOUT / len(parts)
    headers = [token(rosa), f"Content-Length: {len(body)}"]
    assert ask(port, UPLOAD, headers, *parts, pause=pause) == 202
    run = Run.objects.get()
    assert kept_bytes(run.kept_file) == content


def test_who_may_not_upload_is_refused_before_the_file_is_read(maison, port, temporary, client):
    """The answer comes although most of the body never does, and nothing of it lies on the disk."""
    rosa, vera, luc = make_user("rosa"), make_user("vera"), make_user("luc")
    add_member(maison, rosa, "editor")
    add_member(maison, vera, "viewer")
    add_member(make_account("atelier"), luc, "editor")
    client.force_login(vera)
    stranger = "Cookie: csrftoken=" + "x" * 32
    session = f"{stranger}; sessionid={client.cookies['sessionid'].value}"
    large, endless = "Content-Length: 300000000", "Transfer-Encoding: chunked"
    begun = HEAD + b"x" * 200_000
    refused = [
        (UPLOAD, [large], 401),
        (UPLOAD, [large, token(vera)], 403),
        (UPLOAD, [large, session], 403),
        (UPLOAD, [large, token(luc)], 404),
        (UPLOAD, ["Content-Length: 3000000000", token(rosa)], 413),
        (UPLOAD, [endless, token(rosa)], 411),
        ("/admin/login/", [large, stranger], 413),
        ("/admin/imports/run/", [large, stranger], 413),
        ("/admin/login/", [endless], 411),
    ]
    for place, headers, status in refused:
        part = b"%x\r\n%s\r\n" % (len(begun), begun) if endless in headers else begun
        assert ask(port, place, headers, part) == status, (place, headers)
        assert [path.name for path in temporary.rglob("*") if "upload" in path.name] == [], (place, headers)
    assert not Run.objects.exists()

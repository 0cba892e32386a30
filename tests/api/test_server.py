"""Requests as no client library sends them, to the server that production runs: gunicorn, in a process of its own."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from imports.models import Run
from lookups.models import PaymentTerm
from tests.processes import ROOT, environment, free_port, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TERMS = "/api/v1/accounts/maison/lookups/payment_terms/"
UPLOAD = "/api/v1/accounts/maison/runs/upload/"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    b"customer_code|profile_name\r\nC1|Harbor Row\r\n\r\n--x--\r\n"
)
LIMIT = 5000


@pytest.fixture
def server(world, tmp_path):
    """Says what it answers to bytes as they are: status, headers and body."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("gunicorn")), "customersync.wsgi", "--workers=1"]
    command += ["--bind", f"127.0.0.1:{port}"]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log,
            env=environment(UPLOAD_LIMIT=str(LIMIT), DEBUG="off", SECURE_SSL_REDIRECT="off", ALLOWED_HOSTS="localhost"),
        )  # fmt: skip

    def is_up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def ask(method, path, headers, body=b"", *, close=False):
        lines = {"Host": "localhost", "Authorization": f"Bearer {world.rosa.token}", "Connection": "close", **headers}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(head.encode() + b"\r\n" + body)
            if close:
                client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        top, _, rest = answer.partition(b"\r\n\r\n")
        status, *fields = top.decode().split("\r\n")
        found = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        return int(status.split()[1]), found, rest

    try:
        wait_until(is_up)
        yield ask
    finally:
        process.terminate()
        process.wait(60)


def test_bodies_that_are_not_what_their_headers_say(world, server):
    json_type = {"Content-Type": "application/json"}
    form_type = {"Content-Type": "multipart/form-data; boundary=x"}
    body = json.dumps({"code": "NEW", "name": "New"}).encode()
    packed = gzip.compress(body)

    def refused(path, headers, sent, status, *, close=False):
        found, fields, rest = server("POST", path, headers, sent, close=close)
        assert (found, fields["content-type"]) == (status, "application/problem+json"), rest
        assert fields["x-request-id"]
        assert json.loads(rest)["status"] == status
        return fields

    # more than the limit, by the header alone: answered although no byte of it was sent
    refused(TERMS, {**json_type, "Content-Length": "6000000"}, b"", 413)
    refused(UPLOAD, {**form_type, "Content-Length": str(LIMIT + 1)}, b"", 413)
    # a length that is not said
    chunk = b"%x\r\n%s\r\n0\r\n\r\n"
    refused(TERMS, {**json_type, "Transfer-Encoding": "chunked"}, chunk % (len(body), body), 411)
    refused(UPLOAD, {**form_type, "Transfer-Encoding": "chunked"}, chunk % (len(FORM), FORM), 411)
    # compressed
    for coding in ("gzip", "deflate", "br", "GZIP"):
        headers = {**json_type, "Content-Encoding": coding, "Content-Length": str(len(packed))}
        assert refused(TERMS, headers, packed, 415)["accept-encoding"] == "identity"
    # less than was said: half a form, and a whole one that looks complete
    for path, headers, sent, said in (
        (TERMS, json_type, body, len(body) + 5),
        (UPLOAD, form_type, FORM[:-30], len(FORM)),
        (UPLOAD, form_type, FORM, len(FORM) + 400),
    ):
        refused(path, {**headers, "Content-Length": str(said)}, sent, 400, close=True)
    assert not PaymentTerm.objects.filter(code="NEW").exists()
    assert not Run.objects.exists()

    # more than was said: what was said is read, and the rest is no second request
    more = b"POST " + TERMS.encode() + b" HTTP/1.1\r\n\r\n"
    status, _, rest = server("POST", TERMS, {**json_type, "Content-Length": str(len(body))}, body + more)
    assert status == 201, rest
    assert rest.count(b"HTTP/1.1") == 0
    status, _, rest = server("POST", UPLOAD, {**form_type, "Content-Length": str(len(FORM))}, FORM + b"more")
    assert status == 202, rest

    # lengths that are none never reach the program
    for length in ("-1", "1e3", "0x10", "4, 5"):
        assert server("POST", TERMS, {**json_type, "Content-Length": length}, body)[0] == 400


def test_a_write_without_its_slash_is_sent_on_before_its_body_is_read(world, server):
    status, fields, rest = server("POST", UPLOAD[:-1], {"Content-Length": "999999999"}, b"")
    assert (status, fields["location"]) == (308, UPLOAD)
    assert b"Nothing was done" in rest

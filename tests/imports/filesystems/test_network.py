"""Which hosts feeds and webhooks reach, and that nobody who drips is waited for without end: servers on loopback."""

import base64
import contextlib
import html
import io
import ipaddress
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote_plus

import asyncssh
import fsspec
import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.utils import timezone

from imports.feeds.pulling import pull_feed
from imports.filesystems import LoginRefused, ServerSettings, ServerUnreachable, network, open_server, read_identities
from imports.filesystems.network import HostRefused, TLSSocket, begin_tls, find_addresses, may_reach, open_socket
from imports.filesystems.secrecy import holds_secret
from imports.messages import webhooks
from imports.messages.delivering import deliver_due
from imports.messages.smtp import EmailBackend
from imports.messages.webhooks import make_webhook_secret, post_event
from imports.models import Feed, Message, Pull, Webhook
from tests.drippers import LONGEST, answer, drip, drip_answer, serving, speak_ftp
from tests.processes import ROOT
from tests.servers import run_sftp

PASSWORD = "s3cret of the Brand"
TIMEOUT = 0.4
"""Seconds of silence; an exchange may last four times as long."""
KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


def ftp_settings(port, **changes):
    settings = ServerSettings(
        protocol="ftp", host="127.0.0.1", port=port, user="brand", password=PASSWORD, timeout=TIMEOUT
    )
    return replace(settings, **changes)


def use(settings, work):
    with open_server(settings) as session:
        work(session)


def all_at_once(works):
    """Run them side by side; returns the errors that they raise."""

    def run(work):
        try:
            work()
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            return error
        return None

    began = time.monotonic()
    with ThreadPoolExecutor(len(works)) as pool:
        errors = list(pool.map(run, works))
    assert time.monotonic() - began < LONGEST, "somebody who drips was waited for"
    return errors


# -- those who go away, and those who drip


def test_a_server_that_goes_away_while_tls_is_begun_leaves_no_socket_open(monkeypatch):
    begun = []

    class Noticed(TLSSocket):
        def getpeername(self):
            begun.append(self)
            return super().getpeername()

    monkeypatch.setattr(network, "TLSSocket", Noticed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname())
    with pytest.raises(ConnectionResetError):
        begin_tls(ssl.create_default_context(), plain, "127.0.0.1")
    assert [one.fileno() for one in [plain, *begun]] == [-1, -1]


def list_it(session):
    session.list_files("")


def download_it(session):
    session.download("a.txt", io.BytesIO(), 10**9)


def rename_it(session):
    session.rename("a.txt", "b.txt")


def write_it(session):
    session.write_file("b.txt", b"x" * 30_000)


def say_none(session, argument):
    session.sendall(b"550 no such file\r\n" if argument.endswith("b.txt") else b"213 5\r\n")


DRIPPING = {
    "greeting": (lambda session: drip(session, b"220-more\r\n"), list_it),
    "login": (speak_ftp({"PASS": drip_answer}), list_it),
    "listing": (speak_ftp({"MLSD": lambda data, _: drip(data, b"type=file;size=5; a.txt\r\n")}), list_it),
    "download": (speak_ftp({"RETR": lambda data, _: drip(data)}), download_it),
    "rename": (speak_ftp({"SIZE": say_none, "RNTO": drip_answer}), rename_it),
    "upload": (speak_ftp({"SIZE": say_none, "done": drip_answer}), write_it),
    "folder": (speak_ftp({"CWD": lambda session, _: drip(session, b"250-a\r\n")}), list_it),
    "goodbye": (speak_ftp({"QUIT": drip_answer}), lambda session: None),
}


def test_an_ftp_server_that_drips_is_given_up_whatever_it_is_asked():
    with contextlib.ExitStack() as servers:
        ports = {what: servers.enter_context(serving(server)) for what, (server, _) in DRIPPING.items()}
        errors = all_at_once([lambda what=what: use(ftp_settings(ports[what]), DRIPPING[what][1]) for what in DRIPPING])
    said = dict(zip(DRIPPING, map(str, errors), strict=True))
    assert said.pop("goodbye") == "None"
    assert {what: "given up after" in error for what, error in said.items()} == dict.fromkeys(said, True), said


def test_an_answer_without_end_is_given_up_before_it_fills_the_memory():
    def flood(session, argument):
        while True:
            session.sendall(b"250-more\r\n" * 1000)

    with serving(speak_ftp({"CWD": flood})) as port, pytest.raises(ServerUnreachable, match="no end"):
        use(ftp_settings(port, timeout=10.0), list_it)


def test_certificates_and_keys_are_not_waited_for_without_end():
    with serving(lambda session: drip(session, b"a\r\n")) as port:
        settings = [ftp_settings(port, protocol=name, host_key=KEY) for name in ("sftp", "ftps", "ftps-implicit")]
        errors = all_at_once([lambda one=one: read_identities(one) for one in settings])
        errors += all_at_once([lambda one=one: use(one, list_it) for one in settings])
    assert [type(error) for error in errors] == [ServerUnreachable] * 6


def test_an_sftp_server_that_drips_is_given_up(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 100_000)
    with run_sftp(tmp_path) as running:
        running.misbehaviour.add("drip")
        settings = replace(running.settings, timeout=TIMEOUT)
        errors = all_at_once([lambda work=work: use(settings, work) for work in (list_it, download_it)])
        running.misbehaviour.clear()
    assert ["given up after" in str(error) or "too long" in str(error) for error in errors] == [True, True]


def test_a_steady_transfer_may_last_longer_than_any_other_exchange(monkeypatch):
    """A byte earns twenty seconds here, and the server rests for longer than the limit of three."""
    monkeypatch.setattr("imports.filesystems.network.LEAST_RATE", 0.05)
    monkeypatch.setattr("imports.filesystems.ftp.PATIENCE", 0.05)

    def send(data, command):
        data.sendall(b"x")
        time.sleep(3.1)
        data.sendall(b"x")

    out = io.BytesIO()
    with serving(speak_ftp({"RETR": send})) as port:
        use(ftp_settings(port, timeout=60.0), lambda session: session.download("a.txt", out, 100))
    assert out.getvalue() == b"xx"


class SlowFileSystem(fsspec.AbstractFileSystem):
    protocol = "slow"
    options: dict = {}
    over = threading.Event()

    def __init__(self, **options):
        super().__init__()
        type(self).options = options

    def ls(self, path, detail=True, **_):
        self.over.wait(LONGEST)


@pytest.fixture
def slow():
    for name in ("slow", "http"):
        fsspec.register_implementation(name, SlowFileSystem, clobber=True)
    SlowFileSystem.over.clear()
    yield
    SlowFileSystem.over.set()
    for name in ("slow", "http"):
        fsspec.registry.target.pop(name, None) if hasattr(fsspec.registry, "target") else None


def test_another_url_that_does_not_answer_is_given_up(slow):
    settings = ServerSettings(protocol="url", url="slow://127.0.0.1/in", schemes=("slow",), timeout=0.1)
    with pytest.raises(ServerUnreachable, match="in time"):
        use(settings, list_it)


def test_redirects_of_a_url_are_not_followed(slow):
    settings = ServerSettings(protocol="url", url="http://127.0.0.1/in", schemes=("http",), timeout=0.1)
    use(settings, lambda session: None)
    assert SlowFileSystem.options["allow_redirects"] is False


def post_to(port):
    message = Message(pk=1, created_at=timezone.now(), payload={})
    post_event(Webhook(url=f"http://127.0.0.1:{port}", secret=make_webhook_secret()), message)


def test_a_receiver_that_drips_is_given_up(monkeypatch):
    monkeypatch.setattr(webhooks, "SILENCE", TIMEOUT)

    def speak(said):
        def handle(session):
            session.recv(1 << 16)
            session.sendall(said[:-1])
            drip(session, said)

        return handle

    heads = (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 10_000, b"x")
    with contextlib.ExitStack() as servers:
        ports = [servers.enter_context(serving(speak(head))) for head in heads]
        errors = all_at_once([lambda port=port: post_to(port) for port in ports])
    assert ["given up after" in str(error) for error in errors] == [True] * 3


@pytest.mark.django_db(transaction=True)
def test_what_a_receiver_says_behind_its_status_is_never_waited_for(account):
    def handle(session):
        session.recv(1 << 16)
        session.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        drip(session)

    with serving(handle) as port:
        Webhook.objects.create(account=account, url=f"http://127.0.0.1:{port}", secret=make_webhook_secret())
        Message.objects.create(account=account, kind="webhook", event="run.held", key="1", payload={})
        began = time.monotonic()
        assert deliver_due() == 1
        assert time.monotonic() - began < LONGEST


def speak_smtp(stage):
    def handle(session):
        if stage == "greeting":
            drip(session, b"220-a\r\n")
        session.sendall(b"220 ready\r\n")
        for line in iter(session.makefile("rb").readline, b""):
            if line.upper().startswith(stage.encode()):
                drip(session, b"250-a\r\n")
            session.sendall(b"250 fine\r\n")

    return handle


def test_a_mail_server_that_drips_is_given_up():
    mail = EmailMessage("subject", "body", "sync@example.com", ["erp@example.com"])

    def send(port):
        EmailBackend(host="127.0.0.1", port=port, timeout=TIMEOUT).send_messages([mail])

    with contextlib.ExitStack() as servers:
        ports = [servers.enter_context(serving(speak_smtp(stage))) for stage in ("greeting", "EHLO", "RCPT")]
        errors = all_at_once([lambda port=port: send(port) for port in ports])
    assert ["given up after" in str(error) for error in errors] == [True] * 3


def test_mails_go_by_the_backend_with_a_limit():
    variables = {"DJANGO_SETTINGS_MODULE": "customersync.settings", "EMAIL_URL": "smtp://mail.example.com:25"}
    shown = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.EMAIL_BACKEND)"],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == "imports.messages.smtp.EmailBackend"


# -- where they may not go


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("::ffff:93.184.216.34", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("192.0.0.8", False),
        ("192.88.99.1", False), ("224.0.0.1", False), ("240.0.0.1", False), ("255.255.255.255", False),
        ("198.18.0.1", False), ("203.0.113.7", False),
        ("::1", False), ("::", False), ("::ffff:0:0", False),
        ("fe80::1", False), ("fec0::1", False), ("fc00::1", False), ("ff02::1", False),
        ("::ffff:10.1.2.3", False), ("::10.1.2.3", False), ("64:ff9b::a01:203", False), ("64:ff9b:1::1", False),
        ("2002:a01:203::1", False), ("2001:0:a01:203::1", False), ("2001:db8::1", False), ("3fff::1", False),
    ],
)  # fmt: skip
def test_addresses_that_may_be_reached(settings, address, allowed):
    settings.PRIVATE_NETWORKS = []
    assert may_reach(ipaddress.ip_address(address)) is allowed
    settings.PRIVATE_NETWORKS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fc00::/7")]
    own = address in ("10.1.2.3", "::ffff:10.1.2.3", "fc00::1")
    assert may_reach(ipaddress.ip_address(address)) is (allowed or own)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "127.1", "0x7f.1", "2130706433"])
@pytest.mark.parametrize("protocol", ["sftp", "ftp", "ftps", "ftps-implicit"])
def test_no_feed_reaches_a_private_host_however_it_is_written(settings, protocol, host):
    settings.PRIVATE_NETWORKS = []
    came = threading.Event()
    with serving(lambda session: came.set()) as port:
        server = ftp_settings(port, protocol=protocol, host=host, host_key=KEY)
        works = [lambda: use(server, list_it)] + [lambda: read_identities(server)] * (protocol != "ftp")
        for work in works:
            with pytest.raises((HostRefused, ServerUnreachable)) as raised:
                work()
            if host in ("127.0.0.1", "localhost", "::ffff:127.0.0.1"):  # the others mean nothing on some machines
                assert "PRIVATE_NETWORKS" in str(raised.value)
        assert not came.wait(0.1)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://127.0.0.1/in", {}),
        ("sftp://user@localhost/in", {}),
        ("s3://bucket", {"endpoint_url": "http://169.254.169.254/"}),
        ("s3://bucket", {"host": "10.0.0.1"}),
    ],
)
def test_no_other_url_leads_to_a_private_host(settings, url, options):
    settings.PRIVATE_NETWORKS = []
    server = ServerSettings(protocol="url", url=url, options=options, schemes=("http", "sftp", "s3"))
    with pytest.raises(HostRefused):
        use(server, list_it)


def test_a_name_is_asked_once_and_the_address_that_was_looked_at_is_connected_to(settings, monkeypatch):
    """Its second answer would be another one."""
    asked = []

    def resolve(host, port, *args, **kwargs):
        asked.append(host)
        addresses = ["10.0.0.1", "127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    with serving(lambda session: session.sendall(b"hello")) as port:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with open_socket("rebinding.example.com", port, 5) as session:
            assert session.recv(5) == b"hello"
        assert asked == ["rebinding.example.com"]
        with pytest.raises(HostRefused):
            open_socket("rebinding.example.com", port, 5)


def test_data_come_from_the_server_s_own_host_whatever_it_says():
    came = threading.Event()
    out = io.BytesIO()
    with serving(lambda session: came.set(), host="127.0.0.2"), serving(speak_ftp({}, address="127.0.0.2")) as port:
        use(ftp_settings(port), lambda session: session.download("a.txt", out, 100))
    assert out.getvalue() == b"12345"
    assert not came.is_set()


def test_a_feed_of_a_private_address_is_refused_when_it_is_saved(settings, db):
    settings.PRIVATE_NETWORKS = []
    for host, refused in (("127.0.0.1", True), ("[::1]", True), ("169.254.169.254", True), ("ftp.example.com", False)):
        try:
            Feed(name="erp", protocol="ftp", host=host).clean()
            assert not refused
        except ValidationError as error:
            assert ("PRIVATE_NETWORKS" in str(error)) is refused, error


def test_names_that_mean_nothing_are_no_private_hosts():
    with pytest.raises(OSError, match=r"."):
        find_addresses("nowhere.invalid", 22)


# -- passwords that come back


def echoes(password):
    squeezed = "".join(password.split())
    return [
        password, password.upper(), squeezed, "  ".join(password), password.replace(" ", "\t"), repr(password),
        password.replace(" ", "\u00a0"), password.replace(" ", "\u200b"), quote_plus(password), html.escape(password),
        "".join(f"%{byte:02x}" for byte in password.encode()), password.encode().hex(), json.dumps(password),
        base64.b64encode(password.encode()).decode(), base64.b64encode(f"\0brand\0{password}".encode()).decode(),
        base64.b64encode(f"brand:{password}:".encode()).decode(), password.encode().decode("latin-1"),
        password.encode("unicode_escape").decode(), "-".join(password),
    ]  # fmt: skip


@pytest.mark.parametrize("password", [PASSWORD, 'pässwörd "€" x', "!?", "a b", "tab\tand\u00a0space"])
def test_a_password_is_found_however_it_is_written(password):
    for echo in echoes(password)[:1] if len(password) < 4 else echoes(password):
        assert holds_secret(f"530 no such login: {echo}, sorry", password), echo
    assert not holds_secret("530 Login incorrect.", password)
    assert not holds_secret("", password)


@pytest.mark.django_db(transaction=True)
def test_a_server_that_repeats_the_password_is_never_quoted(account, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    said = []
    for echo in (PASSWORD, PASSWORD.upper().replace(" ", ""), base64.b64encode(PASSWORD.encode()).decode()):
        for server in (
            speak_ftp({}, greeting=f"500 {echo}\r\n".encode()),
            speak_ftp({"PASS": answer(f"530 {echo}")}),
            speak_ftp({"CWD": answer(f"550 {echo}")}),
            speak_ftp({"MLSD": lambda data, _: None, "PWD": answer(f"421 {echo}")}),
        ):
            with serving(server) as port:
                feed = Feed.objects.create(
                    account=account, name=f"f{port}", protocol="ftp", host="127.0.0.1", port=port, user="brand",
                    password=PASSWORD, settle_seconds=0,
                )  # fmt: skip
                assert pull_feed(feed).status == "failed"
                with pytest.raises(SystemExit):
                    call_command("check_feed", feed.name, "--json")
                said.append(echo)
    text = caplog.text + capsys.readouterr().out
    text += " ".join([*Pull.objects.values_list("message", flat=True), *Feed.objects.values_list("problem", flat=True)])
    for echo in said:
        assert echo not in text
    assert "its words are not shown" in text


def test_an_sftp_server_that_repeats_the_password_is_never_quoted(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with run_sftp(tmp_path) as running:
        running.misbehaviour.add("repeat the password")
        with pytest.raises(LoginRefused) as raised:
            use(replace(running.settings, password=PASSWORD), list_it)
    assert PASSWORD not in f"{raised.value} {caplog.text}"

"""What is told reaches people and programs, however often their servers are away: real SMTP and HTTP on loopback."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.watching import names_of_work
from imports.messages import delivering
from imports.messages.delivering import WAITS, deliver_due
from imports.messages.webhooks import check_webhook_url, make_webhook_secret
from imports.models import Feed, Issue, Message, Run, Webhook
from imports.pipeline.issues import group_issues
from tests.builders import make_account
from tests.drippers import drip, serving
from tests.imports.test_tls import speak_tls
from tests.processes import free_port
from tests.servers import make_authority

pytestmark = pytest.mark.django_db(transaction=True)


class Mailbox:
    """An SMTP server that keeps what it gets, or refuses it."""

    def __init__(self):
        self.mails = []
        self.taken_for = []
        self.refuse = ""
        self.refused = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  (the server's name for it)
        if said := self.refused.get(address, self.refuse):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  (the server's name for it)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.taken_for.append(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture
def mailbox(settings):
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "imports.messages.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", controller.port, 5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield mailbox
    controller.stop()


class Receiver:
    """What an HTTP server got, and the statuses that it answers with next."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/hook"
        self.posts = []
        self.statuses = []
        self.retry_after = ""


@contextmanager
def receiving():
    """An HTTP server that takes what is posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.posts.append((dict(self.headers), body))
            status = got.statuses.pop(0) if got.statuses else 200
            self.send_response(status)
            if got.retry_after:
                self.send_header("Retry-After", got.retry_after)
            if status == 302:
                self.send_header("Location", f"{got.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    got = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield got
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


@pytest.fixture
def feed(account):
    return Feed.objects.create(account=account, name="erp", protocol="ftp", host="ftp.example.com")


@pytest.fixture
def webhook(account, receiver):
    return Webhook.objects.create(account=account, url=receiver.url, secret=make_webhook_secret())


def make_run(feed, status="partial", **fields):
    run = Run.objects.create(
        account=feed.account, feed=feed, file_name="customers.txt", format_name="standard template", status=status,
        **fields,
    )  # fmt: skip
    return run


def make_mail(feed, event, run=None, key="1", **payload):
    return Message.objects.create(
        account=feed.account, feed=feed, run=run, kind="email", event=event, key=f"email:{key}",
        payload={"to": ["erp@example.com", "it@example.com"], **payload},
    )  # fmt: skip


def make_post(account, key="1"):
    payload = {"type": "run.held", "timestamp": "2026-01-01T00:00:00+00:00", "data": {"file": "Zürich.txt"}}
    return Message.objects.create(account=account, kind="webhook", event="run.held", key=key, payload=payload)


def make_due():
    Message.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


# -- e-mail


def test_a_mail_says_what_happened_and_what_to_do(account, feed, mailbox, settings):
    settings.SITE_URL = "https://sync.example.com"
    settings.DEFAULT_FROM_EMAIL = "Customer Sync <sync@example.com>"
    run = make_run(feed, customers=5, rejected=2)
    for line, code in enumerate("BABC", 2):
        Issue.objects.create(
            run=run, line=line, column="Discount", field="discount", code="invalid_integer", severity="error",
            message=f"Bad {line}", customer_code=code,
        )  # fmt: skip
    for number in range(10):
        Issue.objects.create(run=run, line=9, field=f"buyer_name_{number}", code="too_long", severity="error")
    run.issue_groups = group_issues(run)
    run.save()
    message = make_mail(feed, "run.partial", run)
    assert deliver_due() == 1
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Partly imported: customers.txt (Maison)"
    assert mail["To"] == "erp@example.com, it@example.com"
    assert mail["From"] == "Customer Sync <sync@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].startswith(f"<customersync-{message.pk}-")
    text = mail.get_body(("plain",)).get_content()
    assert "2 of 5 customers were rejected" in text
    assert "Invalid integer: discount (3 customers, 4 issues). The sender corrects the number." in text
    assert "Customers A, B, C" in text.splitlines()
    assert "For example line 2, column Discount, customer B: Bad 2" in text
    assert "Bad 3" not in text
    assert "buyer_name_8 (1 issue)" in text
    assert "And 1 more kind." in text
    assert "What to do: what the lists lack" in text
    assert f"https://sync.example.com/admin/imports/run/{run.pk}/change/" in text
    html = mail.get_body(("html",)).get_content()
    assert "2 of 5 customers were rejected" in html
    assert f'href="https://sync.example.com/admin/imports/run/{run.pk}/change/"' in html
    message.refresh_from_db()
    assert message.delivered_at is not None
    assert deliver_due() == 0


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("held", "release or reject it. Until then later files of the feed wait."),
        ("rejected", "correct the file and send it again"),
        ("failed", "tried again by itself"),
    ],
)
def test_every_end_has_its_advice(feed, mailbox, status, said):
    run = make_run(feed, status, message="Because of this.")
    make_mail(feed, f"run.{status}", run)
    deliver_due()
    text = mailbox.mails[0].get_body(("plain",)).get_content()
    assert said in text
    assert "Because of this." in text
    assert f"In the admin: run {run.pk}." in text


@pytest.mark.parametrize(
    ("event", "payload", "said"),
    [
        ("feed.failing", {"problem": "No answer.", "passing": True}, "see whether the server is at work"),
        ("feed.failing", {"problem": "Login refused.", "passing": False}, "somebody must change the server"),
        ("feed.recovered", {"failing_since": "2026-01-01T12:00:00+00:00"}, "since 2026-01-01 12:00 UTC"),
        ("feed.silent", {"since": "2026-01-01T12:00:00+00:00", "hours": 30}, "longer than 30 hours"),
    ],
)
def test_mails_about_a_feed(feed, mailbox, event, payload, said):
    make_mail(feed, event, **payload)
    assert deliver_due() == 1
    (mail,) = mailbox.mails
    assert "erp" in mail["Subject"]
    for part in ("plain", "html"):
        assert said in mail.get_body((part,)).get_content()
    assert "ftp://ftp.example.com" in mail.get_body(("plain",)).get_content()


def test_a_mail_about_reviews_that_are_overdue(feed, mailbox, settings):
    settings.SITE_URL = "https://sync.example.com"
    make_mail(feed, "review.overdue", since="2026-01-01T12:00:00Z", count=2, hours=48)
    Message.objects.update(feed=None)
    assert deliver_due() == 1
    text = mailbox.mails[0].get_body(("plain",)).get_content()
    assert "2 new connections of the account Maison wait for review longer than 48 hours" in text
    assert f"/connections/connection/?due=overdue&account__id__exact={feed.account.pk}" in text


def test_nothing_of_a_file_becomes_a_header_or_a_link(feed, mailbox):
    name = "a\r\nBcc: everybody@example.com\n<b>https://evil.example.com</b>.txt"
    run = make_run(feed)
    Run.objects.filter(pk=run.pk).update(file_name=name, message="<script>alert(1)</script> https://evil.example.com")
    make_mail(feed, "run.partial", run)
    assert deliver_due() == 1
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    html = mail.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<a " not in html


def test_a_mail_that_is_refused_is_tried_again_and_says_why(feed, mailbox):
    mailbox.refuse = "550 no such user"
    message = make_mail(feed, "feed.failing", problem="", passing=True)
    assert deliver_due() == 0
    message.refresh_from_db()
    assert message.attempts == 1
    assert message.problem == "The mail server refuses erp@example.com (550), it@example.com (550)."
    assert message.next_attempt_at > timezone.now()
    assert deliver_due() == 0
    assert Message.objects.get().attempts == 1
    mailbox.refuse = ""
    make_due()
    assert deliver_due() == 1
    assert Message.objects.get().problem == ""


def test_who_is_not_refused_gets_a_mail_once(feed, mailbox):
    message = make_mail(feed, "feed.failing", problem="", passing=True)
    mailbox.refused = {"it@example.com": "451 greylisted, come back"}
    assert deliver_due() == 0
    message.refresh_from_db()
    assert message.problem == "The mail server refuses it@example.com (451)."
    mailbox.refused = {}
    make_due()
    assert deliver_due() == 1
    assert mailbox.taken_for == [["erp@example.com"], ["it@example.com"]]


def speak_smtp(**answers):
    """An SMTP server that offers STARTTLS and logins, and answers some of its commands otherwise."""
    fine = {"EHLO": "250-mail\r\n250-STARTTLS\r\n250 AUTH PLAIN", "DATA": "354 go on", "": "250 fine", **answers}

    def handle(session):
        session.sendall(f"{fine.get('greeting', '220 ready')}\r\n".encode())
        for line in iter(session.makefile("rb").readline, b""):
            command = line.decode("latin-1").split()[0].upper()
            answer = fine.get(command, fine[""])
            if callable(answer):
                return answer(session)
            session.sendall(f"{answer}\r\n".encode())
            if command == "DATA" and answer.startswith("354"):
                session.recv(1 << 16)
                session.sendall(f"{fine.get('mail', '250 fine')}\r\n".encode())

    return handle


def say_noise(session):
    for said in (b"220 go on\r\n", b"502 what is that?\r\n"):
        session.sendall(said)
        session.recv(1 << 16)


def test_a_mail_that_was_taken_is_not_sent_again_whatever_the_goodbye(feed, settings):
    settings.EMAIL_BACKEND = "imports.messages.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 1
    make_mail(feed, "feed.failing", problem="", passing=True)
    with serving(speak_smtp(QUIT=drip)) as port:
        settings.EMAIL_PORT = port
        assert deliver_due() == 1


def test_what_keeps_mails_from_being_sent_is_told_by_its_kind(feed, settings):
    settings.EMAIL_BACKEND = "imports.messages.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 60, "s3cret of mails"
    mend, others_wait = "Mend EMAIL_URL", [0, 0, 1]
    for answers, uses, said, attempts in (
        ({"EHLO": "250 mail"}, {"TLS": True}, "STARTTLS extension not supported by server. " + mend, others_wait),
        ({"STARTTLS": "454 no TLS for now"}, {"TLS": True}, "answers with status 454 (no TLS for now)", others_wait),
        ({"STARTTLS": say_noise}, {"TLS": True}, "does not speak TLS at this port. " + mend, others_wait),
        ({}, {"SSL": True}, "does not speak TLS at this port. " + mend, others_wait),
        ({"AUTH": "535 no"}, {"HOST_USER": "u"}, "refuses the login with status 535 (no). " + mend, others_wait),
        ({"AUTH": "535 not s3cret of mails"}, {"HOST_USER": "u"}, "535 (its words are not shown", others_wait),
        ({"greeting": "554 go away"}, {}, "takes no mails: it answers with status 554 (go away)", others_wait),
        ({"MAIL": "421 closing"}, {}, "takes no mails: it answers with status 421 (closing)", others_wait),
        ({"MAIL": "550 not you"}, {}, "refuses the sender customersync@localhost with status 550 (not you)", [1, 1, 1]),
        ({"DATA": "451 greylisted"}, {}, "refuses with status 451 (greylisted)", [1, 1, 1]),
        ({"mail": "552 too large"}, {}, "refuses with status 552 (too large)", [1, 1, 1]),
    ):
        Message.objects.all().delete()
        for number in range(3):
            make_mail(feed, "feed.failing", key=number, problem="", passing=True)
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = uses.get("TLS", False), uses.get("SSL", False)
        settings.EMAIL_HOST_USER = uses.get("HOST_USER", "")
        with serving(speak_smtp(**answers)) as port:
            settings.EMAIL_PORT = port
            assert deliver_due() == 0
        assert said in Message.objects.earliest("pk").problem
        assert sorted(Message.objects.values_list("attempts", flat=True)) == attempts, said


def test_each_attempt_is_counted_by_how_it_ended_and_named_in_the_log(feed, mailbox, settings, monkeypatch):
    named, counted = [], []
    monkeypatch.setattr(delivering.logger, "warning", lambda *_: named.append(dict(names_of_work())))
    monkeypatch.setattr(delivering, "count", lambda *what: counted.append(what))
    first = make_mail(feed, "feed.failing", problem="", passing=True)
    deliver_due()
    mailbox.refuse = "550 no such user"
    second = make_mail(feed, "feed.failing", key="2", problem="", passing=True)
    deliver_due()
    settings.EMAIL_PORT = free_port()
    make_due()
    deliver_due()
    make_due()
    Message.objects.update(attempts=len(WAITS))
    mailbox.refuse = ""
    Message.objects.filter(pk=second.pk).update(kind="pigeon")
    deliver_due()
    assert [outcome for _, _, outcome in counted] == ["delivered", "refused", "away", "given_up"]
    assert {kind for _, kind, _ in counted} == {"email", "pigeon"}
    assert named == [{"account": feed.account.code, "feed": feed.pk, "message_id": second.pk}] * 3
    assert first.pk != second.pk


def test_a_mail_server_that_is_away_is_asked_once_for_all_mails(feed, mailbox, settings):
    settings.EMAIL_PORT = free_port()
    for number in range(3):
        make_mail(feed, "feed.failing", key=number, problem="", passing=True)
    assert deliver_due() == 0
    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert "cannot be reached" in Message.objects.get(attempts=1).problem


def test_a_message_is_given_up_after_two_days(feed, settings):
    settings.EMAIL_BACKEND = "imports.messages.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert timedelta(hours=36) < sum(WAITS, timedelta()) < timedelta(hours=72)
    message = make_mail(feed, "feed.failing", problem="", passing=True)
    for _ in WAITS:
        make_due()
        deliver_due()
        message.refresh_from_db()
        assert message.given_up_at is None
    make_due()
    deliver_due()
    message.refresh_from_db()
    assert message.given_up_at is not None
    make_due()
    deliver_due()
    assert Message.objects.get().attempts == len(WAITS) + 1


def test_of_two_processes_one_delivers(feed, mailbox, monkeypatch):
    make_mail(feed, "feed.failing", problem="", passing=True)
    claim, ready = delivering._claim, threading.Barrier(2)

    def claim_together(message):
        ready.wait(60)
        return claim(message)

    monkeypatch.setattr(delivering, "_claim", claim_together)
    counts = []

    def work():
        counts.append(deliver_due())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(counts) == [0, 1]
    assert len(mailbox.mails) == 1


# -- webhooks


def test_an_event_is_posted_and_signed(account, webhook, receiver):
    message = make_post(account)
    assert deliver_due() == 1
    ((headers, body),) = receiver.posts
    assert json.loads(body) == message.payload
    assert headers["Content-Type"] == "application/json"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 10
    assert webhook.secret not in str(receiver.posts)


def test_an_event_keeps_its_id_at_every_attempt(account, webhook, receiver):
    receiver.statuses = [500, 503]
    make_post(account)
    for taken in (0, 0, 1):
        make_due()
        assert deliver_due() == taken
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == 1
    assert len(receiver.posts) == 3


def test_one_bad_answer_does_not_keep_the_others_waiting(account, webhook, receiver):
    receiver.statuses = [500]
    for number in range(3):
        make_post(account, str(number))
    assert deliver_due() == 2
    problem = Message.objects.get(delivered_at=None).problem
    assert problem == "127.0.0.1 answered with status 500."


def test_one_absent_receiver_does_not_keep_another_waiting(account, webhook, receiver):
    other = make_account("atelier")
    Webhook.objects.create(account=other, url=f"http://127.0.0.1:{free_port()}", secret=make_webhook_secret())
    for number, owner in enumerate([other, other, account]):
        make_post(owner, str(number))
    assert deliver_due() == 1
    assert sorted(Message.objects.filter(account=other).values_list("attempts", flat=True)) == [0, 1]


def test_redirects_are_not_followed(account, webhook, receiver):
    receiver.statuses = [302]
    make_post(account)
    assert deliver_due() == 0
    assert len(receiver.posts) == 1
    assert "give the final URL" in Message.objects.get().problem


def test_private_addresses_and_plain_http_are_refused_when_posting(account, webhook, receiver, settings):
    settings.PRIVATE_NETWORKS = []
    make_post(account)
    deliver_due()
    assert "private network" in Message.objects.get().problem
    Webhook.objects.update(url=receiver.url.replace("http:", "https:"))
    make_due()
    deliver_due()
    assert "private network" in Message.objects.get().problem
    assert receiver.posts == []


def test_why_nothing_can_be_posted_is_told_by_its_kind(account, webhook, receiver, tmp_path):
    def close(session):
        session.recv(1 << 16)

    authority = make_authority(tmp_path, "receiver")
    message = make_post(account)
    with serving(speak_tls(authority.certificate)) as stranger, serving(close) as rude:
        for url, said in (
            (f"https://127.0.0.1:{stranger}", "its certificate is signed by an authority that is not trusted here"),
            (receiver.url.replace("http:", "https:"), "it does not speak TLS at this port"),
            (f"http://127.0.0.1:{rude}", "it ended the session without an answer"),
            (f"http://127.0.0.1:{free_port()}", "nobody listens at the port"),
            ("http://nowhere.invalid", "its name is not known"),
        ):
            Webhook.objects.update(url=url)
            make_due()
            assert deliver_due() == 0
            message.refresh_from_db()
            assert f" could not be reached: {said}" in message.problem
    assert receiver.posts == []


def test_a_receiver_that_is_busy_is_left_alone_until_it_says(account, webhook, receiver):
    for status, says, seconds in (
        (429, "120", 120),
        (503, format_datetime(timezone.now() + timedelta(hours=2), usegmt=False), 2 * 3600),
        (429, "9" * 400, 24 * 3600),
        (503, "soon", 0),
        (429, format_datetime(timezone.now() - timedelta(hours=2)), 0),
        (429, "-5", 0),
        (503, "", 0),
    ):
        Message.objects.all().delete()
        receiver.statuses, receiver.retry_after, receiver.posts = [status], says, []
        for number in range(3):
            make_post(account, str(number))
        assert deliver_due() == 0
        assert len(receiver.posts) == 1
        waits = [one.next_attempt_at - timezone.now() for one in Message.objects.order_by("pk")]
        assert all(abs(wait - timedelta(seconds=seconds)) < timedelta(minutes=1) for wait in waits[1:]), says
        assert waits[0] > timedelta(seconds=max(seconds - 60, 0))
        assert ("wants to be left alone until" in Message.objects.earliest("pk").problem) == bool(seconds)


def test_events_of_a_removed_webhook_are_given_up(account, webhook, receiver):
    make_post(account)
    Webhook.objects.update(enabled=False)
    deliver_due()
    message = Message.objects.get()
    assert message.given_up_at is not None
    assert "switched off" in message.problem


def test_a_secret_that_cannot_be_decrypted_stops_its_own_webhook_alone(account, webhook, receiver, feed, settings):
    mail = make_mail(feed, "feed.failing", problem="", passing=True)
    feed.password = "secret"
    feed.save()
    make_post(account)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert deliver_due() == 1
    mail.refresh_from_db()
    assert mail.delivered_at is not None
    assert "ENCRYPTION_KEYS" in Message.objects.get(kind="webhook").problem


def test_no_secret_stands_in_problems_and_logs(account, webhook, receiver, caplog):
    Webhook.objects.update(url=receiver.url.replace("/hook", "/token-in-path"))
    receiver.statuses = [500]
    make_post(account)
    make_post(account, "2")
    deliver_due()
    Webhook.objects.update(url=f"http://127.0.0.1:{free_port()}/token-in-path")
    make_due()
    deliver_due()
    said = caplog.text + "".join(Message.objects.values_list("problem", flat=True))
    assert "could not be reached" in said
    assert "token-in-path" not in said
    assert webhook.secret not in said


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://8.8.8.8/hook", "https"),
        ("https://127.0.0.1/hook", "private network"),
        ("https://10.1.2.3/hook", "private network"),
        ("https://[::1]/hook", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("https://localhost/hook", "private network"),
        ("https://nowhere.invalid/hook", "not known"),
        ("https://user:password@example.com/", "no password"),
        ("https://example.com:port/", "not known"),
    ],
)
def test_urls_that_events_may_not_go_to(settings, url, problem):
    settings.PRIVATE_NETWORKS = []
    with pytest.raises(ValidationError, match=problem):
        check_webhook_url(url)


def test_the_operator_may_allow_hosts_of_the_own_network(settings):
    settings.PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    check_webhook_url("http://127.0.0.1:8080/hook")


def test_secrets_are_never_the_same():
    made = {make_webhook_secret() for _ in range(10)}
    assert len(made) == 10
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in made)

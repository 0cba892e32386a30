"""Logins: made with a feed, told once, changed by command and in the admin; and what the server is known by."""

import json
import re
from datetime import timedelta
from io import StringIO

import asyncssh
import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from dropbox.ftps import make_context
from dropbox.health import find_problems
from dropbox.identity import load_certificate, load_host_keys, read_fingerprints
from dropbox.models import Login, ServerKey, Session
from dropbox.serving import HEARTBEAT, tidy
from imports.models import Feed, Heartbeat
from tests.builders import add_lookups, make_account, make_user
from tests.pages import filled_in, text_of

pytestmark = pytest.mark.django_db

PUBLIC = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
FINGERPRINT = asyncssh.import_public_key(PUBLIC).get_fingerprint()


@pytest.fixture
def account():
    account = make_account("maison")
    add_lookups(account)
    return account


@pytest.fixture
def staff(client):
    client.force_login(make_user("root", is_superuser=True))
    return client


def call(*arguments):
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def make(name="erp"):
    return call("create_feed", name, "--account", "maison", "--protocol", "dropbox")


def password_in(text):
    return re.findall(r"^Password (\S+)$", text, re.MULTILINE)[0]


def test_a_feed_is_made_with_a_login_and_its_password_is_told_once(account, settings):
    settings.DROPBOX_HOST, settings.DROPBOX_SFTP_PORT, settings.DROPBOX_FTPS_PORT = "drop.example.com", 22, 21
    said = make()
    login = Login.objects.get()
    assert (login.user_name, login.feed.outbox_folder) == ("maison-erp", "out")
    assert check_password(password_in(said), login.password)
    assert password_in(said) not in login.password
    for fact in ("SFTP     drop.example.com, port 22", "User     maison-erp", "Folder   in", "TLS certificate"):
        assert fact in said
    for one in read_fingerprints():
        assert one.value in said
    assert "Password as you were told" in call("dropbox_login", "erp")


def test_a_name_that_is_taken_gets_a_number(account):
    other = Feed.objects.create(account=account, name="other", protocol="dropbox")
    Login.objects.create(feed=other, user_name="maison-erp")
    make()
    assert Login.objects.filter(user_name="maison-erp-2").exists()


def test_passwords_and_keys_are_changed_by_command(account, tmp_path):
    first = password_in(make())
    key = tmp_path / "id.pub"
    key.write_text(PUBLIC)
    said = call("dropbox_login", "erp", "--new-password", "--add-key", str(key), "--at-once")
    login = Login.objects.get()
    assert check_password(password_in(said), login.password)
    assert not check_password(first, login.password)
    assert (login.public_keys, login.at_once, FINGERPRINT in said) == (PUBLIC, True, True)
    call("dropbox_login", "erp", "--no-password", "--hourly")
    login.refresh_from_db()
    assert (login.password, login.at_once) == ("", False)
    described = json.loads(call("dropbox_login", "erp", "--remove-key", FINGERPRINT, "--json"))
    assert (described["user"], described["keys"], described["password"]) == ("maison-erp", [], "")
    assert json.loads(call("dropbox_login", "erp", "--user", "second", "--create", "--json"))["password"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], r"Say which login, with --user\. erp has maison-erp, second"),
        (["--user", "secnod", "--new-password"], r"no login secnod, but maison-erp, second\. Check .* with --create"),
        (["--user", "second", "--create"], "has a login second already"),
        (["--create"], "Say which login"),
    ],
)
def test_a_slip_in_a_name_makes_no_login(account, arguments, said):
    make()
    call("dropbox_login", "erp", "--user", "second", "--create")
    with pytest.raises(CommandError, match=said):
        call("dropbox_login", "erp", *arguments)
    assert sorted(Login.objects.values_list("user_name", flat=True)) == ["maison-erp", "second"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "Line 1 is no public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key, which stays with its owner"),
    ],
)
def test_what_is_no_public_key_is_refused(account, tmp_path, text, said):
    make()
    key = tmp_path / "id.pub"
    key.write_text(text)
    with pytest.raises(CommandError, match=said):
        call("dropbox_login", "erp", "--add-key", str(key))
    with pytest.raises(CommandError, match=r"maison-erp has no key SHA256:x\."):
        call("dropbox_login", "erp", "--remove-key", "SHA256:x")


def test_other_feeds_have_no_logins(account):
    Feed.objects.create(account=account, name="erp", protocol="ftp", host="ftp.example.com")
    with pytest.raises(CommandError, match="it has no logins of ours"):
        call("dropbox_login", "erp")


def test_the_folders_are_what_they_are_whatever_is_given(account):
    feed = Feed(account=account, name="erp", protocol="dropbox", folder="x", outbox_folder="", settle_seconds=9)
    feed.full_clean()
    assert (feed.folder, feed.processed_folder, feed.outbox_folder, feed.settle_seconds) == ("", "processed", "out", 0)


# -- the admin


def test_a_feed_made_in_the_admin_shows_its_guide_once_and_then_without_the_password(account, staff):
    page = staff.get(reverse("admin:imports_feed_add"))
    data = {**filled_in(page), "account": account.pk, "name": "erp", "protocol": "dropbox", "mask": "*.txt"}
    answer = staff.post(reverse("admin:imports_feed_add"), data)
    assert answer.status_code == 200, answer.headers
    login = Login.objects.get()
    assert check_password(password_in(answer.context["secret"]), login.password)
    feed = staff.get(reverse("admin:imports_feed_change", args=[login.feed_id]))
    guide = reverse("admin:dropbox_login_guide", args=[login.feed_id])
    assert guide in feed.text
    assert "Password as you were told" in staff.get(guide).text
    assert Feed.objects.get().outbox_folder == "out"


def test_a_login_gets_another_password_in_the_admin(account, staff):
    first = password_in(make())
    login = Login.objects.get()
    url = reverse("admin:dropbox_login_renew", args=[login.pk])
    assert "which is shown once" in text_of(staff.get(url))
    answer = staff.post(url)
    login.refresh_from_db()
    assert check_password(password_in(answer.context["texts"][0]), login.password)
    assert not check_password(first, login.password)


# -- what the server is known by, and whether it is there


def test_keys_are_made_once_and_kept_encrypted(account):
    keys = [key.get_fingerprint() for key in load_host_keys()]
    certificate = load_certificate()
    assert [key.get_fingerprint() for key in load_host_keys()] == keys
    assert load_certificate() == certificate
    assert [one.value for one in read_fingerprints()][:3] == keys
    assert "PRIVATE" not in "".join(map(str, ServerKey.objects.extra(select={"raw": "private"}).values_list("raw")))


def test_it_is_said_when_senders_find_nobody(account):
    assert list(find_problems()) == []
    make()
    assert "no drop box was ever seen" in next(find_problems())
    Heartbeat.objects.create(name=HEARTBEAT, at=timezone.now(), worker="here")
    assert list(find_problems()) == []
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert "No drop box was seen for 5 minutes" in next(find_problems())


def test_sessions_of_a_server_that_was_killed_come_to_an_end(account):
    Session.objects.create(account=account, user_name="maison-erp", protocol="SFTP", address="::1")
    tidy()
    assert not Session.objects.exclude(ended_at=None).exists()
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    tidy()
    session = Session.objects.get()
    assert (session.ended, session.ended_at) == ("its server was ended from outside", session.seen_at)


def test_a_drop_box_that_could_be_reached_by_nobody_is_not_served(db, settings):
    for command in (["serve_dropbox", "--sftp"], ["create_feed", "erp", "--account", "maison", "--port"]):
        with pytest.raises(CommandError, match="'65536' is no port: give a number up to 65535"):
            call_command(*command, "65536")
    settings.DROPBOX_SFTP_PORT = settings.DROPBOX_FTPS_PORT = 0
    with pytest.raises(CommandError, match="Neither SFTP nor FTPS has a port"):
        call_command("serve_dropbox")
    with pytest.raises(ImproperlyConfigured, match="not a certificate, its chain and its key in PEM format"):
        make_context(b"no certificate")

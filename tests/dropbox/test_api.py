"""Logins and sessions through the API: passwords go in and never come out."""

import json

import asyncssh
import pytest
from django.contrib.auth.hashers import check_password

from dropbox.models import Login, Session
from imports.models import Feed
from tests.api.conftest import world  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db

PATH = "accounts/maison/logins/"
PASSWORD = "a long one of the ERP"
PUBLIC = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def test_a_feed_brings_a_login_whose_password_is_set_and_whose_access_is_told(world):  # noqa: F811  (the fixture)
    made = world.rosa("post", "accounts/maison/feeds/", {"name": "erp", "protocol": "dropbox"})
    assert made.status_code == 201, made.content
    assert made.json()["outbox_folder"] == "out"
    [login] = world.vera("get", PATH).json()["results"]
    assert (login["user_name"], login["feed"], login["has_password"]) == ("maison-erp", "erp", True)
    changed = world.rosa("patch", f"{PATH}maison-erp/", {"password": PASSWORD, "public_keys": PUBLIC, "at_once": True})
    assert changed.status_code == 200, changed.content
    stored = Login.objects.get()
    assert check_password(PASSWORD, stored.password)
    access = world.vera("get", f"{PATH}maison-erp/access/").json()
    assert (access["user"], access["password"], access["folder"]) == ("maison-erp", "", "in")
    assert len(access["host_keys"]) == 3
    assert access["keys"][0].startswith("ssh-ed25519 SHA256:")
    said = json.dumps([made.json(), login, changed.json(), access])
    assert PASSWORD not in said
    assert stored.password not in said


def test_a_login_is_made_with_a_password_and_removed(world):  # noqa: F811  (the fixture)
    Feed.objects.create(account=world.maison, name="erp", protocol="dropbox")
    made = world.rosa("post", PATH, {"feed": "erp", "user_name": "second", "password": PASSWORD})
    assert made.status_code == 201, made.content
    assert check_password(PASSWORD, Login.objects.get().password)
    assert world.rosa("patch", f"{PATH}second/", {"password": ""}).json()["has_password"] is False
    assert world.rosa("delete", f"{PATH}second/").status_code == 204
    assert not Login.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"feed": "ftp"}, "feed"),
        ({"feed": "of-atelier"}, "feed"),
        ({"user_name": "a b"}, "user_name"),
        ({"user_name": "taken"}, "user_name"),
        ({"password": "short"}, "password"),
        ({"public_keys": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "public_keys"),
        ({"quota_bytes": 0}, "quota_bytes"),
    ],
)
def test_what_cannot_be_is_refused(world, changes, field):  # noqa: F811  (the fixture)
    Feed.objects.create(account=world.maison, name="erp", protocol="dropbox")
    Feed.objects.create(account=world.maison, name="ftp", protocol="ftp", host="h")
    other = Feed.objects.create(account=world.atelier, name="of-atelier", protocol="dropbox")
    Login.objects.create(feed=other, user_name="taken")
    answer = world.rosa("post", PATH, {"feed": "erp", "user_name": "new", "password": PASSWORD, **changes})
    assert answer.status_code in (400, 409), answer.content
    assert field in answer.text
    assert Login.objects.count() == 1


def test_sessions_are_read(world):  # noqa: F811  (the fixture)
    Session.objects.create(account=world.maison, user_name="a", protocol="SFTP", address="::1", files=2, bytes=10)
    Session.objects.create(account=world.maison, user_name="b", protocol="FTPS", address="::1")
    found = world.vera("get", "accounts/maison/sessions/?user_name=a").json()["results"]
    assert [(one["protocol"], one["files"], one["bytes"], one["ended_at"]) for one in found] == [("SFTP", 2, 10, None)]

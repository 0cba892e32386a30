"""Feeds through the API: secrets go in and never come out."""

import json

import pytest
from cryptography.fernet import Fernet

from imports.models import Feed, Pull
from imports.tasks import pull
from tests.feeds import drop
from tests.queue import queued
from tests.servers import run_sftp

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "accounts/maison/feeds/"
SECRET = "s3cret-of-the-server"
FTP = {"name": "erp", "protocol": "ftp", "host": "ftp.example.com", "user": "maison", "password": SECRET}


def test_a_feed_is_made_checked_and_pulled(world, tmp_path):
    drop(tmp_path, "a.txt", "C1")
    with run_sftp(tmp_path) as server:
        settings = server.settings
        made = world.rosa(
            "post", PATH,
            {
                "name": "erp", "protocol": "sftp", "host": settings.host, "port": settings.port, "user": settings.user,
                "password": settings.password, "host_key": settings.host_key, "settle_seconds": 0,
                "contacts": ["a@example.com"],
            },
        )  # fmt: skip
        assert made.status_code == 201, made.content
        assert made.json()["has_password"] is True
        looked = world.rosa("post", f"{PATH}erp/check/", {"probe": False}).json()
        assert (looked["tried"], [path.name for path in tmp_path.iterdir()]) == ([], ["a.txt"])
        found = world.rosa("post", f"{PATH}erp/check/").json()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "failed", "processed"]
        assert [one["what"].split()[0] for one in found["tried"] if not one["problem"]] == [
            "make", "make", "write", "rename", "rename", "remove",
        ]  # fmt: skip
        assert found["identity"]["matches"] is True
        assert [(file["path"], file["pull"]) for file in found["files"]] == [("a.txt", True)]
        assert len(queued()) == 1
        pull(Feed.objects.get().pk)
    runs = world.vera("get", "accounts/maison/runs/?feed=erp").json()["results"]
    assert [(run["file"], run["status"]) for run in runs] == [("a.txt", "succeeded")]
    feed = world.vera("get", f"{PATH}erp/").json()
    assert feed["pulled_at"]
    assert settings.password not in json.dumps([made.json(), found, feed])


def test_a_pull_is_asked_for_once_and_followed_to_its_end(world, tmp_path):
    world.rosa("post", PATH, FTP)
    queued = world.rosa("post", f"{PATH}erp/pull/")
    assert (queued.status_code, queued.json()["code"]) == (409, "in_progress")
    feed = Feed.objects.get()
    pull(feed.pk)
    asked = world.rosa("post", f"{PATH}erp/pull/")
    assert asked.status_code == 202
    place = asked["Location"].removeprefix("/api/v1/")
    assert world.vera("get", place).json()["results"] == []
    again = world.rosa("post", f"{PATH}erp/pull/")
    assert (again.status_code, again["Location"]) == (409, asked["Location"])
    pull(feed.pk)
    (found,) = world.vera("get", place).json()["results"]
    assert (found["feed"], found["status"]) == ("erp", "failed")
    assert "ftp.example.com" in found["message"]
    assert world.vera("get", f"accounts/maison/pulls/{found['id']}/").json() == found
    running = Pull.objects.create(feed=feed)
    busy = world.rosa("post", f"{PATH}erp/pull/")
    assert busy.status_code == 409
    found = world.vera("get", busy["Location"].removeprefix("/api/v1/")).json()["results"]
    assert [one["id"] for one in found] == [running.pk]


def test_a_pull_that_waits_for_its_turn_is_asked_for_at_once(world):
    world.rosa("post", PATH, FTP)
    Feed.objects.update(pull_asked=False)
    assert world.rosa("post", f"{PATH}erp/pull/").status_code == 202


def test_secrets_never_come_out(world):
    answers = [
        world.rosa("post", PATH, FTP),
        world.rosa("get", PATH),
        world.rosa("get", f"{PATH}erp/"),
        world.rosa("patch", f"{PATH}erp/", {"mask": "*.csv"}),
        world.rosa("patch", f"{PATH}erp/", {"host": "x y", "password": SECRET}),
        world.rosa("post", f"{PATH}erp/check/"),
        world.rosa("post", PATH, {**FTP, "protocol": "nothing"}),
    ]
    for answer in answers:
        assert SECRET not in answer.content.decode()
        assert "gAAAA" not in answer.content.decode()
    assert Feed.objects.get().password == SECRET


def test_a_secret_goes_to_no_other_server(world):
    world.rosa("post", PATH, FTP)
    refused = world.rosa("patch", f"{PATH}erp/", {"host": "evil.example.com"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "password")
    assert world.rosa("patch", f"{PATH}erp/", {"host": "new.example.com", "password": "new"}).status_code == 200
    assert (Feed.objects.get().host, Feed.objects.get().password) == ("new.example.com", "new")
    removed = world.rosa("patch", f"{PATH}erp/", {"host": "other.example.com", "password": ""})
    assert removed.json()["has_password"] is False


def test_a_change_writes_only_what_was_given(world):
    world.rosa("post", PATH, FTP)
    Feed.objects.update(failures=7)
    world.rosa("patch", f"{PATH}erp/", {"mask": "*.csv"})
    feed = Feed.objects.get()
    assert (feed.mask, feed.failures, feed.password) == ("*.csv", 7, SECRET)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "erp"}, "non_field_errors"), ({"mask": "a/b"}, "mask"), ({"interval_minutes": 5}, "interval_minutes"),
        ({"protocol": "file"}, "protocol"), ({"protocol": "url", "url": "s3://x"}, "url"), ({"host": ""}, "host"),
        ({"protocol": "sftp"}, "host_key"), ({"contacts": ["nobody"]}, "contacts.0"), ({"format": "theirs"}, "format"),
        ({"host": "a..b"}, "host"), ({"url": "s3://a:b@c"}, "url"),
        ({"outbox_folder": "../x"}, "outbox_folder"), ({"settle_seconds": 10**9}, "settle_seconds"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_feed_is_refused(world, change, field):
    world.rosa("post", PATH, FTP)
    world.atelier.formats.create(name="theirs")
    answer = world.rosa("post", PATH, {**FTP, "name": "other", **change})
    assert answer.status_code == (409 if field == "non_field_errors" else 400), answer.content
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_a_feed_names_a_format_or_the_standard_template(world):
    world.maison.formats.create(name="erp")
    assert world.rosa("post", PATH, {**FTP, "format": "erp"}).json()["format"] == "erp"
    for standard in ("standard", None):
        world.rosa("patch", f"{PATH}erp/", {"format": "erp"})
        assert world.rosa("patch", f"{PATH}erp/", {"format": standard}).json()["format"] is None


def test_a_disabled_feed_is_not_pulled(world):
    world.rosa("post", PATH, {**FTP, "enabled": False})
    assert queued() == []
    assert world.rosa("post", f"{PATH}erp/pull/").json()["code"] == "disabled"


def test_a_feed_whose_secret_cannot_be_read_is_shown_and_mended(world, settings):
    world.rosa("post", PATH, FTP)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert world.rosa("get", PATH).status_code == 200
    assert "ENCRYPTION_KEYS" in world.rosa("post", f"{PATH}erp/check/").json()["problem"]
    assert world.rosa("patch", f"{PATH}erp/", {"mask": "*.csv"}).status_code == 200
    assert world.rosa("patch", f"{PATH}erp/", {"password": "new"}).status_code == 200
    assert Feed.objects.get().password == "new"


def test_feeds_are_removed(world):
    world.rosa("post", PATH, FTP)
    assert world.rosa("delete", f"{PATH}erp/").status_code == 204
    assert not Feed.objects.exists()

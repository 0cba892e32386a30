"""The setting `STORAGE_URL`."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from customersync.storage_url import BUCKET, FOLDER, StorageSettings, read_storage_url
from tests.processes import start_command


def test_a_folder_is_named_by_its_path():
    read = read_storage_url("file:///srv/customer%20sync/files")
    assert read == StorageSettings({"BACKEND": FOLDER}, Path("/srv/customer sync/files"))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("s3://files", {"bucket_name": "files", "location": ""}),
        ("s3://files/a/b/?region=eu-1", {"bucket_name": "files", "location": "a/b", "region_name": "eu-1"}),
        (
            "s3://KEY:se%2Fcr%2Bet@files?endpoint=http://127.0.0.1:9000&addressing=path",
            {
                "bucket_name": "files",
                "location": "",
                "endpoint_url": "http://127.0.0.1:9000",
                "addressing_style": "path",
                "access_key": "KEY",
                "secret_key": "se/cr+et",
                "security_token": None,
            },
        ),
    ],
)
def test_a_bucket_is_named_with_what_it_needs(url, options):
    assert read_storage_url(url) == StorageSettings({"BACKEND": BUCKET, "OPTIONS": options})


def test_a_key_of_the_environment_counts_where_the_url_has_none():
    own = read_storage_url("s3://OWN:hush@files", "KEY", "secret").storage["OPTIONS"]
    other = read_storage_url("s3://files", "KEY", "secret").storage["OPTIONS"]
    assert [(options["access_key"], options["secret_key"]) for options in (own, other)] == [
        ("OWN", "hush"),
        ("KEY", "secret"),
    ]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("/srv/files", "begins with neither"),
        ("gs://bucket", "begins with neither"),
        ("file://srv/files", "three of them"),
        ("file:srv", "three of them"),
        ("file:///srv/files?x=1", "no options"),
        ("s3:///prefix", "3 to 63 small letters"),
        ("s3://Files", "3 to 63 small letters"),
        ("s3://KEY:hush/hush@files", "written %2F"),
        ("s3://KEY@files", "KEY:SECRET"),
        ("s3://files#a", "%23"),
        ("s3://files?bucket=b", "no option bucket, only endpoint, region, addressing"),
        ("s3://files?endpoint", "NAME=VALUE"),
        ("s3://files?endpoint=127.0.0.1:9000", "such as https://"),
        ("s3://files?addressing=dns", "one of auto, path, virtual"),
        ("s3://[files", "no URL"),
    ],
)
def test_what_is_wrong_is_said_without_what_may_be_secret(url, why):
    with pytest.raises(ImproperlyConfigured, match=r"^STORAGE_URL is wrong: ") as error:
        read_storage_url(url)
    assert why in str(error.value)
    assert "hush" not in str(error.value)


@pytest.mark.django_db(transaction=True)
def test_a_check_says_it_without_a_traceback():
    said = start_command("check", STORAGE_URL="s3://KEY:hush@Files").communicate()
    assert said[1].startswith("Error: STORAGE_URL is wrong: the name of a bucket")
    assert "hush" not in said[1]

"""Copies in a bucket: what goes wrong there is named after who must act."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import default_storage

from customersync.storage_url import read_storage_url
from imports import storage
from imports.storage import CopyGone, StorageRefused, StorageUnreachable
from imports.storage.bucket import Bucket
from tests.buckets import BUCKET, SECRET
from tests.drippers import serving
from tests.imports.test_tls import speak_tls
from tests.processes import free_port
from tests.servers import make_authority


def put(content=b"customer_code\nC1\n"):
    return storage.put(io.BytesIO(content), "copies/1", "customers.txt")


def fetch(key):
    out = io.BytesIO()
    return (*storage.fetch(key, out, "customers.txt", compressed=True), out.getvalue())


@pytest.mark.parametrize(
    "content", [b"", b"customer_code\nC1\n", os.urandom(20_000_000)], ids=["empty", "small", "big"]
)
def test_what_is_kept_comes_back(bucket, content):
    stored = put(content)
    assert fetch(stored.key) == (stored.sha256, stored.size, content)
    assert bucket.names() == [f"kept/{stored.key}"]
    assert storage.holds(stored.key, stored.stored_size)
    assert not storage.holds(stored.key, stored.stored_size + 1)
    storage.delete([stored.key])
    assert (bucket.names(), storage.holds(stored.key, None)) == ([], False)


def test_a_session_lost_in_the_middle_of_keeping_leaves_nothing(bucket):
    bucket.cut_after = 1000
    with pytest.raises(StorageUnreachable) as told:
        put(os.urandom(12_000_000))
    start = f"No copy of customers.txt can be kept: the bucket customer-files at {bucket.endpoint} does not answer ("
    assert str(told.value).startswith(start)
    assert str(told.value).endswith("). It is tried again by itself.")
    assert bucket.cuts > 1
    assert bucket.names() == []
    assert not list(Path(settings.MEDIA_ROOT, "packing").iterdir())


def test_a_session_lost_in_the_middle_of_reading_is_told(bucket):
    stored = put()
    bucket.cut_after = 1
    with pytest.raises(StorageUnreachable, match=r"^The copy of customers.txt cannot be read: .* It is tried again"):
        fetch(stored.key)


def test_a_copy_that_is_gone_or_damaged_is_told(bucket):
    stored = put()
    bucket.client().put_object(Bucket=BUCKET, Key=f"kept/{stored.key}", Body=b"other bytes")
    with pytest.raises(CopyGone, match=r"is damaged in the bucket customer-files at .* Bring it back from a backup"):
        fetch(stored.key)
    bucket.empty()
    with pytest.raises(CopyGone, match=r"is gone from the bucket customer-files at .* or have the file sent again"):
        fetch(stored.key)


def test_a_bucket_that_is_missing_is_named(bucket, settings):
    settings.STORAGES = settings.STORAGES | bucket.storages("no-such-bucket")
    with pytest.raises(
        StorageRefused, match=r"there is no bucket no-such-bucket at .* Make it, or mend STORAGE_URL\.$"
    ):
        put()


@pytest.mark.parametrize(
    ("code", "status", "error", "said"),
    [
        ("AccessDenied", 403, StorageRefused, r"refuses the access \(AccessDenied\). Let the key"),
        ("InvalidAccessKeyId", 403, StorageRefused, "refuses the access"),
        ("RequestTimeTooSkewed", 403, StorageRefused, "the clock of this machine"),
        ("PermanentRedirect", 301, StorageRefused, "another region .* region="),
        ("XMinioStorageFull", 507, StorageRefused, "is full"),
        ("InvalidRequest", 400, StorageRefused, "does not do it"),
        ("SlowDown", 503, StorageUnreachable, "is busy or out of order"),
        ("InternalError", 500, StorageUnreachable, "is busy or out of order"),
    ],
)
def test_answers_are_named_after_who_must_act(bucket, monkeypatch, code, status, error, said):
    def refuse(*arguments, **named):
        answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "PutObject")

    assert isinstance(default_storage, Bucket)
    monkeypatch.setattr(default_storage.connection.meta.client, "upload_fileobj", refuse)
    with pytest.raises(error, match=said) as told:
        put()
    assert SECRET not in str(told.value)


def test_a_store_that_is_away_is_tried_again_and_one_that_is_not_trusted_is_not(tmp_path):
    stranger = make_authority(tmp_path, "stranger")
    with serving(speak_tls(stranger.certificate)) as trusted_by_nobody, serving(lambda session: None) as closing:
        for endpoint, error, said in (
            (f"https://127.0.0.1:{trusted_by_nobody}", StorageRefused, "its certificate is signed by an authority"),
            (f"http://127.0.0.1:{closing}", StorageUnreachable, "does not answer"),
            (f"http://127.0.0.1:{free_port()}", StorageUnreachable, "does not answer"),
            ("http://nowhere.invalid", StorageUnreachable, "does not answer"),
        ):
            url = f"s3://key:secret@customer-files/kept?endpoint={endpoint}&region=us-east-1&addressing=path"
            with pytest.raises(error, match=said):
                Bucket(**read_storage_url(url).storage["OPTIONS"]).size("x")


def test_a_probe_leaves_nothing(bucket):
    storage.probe()
    assert bucket.names() == []


def test_what_cannot_be_deleted_is_left_to_the_next_pruning(bucket, caplog):
    stored = put()
    bucket.cut_after = 1
    storage.delete([stored.key, "copies/1/other"])
    assert "It is deleted by the next pruning that can." in caplog.text
    bucket.cut_after = None
    assert bucket.names() == [f"kept/{stored.key}"]

"""The setting `STORAGE_URL`: a folder, or a bucket of an S3 store → what Django is told of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FOLDER = "django.core.files.storage.FileSystemStorage"
BUCKET = "imports.storage.bucket.Bucket"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", re.ASCII)
OPTIONS = {"endpoint": "endpoint_url", "region": "region_name", "addressing": "addressing_style"}
ADDRESSING = ("auto", "path", "virtual")


class StorageSettings(NamedTuple):
    """An entry of STORAGES, and the folder of this machine where it is one."""

    storage: dict[str, Any]
    folder: Path | None = None


def read_storage_url(text: str, key: str = "", secret: str = "") -> StorageSettings:
    """`key` and `secret` are for a bucket whose URL names none; without any the machine's own role counts.

    Raises ImproperlyConfigured, which says what would be right, and nothing of the URL that may be secret."""
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise _wrong(f"it is no URL ({error})") from None
    if url.scheme == "file":
        return _read_folder(url)
    if url.scheme == "s3":
        return _read_bucket(url, key, secret)
    raise _wrong("it begins with neither")


def _read_folder(url: SplitResult) -> StorageSettings:
    if url.netloc not in ("", "localhost") or not url.path.startswith("/"):
        raise _wrong("the path of a folder begins with / and so follows three of them")
    if url.query or url.fragment:
        raise _wrong("a folder has no options, and a ? or # in its name is written %3F or %23")
    return StorageSettings({"BACKEND": FOLDER}, Path(unquote(url.path)))


def _read_bucket(url: SplitResult, key: str, secret: str) -> StorageSettings:
    user, _, bucket = url.netloc.rpartition("@")
    own_key, _, own_secret = user.partition(":")
    if not BUCKET_NAME.fullmatch(bucket):
        raise _wrong(
            "the name of a bucket has 3 to 63 small letters, digits, dots and dashes; a / in the secret of its key is "
            "written %2F, a + %2B"
        )
    if user and not (own_key and own_secret):
        raise _wrong("a key is given with its secret, as KEY:SECRET@BUCKET")
    if url.fragment:
        raise _wrong("a # in a prefix is written %23")
    options: dict[str, str | None] = {"bucket_name": bucket, "location": unquote(url.path).strip("/")}
    options |= {OPTIONS[name]: value for name, value in _read_options(url).items()}
    if user:
        options |= {"access_key": unquote(own_key), "secret_key": unquote(own_secret), "security_token": None}
    elif key:
        options |= {"access_key": key, "secret_key": secret}
    return StorageSettings({"BACKEND": BUCKET, "OPTIONS": options})


def _read_options(url: SplitResult) -> dict[str, str]:
    try:
        options = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError:
        raise _wrong("its options are written as NAME=VALUE&NAME=VALUE") from None
    if unknown := sorted(options.keys() - OPTIONS.keys()):
        raise _wrong(f"there is no option {unknown[0]}, only {', '.join(OPTIONS)}")
    endpoint = urlsplit(options.get("endpoint", "https://s3"))
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise _wrong("the endpoint is a URL such as https://s3.example.com")
    if options.get("addressing", "auto") not in ADDRESSING:
        raise _wrong(f"addressing is one of {', '.join(ADDRESSING)}")
    return options


def _wrong(why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"STORAGE_URL is wrong: {why}. Write file:///srv/customersync/files, or "
        "s3://bucket/prefix?endpoint=https://s3.example.com."
    )

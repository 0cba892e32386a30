"""Bucket: an S3 store as one of Django's storages. What goes wrong there leaves here named after who must act."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError, SSLError
from botocore.exceptions import ConnectionError as NotConnected
from django.conf import settings
from django.core.files import File
from s3transfer.exceptions import RetriesExceededError
from storages.backends.s3 import S3Storage

from imports.storage.errors import StorageRefused, StorageUnreachable
from imports.tls import explain_tls, is_lasting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PASSING = (NotConnected, HTTPClientError, IncompleteReadError, RetriesExceededError)
BUSY = ("SlowDown", "RequestTimeout", "ThrottlingException", "Throttling", "OperationAborted", "BadDigest")
NO_ACCESS = ("AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch")
ELSEWHERE = ("301", "307", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")


class Bucket(S3Storage):
    """Names are never used twice, so none is looked for before it is written."""

    def __init__(self, **options: Any) -> None:
        config = Config(
            connect_timeout=10,
            read_timeout=settings.FEED_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": options.pop("addressing_style", "auto")},
            # Stores of others know no checksums; whether what comes back is what was kept is found out by its SHA-256.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Of each transfer so many blocks of 8 MB are in memory.
        transfer = TransferConfig(max_concurrency=2)
        self._making = threading.Lock()
        self._made_by = 0
        super().__init__(client_config=config, transfer_config=transfer, default_acl=None, **options)

    @property
    def connection(self) -> Any:
        """One client for all threads, as making it costs more than a small file; a forked process makes its own."""
        with self._making:
            if self._made_by != os.getpid():
                self._connections = threading.local()
                self._client = super().connection
                self._bucket, self._made_by = None, os.getpid()
            return self._client

    @property
    def place(self) -> str:
        """Where the copies are, without secrets."""
        return f"the bucket {self.bucket_name}{f' at {self.endpoint_url}' if self.endpoint_url else ''}"

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._translate(error) from None
        except PASSING as error:
            cause = _find_tls_error(error)
            if cause is not None and is_lasting(cause):
                raise StorageRefused(
                    f"no TLS with {self.place}: {explain_tls(cause)}. Mend STORAGE_URL, or its TLS"
                ) from None
            said = explain_tls(cause) if cause is not None else error
            raise StorageUnreachable(f"{self.place} does not answer ({said})") from None
        except (BotoCoreError, Boto3Error) as error:
            raise StorageRefused(f"{self.place} cannot be asked: {error}") from None

    def _translate(self, error: ClientError) -> Exception:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code == "NoSuchBucket":
            return StorageRefused(f"there is no {self.place.removeprefix('the ')}. Make it, or mend STORAGE_URL")
        if code in ("NoSuchKey", "404") or status == 404:
            return FileNotFoundError(code)
        if code in ELSEWHERE:
            return StorageRefused(f"{self.place} is in another region ({code}). Name it in STORAGE_URL as region=…")
        if code == "RequestTimeTooSkewed":
            return StorageRefused(f"the clock of this machine is not that of {self.place}. Set it")
        if code in NO_ACCESS or status in (401, 403):
            return StorageRefused(
                f"{self.place} refuses the access ({code}). Let the key that STORAGE_URL or AWS_ACCESS_KEY_ID names "
                "read, write, list and delete there"
            )
        if status == 507:
            return StorageRefused(f"{self.place} is full ({code})")
        if code in BUSY or status == 429 or status >= 500:
            return StorageUnreachable(f"{self.place} is busy or out of order ({code})")
        return StorageRefused(f"{self.place} does not do it ({code}: {error})")

    # What the library does, with its errors named; the file that is read is on the disk before anybody reads it.

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        fetched = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it, and where none does)
        try:
            with self._naming_errors():
                self.bucket.Object(self._normalize_name(name)).download_fileobj(fetched, Config=self.transfer_config)
        except BaseException:
            fetched.close()
            raise
        fetched.seek(0)
        return File(fetched, name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with self._naming_errors():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with self._naming_errors():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with self._naming_errors():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with self._naming_errors():
            return int(super().size(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with self._naming_errors():
            folders, files = super().listdir(path)
        return folders, files

    def get_modified_time(self, name: str) -> datetime:
        with self._naming_errors():
            at: datetime = super().get_modified_time(name)
        return at


def _find_tls_error(error: BaseException) -> ssl.SSLError | None:
    """What the library has wrapped, however often; none where TLS is not what failed."""
    cause: BaseException | None = error.kwargs.get("error") if isinstance(error, SSLError) else None
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = next((one for one in cause.args if isinstance(one, BaseException)), None)
    return cause

"""A store that speaks S3, on loopback: the server of moto, behind a proxy that can lose sessions."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from moto.server import ThreadedMotoServer

from customersync.storage_url import read_storage_url

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET, KEY, SECRET = "customer-files", "tests", "hush"


@dataclass
class Store:
    """The store and its bucket. `cut_after` is the number of bytes from clients after which a session is lost."""

    server_port: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cut_after: int | None = None
    cuts: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def url(self, bucket: str = BUCKET, secret: str = SECRET) -> str:
        return f"s3://{KEY}:{secret}@{bucket}/kept?endpoint={self.endpoint}&region=us-east-1&addressing=path"

    def storages(self, bucket: str = BUCKET) -> dict[str, Any]:
        return {"default": read_storage_url(self.url(bucket)).storage}

    def names(self) -> list[str]:
        found = self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [entry["Key"] for entry in found]

    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.server_port}", region_name="us-east-1",
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip

    def empty(self) -> None:
        self.cut_after, self.cuts = None, 0
        for name in self.names():
            self.client().delete_object(Bucket=BUCKET, Key=name)

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        taken = 0
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server, contextlib.suppress(OSError):
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 16)
                    taken += len(data) if source is client else 0
                    if self.cut_after is not None and taken > self.cut_after:
                        self.cuts += 1
                        return
                    if not data:
                        return
                    (server if source is client else client).sendall(data)


@contextmanager
def running_store() -> Iterator[Store]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        store = Store(server.get_host_and_port()[1])
        threading.Thread(target=store.serve, daemon=True).start()
        store.client().create_bucket(Bucket=BUCKET)
        with store.listener:
            yield store
    finally:
        server.stop()

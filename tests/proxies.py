"""Proxies between the program and PostgreSQL, which cut sessions at a chosen moment, or refuse them for a while."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.servers import Server
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT = b"COMMIT"


class Cutter:
    """Cuts the first session that commits after it has sent the mark: before the server sees the commit, or after it.

    With `lasting`, nobody gets through any more from then on.
    """

    def __init__(self, mark: bytes, *, after: bool, lasting: bool = False) -> None:
        self.mark, self.after, self.lasting = mark, after, lasting
        self.cuts = 0
        self.server = Server().parameters
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.cuts and self.lasting:
                    client.close()
                else:
                    threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server, marked = self._connect(), False
        with client, server, contextlib.suppress(OSError):
            while True:
                ready, _, _ = select.select([client, server], [], [])
                source, target = (client, server) if client in ready else (server, client)
                data = source.recv(1 << 16)
                if not data:
                    return
                marked = marked or (source is client and self.mark in data)
                commits = source is client and marked and not self.cuts and COMMIT in data
                if commits:
                    self.cuts += 1
                if commits and not self.after:
                    return
                target.sendall(data)
                if commits:
                    server.recv(1 << 16)  # the answer, which is lost
                    return

    def _connect(self) -> socket.socket:
        return connect(self.server)


def connect(parameters: dict[str, Any]) -> socket.socket:
    """To the server itself."""
    host, port = parameters["host"], int(parameters.get("port", 5432))
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


class Gate:
    """Passes everything on until it is shut: then all sessions end, and nobody gets through."""

    def __init__(self) -> None:
        self.server = Server().parameters
        self.ends: set[socket.socket] = set()
        self.port = free_port()  # which is still free when it is opened again
        self.listener: socket.socket | None = socket.create_server(("127.0.0.1", self.port))
        self.held: bytes | None = None
        self.waiting: set[socket.socket] = set()
        self.is_over = threading.Event()

    def url(self, database: str) -> str:
        """For DATABASE_URL."""
        user, password = self.server.get("user", ""), self.server.get("password", "")
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def open(self) -> None:
        self.is_over.clear()
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=[self.listener], daemon=True).start()

    def hold(self, mark: bytes) -> None:
        """From now on what has the mark, and all behind it, is not passed on: as if the server had vanished then."""
        self.held = mark

    def shut(self) -> None:
        self.is_over.set()
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)  # which ends the waiting for clients
            self.listener.close()
        self.listener = None
        self._end_all()

    def _end_all(self) -> None:
        for end in list(self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was shut
                return
            try:
                server = connect(self.server)
            except OSError:  # whoever comes next may get through
                client.close()
                continue
            self.ends |= {client, server}
            if self.listener is not listener:  # it was shut since the client came
                self._end_all()
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=[source, target], daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self.held is not None and self.held in data:
                    self.waiting.add(source)
                    self.is_over.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends.discard(source)
        source.close()


@contextmanager
def gate() -> Iterator[Gate]:
    gate = Gate()
    gate.open()
    try:
        yield gate
    finally:
        gate.shut()


@contextmanager
def cutting(mark: bytes, *, after: bool, lasting: bool = False) -> Iterator[Cutter]:
    cutter = Cutter(mark, after=after, lasting=lasting)
    threading.Thread(target=cutter.serve, daemon=True).start()
    try:
        yield cutter
    finally:
        cutter.listener.close()

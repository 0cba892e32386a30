"""Servers on 127.0.0.1 that say what they are told to, byte by byte where they drip."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAUSE = 0.1
"""Seconds between two bytes: less than any timeout of the tests."""
LONGEST = 120.0
"""Seconds after which a server stops dripping, so that whoever waits for its end comes to one."""


@contextmanager
def serving(handle: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[int]:
    """A port where each session is handled in a thread of its own, until the block ends."""
    with socket.create_server((host, 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    session, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=run, args=[session], daemon=True).start()

        def run(session: socket.socket) -> None:
            with session, contextlib.suppress(OSError):
                handle(session)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)


def drip(session: socket.socket, text: bytes = b"x") -> None:
    """Repeat a text one byte at a time until the other side goes away."""
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        for byte in text:
            session.sendall(bytes([byte]))
            time.sleep(PAUSE)


def speak_ftp(
    answers: dict[str, Callable[[socket.socket, str], None]], greeting: bytes = b"220 ready\r\n", address: str = ""
) -> Callable[[socket.socket], None]:
    """An FTP server that knows one file, a.txt; `answers` are those of its commands that are answered otherwise.

    `address` is where it says that its data come from.
    """

    def handle(session: socket.socket) -> None:
        file = session.makefile("rb")
        session.sendall(greeting)
        state: dict[str, socket.socket] = {}
        for line in iter(file.readline, b""):
            command, _, argument = line.decode("latin-1").strip().partition(" ")
            if command == "PASV":
                state["data"] = socket.create_server((session.getsockname()[0], 0))
                host, port = address or session.getsockname()[0], state["data"].getsockname()[1]
                where = ",".join([*host.split("."), str(port // 256), str(port % 256)])
                session.sendall(f"227 Entering passive mode ({where})\r\n".encode())
            elif command in ("MLSD", "RETR", "STOR"):
                session.sendall(b"150 here\r\n")
                with state.pop("data") as listener:
                    data, _ = listener.accept()
                with data:
                    answers.get(command, _transfer)(data, command)
                answers.get("done", answer("226 done"))(session, "")
            elif command in answers:
                answers[command](session, argument)
            else:
                said = {"USER": "331 password", "PASS": "230 hello", "PWD": '257 "/"', "SIZE": "213 5"}
                session.sendall(f"{said.get(command, '350 go on' if command == 'RNFR' else '250 fine')}\r\n".encode())

    return handle


def _transfer(data: socket.socket, command: str) -> None:
    if command == "STOR":
        while data.recv(1 << 16):
            pass
    else:
        data.sendall({"MLSD": b"type=file;size=5; a.txt\r\n", "RETR": b"12345"}[command])


def answer(text: str) -> Callable[[socket.socket, str], None]:
    """Says a line; {} in it is the command's argument."""
    return lambda session, argument: session.sendall(text.replace("{}", argument).encode("latin-1") + b"\r\n")


def drip_answer(session: socket.socket, argument: str) -> None:
    drip(session)

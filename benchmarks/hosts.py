#!/usr/bin/env python3
"""The servers of many brands, in a process of their own: SFTP or FTP, with a folder for each login.

    benchmarks/hosts.py sftp|ftp FOLDER

Listens on every address of the loopback alone, prints its port and its host key as one line of JSON, and ends with its
standard input. A login is the name of a folder in FOLDER, which it never leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import asyncssh
from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

PASSWORD = "s3cret-of-every-brand"  # noqa: S105  (of servers that live as long as the benchmark)


async def serve_sftp(root: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return password == PASSWORD

    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: Any) -> None:
            super().__init__(chan, chroot=os.fsencode(root / chan.get_extra_info("username")))

    listener = await asyncssh.listen(
        sock=listen_to_oneself(), server_factory=Login, server_host_keys=[key], sftp_factory=Files, encoding=None
    )
    say(listener.get_port(), key.export_public_key().decode())
    await asyncio.Event().wait()


def serve_ftp(root: Path) -> None:
    class Logins(DummyAuthorizer):
        def validate_authentication(self, username: str, password: str, handler: Any) -> None:
            if password != PASSWORD:
                raise AuthenticationFailed("Wrong password.")

        def get_home_dir(self, username: str) -> str:
            return str(root / username)

        def has_user(self, username: str) -> bool:
            return True

        def has_perm(self, username: str, perm: str, path: str | None = None) -> bool:
            return True

        def get_perms(self, username: str) -> str:
            return "elradfmwMT"

        def get_msg_login(self, username: str) -> str:
            return "Welcome."

        def get_msg_quit(self, username: str) -> str:
            return "Goodbye."

    class Handler(FTPHandler):
        authorizer = Logins()

    server = FTPServer(listen_to_oneself(), Handler)
    say(server.address[1], "")
    server.serve_forever()


def listen_to_oneself() -> socket.socket:
    """A socket for every address of 127.0.0.0/8, and for nobody outside: each of them is a host."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("", 0))
    listener.listen(100)
    return listener


def say(port: int, key: str) -> None:
    print(json.dumps({"port": port, "host_key": key}), flush=True)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    folder = Path(sys.argv[2])
    if sys.argv[1] == "sftp":
        asyncio.run(serve_sftp(folder))
    else:
        serve_ftp(folder)

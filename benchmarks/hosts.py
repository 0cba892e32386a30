#!/usr/bin/env python3
"""The servers of many brands, in a process of their own: SFTP or FTP, with a folder for each login.

    benchmarks/hosts.py sftp|ftp FOLDER

Listens on every address of this machine, prints its port and its host key as one line of JSON, and ends with its
standard input. A login is the name of a folder in FOLDER, which it never leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
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
        "0.0.0.0", 0, server_factory=Login, server_host_keys=[key], sftp_factory=Files, encoding=None,  # noqa: S104
    )  # fmt: skip
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

    server = FTPServer(("0.0.0.0", 0), Handler)  # noqa: S104  (every address of the loopback is a host)
    say(server.address[1], "")
    server.serve_forever()


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

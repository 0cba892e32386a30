"""Drop boxes of tests, and who comes to them."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from dropbox.models import Login, Session, StoredFile
from imports.models import Feed
from tests.builders import PASSWORD
from tests.imports.customer_files import kept_bytes
from tests.processes import start_server, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from accounts.models import Account


class FTPSClient(ftplib.FTP_TLS):
    """One that goes on with its TLS session on data connections, and may forget to say goodbye there."""

    polite = True

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        opened, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)
        kept: Any = self.sock
        secured: Any = self.context.wrap_socket(opened, server_hostname=self.host, session=kept.session)
        if not self.polite:
            secured.unwrap = lambda: None
        return secured, size


@dataclass
class Running:
    """A drop box at work."""

    process: subprocess.Popen[str]
    ports: dict[str, int] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)


def start_dropbox(*arguments: str, **variables: str) -> Running:
    process = start_server("serve_dropbox", *(arguments or ("--sftp", "0", "--ftps", "0")), **variables)
    running = Running(process)
    read_announcement(running)
    return running


def read_announcement(running: Running) -> None:
    """Wait until it has said where it listens, and by which keys."""
    process = running.process
    assert process.stdout is not None
    while not running.fingerprints.get("certificate"):
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        words = line.split()
        if words[1] == "on":
            running.ports[words[0]] = int(words[-1])
        else:
            running.fingerprints[words[0]] = words[-1]


@dataclass
class Box:
    """A feed with a login, which has a password and a key."""

    feed: Feed
    login: Login
    key: Path

    def names(self, folder: str = "in", **conditions: Any) -> list[str]:
        return sorted(self.files(folder, **conditions).values_list("name", flat=True))

    def files(self, folder: str = "in", **conditions: Any) -> Any:
        return StoredFile.objects.filter(feed=self.feed, folder=folder, **{"whole": True, **conditions})

    def content(self, name: str, folder: str = "in", **conditions: Any) -> bytes:
        return kept_bytes(self.files(folder, name=name, **conditions).get().content)

    def is_queued(self) -> bool:
        self.feed.refresh_from_db()
        return self.feed.is_queued

    def last_session(self) -> Session:
        """Once it has ended."""
        sessions = Session.objects.filter(login=self.login)
        wait_until(lambda: sessions.exists() and not sessions.filter(ended_at=None).exists())
        return sessions.latest("pk")


def make_box(account: Account, folder: Path, name: str = "erp", **fields: Any) -> Box:
    feed = Feed(account=account, name=name, protocol="dropbox")
    feed.full_clean()
    feed.save()
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = folder / f"{name}.key"
    path.touch(0o600)
    path.write_bytes(key.export_private_key())
    login = Login.objects.create(
        feed=feed,
        user_name=f"{account.code}-{name}",
        password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000),
        public_keys=key.export_public_key().decode(),
        **fields,
    )
    return Box(feed, login, path)


@contextlib.asynccontextmanager
async def connect(running: Running, box: Box, **options: Any) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """By key, or with a password among the options; the server must present the key that it said."""

    class Client(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return key.get_fingerprint() in running.fingerprints.values()

    options = {"client_keys": None if "password" in options else [str(box.key)], **options}
    async with asyncssh.connect(
        "127.0.0.1",
        running.ports["SFTP"],
        **{"username": box.login.user_name, "known_hosts": ([], [], []), "client_factory": Client, "config": None,
           "agent_path": None, **options},
    ) as connection:  # fmt: skip
        yield connection


def visit(running: Running, box: Box, does: Callable[[asyncssh.SFTPClient], Awaitable[Any]], **options: Any) -> Any:
    """Let a client do something in a session, and return what comes of it."""

    async def go() -> Any:
        async with connect(running, box, **options) as connection, connection.start_sftp_client() as files:
            return await does(files)

    return asyncio.run(go())


def openssh(running: Running, box: Box, *commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """OpenSSH's sftp with these commands."""
    program = shutil.which("sftp")
    if program is None:
        pytest.skip("OpenSSH's sftp is not installed")
    batch = folder / "batch"
    batch.write_text("\n".join(commands) + "\n")
    return subprocess.run(
        [
            program, "-b", str(batch), "-i", str(box.key), "-P", str(running.ports["SFTP"]), "-F", "none",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
            f"{box.login.user_name}@127.0.0.1",
        ],
        capture_output=True, text=True, check=False, cwd=folder, timeout=60,
    )  # fmt: skip

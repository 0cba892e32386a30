"""SFTP: what asyncssh is asked for, answered from the folder of a login. Nothing else is served over SSH."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter
from django.conf import settings

from dropbox.errors import OutOfOrder, Refused
from dropbox.jobs import do
from dropbox.logins import admit, count_refusal, find_login, is_key_of, is_refused, verify_password
from dropbox.requests import Files, Requests
from dropbox.sessions import CUT_OFF, LEFT, begin_session, end_session
from dropbox.strangers import Stranger

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropbox.sessions import Visit

LOGIN_SECONDS = 30
CONNECTIONS_PER_SESSION = 2
"""How many connections are open for every session that there may be; the others have not logged in yet."""
WINDOW = 512 * 1024
"""Bytes that a client may send ahead, which is what a session may need of memory."""


async def listen(host: str, port: int, keys: list[asyncssh.SSHKey]) -> asyncssh.SSHAcceptor:
    """Take SFTP sessions, until what is returned is closed."""
    return await asyncssh.listen(
        host,
        port,
        server_factory=Door,
        server_host_keys=keys,
        server_version="CustomerSync",
        encoding=None,
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=30,
        keepalive_count_max=4,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_pty=False,
        allow_scp=False,
        gss_host=None,
        compression_algs=["none"],
        window=WINDOW,
        backlog=256,
    )


class Door(asyncssh.SSHServer):
    """Lets logins in, by password or key, and nobody anywhere but into their folders."""

    conn: asyncssh.SSHServerConnection
    stranger: Stranger

    def __init__(self) -> None:
        self.counts = False
        """Whether the attempt is to be counted if nothing comes of it: keys were tried."""
        self.visits: set[Visit] = set()
        self.user_name = self.address = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.conn = conn
        _doors.add(self)
        self.address = str(conn.get_extra_info("peername")[0])
        self.stranger = Stranger(self.address)
        if self.stranger.is_one_too_many or len(_doors) > CONNECTIONS_PER_SESSION * settings.DROPBOX_SESSIONS:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        _doors.discard(self)
        self.stranger.leave()
        for visit in self.visits:
            if exc is not None and visit.ended == LEFT:
                visit.ended = CUT_OFF
        if self.counts:
            task = asyncio.get_running_loop().create_task(self.ask(count_refusal, self.user_name, self.address))
            _counting.add(task)
            task.add_done_callback(_counting.discard)

    async def ask(self, job: Callable[..., Any], *arguments: str) -> Any:
        """Who cannot be judged is let go, and told why; then the answer is none."""
        try:
            return await do(job, *arguments)
        except Refused as error:
            self.send_away(str(error))
            return None

    def send_away(self, why: str) -> None:
        self.conn.disconnect(asyncssh.DISC_BY_APPLICATION, why)

    async def begin_auth(self, username: str) -> bool:
        self.user_name = username
        if await self.ask(is_refused, username, self.address):
            self.send_away("Too many attempts to log in failed. Try again in 15 minutes.")
        return True

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        self.counts = False  # this attempt is counted where it is judged
        return await self.ask(verify_password, username, password, self.address) is not None

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self.counts = True
        return bool(await self.ask(is_key_of, username, key.export_public_key().decode()))

    def auth_completed(self) -> None:
        self.counts = False
        self.stranger.leave()

    def session_requested(self) -> SFTPSession:
        return SFTPSession(self)


_doors: set[Door] = set()
_counting: set[asyncio.Task[Any]] = set()


class SFTPSession(SSHServerStreamSession[bytes]):
    """A channel that serves SFTP: no shell, no command, no other subsystem."""

    def __init__(self, door: Door) -> None:
        super().__init__(None)
        self.door = door

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    def session_started(self) -> None:
        channel: Any = self._chan
        channel.set_encoding(None)
        self._encoding = None
        reader, writer = SSHReader[bytes](self, channel), SSHWriter[bytes](self, channel)
        self.door.conn.create_task(self._serve(channel, reader, writer), reader.logger)

    async def _serve(self, channel: Any, reader: SSHReader[bytes], writer: SSHWriter[bytes]) -> None:
        door, loop = self.door, asyncio.get_running_loop()

        def end(why: str) -> None:
            loop.call_soon_threadsafe(door.send_away, why)

        try:
            visit = await do(_enter, door.user_name, door.address, end)
        except Refused as error:
            door.send_away(str(error))
            return
        door.visits.add(visit)
        try:
            await Requests(Files(channel, visit), reader, writer, sftp_version=3).run()
        finally:
            with contextlib.suppress(OutOfOrder):  # then the session counts as lost after a while
                await do(end_session, visit)


def _enter(user_name: str, address: str, end: Callable[[str], None]) -> Visit:
    login = find_login(user_name)
    if login is None:
        raise Refused("The login or its feed was paused.")
    visit = begin_session(login, "SFTP", address, end)
    admit(user_name, address)
    return visit

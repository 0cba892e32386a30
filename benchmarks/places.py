"""Where the files of benchmarks/chaos come to: folders of servers, and drop boxes with senders that never give up."""

from __future__ import annotations

import asyncio
import ftplib
import io
import os
import random
import ssl
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    import contextlib
    from pathlib import Path

    from benchmarks.app_hosts import Door
    from imports.models import Feed
    from tests.dropbox.visitors import Box
    from tests.servers import Running

WAYS = ("sftp", "sftp under another name", "ftps")
"""How a sender uploads a file."""
BREAKS_OFF = 0.2
"""How often a sender loses its connection in the middle of an upload."""
PAUSE = 2.5
"""Seconds until a sender that lost its connection comes back: long enough for a pull to find what it left."""
SECONDS = 10
"""How long a sender waits for an answer."""


@dataclass
class Folder:
    """The folder of a server, in which files appear at once and whole, at times that say their order."""

    feed: Feed
    server: Running
    dropped: int = 0
    sent_again: int = 0
    """Files that were written anew since nobody said whether they had come; here there are none."""

    def drop(self, name: str, text: str) -> None:
        draft = self.server.folder / f"{name}.part"
        draft.write_text(text)
        moment = 1_700_000_000 + self.dropped
        os.utime(draft, (moment, moment))
        draft.rename(draft.with_suffix(""))
        self.dropped += 1

    def count_waiting(self) -> int:
        return len(list(self.server.folder.glob("*.txt")))

    def count_archived(self) -> int:
        return len(list(self.server.folder.glob("processed/*.txt")))


@dataclass
class Sender:
    """Sends files into the drop box one after the other, each until it is told that it was taken."""

    box: Box
    doors: list[Door]
    """Of the hosts, between which a balancer chooses anew for each session."""
    chance: random.Random
    tally: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    sent_again: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    _queue: list[Future[None]] = field(default_factory=list)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    @property
    def feed(self) -> Feed:
        return self.box.feed

    def drop(self, name: str, text: str) -> None:
        self._queue.append(self._thread.submit(self._send_until_told, name, text.encode(), self.chance.choice(WAYS)))
        self.dropped += 1

    def close(self) -> None:
        self.ended.set()
        self._thread.shutdown(cancel_futures=True)

    def count_waiting(self) -> int:
        """Files that are not sent, and whatever lies in the folder, halves too."""
        from dropbox.models import StoredFile

        return (
            sum(not file.done() for file in self._queue)
            + self.feed.stored_files.filter(folder=StoredFile.Folder.IN).count()
        )

    def count_archived(self) -> int:
        """By the names that they had; one that was sent again may be there twice."""
        names = self.box.names("processed")
        return len({name.split("-", 2)[2] for name in names})

    def _send_until_told(self, name: str, content: bytes, way: str) -> None:
        while not self.ended.is_set():
            breaks_off, door = self.chance.random() < BREAKS_OFF, self.chance.choice(self.doors)
            try:
                if way == "ftps":
                    self._send_by_ftps(door, name, content, breaks_off)
                else:
                    asyncio.run(asyncio.wait_for(self._send_by_sftp(door, name, content, way, breaks_off), SECONDS))
            except (OSError, EOFError, ftplib.Error, asyncssh.Error, TimeoutError):
                self.tally["uploads that the drop box did not answer to"] += 1
                self.sent_again += 1
                time.sleep(0.2)
                continue
            if not breaks_off:
                return
            self.tally["uploads broken off in the middle"] += 1
            time.sleep(PAUSE)

    async def _send_by_sftp(self, door: Door, name: str, content: bytes, way: str, breaks_off: bool) -> None:
        draft = name if way == "sftp" else f"{name}.filepart"
        session = asyncssh.connect(
            door.address, door.ports["SFTP"], username=self.box.login.user_name, client_keys=[str(self.box.key)],
            known_hosts=None, config=None, agent_path=None,
        )  # fmt: skip
        async with session as connection, connection.start_sftp_client() as files:
            file = await files.open(f"in/{draft}", "wb")
            await file.write(_first_lines(content))
            if breaks_off:
                connection.abort()
                return
            await file.write(content[len(_first_lines(content)) :])
            await file.close()
            if draft != name:
                await files.posix_rename(f"in/{draft}", f"in/{name}")

    def _send_by_ftps(self, door: Door, name: str, content: bytes, breaks_off: bool) -> None:
        from tests.builders import PASSWORD

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with ftplib.FTP_TLS(context=context, timeout=SECONDS) as session:  # noqa: S321  (over TLS)
            session.connect(door.address, door.ports["FTPS"])
            session.login(self.box.login.user_name, PASSWORD)
            session.prot_p()
            if not breaks_off:
                session.storbinary(f"STOR in/{name}", io.BytesIO(content))
                return
            with session.transfercmd(f"STOR in/{name}") as data:
                data.sendall(_first_lines(content))
                session.close()


def _first_lines(content: bytes) -> bytes:
    """All but the last line: what would pass for a whole file."""
    return content[: content.rfind(b"\n", 0, -1) + 1]


Place = Folder | Sender


def make_places(
    stack: contextlib.ExitStack, folder: Path, count: int, chance: random.Random, doors: list[Door]
) -> list[Place]:
    """An account and a feed for each: by turns of SFTP, FTP, and the drop box."""
    from tests.builders import add_lookups, make_account
    from tests.dropbox.visitors import make_box
    from tests.feeds import make_feed
    from tests.servers import run_ftp, run_sftp

    places: list[Place] = []
    for number in range(count):
        place = folder / str(number)
        place.mkdir()
        account: Any = make_account(f"brand-{number}")
        add_lookups(account)
        if number % 3 == 2:
            box = make_box(account, place, f"feed-{number}", at_once=True)
            box.feed.alert_after = 10_000
            box.feed.save(update_fields=["alert_after"])
            sender = Sender(box, doors, random.Random(chance.random()))
            stack.callback(sender.close)
            places.append(sender)
        else:
            server = stack.enter_context((run_sftp, run_ftp)[number % 3](place))
            feed = make_feed(account, server, f"feed-{number}", settle_seconds=1, alert_after=10_000)
            places.append(Folder(feed, server))
    return places

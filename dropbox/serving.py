"""Serving: one process that takes SFTP and FTPS sessions, until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from accounts.suspending import is_suspended, say_suspended
from dropbox.errors import OutOfOrder
from dropbox.ftps import Listener
from dropbox.identity import load_certificate, load_host_keys, read_fingerprints
from dropbox.jobs import do
from dropbox.models import StoredFile
from dropbox.sessions import end_all, look_after, record_lost
from dropbox.sftp import listen
from imports.pipeline.beating import note_heartbeats

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

HEARTBEAT = "dropbox"
LOOK_SECONDS = 2.0
"""How long a login may stay that was paused or removed."""
HOUSEKEEPING = timedelta(hours=1)


async def serve(bind: str, sftp: int | None, ftps: int | None, say: Callable[[str], None]) -> None:
    """Serve on these ports, 0 for any that is free and none for not at all; `say` is told where, and by which keys.

    Raises OSError where a port cannot be had, and ImproperlyConfigured.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        if await do(is_suspended):
            say(await do(say_suspended))
            await _wait_until_resumed(stop)
        else:
            await _serve(bind, sftp, ftps, say, stop)


async def _serve(
    bind: str, sftp: int | None, ftps: int | None, say: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Take sessions until it is told to end, or the system is suspended."""
    async with contextlib.AsyncExitStack() as stack:
        if sftp is not None:
            listener = await listen(bind, sftp, await do(load_host_keys))
            stack.callback(listener.close)
            say(f"SFTP on {bind}, port {listener.get_port()}")
        if ftps is not None:
            server = Listener(bind, ftps, await do(load_certificate))
            stack.push_async_callback(asyncio.to_thread, server.close)
            say(f"FTPS on {bind}, port {server.port}")
        for one in await do(read_fingerprints):
            say(f"  {one.kind} {one.value}")
        await _look_after_all(stop)
        await asyncio.to_thread(end_all)


async def _wait_until_resumed(stop: asyncio.Event) -> None:
    """While the system is suspended nobody finds an open port; that the drop box waits is seen all the same."""
    is_closed = True
    while is_closed and not stop.is_set():
        await _pause(stop)
        try:
            await do(_give_sign_of_life)
            is_closed = await do(is_suspended)
        except OutOfOrder as error:
            log.warning("The drop box cannot find out whether it may open.", exc_info=error)


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), LOOK_SECONDS)


async def _look_after_all(stop: asyncio.Event) -> None:
    tidied = None
    while not stop.is_set():
        try:
            await do(_give_sign_of_life)
            await do(look_after)
            if await do(is_suspended):
                return
            if tidied is None or timezone.now() - tidied > HOUSEKEEPING:
                tidied = timezone.now()
                await do(tidy)
        except OutOfOrder as error:
            log.warning("The drop box cannot look after its sessions.", exc_info=error)
        await _pause(stop)


def _give_sign_of_life() -> None:
    note_heartbeats(HEARTBEAT)


def tidy() -> None:
    """Forget archives, receipts and cut-off uploads that are old enough."""
    record_lost()
    days = max(1, settings.KEEP_FILES_DAYS)
    old = StoredFile.objects.filter(modified_at__lt=timezone.now() - timedelta(days=days))
    for file in old.exclude(folder=StoredFile.Folder.IN, whole=True).iterator():
        file.delete()

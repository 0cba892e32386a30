"""Serving: one process that takes SFTP and FTPS sessions, until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, cast

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
GRACE = 20.0
"""Seconds from being told to end until it ends, whatever it waits for."""


async def serve(bind: str, sftp: int | None, ftps: int | None, say: Callable[[str], None]) -> None:
    """Serve on these ports, 0 for any that is free and none for not at all; `say` is told where, and by which keys.

    Raises OSError where a port cannot be had, and ImproperlyConfigured.
    """
    task = cast("asyncio.Task[None]", asyncio.current_task())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, task)
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            if await do(is_suspended):
                say(await do(say_suspended))
                await _wait_until_resumed()
            else:
                await _serve(bind, sftp, ftps, say)


def _end(task: asyncio.Task[None]) -> None:
    """Whatever it waits for; threads that wait for the database cannot be told, and are not waited for long."""
    task.cancel()
    end = threading.Timer(GRACE, _end_at_once)
    end.daemon = True
    end.start()


def _end_at_once() -> None:
    log.error("The drop box ends without the answers that it waits for from the database or the storage.")
    os._exit(1)


async def _serve(bind: str, sftp: int | None, ftps: int | None, say: Callable[[str], None]) -> None:
    """Take sessions until the system is suspended, or it is told to end."""
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
        stack.push_async_callback(asyncio.to_thread, end_all)
        await _look_after_all()


async def _wait_until_resumed() -> None:
    """While the system is suspended nobody finds an open port; that the drop box waits is seen all the same."""
    is_closed = True
    while is_closed:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await do(_give_sign_of_life)
            is_closed = await do(is_suspended)
        except OutOfOrder as error:
            log.warning("The drop box cannot find out whether it may open.", exc_info=error)


async def _look_after_all() -> None:
    tidied = None
    while True:
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
        await asyncio.sleep(LOOK_SECONDS)


def _give_sign_of_life() -> None:
    note_heartbeats(HEARTBEAT)


def tidy() -> None:
    """Forget archives, receipts and cut-off uploads that are old enough."""
    record_lost()
    days = max(1, settings.KEEP_FILES_DAYS)
    old = StoredFile.objects.filter(modified_at__lt=timezone.now() - timedelta(days=days))
    for file in old.exclude(folder=StoredFile.Folder.IN, whole=True).iterator():
        file.delete()

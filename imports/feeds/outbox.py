"""Outbox: receipts and rejects, written back to the server that the file came from."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.suspending import is_suspended
from imports.copies import open_copy
from imports.describing import receipt_name, rejects_name, write_receipt
from imports.feeds.archiving import make_folders
from imports.feeds.fetching import join
from imports.filesystems import UNFINISHED
from imports.messages.channels import Channel
from imports.models import Run
from imports.models.messages import OUTBOX
from imports.pipeline.rejecting import reasons_path
from imports.storage import CopyGone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.filesystems import Server
    from imports.messages.channels import Event
    from imports.models import Feed, KeptFile


class OutboxChannel(Channel):
    """Senders get receipts and rejects back: in a folder of the feed, which the feed's next pull writes to."""

    kind = OUTBOX
    label = "file in the outbox"

    def write(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        run, feed = event.run, event.feed
        if run is None or feed is None or not feed.outbox_folder or event.name != f"run.{run.status}":
            return
        if run.status != Run.Status.FAILED:
            for what in ["receipt", "rejects"] if run.rejects_file_id else ["receipt"]:
                yield f"{what}:{event.what}", {"file": what}


def write_outbox(server: Server, feed: Feed, *, until: float) -> None:
    """Write what waits for the feed's outbox, until a time of the monotonic clock; the rest is for a later pull."""
    for message in feed.messages.for_outbox().select_related("run").order_by("pk"):
        if time.monotonic() > until or is_suspended():
            return
        if feed.outbox_folder and message.run is not None:
            for name, content in _files(message.run, message.payload.get("file", "")):
                _write(server, feed, name, content)
        message.delivered_at = timezone.now()
        message.attempts += 1
        message.save(update_fields=["delivered_at", "attempts"])


def _files(run: Run, what: str) -> Iterator[tuple[str, bytes]]:
    if what == "receipt":
        yield receipt_name(run), write_receipt(run)
        return
    name = rejects_name(run)
    for own_name, kept in ((name, run.rejects_file), (reasons_path(Path(name)).name, run.reasons_file)):
        if content := _read(kept, own_name):
            yield own_name, content


def _read(kept: KeptFile | None, name: str) -> bytes:
    """Nothing where it is kept no more."""
    try:
        with open_copy(kept, name) as file:
            return file.read()
    except CopyGone:
        return b""


def _write(server: Server, feed: Feed, name: str, content: bytes) -> None:
    path = join(feed.folder, feed.outbox_folder, name)
    make_folders(server, feed.folder, path)
    number = 1
    while server.settle_rename(path + UNFINISHED, path):
        written = server.look_at(path)
        if written is not None and written.size == len(content):
            return  # by a pull that was killed before it could note that
        number += 1  # the name is somebody else's; the next one is the same again when this pull is killed
        path = join(feed.folder, feed.outbox_folder, f"{number}-{name}")
    server.write_file(path, content)

"""Health: whether senders find somebody who takes their files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.timesince import timesince

from accounts.health import read_clock
from dropbox.models import Login
from dropbox.serving import HEARTBEAT
from imports.models import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SILENCE = timedelta(minutes=2)


def find_problems() -> Iterator[str]:
    """Nothing is wrong without a drop box where no login could use it."""
    if not Login.objects.open().exists():
        return
    heartbeat, now = Heartbeat.objects.filter(name=HEARTBEAT).first(), read_clock()
    if heartbeat is None:
        yield "Senders bring files to feeds, and no drop box was ever seen at work: start manage.py serve_dropbox."
    elif heartbeat.at < now - LONGEST_SILENCE:
        silence = timesince(heartbeat.at, now).replace("\xa0", " ")
        yield f"No drop box was seen for {silence}: restart manage.py serve_dropbox."

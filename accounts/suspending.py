"""Suspend: nothing goes out and nobody is let in, until somebody lets it go on.

While the system is suspended, feeds are not pulled, nothing is written to their servers, mails and webhooks wait, the
drop box is closed and nothing is pruned by itself. People go on: pages, the API, uploads and commands that read files.
`restore` suspends it, since the same feeds may be pulled by the system that the backup is of; operators do for work on
the servers. It stands in the database, so that it holds on all machines, and nothing has to be started anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Suspension
from accounts.times import say_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

ONLY = 1
"""The number of the one row."""


def find_suspension() -> Suspension | None:
    return Suspension.objects.first()


def is_suspended() -> bool:
    return Suspension.objects.exists()


def suspend(reason: str = "") -> Suspension:
    """Suspend the system; one that is suspended stays so, since then, for this reason if one is given."""
    suspension, is_new = Suspension.objects.get_or_create(pk=ONLY, defaults={"reason": reason})
    if reason and not is_new:
        suspension.reason = reason
        suspension.save(update_fields=["reason"])
    return suspension


def resume() -> bool:
    """Let it go on; whether it was suspended."""
    return bool(Suspension.objects.all().delete()[0])


def say_suspended() -> str:
    """Why something is not done, for whoever asked for it."""
    suspension = find_suspension()
    since = f" since {say_utc(suspension.since)}" if suspension else ""
    reason = f" ({suspension.reason.rstrip('.')})" if suspension and suspension.reason else ""
    return (
        f"Customer Sync is suspended{since}{reason}: feeds, messages and the drop box wait. "
        "manage.py resume lets them go on."
    )


def find_problems() -> Iterator[str]:
    """For monitors, without the reason, as strangers read it."""
    if suspension := find_suspension():
        yield (
            f"Customer Sync is suspended since {say_utc(suspension.since)}: no feed is pulled, no message is sent, and "
            "the drop box is closed. manage.py resume lets them go on."
        )

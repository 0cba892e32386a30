"""Tell: who has to know what became of a file or of a feed.

What is told is written into the database together with what happened, once for each event, and delivered afterwards
(see `delivering` and `outbox`): neither is lost when the other fails.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.times import iso_utc
from imports.describing import describe_run
from imports.messages.channels import Event, find_channels
from imports.messages.events import announce_run
from imports.models import Message, Run

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from imports.models import Feed

NEEDS_SOMEBODY = {Run.Status.HELD, Run.Status.REJECTED, Run.Status.FAILED, Run.Status.PARTIAL}
TOLD_ISSUES = 20
"""How many of a run's issues its webhook tells; the receipt and the admin tell more."""


def tell_of_run(run: Run) -> None:
    """A run has ended, or was decided about: programs are told of all, people of what needs somebody.

    A file that fails again and again for the same technical reason is told to people once.
    """
    if run.dry_run or run.status in (Run.Status.QUEUED, Run.Status.RUNNING):
        return
    feed = run.feed
    people = feed.contacts if feed is not None else _uploader(run)
    event = Event(
        name=f"run.{run.status}",
        what=f"{run.pk}:{run.status}",
        account=run.account,
        describe=lambda: describe_run(run, TOLD_ISSUES),
        feed=feed,
        run=run,
        people=people if run.status in NEEDS_SOMEBODY else [],
        repeats=_identity(run) if feed is not None and run.status == Run.Status.FAILED else "",
    )
    _tell(event)
    announce_run(run.pk)


def tell_of_refusal(held: Run, user: User | None, problem: str) -> None:
    """A release was refused when its turn came: whoever asked for it is told, and so is the webhook."""
    event = Event(
        name="run.release_refused",
        what=f"refused:{held.pk}:{held.release_asked_at and held.release_asked_at.isoformat()}",
        account=held.account,
        describe=lambda: {**describe_run(held, TOLD_ISSUES), "release_problem": problem},
        feed=held.feed,
        run=held,
        people=[user.email] if user is not None and user.email else [],
        details={"problem": problem},
    )
    _tell(event)


def tell_of_feed(feed: Feed, event: str, since: datetime, payload: dict[str, Any]) -> None:
    """A feed fails, works again or is silent, since a time that tells one such event from the next."""
    happened = Event(
        name=event,
        what=f"{event}:{feed.pk}:{since.isoformat()}",
        account=feed.account,
        describe=lambda: {"account": feed.account.code, "feed": feed.name, **payload},
        feed=feed,
        people=feed.contacts,
        details=payload,
    )
    _tell(happened)


def tell_of_reviews(account: Account, count: int, since: datetime) -> None:
    """So many connections wait for review, though one was due then: editors are told once a day."""
    day = timezone.localdate().isoformat()
    review = {"since": iso_utc(since), "count": count, "hours": account.review_hours}
    editors = account.memberships.filter(role="editor", user__is_active=True).exclude(user__email="")
    event = Event(
        name="review.overdue",
        what=f"review.overdue:{account.pk}:{day}",
        account=account,
        describe=lambda: {"account": account.code, **review},
        people=sorted(set(editors.values_list("user__email", flat=True))),
        details=review,
    )
    _tell(event)


def _tell(event: Event) -> None:
    """Write down what each channel wants to tell of it."""
    about = {"account": event.account, "feed": event.feed, "run": event.run, "event": event.name}
    told = [
        Message(**about, kind=kind, key=f"{kind}:{name}", payload=payload)
        for kind, channel in find_channels().items()
        for name, payload in channel.write(event)
    ]
    Message.objects.bulk_create(told, ignore_conflicts=True)


def _uploader(run: Run) -> list[str]:
    """Who sent the file of a run that a worker did, and is not there to see how it ends. An undo has no file."""
    is_told = run.undoes_id is None and (run.is_upload or run.status == Run.Status.HELD)
    return [run.started_by.email] if is_told and run.started_by and run.started_by.email else []


def _identity(run: Run) -> str:
    """The file on the feed's server, as it was: path, size, time and content."""
    identity = repr((run.feed_id, run.remote_path, run.remote_size, run.remote_modified_at, run.sha256))
    return f"failed:{hashlib.sha256(identity.encode()).hexdigest()}"

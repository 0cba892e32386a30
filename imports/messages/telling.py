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
from imports.models import Message, Run, Webhook

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from imports.models import Feed

NEEDS_SOMEBODY = {Run.Status.HELD, Run.Status.REJECTED, Run.Status.FAILED, Run.Status.PARTIAL}
TOLD_ISSUES = 20
"""How many of a run's issues its webhook tells; the receipt and the admin tell more."""


def tell_of_run(run: Run) -> None:
    """A run has ended, or was decided about: the webhook is told of all, people of what needs somebody.

    A file that fails again and again for the same technical reason is told to people once.
    """
    if run.dry_run or run.status in (Run.Status.QUEUED, Run.Status.RUNNING):
        return
    event, feed = f"run.{run.status}", run.feed
    about = {"account": run.account, "feed": feed, "run": run, "event": event}
    told = list(_webhook(run.account, about, f"{run.pk}:{run.status}", lambda: describe_run(run, TOLD_ISSUES)))
    contacts = feed.contacts if feed is not None else _uploader(run)
    if contacts and run.status in NEEDS_SOMEBODY:
        again = feed is not None and run.status == Run.Status.FAILED
        told.append(_email(about, _identity(run) if again else f"{run.pk}:{run.status}", contacts, {}))
    if feed is not None and feed.outbox_folder and run.status != Run.Status.FAILED:
        for what in ["receipt", "rejects"] if run.rejects_file else ["receipt"]:
            key = f"file:{what}:{run.pk}:{run.status}"
            told.append(Message(**about, kind=Message.Kind.FILE, key=key, payload={"file": what}))
    Message.objects.bulk_create(told, ignore_conflicts=True)


def tell_of_refusal(held: Run, user: User | None, problem: str) -> None:
    """A release was refused when its turn came: whoever asked for it is told, and so is the webhook."""
    about = {"account": held.account, "feed": held.feed, "run": held, "event": "run.release_refused"}
    what = f"refused:{held.pk}:{held.release_asked_at and held.release_asked_at.isoformat()}"
    described = lambda: {**describe_run(held, TOLD_ISSUES), "release_problem": problem}  # noqa: E731  (called at most once)
    told = list(_webhook(held.account, about, what, described))
    if user is not None and user.email:
        told.append(_email(about, what, [user.email], {"problem": problem}))
    Message.objects.bulk_create(told, ignore_conflicts=True)


def tell_of_feed(feed: Feed, event: str, since: datetime, payload: dict[str, Any]) -> None:
    """A feed fails, works again or is silent, since a time that tells one such event from the next."""
    about = {"account": feed.account, "feed": feed, "event": event}
    what = f"{event}:{feed.pk}:{since.isoformat()}"
    described = {"account": feed.account.code, "feed": feed.name, **payload}
    told = list(_webhook(feed.account, about, what, lambda: described))
    if feed.contacts:
        told.append(_email(about, what, feed.contacts, payload))
    Message.objects.bulk_create(told, ignore_conflicts=True)


def _webhook(account: Account, about: dict[str, Any], what: str, describe: Any) -> list[Message]:
    if not Webhook.objects.filter(account=account, enabled=True).exists():
        return []
    payload = {"type": about["event"], "timestamp": iso_utc(timezone.now()), "data": describe()}
    return [Message(**about, kind=Message.Kind.WEBHOOK, key=f"webhook:{what}", payload=payload)]


def _email(about: dict[str, Any], what: str, contacts: list[str], payload: dict[str, Any]) -> Message:
    return Message(**about, kind=Message.Kind.EMAIL, key=f"email:{what}", payload={**payload, "to": contacts})


def _uploader(run: Run) -> list[str]:
    """Who sent the file of a run that a worker did, and is not there to see how it ends."""
    is_told = run.is_upload or run.status == Run.Status.HELD
    return [run.started_by.email] if is_told and run.started_by and run.started_by.email else []


def _identity(run: Run) -> str:
    """The file on the feed's server, as it was: path, size, time and content."""
    identity = repr((run.feed_id, run.remote_path, run.remote_size, run.remote_modified_at, run.sha256))
    return f"failed:{hashlib.sha256(identity.encode()).hexdigest()}"

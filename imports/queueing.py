"""Queue: what workers are to do goes into their queue, together with the note that it is there.

A task that finds its account busy gives its worker back at once and leaves a note that it waits; whoever frees the
account puts what waits for it into the queue, and the schedule does so every minute for what was missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from imports.models import Feed, Run

if TYPE_CHECKING:
    from accounts.models import Account, User


def enqueue_pull(feed_id: int) -> None:
    with transaction.atomic():
        Feed.objects.filter(pk=feed_id).update(queued_at=timezone.now())
        async_task("imports.tasks.pull", feed_id)


def enqueue_asked_meanwhile(feed_id: int) -> None:
    """Queue a feed again for which a pull was asked while it was pulled: that task found it taken and is gone."""
    with transaction.atomic():
        if Feed.objects.select_for_update().filter(pk=feed_id, enabled=True, queued_at__isnull=False).exists():
            enqueue_pull(feed_id)


def request_pull(feed: Feed) -> None:
    """Pull now: make the feed due, and queue it without waiting for the schedule."""
    Feed.objects.filter(pk=feed.pk).update(next_pull_at=timezone.now())
    enqueue_pull(feed.pk)


def enqueue_run(run_id: int) -> None:
    """Let a worker import an uploaded file, or release a held one."""
    with transaction.atomic():
        run = Run.objects.for_workers().filter(pk=run_id).only("status").first()
        if run is not None and Run.objects.for_workers().filter(pk=run_id).update(queued_at=timezone.now()):
            async_task(f"imports.tasks.{'import_upload' if run.status == Run.Status.QUEUED else 'release'}", run_id)


def request_release(held: Run, user: User, *, force: bool = False) -> None:
    """Let a worker release a held run, which may take minutes; who asked for it is told when it is refused."""
    changes = {"release_asked_at": timezone.now(), "release_asked_by": user, "release_forced": force}
    Run.objects.awaiting_decision().filter(pk=held.pk).update(**changes, release_problem="")
    enqueue_run(held.pk)


def enqueue_search(account_id: int) -> None:
    """Let a worker look for duplicates of what was added to the account or changed."""
    async_task("imports.tasks.look_for_duplicates", account_id)


def enqueue_waiting(account: Account) -> None:
    """Put into the queue what waits for the account: its oldest file, which brings the next one, and its feeds."""
    with transaction.atomic():
        waiting = account.runs.for_workers().filter(queued_at=None).order_by("pk")
        for run_id in waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:1]:
            enqueue_run(run_id)
        feeds = Feed.objects.due().filter(account=account, waits_for_account=True)
        for feed_id in list(feeds.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)):
            enqueue_pull(feed_id)

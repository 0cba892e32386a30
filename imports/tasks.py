"""Tasks of the queue. They take primary keys, and do nothing but call the one door of each action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.times import iso_utc
from imports.claiming import NotDue, PulledAlready, is_claimed, mark_interrupted, worker_name
from imports.delivering import deliver_due
from imports.models import Feed, Heartbeat, Message, Pull, Run
from imports.pulling import count_failure, pull_feed
from imports.releasing import release_run
from imports.telling import tell_of_feed
from imports.uploading import import_queued

if TYPE_CHECKING:
    from accounts.models import User

WORKERS = "workers"
"""The heartbeat that every task gives, and the schedule's at least once a minute."""


def _give_sign_of_life() -> None:
    Heartbeat.objects.update_or_create(name=WORKERS, defaults={"at": timezone.now(), "worker": worker_name()})


def enqueue_due() -> None:
    """Queue the feeds that are due and the messages to deliver; once a minute, by the one schedule."""
    _give_sign_of_life()
    give_up_interrupted()
    with transaction.atomic():
        due = Feed.objects.due().select_for_update(skip_locked=True, of=("self",)).order_by("next_pull_at")
        for feed_id in list(due.values_list("pk", flat=True)):
            enqueue_pull(feed_id)
    with transaction.atomic():
        for feed in Feed.objects.silent().select_for_update(skip_locked=True, of=("self",)):
            since = feed.file_at or feed.created_at
            tell_of_feed(feed, "feed.silent", since, {"since": iso_utc(since), "hours": feed.silent_after_hours})
            Feed.objects.filter(pk=feed.pk).update(silence_told_at=timezone.now())
    for run_id in Run.objects.lost_uploads().values_list("pk", flat=True):
        enqueue_upload(run_id)
    if Message.objects.due().exists():
        async_task("imports.tasks.deliver")


def enqueue_pull(feed_id: int) -> None:
    """Put a pull into the queue, together with the note that it is there."""
    with transaction.atomic():
        Feed.objects.filter(pk=feed_id).update(queued_at=timezone.now())
        async_task("imports.tasks.pull", feed_id)


def request_pull(feed: Feed) -> None:
    """Pull now: make the feed due, and queue it without waiting for the schedule."""
    Feed.objects.filter(pk=feed.pk).update(next_pull_at=timezone.now())
    enqueue_pull(feed.pk)


def give_up_interrupted() -> None:
    """Mark the pulls of killed processes, which makes their feeds due again."""
    for pull in Pull.objects.filter(status=Pull.Status.RUNNING).only("pk", "feed_id"):
        if is_claimed(pull.feed_id):
            continue
        with transaction.atomic():
            if mark_interrupted(Pull.objects.filter(pk=pull.pk)):
                feed = Feed.objects.select_related("account").get(pk=pull.feed_id)
                count_failure(feed, "The process that pulled it was ended from outside.", passing=True)


def pull(feed_id: int) -> str:
    """Pull a feed whose turn it still is."""
    _give_sign_of_life()
    feed = Feed.objects.filter(pk=feed_id).first()
    if feed is None:
        return "The feed is gone."
    try:
        done = pull_feed(feed, only_due=True)
    except (PulledAlready, NotDue) as error:
        return str(error)
    return f"{done}: {done.status}"


def enqueue_upload(run_id: int) -> None:
    """Put the import of an uploaded file into the queue, together with the note that it is there."""
    with transaction.atomic():
        if Run.objects.filter(pk=run_id, status=Run.Status.QUEUED).update(queued_at=timezone.now()):
            async_task("imports.tasks.import_upload", run_id)


def import_upload(run_id: int) -> str:
    """Import an uploaded file, unless somebody has begun it; one that cannot be begun now stays queued."""
    _give_sign_of_life()
    return import_queued(run_id)


def deliver() -> str:
    """Deliver the messages that are due."""
    return f"{deliver_due()} messages delivered."


def request_release(held: Run, user: User, *, force: bool = False) -> None:
    """Let the queue release a held run, which may take minutes."""
    async_task("imports.tasks.release", held.pk, user.pk, force)


def release(run_id: int, user_id: int, force: bool) -> str:
    """Release a held run in a user's name. Whatever stands against it stands in the new run."""
    from accounts.models import User

    user = User.objects.filter(pk=user_id).first()
    held = Run.objects.select_related("account__sandbox_of", "feed", "format_version__format").get(pk=run_id)
    return str(release_run(held, by=user.get_username() if user else "", user=user, force=force))

"""Tasks of the queue. They take primary keys, and do nothing but call the one door of each action."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone
from django_q.exceptions import TimeoutException

from accounts.models import Account
from accounts.pruning import PrunedAlready, prune_by_schedule
from accounts.suspending import is_suspended, say_suspended
from accounts.tallies import add_counted
from accounts.times import iso_utc
from accounts.watching import doing
from connections.matching import finding as matching
from connections.models import Connection
from imports.errors import AccountBusy, Suspended
from imports.feeds.claiming import NotDue, PulledAlready, is_claimed, mark_interrupted
from imports.feeds.pulling import pull_feed
from imports.feeds.sessions import HostBusy, Sessions
from imports.feeds.turns import count_failure
from imports.lanes import Lane, take, take_fellow
from imports.messages.delivering import deliver_due
from imports.messages.telling import tell_of_feed, tell_of_reviews
from imports.models import Feed, Message, Pull, Run
from imports.pipeline.claiming import claim_account
from imports.queueing import enqueue_pulls, enqueue_run, enqueue_search, enqueue_task, find_queued_tasks
from imports.runs.queued import import_queued
from imports.runs.releasing import release_asked_for

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

LONGEST_ROW = 20
"""Seconds after which a worker begins no further feed of a login before it takes what has waited longest."""
MATCHING_TURNS = 10
"""How many turns of looking for duplicates a task takes before it lets others come first."""


PRUNING_TURN = 20.0
"""Seconds for which a task prunes before it lets others come first."""


@contextlib.contextmanager
def telling(task: str) -> Iterator[None]:
    """A task under its name, after which is added what was counted meanwhile.

    What it fails by is told in the log, as the queue would tell it with all it says.
    """
    with doing("task", task=task), contextlib.ExitStack() as stack:
        stack.callback(add_counted)
        stack.push(_tell_failure)
        yield


def _tell_failure(_kind: object, error: BaseException | None, _trace: object) -> None:
    if isinstance(error, Exception | TimeoutException):
        logger.error("The task failed.", exc_info=error)


@telling("work")
def work(lane: str) -> str:
    """Do what has waited longest in the lane."""
    taken = take(Lane(lane))
    if taken is None:
        return "Others were faster."
    if isinstance(taken, Feed):
        return _pull_in_a_row(Lane(lane), taken)
    return import_upload(taken.pk) if taken.status == Run.Status.QUEUED else release(taken.pk)


def prove_to_be_at_work() -> None:
    """Nothing: that it comes to its end is the proof."""


@telling("enqueue_due")
def enqueue_due() -> None:
    """Queue what is due and what was lost; once a minute, by the one schedule."""
    end_lost_runs()
    give_up_interrupted()
    with transaction.atomic():
        due = Feed.objects.due().select_for_update(skip_locked=True, of=("self",))
        enqueue_pulls(due.values_list("pk", flat=True))
    if not is_suspended():  # while nothing can come, nothing is missed
        _tell_of_silence()
        tell_of_overdue_reviews()
    for run_id in Run.objects.to_queue().values_list("pk", flat=True):
        enqueue_run(run_id)
    queued = find_queued_tasks()
    for account_id in matching.find_accounts_to_look_at():
        if ("imports.tasks.look_for_duplicates", (account_id,)) not in queued:
            enqueue_search(account_id)
    if Message.objects.due().exists() and ("imports.tasks.deliver", ()) not in queued:
        enqueue_task("imports.tasks.deliver")


def _tell_of_silence() -> None:
    with transaction.atomic():
        for feed in Feed.objects.to_tell_of_silence().select_for_update(skip_locked=True, of=("self",)):
            since = feed.file_at or feed.created_at
            tell_of_feed(feed, "feed.silent", since, {"since": iso_utc(since), "hours": feed.silent_after_hours})
            Feed.objects.filter(pk=feed.pk).update(silence_told_at=timezone.now())


def end_lost_runs() -> None:
    """Bring runs to an end whose processes were killed or give no sign of life: claiming their account does."""
    for account in Account.objects.filter(runs__status=Run.Status.RUNNING).distinct():
        with contextlib.suppress(AccountBusy), claim_account(account, patient=False):
            pass


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
    feed = Feed.objects.select_related("account").filter(pk=feed_id).first()
    return "The feed is gone." if feed is None else _pull(feed)


def _pull_in_a_row(lane: Lane, feed: Feed | None) -> str:
    """Pull a feed, and behind it those of its login that wait too, in the same session, for some seconds."""
    answers, until = [], time.monotonic() + LONGEST_ROW
    with contextlib.closing(Sessions(keeps=getattr(feed, "has_fellows", False))) as sessions:
        while feed is not None:
            answers.append(_pull(feed, sessions))
            goes_on = sessions.has_place and getattr(feed, "has_fellows", False) and time.monotonic() < until
            feed = take_fellow(lane, feed) if goes_on else None
    return "; ".join(answers)


def _pull(feed: Feed, sessions: Sessions | None = None) -> str:
    try:
        done = pull_feed(feed, only_due=True, patient=False, sessions=sessions)
    except Feed.DoesNotExist:
        return "The feed is gone."
    except (PulledAlready, NotDue, AccountBusy, HostBusy, Suspended) as error:
        return str(error)
    return f"{done}: {done.status}"


def import_upload(run_id: int) -> str:
    """Import an uploaded file, unless somebody has begun it; while the account is busy it waits."""
    return import_queued(run_id)


@telling("deliver")
def deliver() -> str:
    """Deliver the messages that are due."""
    return f"{deliver_due()} messages delivered."


@telling("look_for_duplicates")
def look_for_duplicates(account_id: int) -> str:
    """Look at so many connections of the account as take a while, and leave the rest to a task behind the others."""
    if matching.look_for_duplicates(account_id, turns=MATCHING_TURNS):
        enqueue_search(account_id)
        return "Some are left."
    return "All were looked at."


def tell_of_overdue_reviews() -> None:
    """Tell of connections whose review is overdue, once a day for each production account."""
    overdue = Connection.objects.overdue().filter(account__sandbox_of=None)
    for found in overdue.order_by().values("account").annotate(count=Count("pk"), since=Min("due_at")):
        account = Account.objects.get(pk=found["account"])
        tell_of_reviews(account, found["count"], found["since"])


def release(run_id: int) -> str:
    """Release a held run in the name of whoever asked for it; while the account is busy it waits."""
    return release_asked_for(run_id)


@telling("prune")
def prune() -> str:
    """Let go of what was kept long enough, for a while, and leave the rest to a task behind the others.

    What came back by a restore, or is being looked into, goes by no clock.
    """
    if is_suspended():
        return say_suspended()
    try:
        pruned = prune_by_schedule(PRUNING_TURN)
    except PrunedAlready as error:
        return str(error)
    for problem in pruned.problems:
        logger.warning("Pruning %s", problem)
    if not pruned.is_done:
        enqueue_task("imports.tasks.prune")
    return f"{pruned.total} went; {'nothing' if pruned.is_done else 'something'} is left."

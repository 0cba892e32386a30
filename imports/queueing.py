"""Queue: what workers are to do waits in its own row, once, however often it is asked for (see `lanes`).

What finds its account busy gives its worker back at once and leaves a note that it waits; whoever frees the account
lets it wait for a worker again, and the schedule does so every minute for what was missed. The few tasks that belong
to no row go through django-q2's own table.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Least, Now
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

from imports.lanes import Lane
from imports.models import Feed, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Account, User

TASKS = {
    "imports.tasks.enqueue_due": Lane.PROMPT,
    "imports.tasks.deliver": Lane.PROMPT,
    "imports.tasks.look_for_duplicates": Lane.BULK,
    "imports.tasks.prune": Lane.BULK,
}
"""The tasks in django-q2's table, each with its lane. Workers refuse every other."""


def enqueue_pulls(feed_ids: Iterable[int]) -> None:
    """Let workers pull feeds whose turn it is."""
    Feed.objects.filter(pk__in=list(feed_ids)).update(queued_at=Least(F("queued_at"), Now()))


def request_pull(feed: Feed) -> None:
    """Pull now: the feed is due, and waits with what people wait for. One that is being pulled is pulled again."""
    queued_at = Least(F("queued_at"), Now())
    Feed.objects.filter(pk=feed.pk).update(next_pull_at=Now(), queued_at=queued_at, pull_asked=True)


def queue_run(account: Account, user: User, **values: Any) -> Run:
    """A run that waits for a worker, who may begin it as soon as its transaction is committed."""
    waiting = {"status": Run.Status.QUEUED, "queued_at": timezone.now()}
    return Run.objects.create(account=account, started_by=user, **waiting, **values)


def enqueue_run(run_id: int) -> None:
    """Queue again what had to wait, an uploaded file or a held one to be released."""
    Run.objects.for_workers().filter(pk=run_id).update(queued_at=Coalesce(F("queued_at"), Now()))


def request_release(held: Run, user: User, *, force: bool = False, reason: str = "") -> None:
    """Let a worker release a held run, which may take minutes; who asked for it is told when it is refused."""
    changes = {
        "release_asked_at": timezone.now(),
        "release_asked_by": user,
        "release_forced": force,
        "reason": reason,
    }
    Run.objects.awaiting_decision().filter(pk=held.pk).update(**changes, release_problem="")
    enqueue_run(held.pk)


def enqueue_waiting(account: Account) -> None:
    """Queue what waits for the account: its oldest file, which brings the next one, and its feeds."""
    with transaction.atomic():
        waiting = account.runs.for_workers().filter(queued_at=None).order_by("pk")
        for run_id in waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:1]:
            enqueue_run(run_id)
        feeds = Feed.objects.due().filter(account=account, waits_for_account=True)
        enqueue_pulls(feeds.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))


def postpone_waiting(account: Account) -> None:
    """Leave the account's files to the schedule's next minute: what they need does not answer just now."""
    account.runs.for_workers().update(queued_at=None)


def enqueue_search(account_id: int) -> None:
    """Let a worker look for duplicates of what was added to the account or changed."""
    enqueue_task("imports.tasks.look_for_duplicates", account_id)


def enqueue_task(name: str, *arguments: int) -> None:
    """Queue one of TASKS in its lane."""
    async_task(name, *arguments, cluster=TASKS[name])


def find_queued_tasks() -> set[tuple[str, tuple[int, ...]]]:
    """The tasks that wait for a worker, with their arguments."""
    found = set()
    for payload in OrmQ.objects.filter(lock__lte=timezone.now()).values_list("payload", flat=True):
        with contextlib.suppress(BadSignature, TypeError):
            task = SignedPackage.loads(payload)
            found.add((task["func"], tuple(task["args"])))
    return found

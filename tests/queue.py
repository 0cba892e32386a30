"""What waits for workers, and workers that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_q.models import OrmQ
from django_q.signing import SignedPackage

from imports import tasks
from imports.lanes import Lane, find_waiting
from imports.models import Feed, Run

if TYPE_CHECKING:
    from collections.abc import Iterator


def queued(*lanes: Lane) -> list[tuple[str, int] | tuple[str]]:
    """What the lanes' workers will do (all of them, unless some are named), each as function and argument."""
    found = [one for lane in lanes or Lane for waiting in find_waiting(lane) for one in waiting]
    keys = [lane.value for lane in lanes or Lane]
    entries = [SignedPackage.loads(entry.payload) for entry in OrmQ.objects.filter(key__in=keys).order_by("pk")]
    rest = [(entry["func"].rpartition(".")[2], *entry["args"]) for entry in entries]
    return [*((_name(one), one.pk) for one in found), *rest]


def work() -> list[str]:
    """Do what is queued now and what follows from it, as workers of all lanes; what they say of it."""
    return list(_work())


def lose_tasks() -> None:
    """What is left when the processes are killed to which it was given."""
    OrmQ.objects.all().delete()
    Feed.objects.update(queued_at=None)
    Run.objects.update(queued_at=None)


def _work() -> Iterator[str]:
    for entry in OrmQ.objects.order_by("pk"):
        task = SignedPackage.loads(entry.payload)
        entry.delete()
        yield getattr(tasks, task["func"].rpartition(".")[2])(*task["args"])
    for lane in Lane:
        while any(waiting.exists() for waiting in find_waiting(lane)):
            yield tasks.work(lane)


def _name(one: Run | Feed) -> str:
    if isinstance(one, Feed):
        return "pull"
    return "import_upload" if one.status == Run.Status.QUEUED else "release"

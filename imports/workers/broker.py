"""Broker: where the workers of a lane get their tasks, which is django-q2's table and what waits in the lane by itself.

What waits in a lane lies in no table of tasks: while anything does, workers are told to take the oldest. So nothing is
queued twice, nothing is lost with a task, and the order is that of our own rows.
"""

from __future__ import annotations

import itertools
import logging
import os
import pickle
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.db.models import Value
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage

from imports.lanes import Lane, find_waiting
from imports.queueing import TASKS
from imports.workers.signs import GUARDING, give_sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    Entry = tuple[int | None, str]
    """The row of django-q2's table, or None, and the signed task."""

logger = logging.getLogger("django-q")
TASK, ROW = "task", "row"
"""What waits: a task of the table, or a row of a lane."""
PAUSE = 2.0
"""Seconds until a database that did not answer is asked again. Whoever watches the lanes says that it does not."""
POLLS = {Lane.PROMPT: 0.4}
"""Seconds until a lane in which nothing waits is looked at again; somebody may be waiting for the prompt one."""
POLL = 1.0
"""The same of the others."""
ANSWER_LOST = (OperationalError, InterfaceError)


class LaneBroker(ORM):
    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self.proved_at = 0.0
        self.sources: itertools.cycle[tuple[str, Callable[[], Entry | None]]] = itertools.cycle(
            [(TASK, self._take_task), (ROW, self._call)]
        )

    @staticmethod
    def get_connection(list_key: str | None = None) -> QuerySet[OrmQ]:
        """The table of tasks. The library asks the database first, and so a lane could not start while it is away."""
        if not connections[Conf.ORM].in_atomic_block:
            close_old_connections()
        tasks: QuerySet[OrmQ] = OrmQ.objects.using(Conf.ORM)
        return tasks

    def dequeue(self) -> list[Entry] | None:
        """The next task of the lane; None after a short pause where there is none."""
        now = time.monotonic()
        if now - self.proved_at >= settings.WORKERS_BEAT_SECONDS:
            self.proved_at = now
            return [(None, _sign("imports.tasks.prove_to_be_at_work"))]
        try:
            waiting = self._find_waiting()
            for _ in range(2):  # by turns, so that neither keeps the other waiting
                kind, give = next(self.sources)
                if kind in waiting and (entry := give()):
                    return [entry]
            time.sleep(POLLS.get(Lane(self.list_key), POLL))
        except ANSWER_LOST:
            time.sleep(PAUSE)
        return None

    def delete(self, task_id: int) -> None:
        """A task that cannot be taken out of the table is done once more after `retry`, which does no harm."""
        try:
            super().delete(task_id)
        except ANSWER_LOST as error:
            logger.warning("Task %s could not be taken out of the queue.", task_id, exc_info=error)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Told twice a second by the process that guards the lane's workers: nobody reads more of it than that."""
        give_sign(GUARDING, os.getpid())

    def _find_waiting(self) -> set[str]:
        """Of which kinds something waits, in one question, as it is asked all day long and mostly in vain."""
        tasks = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now())
        kinds = [(TASK, tasks), *((ROW, rows) for rows in find_waiting(Lane(self.list_key)))]
        one, *others = (rows.order_by().annotate(kind=Value(kind)).values_list("kind")[:1] for kind, rows in kinds)
        return {kind for (kind,) in one.union(*others, all=True)}

    def _call(self) -> Entry | None:
        """Call a worker, which takes the oldest of what waits by then."""
        return None, _sign("imports.tasks.work", self.list_key)

    def _take_task(self) -> Entry | None:
        connection = self.get_connection()
        with transaction.atomic(using=Conf.ORM):
            waiting = connection.filter(key=self.list_key, lock__lte=timezone.now()).order_by("pk")
            task = waiting.select_for_update(skip_locked=True).first()
            if task is None:
                return None
            if problem := find_problem(task.payload):
                task.delete()
                logger.error("A task of the queue was refused and taken out: %s", problem)
                return None
            OrmQ.objects.using(Conf.ORM).filter(pk=task.pk).update(lock=self.timeout(task))
        return task.pk, task.payload


def find_problem(payload: str) -> str:
    """Why a task is not done; "" where it is one of ours.

    Who can only write the tables of the queue can run nothing: tasks are signed with SECRET_KEY, and since django-q2
    signs whatever stands in the table of schedules, it must be one of our functions besides.
    """
    try:
        task = SignedPackage.loads(payload)
    except BadSignature:
        return "it is not signed with this SECRET_KEY."
    except (TypeError, ValueError, AttributeError, ImportError, EOFError, pickle.UnpicklingError) as error:
        return f"it cannot be read ({type(error).__name__})."
    if task.get("func") not in TASKS:
        return f"{task.get('func')!r} is none of the functions that workers call."
    more = sorted({"hook", "chain"} & {name for name, value in task.items() if value})
    return f"it has a {more[0]}, which none of ours has." if more else ""


def _sign(name: str, *arguments: str) -> str:
    label, number = uuid()
    task: dict[str, Any] = {"id": number, "name": label, "func": name, "args": arguments, "kwargs": {}}
    return str(SignedPackage.dumps({**task, "started": timezone.now(), "ack_failure": True}))

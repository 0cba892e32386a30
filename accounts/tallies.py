"""Tallies: how often things happened, in all processes on all machines together, for monitors.

A process counts in its memory, at no cost and without an error, and adds what it counted to the database's numbers
when a task, a run or a command has ended. What a process counted that is killed just then is lost, and nothing else.

Apps declare theirs in the `tallies` of their AppConfig: name → `Kind`.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import Error, connection, transaction

Key = tuple[str, tuple[str, ...]]
"""The name of a tally, and the values of its labels."""


@dataclass(frozen=True)
class Kind:
    """What is counted: in a sentence, by which labels, and which values of them are there from the start."""

    text: str
    labels: tuple[str, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()


ADD = """
    INSERT INTO accounts_tally (name, labels, amount) VALUES {} ON CONFLICT (name, labels)
    DO UPDATE SET amount = accounts_tally.amount + excluded.amount
"""
NO_WAIT = "SET LOCAL synchronous_commit = off; "
"""Before a statement that is a transaction of its own: numbers for monitors are not worth waiting for the disk."""

_counted: defaultdict[Key, float] = defaultdict(float)
_lock = threading.Lock()


def count(name: str, *labels: str, amount: float = 1) -> None:
    with _lock:
        _counted[name, labels] += amount


def _begin_anew() -> None:
    """In a process that was forked: its parent adds what was counted, and may have held the lock just then."""
    global _lock
    _lock = threading.Lock()
    _counted.clear()


os.register_at_fork(after_in_child=_begin_anew)


def add_counted() -> None:
    """Add what this process counted to the database's numbers. What cannot be added waits for the next time."""
    with _lock:
        mine = dict(_counted)
        _counted.clear()
    if not mine:
        return
    # Whoever adds several does so in the same order, so that nobody waits for each other.
    rows = [(name, list(labels), float(amount)) for (name, labels), amount in sorted(mine.items())]
    places = ", ".join(["(%s, %s::text[], %s)"] * len(rows))
    is_alone = not connection.in_atomic_block
    try:
        with nullcontext() if is_alone else transaction.atomic(), connection.cursor() as cursor:
            add = (NO_WAIT if is_alone else "") + ADD.format(places)
            cursor.execute(add, [value for row in rows for value in row])
    except Error:
        for (name, labels), amount in mine.items():
            count(name, *labels, amount=amount)


def read_tallies() -> dict[Key, float]:
    from accounts.models import Tally

    return {
        (name, tuple(labels)): amount for name, labels, amount in Tally.objects.values_list("name", "labels", "amount")
    }

"""Health: what the installed apps find wrong, each problem with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.utils import timezone

from accounts.fields import secret_names
from accounts.outages import advise
from accounts.plugins import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

MOST_SKEW = 5.0
"""Seconds that a machine's clock may be apart from the database's."""


def describe_outage(error: Error) -> str:
    """For strangers: without the driver's words, which name the server."""
    return advise(error) or f"The database does not answer ({type(error).__name__})."


def find_problems() -> list[str]:
    """Nothing when what runs by itself runs. Strangers read it, so it names no account and no feed."""
    return _ask("health_checks")


def find_all_problems(describe: Callable[[Error], str] = describe_outage) -> list[str]:
    """The same, and what people see elsewhere or can do nothing about: for monitors.

    `describe` says of a database that does not answer what strangers are not told.
    """
    return _ask("health_checks", "monitor_checks", describe=describe)


def _ask(*kinds: str, describe: Callable[[Error], str] = describe_outage) -> list[str]:
    checks: list[Callable[[], Iterable[str]]] = [check for kind in kinds for check in load(kind)]
    try:
        return [problem for check in checks for problem in check()]
    except Error as error:
        return [describe(error)]


def read_clock() -> datetime:
    """What time it is for the database, by which all processes go together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def measure_skew() -> float:
    """Seconds that this machine's clock is ahead of the database's."""
    before, there, after = timezone.now(), read_clock(), timezone.now()
    ahead: timedelta = before + (after - before) / 2 - there
    return ahead.total_seconds()


def describe_skew(machine: str, skew: float) -> str:
    side = "ahead of" if skew > 0 else "behind"
    return (
        f"The clock of {machine} is {abs(skew):.0f} seconds {side} the database's: let a time service keep both right."
    )


def find_problems_of_machine() -> Iterator[str]:
    """Of the one that is asked: its clock."""
    skew = measure_skew()
    if abs(skew) > MOST_SKEW:
        yield describe_skew("the machine that answers this", skew)


def find_unreadable_secrets() -> list[str]:
    """Which of the stored secrets no key decrypts; slower, because it decrypts them all."""
    problems = []
    for model in apps.get_models():
        names = secret_names(model)
        for row in model._default_manager.order_by("pk") if names else ():
            try:
                for name in names:
                    getattr(row, name)
            except ImproperlyConfigured as error:
                problems.append(f"{model.__name__} {row.pk}: {error}")
    return problems

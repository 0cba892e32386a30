"""Figures for Prometheus: what the apps count and measure, asked from the database when they are wanted.

Apps bring theirs by attributes of their AppConfig: `tallies` for what is counted (see `accounts.tallies`), and
`figures`, dotted paths of functions that yield gauges.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from django.db import Error, connection, transaction
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from accounts.plugins import collect_named, load
from accounts.tallies import add_counted, read_tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric

    from accounts.tallies import Kind

logger = logging.getLogger(__name__)

PREFIX = "customersync_"
KEPT = 10.0
"""Seconds for which figures are told again, however many ask."""
LONGEST = "10s"
"""After which the database gives up a question."""


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)


def gauges(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    """One for each value of the label."""
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=[label])
    for one, value in values:
        family.add_metric([one], value)
    return family


class Figures(Collector):
    """All of them. While the database does not answer, only that."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: list[Metric] = []
        self.known_at = -KEPT

    def collect(self) -> Iterable[Metric]:
        with self.lock:
            if time.monotonic() - self.known_at >= KEPT:
                self.known = list(self._ask())
                self.known_at = time.monotonic()
            return self.known

    def describe(self) -> Iterable[Metric]:
        return []  # asking for them is no matter of registration

    def _ask(self) -> Iterator[Metric]:
        finders: list[Callable[[], Iterable[Metric]]] = load("figures")
        add_counted()
        began = time.perf_counter()
        found: list[Metric] = []
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST}'")
                found += _tell_tallies()
                for find in finders:
                    found += find()
        except Error as error:
            logger.error("The database could not be asked for figures.", exc_info=error)
            yield gauge("database_up", "Whether the database answers.", 0)
            return
        yield gauge("database_up", "Whether the database answers.", 1)
        yield gauge("figures_seconds", "What it took to ask for these figures.", time.perf_counter() - began)
        yield from found


def _tell_tallies() -> Iterator[Metric]:
    kinds: dict[str, Kind] = collect_named("tallies")
    counted = read_tallies()
    for name, kind in kinds.items():
        family = CounterMetricFamily(f"{PREFIX}{name}", kind.text, labels=kind.labels)
        mine = {labels: amount for (of, labels), amount in counted.items() if of == name}
        for labels in sorted({*mine, *kind.known, *(() if kind.labels else [()])}):
            family.add_metric(labels, mine.get(labels, 0))
        yield family


ours = Figures()
registry = CollectorRegistry()
registry.register(ours)

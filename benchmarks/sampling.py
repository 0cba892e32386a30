"""Whether memory and tables stay as large as they are, by looks at them while much goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.app_hosts import Host

EVERY = 2.0
"""Seconds."""
GROWTH = 1.25
"""How much larger the last third of the looks may be than the middle one; in the first, everything begins."""
SLACK = {"memory": 30_000_000, "tables": 3_000_000}
"""Bytes by which they may besides."""
KEPT_FOR_EVER = (
    "connections_%", "lookups_%", "imports_run", "imports_keptfile", "dropbox_storedfile", "imports_format%",
)  # fmt: skip
"""Tables that grow with what is imported: customers, the log, runs, and copies for as long as they are named."""


@dataclass
class Samples:
    hosts: Sequence[Host]
    memory: dict[str, list[int]] = field(default_factory=dict)
    """Bytes of the largest process of each program, at each look."""
    tables: list[int] = field(default_factory=list)
    """Bytes of the tables that are pruned, and of their indexes."""
    database: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look every two seconds, until it has ended."""
        from django.db import connection

        while not self.ended.wait(EVERY):
            for host in self.hosts:
                for name, sizes in host.memory().items():
                    self.memory.setdefault(name, []).append(max(sizes))
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT sum(pg_total_relation_size(oid)), pg_database_size(current_database()) FROM pg_class"
                    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE ALL(%s)",
                    [list(KEPT_FOR_EVER)],
                )
                pruned, whole = cursor.fetchone()
            self.tables.append(int(pruned))
            self.database.append(whole)
        connection.close()

    def describe(self) -> Iterator[tuple[str, bool]]:
        """A line of the report for each, and whether it stayed as it was."""
        for name, sizes in sorted(self.memory.items()):
            yield _compare(f"memory of the largest process: {name}", sizes, SLACK["memory"])
        yield _compare("tables that are pruned", self.tables, SLACK["tables"])
        yield f"{self.database[-1] / 1e6:>6,.0f}  MB the whole database, at the end", True


def _compare(what: str, sizes: list[int], slack: int) -> tuple[str, bool]:
    third = max(1, len(sizes) // 3)
    middle, last = median(sizes[third : 2 * third] or sizes), median(sizes[-third:])
    return f"{last / 1e6:>6,.0f}  MB {what}; {middle / 1e6:,.0f} before", last <= middle * GROWTH + slack

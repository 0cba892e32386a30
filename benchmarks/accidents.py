"""Accidents of feeds, drop boxes and hosts, and what must have come of every file in spite of them."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from benchmarks.app_hosts import Host
from benchmarks.places import Folder, Sender
from benchmarks.servers import end_in_order

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.places import Place
    from tests.servers import Running

MISBEHAVIOUR = ("drop listing", "drop transfer", "drop before rename", "drop after rename")
KILLS = {"worker": 6, "sentinel": 2, "lane": 1, "watch": 1, "drop box": 3, "host": 1}
"""How often each is killed, beside the others."""
OFF = (0.5, 4)
"""Seconds for which a killed host is off, at least and at most."""


@contextlib.contextmanager
def running_hosts(folder: Path, count: int, **variables: str) -> Iterator[list[Host]]:
    """Until the end of the block, when all their processes are killed; also when this one is told to end."""
    end_in_order()
    hosts = [Host(number + 1, folder, variables) for number in range(count)]
    try:
        yield hosts
    finally:
        for host in hosts:
            host.kill()


@dataclass
class Pace:
    """Seconds between what happens: at least and at most, drawn anew each time; `turn` is what an hour comes to."""

    file: tuple[float, float] = (0.5, 3)
    """Of one feed."""
    kill: tuple[float, float] = (0.5, 4)
    fault: tuple[float, float] = (0.1, 1)
    """Until a server breaks something, or has mended."""
    turn: float = 2
    patience: float = 120
    """That the hosts get in peace for the next file; a machine with other work may take longer for all of them."""


@dataclass
class Chaos:
    """What happens to hosts and servers, and how often it did."""

    hosts: list[Host]
    places: list[Place]
    chance: random.Random
    pace: Pace = field(default_factory=Pace)
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def servers(self) -> list[Running]:
        return [place.server for place in self.places if isinstance(place, Folder)]

    def cause_accidents(self, seconds: float) -> None:
        """Drop files and make trouble; each feed gets a file, and a host is killed, on the slowest machine too."""
        until = time.monotonic() + seconds
        next_kill, next_break, next_turn = time.monotonic() + 5, 0.0, 0.0
        first_host = time.monotonic() + seconds / 2  # whatever chance says
        next_file = {number: time.monotonic() + self.draw((0, self.pace.file[1])) for number in range(len(self.places))}
        while (now := time.monotonic()) < until or first_host < math.inf or not all(map(has_files, self.places)):
            for number, place in enumerate(self.places):
                if now >= next_file[number]:
                    drop_file(place, self.chance)
                    next_file[number] = now + self.draw(self.pace.file)
            if now >= first_host:
                self.kill("host", self.hosts[0])
                first_host = math.inf
            if now >= next_kill:
                self.kill(self.chance.choices(list(KILLS), list(KILLS.values()))[0], self.chance.choice(self.hosts))
                next_kill = now + self.draw(self.pace.kill)
            if now >= next_break:
                self.break_something()
                next_break = now + self.draw(self.pace.fault)
            if now >= next_turn:
                make_due()
                next_turn = now + self.pace.turn
            self.supervise()
            time.sleep(0.05)

    def draw(self, between: tuple[float, float]) -> float:
        return self.chance.uniform(*between)

    def kill(self, kind: str, host: Host) -> None:
        if host.off_until > time.monotonic():
            return
        if kind == "host":
            host.kill(off=self.draw(OFF))
        elif kind == "drop box":
            host.running["drop box"].kill()
        elif victims := host.running["workers"].lanes().get(kind):
            with contextlib.suppress(psutil.Error):
                self.chance.choice(victims).kill()
        else:
            return
        self.tally[f"{kind}{'es' if kind.endswith(('x', 'h')) else 's'} killed"] += 1

    def break_something(self) -> None:
        server = self.chance.choice(self.servers)
        if server.misbehaviour:
            server.misbehaviour.clear()
        else:
            what = self.chance.choice(MISBEHAVIOUR)
            server.misbehaviour.add(what)
            self.tally[f"servers told to {what.replace('listing', 'listings').replace('transfer', 'transfers')}"] += 1

    def supervise(self) -> None:
        for host in self.hosts:
            if started := host.supervise():
                self.tally["programs started again because they ended"] += started

    def wait_for_peace(self) -> float:
        """Until every file is moved away; returns how many seconds that took."""
        from imports.models import Pull, Run

        for server in self.servers:
            server.misbehaviour.clear()
        began = moved = time.monotonic()
        before: tuple[int, int] | None = None
        while time.monotonic() - moved < self.pace.patience:
            make_due()
            for _ in range(20):
                self.supervise()
                time.sleep(0.1)
            left = sum(place.count_waiting() for place in self.places)
            running = Pull.objects.filter(status="running").exists() or Run.objects.filter(status="running").exists()
            if not left and not running:
                break
            if before != (before := (left, Run.objects.count())):
                moved = time.monotonic()
        else:
            self.tally["times that nothing moved any more before all was done"] += 1
        return time.monotonic() - began

    def report(self) -> bool:
        """Print what happened and what came of it; True when nothing was lost, doubled, out of order or stuck."""
        from imports.models import Pull, Run

        for place in self.places:
            self.tally.update(place.tally if isinstance(place, Sender) else {})
        for what, count in sorted(self.tally.items()):
            print(f"  {count:>6,}  {what}")
        for status in Pull.Status:
            print(f"  {Pull.objects.filter(status=status).count():>6,}  pulls {status}")
        for status in Run.Status:
            if count := Run.objects.filter(status=status).count():
                print(f"  {count:>6,}  runs {status}")
        found: Counter[str] = Counter()
        for place in self.places:
            found.update(judge(place))
        at_work = (Run.objects.filter(status="running"), Pull.objects.filter(status="running"))
        found["runs or pulls that are stuck"] = sum(rows.count() for rows in at_work)
        for what, count in found.items():
            print(f"  {count:>6,}  {what}")
        files = found.pop("files dropped")
        found.pop("files dropped into the drop box")
        return (
            bool(files)
            and found.pop("files applied") == found.pop("files archived") == files
            and not any(found.values())
        )


def has_files(place: Place) -> bool:
    return place.dropped > 0


def drop_file(place: Place, chance: random.Random) -> None:
    """A customer that every file changes, so that the order shows, and one of its own, so that a loss does."""
    from tests.imports.customer_files import NEW, as_text

    rows = [
        {**NEW, "customer_code": "SEQUENCE", "profile_name": str(place.dropped)},
        {**NEW, "customer_code": f"FILE-{place.dropped}", "profile_name": "once"},
    ]
    place.drop(f"customers_{chance.getrandbits(64):016x}.txt", as_text(rows))


def make_due() -> None:
    """What the passing of an hour and of a minute does."""
    from django.utils import timezone
    from django_q.tasks import async_task

    from imports.models import Feed

    Feed.objects.update(next_pull_at=timezone.now())
    async_task("imports.tasks.enqueue_due")


def judge(place: Place) -> dict[str, int]:
    """What is stored of the files of a feed."""
    from connections.models import Change, Connection

    account = place.feed.account
    changes = Change.objects.filter(account=account, record="connection").order_by("id")
    names = changes.filter(customer_code="SEQUENCE", field="profile_name").values_list("after", flat=True)
    sequence = [0, *(int(name) for name in names)]
    last = Connection.objects.filter(account=account, customer_code="SEQUENCE").values_list("profile_name", flat=True)
    applied = place.feed.runs.applied()
    runs = applied.values_list("remote_path", flat=True)
    return {
        "files dropped": place.dropped,
        "files dropped into the drop box": place.dropped if isinstance(place, Sender) else 0,
        "files applied": changes.filter(customer_code__startswith="FILE-", action="created").count(),
        "files archived": place.count_archived(),
        "feeds with files applied twice or out of order": sequence != list(range(place.dropped)),
        "feeds that do not stand as their last file says": list(last) != [str(place.dropped - 1)],
        "halves of files applied": applied.exclude(customers=2).count(),
        "customers lost": place.dropped
        - Connection.objects.filter(account=account, customer_code__startswith="FILE-").count(),
        "runs applied more often than files were sent": max(0, len(runs) - len(set(runs)) - place.sent_again),
        "files left in a folder": place.count_waiting(),
    }

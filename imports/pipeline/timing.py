"""Time: how long the steps of a run take, for its line in the log, its trace and the figures."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from accounts.tallies import add_counted, count
from accounts.watching import doing, names_of_work

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from imports.models import Run
    from imports.pipeline.beating import Progress

logger = logging.getLogger(__name__)

BEGINNING, ENDING = "Beginning", "Ending"
OUTCOMES = ("created", "updated", "unchanged", "rejected", "skipped")


def doing_run(run: Run) -> AbstractContextManager[None]:
    return doing("run", account=run.account.code, feed=run.feed_id, run=run.pk)


class Steps:
    """The steps of one run, one after the other, each under its name in a trace. A step may come again."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """By step, for those that are over."""
        self._now = ""
        self._since = time.perf_counter()
        self._span = contextlib.ExitStack()

    def enter(self, step: str) -> None:
        """This step begins now, and the one before is over; "" for none."""
        if step == self._now:
            return
        now = time.perf_counter()
        if self._now:
            self.seconds[self._now] += now - self._since
        self._now, self._since = step, now
        self._span.close()
        if step:
            self._span.enter_context(doing(f"run: {step.lower()}"))

    def follow(self, progress: Progress) -> Progress:
        """What is told of progress says which step it is."""

        def told(stage: str, done: int, total: int) -> None:
            self.enter(stage)
            progress(stage, done, total)

        return told


def tell_end(run: Run, steps: Steps) -> None:
    """The one line of a run (how it ended, its counts, and how long each step took), and the same for the figures."""
    seconds = {step.lower(): round(taken, 3) for step, taken in steps.seconds.items()}
    counts = {name: number for name, number in run.counts.items() if number}
    told = [f"{name}={value}" for name, value in counts.items()] + [
        f"{step}={taken}s" for step, taken in seconds.items()
    ]
    is_watched = names_of_work().keys() & {"task", "request"}  # a command says itself what came of its file
    logger.log(
        logging.INFO if is_watched else logging.DEBUG,
        "%s %s in %.3f s: %s",
        "A dry run" if run.dry_run else "A run",
        run.status,
        run.seconds or 0,
        " ".join(told) or "nothing was done",
        extra={
            "status": run.status,
            "dry_run": run.dry_run,
            "counts": run.counts,
            "seconds": run.seconds,
            "steps": seconds,
        },
    )
    _count(run, steps)


def _count(run: Run, steps: Steps) -> None:
    kind = "dry run" if run.dry_run else "undo" if run.undoes_id else "replay" if run.replays_id else "file"
    count("runs_total", kind, "tried again" if run.status == run.Status.QUEUED else run.status)
    for step, taken in steps.seconds.items():
        count("run_step_seconds_total", step.lower(), amount=taken)
    if kind in ("file", "replay"):
        count("run_rows_total", amount=run.rows)
        for outcome in OUTCOMES:
            count("run_customers_total", outcome, amount=getattr(run, outcome))
    add_counted()

"""Events: what other apps may listen to. Nothing of ours does; what we do next is called by its name."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.dispatch import Signal

run_ended = Signal()
"""Sent with `run_id` when a run has ended and that is committed: once for every outcome that messages tell of.

A receiver is called in the process that imports, while it holds the account: it puts what takes longer into the queue.
Its errors are logged and change nothing of the run. Who must not miss an event even if the process is killed brings a
channel of messages instead.
"""


def announce_run(run_id: int) -> None:
    """Tell the receivers, once the transaction is committed."""
    transaction.on_commit(partial(run_ended.send_robust, sender=None, run_id=run_id), robust=True)

"""Changes in the log that later ones replaced, of accounts into which nothing is imported at this moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min

from accounts.pruning import Prunable
from connections.history.shortening import count_replaced, find_long_logs, shorten_log
from imports.models import Run
from imports.pipeline.claiming import claim_free_accounts

if TYPE_CHECKING:
    from datetime import datetime


AT_ONCE = 500
"""Changes that are looked at with one transaction: of each, all of its customer are read."""


class Changes(Prunable):
    """An undo needs all changes of its run, and so is refused for runs from before. A replay asks which customers any
    run has taken since, so nothing goes from the first run on that can be replayed."""

    name = "changes"
    label = "changes that later ones replaced"
    setting = "PRUNE_CHANGES_AFTER_DAYS"
    every = timedelta(days=1)

    def __init__(self) -> None:
        self.due: list[tuple[int, datetime]] | None = None

    def count_old(self, before: datetime) -> int:
        return sum(count_replaced(*due) for due in self._find_due(before))

    def prune_batch(self, before: datetime, most: int) -> int | None:
        if self.due is None:
            self.due = self._find_due(before)
        while self.due:
            account, until = self.due[0]
            with transaction.atomic():
                if claim_free_accounts([account]):
                    gone, has_more = shorten_log(account, until, min(most, AT_ONCE))
                    if not has_more:
                        self.due.pop(0)
                    return gone
            self.due.pop(0)
        return None

    def _find_due(self, before: datetime) -> list[tuple[int, datetime]]:
        """Accounts, and how far their logs may be shortened."""
        firsts = dict(Run.objects.replayable().order_by().values_list("account").annotate(Min("started_at")))
        return [(account, min(before, firsts.get(account, before))) for account in find_long_logs(before)]

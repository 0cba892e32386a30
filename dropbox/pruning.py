"""What the drop box keeps for a time. Its files it looks after itself, see `serving`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.pruning import PrunableRows
from dropbox.models import Session

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Sessions(PrunableRows):
    """Stays of senders; of one whose server was killed, the last sign of life counts."""

    name = "stays"
    label = "sessions of senders on the drop box"
    setting = "PRUNE_DROPBOX_SESSIONS_AFTER_DAYS"
    model = Session
    time = "seen_at"

    def find_unneeded(self) -> QuerySet[Session]:
        return Session.objects.all()

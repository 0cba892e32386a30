"""What accounts have of the drop box."""

from __future__ import annotations

from accounts.holdings import Holding
from dropbox.models import StoredFile

FILES = Holding("files in the drop box", StoredFile, "feed__account", size="size")

"""What accounts have of imports."""

from __future__ import annotations

from django.db.models import Q

from accounts.holdings import Holding
from imports.models import Issue, Message, Pull, Run

RUNS = Holding("runs", Run)
COPIES = Holding("copies of files", Run, size="file_size", only=~Q(kept_file=""))
ISSUES = Holding("issues", Issue, "run__account")
PULLS = Holding("pulls", Pull, "feed__account")
MESSAGES = Holding("messages", Message)

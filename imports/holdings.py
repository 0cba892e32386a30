"""What accounts have of imports."""

from __future__ import annotations

from accounts.holdings import Holding
from imports.models import Issue, KeptFile, Message, Pull, Run

RUNS = Holding("runs", Run)
COPIES = Holding("copies of files", KeptFile, size="stored_size")
ISSUES = Holding("issues", Issue, "run__account")
PULLS = Holding("pulls", Pull, "feed__account")
MESSAGES = Holding("messages", Message)

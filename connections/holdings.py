"""What accounts have of connections."""

from __future__ import annotations

from accounts.holdings import Holding
from connections.models import Change, Connection

CONNECTIONS = Holding("connections", Connection)
CHANGES = Holding("changes", Change)

"""Admin of connections: list, form, review, and the history of changes."""

from connections.admin.changes import ChangeAdmin
from connections.admin.connections import ConnectionAdmin

__all__ = ["ChangeAdmin", "ConnectionAdmin"]

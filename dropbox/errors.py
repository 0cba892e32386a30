"""Why the drop box does not do what a client asks for. Each says it in words that the client is given."""

from __future__ import annotations


class Refused(Exception):
    """It may not be done, or not so."""


class NotThere(Refused):
    """There is no such file or folder."""


class Taken(Refused):
    """Another file has the name."""


class NoRoom(Refused):
    """The quota, or the largest size."""


class OutOfOrder(Refused):
    """Something of ours does not work or has no place, and does later: what is asked for is worth another try."""

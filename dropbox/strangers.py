"""Strangers: connections that nobody has logged in on yet. An address has so many of them at most, and never all."""

from __future__ import annotations

import threading
from collections import Counter

from accounts.attempts import whose

MOST = 100
"""Of an address at the same time, over SFTP and FTPS together."""

_here: Counter[str] = Counter()
_lock = threading.Lock()


class Stranger:
    """A connection from when it is made until somebody has logged in on it, or it has ended."""

    def __init__(self, address: str) -> None:
        self.address = whose(address)
        with _lock:
            _here[self.address] += 1
            self.is_one_too_many = _here[self.address] > MOST
        self._is_gone = False

    def leave(self) -> None:
        """Once it is none any more; again does nothing."""
        with _lock:
            if not self._is_gone:
                self._is_gone = True
                _here[self.address] -= 1
                if not _here[self.address]:
                    del _here[self.address]

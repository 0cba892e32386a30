"""Threads beside a test, each with a database session of its own."""

from __future__ import annotations

import contextlib
import threading

from django.db import connection


def in_a_thread(do):
    """With a database session of its own."""

    def run():
        try:
            do()
        finally:
            connection.close()

    return threading.Thread(target=run)


@contextlib.contextmanager
def elsewhere(holding):
    """Hold a context manager in another session, as another process does, until the block ends."""
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with holding():
            entered.set()
            leave.wait(300)

    thread = in_a_thread(hold)
    thread.start()
    try:
        assert entered.wait(60)
        yield
    finally:
        leave.set()
        thread.join(60)

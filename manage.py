#!/usr/bin/env python
"""Django's command line for this project."""

import gc
import os
import signal
import sys
import tempfile
import threading
from typing import NoReturn

LONGEST_GOODBYE = 5
"""Seconds that the end of a command waits for a database that does not answer, since nothing can interrupt it then."""


def main() -> None:
    """Run a command; what is wrong with the settings is said without a traceback.

    A polite request to end goes the way of an ordinary exit, so that the embedded PostgreSQL stops too.
    """
    gc.set_threshold(20_000, 20)  # a start makes much that stays, and looking through it so often is a tenth of it
    signal.signal(signal.SIGTERM, _end)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error

    from accounts.outages import advise, is_disk_full
    from accounts.tallies import add_counted
    from customersync.logs import log_what_nobody_catches
    from customersync.traces import start_traces

    log_what_nobody_catches()
    try:
        start_traces()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        _refuse(str(error))
    except Error as error:
        if not (advice := advise(error)):
            raise
        _refuse(advice)
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if not is_disk_full(error):
            raise
        where = error.filename or f"where the command writes, and for temporary files in {tempfile.gettempdir()}"
        _refuse(f"{error.strerror}. Make room: {where}.")
    finally:
        _let_nothing_interrupt()
        adding = threading.Thread(target=add_counted, daemon=True)
        adding.start()
        adding.join(LONGEST_GOODBYE)


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"Error: {why}\n")
    sys.exit(2)


def _end(number: int, _frame: object) -> None:
    _let_nothing_interrupt()
    sys.exit(128 + number)


def _let_nothing_interrupt() -> None:
    """The end of a command stops the embedded PostgreSQL, which must not be left half done by who asks once more."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Django's command line for this project."""

import gc
import os
import signal
import sys
import threading
from typing import NoReturn

ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
LONGEST_GOODBYE = 5
"""Seconds that the end of a command waits for a database that does not answer, since nothing can interrupt it then."""


def main() -> None:
    """Run a command; what is wrong with the settings is said without a traceback.

    A polite request to end goes the way of an ordinary exit, so that the embedded PostgreSQL stops too.
    """
    gc.set_threshold(20_000, 20)  # a start makes much that stays, and looking through it so often is a tenth of it
    heed_ends()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error

    from accounts.outages import advise, describe, find_outage
    from accounts.tallies import add_counted
    from customersync.logs import log_what_nobody_catches
    from customersync.traces import start_traces

    log_what_nobody_catches()
    try:
        start_traces()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        _refuse(str(error))
    except KeyboardInterrupt as stop:  # which may say what had come to its end before
        sys.stderr.write(f"{stop}\n")
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Error, OSError) as error:
        if advice := advise(error):
            _refuse(advice)
        if not (outage := find_outage(error)):
            raise
        _refuse(describe(outage), code=1)
    finally:
        _let_nothing_interrupt()
        adding = threading.Thread(target=add_counted, daemon=True)
        adding.start()
        adding.join(LONGEST_GOODBYE)


def _refuse(why: str, code: int = 2) -> NoReturn:
    sys.stderr.write(f"Error: {why}\n")
    sys.exit(code)


def heed_ends() -> None:
    """But for what nohup ignores, that the terminal is closed."""
    for one in ENDS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, _end)


def _end(number: int, _frame: object) -> None:
    """While modules are loaded nothing is to be undone, and what they do to an exception is not known."""
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    if apps is None or not apps.ready:
        os._exit(128 + number)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    _let_nothing_interrupt()
    sys.exit(128 + number)


def _let_nothing_interrupt() -> None:
    """The end of a command stops the embedded PostgreSQL, which must not be left half done by who asks once more."""
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)


if __name__ == "__main__":
    main()

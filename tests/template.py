"""A database as `migrate` leaves it, made while the tests are collected, that each of their processes copies.

Migrating takes seconds. Run as `python -m tests.template NAME`, which drops it when its input ends.
"""

from __future__ import annotations

import os
import sys

import django


def main(name: str) -> None:
    """It has its name when it can be copied; where migrating fails, whoever copies it goes on and sees why."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "customersync.settings"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.servers import Server

    server, unfinished = Server(), f"{name}_unfinished"
    server.create(unfinished)
    connection.close()
    connection.settings_dict["NAME"] = unfinished
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        server.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
        sys.stdin.read()
        server.drop(name)


if __name__ == "__main__":
    main(sys.argv[1])

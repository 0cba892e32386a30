"""How gunicorn serves the site. What is given on its command line comes first."""

from __future__ import annotations

import sys
from typing import Any

# Loaded before the processes are forked, so that one of them speaks for all.
from accounts.outages import describe_lack_of_temporary_folder

# Threads let an upload take as long as its line is slow; gunicorn's own kind of worker is ended after 30 seconds.
worker_class = "gthread"
threads = 8
workers = 3  # of processes; each thread has a database session
control_socket_disable = True  # signals do what is needed; it would be made in the home of the user


def on_starting(server: Any) -> None:
    """Each worker begins with a temporary file, of which gunicorn itself would tell by a traceback."""
    if lack := describe_lack_of_temporary_folder():
        server.log.error(lack)
        sys.exit(1)

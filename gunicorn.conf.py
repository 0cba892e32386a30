"""How gunicorn serves the site. What is given on its command line comes first."""

import accounts.outages  # noqa: F401  (loaded before the processes are forked, so that one of them speaks for all)

# Threads let an upload take as long as its line is slow; gunicorn's own kind of worker is ended after 30 seconds.
worker_class = "gthread"
threads = 8
workers = 3  # of processes; each thread has a database session
control_socket_disable = True  # signals do what is needed; it would be made in the home of the user

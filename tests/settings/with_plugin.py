"""The project with another developer's app."""

from customersync.settings import *  # noqa: F403  (settings are what a module holds)
from customersync.settings import DATA_DIR, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.plugin"]
PAGER_FILE = DATA_DIR / "pager.txt"

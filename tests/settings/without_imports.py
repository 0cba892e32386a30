"""The project without files: customers and lists, by admin and API."""

from customersync.settings import *  # noqa: F403  (settings are what a module holds)
from customersync.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in ("imports", "dropbox", "django_q")]

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from customersync.logs import log_what_nobody_catches
from customersync.pages import describe_uncollected
from customersync.traces import start_traces

WILL_NOT_START = 3
"""The exit code by which gunicorn's workers say so; after another one it would start them again and again."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")

log_what_nobody_catches()
try:
    start_traces()
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(WILL_NOT_START)
if lack := describe_uncollected():
    logging.getLogger("customersync.pages").warning(lack)
get_resolver().url_patterns  # noqa: B018  (loads the pages now, so that the first person does not wait for them)

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from customersync.logs import log_what_nobody_catches
from customersync.traces import start_traces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")

log_what_nobody_catches()
start_traces()
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018  (loads the pages now, so that the first person does not wait for them)

import os

from django.core.wsgi import get_wsgi_application

from customersync.logs import log_what_nobody_catches
from customersync.traces import start_traces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")

log_what_nobody_catches()
start_traces()
application = get_wsgi_application()

import os

from django.core.wsgi import get_wsgi_application

from customersync.logs import log_what_nobody_catches

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "customersync.settings")

log_what_nobody_catches()
application = get_wsgi_application()

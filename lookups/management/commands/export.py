"""`export`, as django-import-export brings it, knows neither accounts nor formats."""

from lookups.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. Customers go out by export_customers, lists (lookups) by the button on their pages in the admin."

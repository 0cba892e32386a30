"""`import`, as django-import-export brings it, knows neither accounts nor the pipeline."""  # noqa: N999  (its name)

from lookups.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. Customers come in by import_customers and lists (lookups) by load_lookups, which check every row."

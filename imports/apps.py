from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate


class ImportsConfig(AppConfig):
    name = "imports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from imports.keeping import delete_kept_file

        post_delete.connect(delete_kept_file, sender="imports.Run", dispatch_uid="delete_kept_file")
        post_migrate.connect(add_schedule, sender=self, dispatch_uid="add_schedule")


def add_schedule(**_: Any) -> None:
    """The one schedule: every minute, what is due is put into the queue. Every `migrate` makes sure of it."""
    from django_q.models import Schedule

    Schedule.objects.get_or_create(
        name="enqueue_due",
        defaults={"func": "imports.tasks.enqueue_due", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
    )

from django.apps import AppConfig
from django.db.models.signals import post_delete


class ImportsConfig(AppConfig):
    name = "imports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from imports.keeping import delete_kept_file

        post_delete.connect(delete_kept_file, sender="imports.Run", dispatch_uid="delete_kept_file")

from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.urls import reverse_lazy


class DropboxConfig(AppConfig):
    name = "dropbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Drop box"

    api_urls = ["dropbox.api"]
    transports = ["dropbox.transport.DropBox"]
    holdings = ["dropbox.holdings.FILES"]
    prunes = ["dropbox.pruning.Sessions"]
    health_checks = ["dropbox.health.find_problems"]
    figures = ["dropbox.figures.find"]
    navigation = [
        {
            "title": "Drop box",
            "items": [
                {"title": "Logins", "icon": "passkey", "link": reverse_lazy("admin:dropbox_login_changelist")},
                {"title": "Sessions", "icon": "lan", "link": reverse_lazy("admin:dropbox_session_changelist")},
            ],
        },
    ]

    def ready(self) -> None:
        from imports.copies import release_of

        post_delete.connect(release_of, sender="dropbox.StoredFile", dispatch_uid="release_of_dropbox.StoredFile")

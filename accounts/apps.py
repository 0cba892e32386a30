from django.apps import AppConfig
from django.core.checks import Tags, register


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import checks

        register(checks.check_keys, Tags.security)
        register(checks.check_keys_apart, Tags.security, deploy=True)

from django.apps import AppConfig
from django.urls import reverse_lazy


class LookupsConfig(AppConfig):
    name = "lookups"
    default_auto_field = "django.db.models.BigAutoField"

    api_urls = ["lookups.api"]
    api_schema = ["lookups.api.describe_schema"]
    navigation = [
        {
            "title": "Lookups",
            "items": [
                {"title": title, "icon": icon, "link": reverse_lazy(f"admin:lookups_{model}_changelist")}
                for title, icon, model in (
                    ("Price types", "sell", "pricetype"),
                    ("Payment terms", "payments", "paymentterm"),
                    ("Shipping terms", "local_shipping", "shippingterm"),
                    ("Sales reps", "badge", "salesrep"),
                    ("Warehouses", "warehouse", "warehouse"),
                    ("Customer groups", "groups", "customergroup"),
                    ("Company numbers", "domain", "companynumber"),
                )
            ],
        },
    ]

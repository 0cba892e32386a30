from django.apps import AppConfig
from django.urls import reverse_lazy


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = "Customers"
    default_auto_field = "django.db.models.BigAutoField"

    api_urls = ["connections.api.urls"]
    api_schema = ["connections.api.schema.describe_schema"]
    api_enums = {
        "ConnectionStatus": "connections.models.Connection.Status",
        "ChangedRecord": "connections.models.Change.Record",
        "KeepableRecord": "connections.api.kept.RECORDS",
        "ChangeAction": "connections.models.Change.Action",
    }
    holdings = ["connections.holdings.CONNECTIONS", "connections.holdings.CHANGES"]
    home_needs = ["connections.admin.review.find_needs"]
    figures = ["connections.figures.find"]
    search = ["connections.searching.find"]
    navigation = [
        {
            "title": "Customers",
            "items": [
                {
                    "title": "Connections",
                    "icon": "storefront",
                    "link": reverse_lazy("admin:connections_connection_changelist"),
                },
                {
                    "title": "To review",
                    "icon": "rule",
                    "link": reverse_lazy("admin:connections_connection_review"),
                    "badge": "connections.admin.review.pending_badge",
                },
                {
                    "title": "Changes",
                    "icon": "history",
                    "link": reverse_lazy("admin:connections_change_changelist"),
                },
            ],
        },
    ]

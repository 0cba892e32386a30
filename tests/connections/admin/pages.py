"""Where the pages of connections are, and what is filled in on the one that adds one."""

from typing import Any

from django.urls import reverse

from lookups.models import PriceType
from tests.pages import new_row

LIST = "admin:connections_connection_changelist"
PREFIXES = (
    "connectionpricetype_set",
    "addresses",
    "doors",
    "buyers",
    "connectionpaymentterm_set",
    "connectionshippingterm_set",
    "connectionwarehouse_set",
)


def page(connection, name="change"):
    return reverse(f"admin:connections_connection_{name}", args=[connection.pk])


def add_data(account, **fields):
    data: dict[str, Any] = {f"{prefix}-{name}_FORMS": 0 for prefix in PREFIXES for name in ("TOTAL", "INITIAL")}
    data |= {"account": account.pk, "customer_code": "NEW", "profile_name": "New shop", **fields}
    new_row(data, "connectionpricetype_set", lookup=PriceType.objects.filter(account=account)[0].pk)
    return data

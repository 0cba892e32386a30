"""The form of the export of connections: the template has no column for the account, so one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.contrib.import_export.forms import ExportForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Account

if TYPE_CHECKING:
    from django.db.models import QuerySet


class ExportConnectionsForm(ExportForm):
    """The template has no column for the account, so one is chosen."""

    account = forms.ModelChoiceField(Account.objects.none(), widget=UnfoldAdminSelectWidget)
    field_order = ["resource", "account", "format"]

    def __init__(self, *args: Any, accounts: QuerySet[Account], filtered: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        field.queryset = accounts
        field.initial = filtered or (only[0] if len(only := accounts[:2]) == 1 else None)

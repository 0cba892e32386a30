"""Import and export of each list in the admin. The column `account` holds the account's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget

from accounts.models import Account
from lookups import models

if TYPE_CHECKING:
    from accounts.models import User


class AccountWidget(ForeignKeyWidget):
    """An account by its code, among those the user edits; so no row can reach into another account."""

    def __init__(self, user: User | None) -> None:
        super().__init__(Account, "code")
        accounts = Account.objects.editable_by(user) if user else Account.objects.none()
        self.accounts = {account.code: account for account in accounts}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Account:
        try:
            return self.accounts[str(value or "").strip()]
        except KeyError:
            known = ", ".join(self.accounts) or "none"
            raise ValidationError(f"{value!r} is not the code of an account you edit; those are: {known}.") from None


class LookupResource(ModelResource):
    """One list. A file without the column `account` goes to the only account the user edits."""

    account = Field(attribute="account", column_name="account")

    class Meta:
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def __init__(self, user: User | None = None) -> None:
        super().__init__()
        self.fields["account"].widget = AccountWidget(user)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        accounts = list(self.fields["account"].widget.accounts)
        if "account" in (dataset.headers or []):
            return
        if len(accounts) != 1:
            raise ValidationError("The file needs a column 'account' with the account's code.")
        dataset.append_col(accounts * len(dataset), header="account")

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = "" if value is None else str(value).strip()


class CodedResource(LookupResource):
    class Meta(LookupResource.Meta):
        fields: tuple[str, ...] = ("account", "code", "name")
        import_order = export_order = fields
        import_id_fields = ("account", "code")


class PriceTypeResource(LookupResource):
    class Meta(LookupResource.Meta):
        model = models.PriceType
        fields = ("account", "currency", "label")
        import_order = export_order = fields
        import_id_fields = ("account", "currency", "label")


class PaymentTermResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.PaymentTerm


class ShippingTermResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.ShippingTerm


class SalesRepResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.SalesRep
        fields = ("account", "code", "name", "email")
        import_order = export_order = fields


class WarehouseResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.Warehouse


class CustomerGroupResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.CustomerGroup


class CompanyNumberResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.CompanyNumber

"""What belongs to a connection, as parts of its page in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.forms import ChoiceField
from django.utils.text import capfirst
from unfold.admin import StackedInline, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.formsets import RowsAsPosted
from accounts.admin.owned import AccountOwnedInline, OwnAccountSelect, limit_choices
from connections import models
from connections.admin.keeping import keeping_form, provenance_of
from connections.given import given_fields, with_the_rest
from connections.rules import country_names
from connections.stored import ASSIGNMENT_MODELS
from lookups.validators import lower_ascii

if TYPE_CHECKING:
    from django.db.models import Field as ModelField
    from django.db.models import ForeignKey
    from django.forms import Field, ModelChoiceField
    from django.http import HttpRequest


def account_asked(request: HttpRequest, connection: models.Connection | None) -> int:
    """The account whose lists a form offers: the connection's own, or the one a new one is to belong to."""
    if connection is not None:
        return connection.account_id
    account = request.POST.get("account") or request.GET.get("account", "")
    return int(account) if account.isdecimal() else 0


class BuyerFormSet(RowsAsPosted):
    """Two buyers may not share an e-mail in any case, which Django's own check of the forms cannot tell."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            if not data.get("email") or data.get("DELETE"):
                continue
            key = lower_ascii(data["email"])
            if key in seen:
                raise ValidationError(
                    f"{data['email']} is given more than once; each buyer needs an e-mail of its own."
                )
            seen.add(key)


class KeepingInline(AccountOwnedInline):
    """Rows of which values can be kept."""

    def get_formset(self, request: HttpRequest, obj: models.Connection | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]  # of the inline this is mixed into
        formset.form.provenance = provenance_of(request, obj)
        return formset


class AddressInline(KeepingInline, StackedInline):
    model = models.Address
    form = keeping_form(models.Address)
    extra = 0
    per_page = 20
    tab = True
    fields = with_the_rest(
        [
            ("kind", "code"),
            ("name", "country"),
            ("address_1", "address_2"),
            ("zip", "city"),
            ("state", "phone"),
            "email",
        ],
        given_fields(models.Address),
    )

    def formfield_for_dbfield(
        self, db_field: ModelField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if db_field.name == "country":
            choices = [("", "Select value"), *((code, f"{name} ({code})") for code, name in country_names().items())]
            return ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget())
        field: Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        return field


class DoorInline(KeepingInline, TabularInline):
    model = models.Door
    form = keeping_form(models.Door)
    fields = ["code", "name"]
    extra = 0
    per_page = 30
    tab = True
    hide_title = True


class BuyerInline(KeepingInline, TabularInline):
    model = models.Buyer
    form = keeping_form(models.Buyer)
    formset = BuyerFormSet
    extra = 0
    per_page = 30
    tab = True
    hide_title = True
    fields = ["email", "name"]


class AssignmentInline(AccountOwnedInline, TabularInline):
    """Entries of one list, chosen from the connection's own account."""

    extra = 0
    tab = True
    hide_title = True
    fields = ["lookup"]
    autocomplete_fields = ["lookup"]
    template_before = "connections/keep_list.html"

    @property
    def kind(self) -> str:
        """The list, as a connection has it."""
        return next(kind for kind, model in ASSIGNMENT_MODELS.items() if model is self.model)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "lookup":
            kwargs["widget"] = OwnAccountSelect(db_field, self.admin_site)
            kwargs["label"] = capfirst(self.model._meta.verbose_name)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: models.Connection | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        limit_choices(formset.form, account_asked(request, obj))
        return formset


class PriceTypeInline(AssignmentInline):
    """At least one: rows `price_type_currency_%` and `price_type_name_%` are required."""

    model = models.ConnectionPriceType
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: models.Connection | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{**kwargs, "validate_min": True})


class PaymentTermInline(AssignmentInline):
    model = models.ConnectionPaymentTerm


class ShippingTermInline(AssignmentInline):
    model = models.ConnectionShippingTerm


class WarehouseInline(AssignmentInline):
    model = models.ConnectionWarehouse


INLINES = [
    PriceTypeInline,
    AddressInline,
    DoorInline,
    BuyerInline,
    PaymentTermInline,
    ShippingTermInline,
    WarehouseInline,
]

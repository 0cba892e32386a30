"""Admin of connections: list, form, review, and the history of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import ModelChoiceField, URLField
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminURLInputWidget

from accounts.admin.owned import (
    MOST_OFFERED,
    AccountOwnedAdmin,
    KindFilter,
    OwnAccountSelect,
    VisibleFilter,
    limit_choices,
)
from accounts.models import Account
from accounts.paging import find_mark
from accounts.searching import visible_ids
from accounts.users import user_of
from accounts.waiting import some_patience
from accounts.zones import short_time, show_time
from connections.admin.changes import changes_url
from connections.admin.inlines import INLINES, account_asked
from connections.admin.keeping import keeping_form, provenance_of, settle_forms, split_decision
from connections.admin.review import DueFilter, ReviewActions, warn_of_similar
from connections.admin.review_pages import ReviewPages
from connections.admin.sightings import NotSeenFilter
from connections.given import given_fields, with_the_rest
from connections.history.authors import find_change, source_of
from connections.history.recording import record_created, recorded_deletion, recorded_edit
from connections.history.shortening import say_loss
from connections.history.sightings import last_seen
from connections.history.timeline import read_timeline
from connections.matching.finding import suggestions_of
from connections.models import Connection
from connections.searching import search

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from django.db.models import Field as ModelField
    from django.db.models import ForeignKey, Model, QuerySet
    from django.forms import Field, ModelForm
    from django.http import HttpRequest

CHANGES_SHOWN = 50


@admin.register(Connection)
class ConnectionAdmin(ReviewPages, ReviewActions, AccountOwnedAdmin):
    form = keeping_form(Connection)
    list_display = [
        "customer_code",
        "profile_name",
        "review_status",
        "due",
        "account",
        "group",
        "rep",
        "updated",
    ]
    list_display_links = ["customer_code", "profile_name"]
    list_select_related = ["account", "customer_group", "sales_rep"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        DueFilter,
        ("account", VisibleFilter),
        KindFilter,
        ("customer_group", VisibleFilter),
        ("sales_rep", VisibleFilter),
        NotSeenFilter,
    ]
    search_fields = ["customer_code"]  # and whatever else `connections.searching` knows them by
    search_help_text = "Beginnings of code, names, e-mail or city"
    list_per_page = 50
    when_empty = "Connections come with the first file, through a feed or the API, or are added by hand."
    ordering = ["account_id", "customer_code"]
    inlines = INLINES
    autocomplete_fields = [field.name for field in given_fields(Connection) if field.list_name]
    fieldsets = [
        (
            None,
            {
                "fields": with_the_rest(
                    [
                        ("customer_code", "account"),
                        ("profile_name", "customer_alias"),
                        ("alternate_name", "website"),
                        ("company_number", "customer_group"),
                        ("sales_rep",),
                        ("discount", "discount_line_item_level"),
                    ],
                    given_fields(Connection),
                )
            },
        )
    ]
    review_fieldset = (
        "Review",
        {
            "fields": [
                ("status", "duplicate_of"),
                ("reviewer", "reviewed_at"),
                ("created_at", "updated_at"),
                ("review_note", "seen_in_file"),
            ]
        },
    )
    change_form_outer_before_template = "connections/similar.html"
    change_form_after_template = "connections/review_note.html"
    change_form_outer_after_template = "connections/changes.html"
    seen_fields = ("status", "duplicate_of")

    @display(description="reviewed by")
    def reviewer(self, connection: Connection) -> str:
        """Without a way to the page of the person, which is the superuser's."""
        return str(connection.reviewed_by or "")

    @display(description="customer group", ordering="customer_group__name")
    def group(self, connection: Connection) -> str:
        group = connection.customer_group
        return (group.name or group.code) if group else ""

    @display(description="sales rep", ordering="sales_rep__name")
    def rep(self, connection: Connection) -> str:
        rep = connection.sales_rep
        return (rep.name or rep.code) if rep else ""

    @display(description="updated", ordering="updated_at")
    def updated(self, connection: Connection) -> str:
        return show_time(connection.updated_at)

    @display(description="last seen in a file", empty_value="never")
    def seen_in_file(self, connection: Connection) -> date | None:
        shown: Any = connection  # forms ask for what they only show several times
        if not hasattr(shown, "seen_on"):
            shown.seen_on = last_seen([connection.pk]).get(connection.pk)
        seen_on: date | None = shown.seen_on
        return seen_on

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What stands for a duplicate is not rejected itself."""
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.exclude(status=Connection.Status.REJECTED)
        queryset, may_repeat = super().get_search_results(request, queryset, "")
        text = " ".join(search_term.split())
        if not text:
            return queryset, may_repeat
        page = find_mark(queryset, request) if request.method == "GET" else None
        if page and page.order.names != tuple(self.ordering):
            page = None
        return search(queryset, text, _accounts_searched(request), page), may_repeat

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> list[Any]:
        fieldsets = list(super().get_fieldsets(request, obj))
        return [*fieldsets, self.review_fieldset] if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = (
            "status",
            "duplicate_of",
            "reviewer",
            "reviewed_at",
            "created_at",
            "updated_at",
            "review_note",
            "seen_in_file",
        )
        return (*super().get_readonly_fields(request, obj), *(("customer_code", *shown) if obj else ()))

    def formfield_for_dbfield(
        self, db_field: ModelField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if db_field.name == "website":
            widget = UnfoldAdminURLInputWidget()
            return URLField(max_length=255, required=False, assume_scheme="https", widget=widget)
        field: Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        return field

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = OwnAccountSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        limit_choices(form, account_asked(request, obj))
        form.provenance = provenance_of(request, obj)
        return form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Ask for the account first, unless there is only one: everything else is chosen from its lists."""
        if request.method == "POST" or account_asked(request, None) or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        editable = Account.objects.editable_by(user_of(request))
        if asked := request.GET.get("q", "").strip():
            editable = editable.filter(Q(code__icontains=asked) | Q(name__icontains=asked))
        accounts = list(editable[: MOST_OFFERED + 1])
        if len(accounts) == 1 and not asked:
            return HttpResponseRedirect(f"{request.path}?account={accounts[0].pk}")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Add a connection",
            "accounts": accounts[:MOST_OFFERED],
            "asked": asked,
            "is_cut": len(accounts) > MOST_OFFERED,
        }
        return TemplateResponse(request, "connections/choose_account.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        connection = self.get_object(request, unquote(object_id)) if object_id else None
        context = self._with_changes(request, connection) if connection else extra_context
        return super().changeform_view(request, object_id, form_url, context)

    def writing(self, request: HttpRequest, object_id: str | None) -> AbstractContextManager[None]:
        connection = self.get_object(request, unquote(object_id)) if object_id else None
        if connection is not None:
            return recorded_edit([connection.pk], user_of(request))
        return some_patience(lambda: [account_asked(request, None)])

    def author_of(self, obj: Model, since: datetime, inline: type[Model] | None, row: Model | None, field: str) -> str:
        """The change log knows what files did, too."""
        assert isinstance(obj, Connection)  # noqa: S101  (narrows the type)
        name, actions = split_decision(field)
        change = find_change(obj, inline or Connection, row, name, actions)
        return f"{source_of(change)}, {short_time(change.at)}" if change else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """For the page of one, with its account and from when on the log of that is whole; it tells of both."""
        found: QuerySet[Connection] = super().get_queryset(request)
        shows_one = request.method == "GET" and request.resolver_match and "object_id" in request.resolver_match.kwargs
        return found.select_related("account__log_start") if shows_one else found

    def _with_changes(self, request: HttpRequest, connection: Connection) -> dict[str, Any]:
        """Read when the page is shown: a form that is saved needs none of it."""
        provenance = provenance_of(request, connection)
        assert provenance is not None  # noqa: S101  (narrows the type)
        return {
            "events": SimpleLazyObject(lambda: read_timeline(connection, CHANGES_SHOWN)),
            "origins": SimpleLazyObject(provenance.show),
            "loss": SimpleLazyObject(lambda: say_loss(connection.account, connection.created_at)),
            "changes_url": changes_url(connection),
            "suggestions": SimpleLazyObject(lambda: suggestions_of([connection.pk]).get(connection.pk, [])),
        }

    def save_model(self, request: HttpRequest, obj: Connection, form: ModelForm[Connection], change: bool) -> None:
        """Whoever adds a connection by hand has reviewed it by that."""
        if not change:
            obj.status = Connection.Status.APPROVED
            obj.reviewed_by, obj.reviewed_at = user_of(request), timezone.now()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm[Connection], formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change:
            settle_forms(form, formsets, user_of(request))
        else:
            record_created(form.instance, user_of(request))
            warn_of_similar(request, form.instance)

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        with recorded_deletion([obj.pk], user_of(request)):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        with recorded_deletion(list(queryset.values_list("pk", flat=True)), user_of(request)):
            super().delete_queryset(request, queryset)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The change log is the history: it knows what files did, too."""
        connection = self.get_object(request, unquote(object_id))
        if connection is None:
            raise PermissionDenied
        return HttpResponseRedirect(changes_url(connection))


def _accounts_searched(request: HttpRequest) -> list[int] | None:
    """Those that one may see, by id, or the one of them that a list is narrowed to; none for all that there are.

    What most customers of another account have is no reason to look for it one by one in this one.
    """
    visible = visible_ids(user_of(request))
    asked = [int(pk) for pk in request.GET.getlist("account__id__exact") if pk.isdecimal() and len(pk) < 19]
    return asked if len(asked) == 1 and (visible is None or asked[0] in visible) else visible

"""The review in the admin: approve, reject, reject as a duplicate; from the list and from the form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core import signing
from django.core.exceptions import ValidationError
from django.forms import CharField, Form, HiddenInput, ModelChoiceField
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.owned import OwnAccountSelect
from accounts.counting import counted
from accounts.paging import count_for_badge
from accounts.users import user_of
from accounts.zones import show_time
from connections import review
from connections.matching.finding import find_similar, looked_at
from connections.models import LONGEST_NOTE, Connection
from connections.review.evidence import find_differences, find_origins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.admin.home import Need, Scope
    from accounts.admin.owned import AccountOwnedAdmin as Base
    from accounts.models import User
    from connections.models.querysets import ConnectionQuerySet
else:
    Base = object

STATUS_COLOURS = {
    Connection.Status.PENDING: "warning",
    Connection.Status.APPROVED: "success",
    Connection.Status.REJECTED: "danger",
}

SEEN = "when the list was shown"
MOST_LEFT_OUT = 100
"""How many of those that are to be rejected an address can name."""
MOST_WARNED = 3
"""Of how many others whoever adds a connection is told."""


def pending_badge(request: HttpRequest) -> str:
    """How many connections of production accounts wait for this person's review; nothing when none do."""
    visible = cast("ConnectionQuerySet", admin.site.get_model_admin(Connection).get_queryset(request))
    return count_for_badge(visible.awaiting_review().filter(account__sandbox_of=None))


def find_needs(request: HttpRequest, scope: Scope) -> Iterator[Need]:
    """For the home page: new connections that wait for a review."""
    pending = Connection.objects.filter(account__in=scope.accounts).awaiting_review()
    words = ("new customer waits for a review", "new customers wait for a review")
    page = reverse("admin:connections_connection_review")
    url = f"{page}?account={scope.chosen.pk}" if scope.chosen else page
    yield replace(scope.need(pending, words), url=url)
    overdue = ("review of a new customer is overdue", "reviews of new customers are overdue")
    yield scope.need(pending.overdue(), overdue, {"due": "overdue"}, is_urgent=True)


def warn_of_similar(request: HttpRequest, connection: Connection) -> None:
    """Tell whoever added a connection by hand which others may be the same customer."""
    code = connection.customer_code
    for match, other in find_similar(connection)[:MOST_WARNED]:
        reasons = ", ".join(match.reasons)
        messages.warning(
            request,
            f"The account has {other.customer_code!r} ({other.profile_name}), which may be the same customer: "
            f"{reasons}. If so, reject {code!r} as a duplicate.",
        )


def describe_review(connection: Connection) -> dict[str, Any]:
    """For the page of a connection: where it came from, until when it is to be reviewed, and what is similar."""
    similar = find_similar(connection)
    differences = find_differences(connection, [other for _, other in similar])
    origin = find_origins([connection]).get(connection.pk)
    waits = connection.status == Connection.Status.PENDING
    due_at = review.due_at(connection)
    return {
        "origin": origin,
        "waits": waits,
        "due_at": due_at,
        "is_overdue": due_at <= timezone.now(),
        "is_compared": bool(looked_at(Connection.objects.filter(pk=connection.pk))),
        "similar": [
            {"match": match, "percent": round(match.score * 100), "other": other, "differences": differences[other.pk]}
            for match, other in similar
            if other.pk in differences
        ],
    }


def read_note(request: HttpRequest) -> str:
    """What was noted with a decision, without what is no character of a text."""
    return request.POST.get("note", "").replace("\0", "").strip()[:LONGEST_NOTE]


def _decided(request: HttpRequest) -> tuple[User, str]:
    """Who decides, and what they note."""
    return user_of(request), read_note(request)


class OriginalForm(Form):
    """Asks which connection stands for the ones to be rejected."""

    duplicate_of = ModelChoiceField(Connection.objects.none(), label="The connection that stays")
    note = CharField(required=False, max_length=LONGEST_NOTE, widget=UnfoldAdminTextInputWidget)

    def __init__(
        self,
        data: Any,
        candidates: QuerySet[Connection],
        account_id: int,
        rejected: tuple[int, ...] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        widget = OwnAccountSelect(Connection._meta.get_field("duplicate_of"), admin.site)
        widget.account_id, widget.left_out = account_id, rejected
        field = self.fields["duplicate_of"]
        assert isinstance(field, ModelChoiceField)  # noqa: S101  (narrows the type)
        field.widget = widget
        field.queryset = candidates.filter(account=account_id)


class SeenForm(ActionForm):
    """Chooses an action of the list, with a note for a decision, and says when the list was shown."""

    seen = CharField(label="", required=False, widget=HiddenInput)
    note = CharField(
        label="",
        required=False,
        max_length=LONGEST_NOTE,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": "Note for a decision", "aria-label": "Note for a decision", "x-show": "action"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = signing.dumps(timezone.now().isoformat(), salt=SEEN)


class DueFilter(admin.SimpleListFilter):
    """What waits for review, by when it is due and by whether it is like others."""

    title = "review"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            ("overdue", "overdue"),
            ("later", "due later"),
            ("similar", "something similar exists"),
            ("unlike", "nothing similar exists"),
        ]

    def queryset(self, request: HttpRequest, queryset: ConnectionQuerySet) -> ConnectionQuerySet:  # type: ignore[override]  # of one model
        chosen = {
            "overdue": lambda: queryset.overdue(),
            "later": lambda: queryset.awaiting_review().exclude(pk__in=queryset.overdue().values("pk")),
            "similar": lambda: queryset.awaiting_review().like_others(),
            "unlike": lambda: queryset.awaiting_review().unlike_others(),
        }.get(self.value() or "")
        return chosen() if chosen else queryset


class ReviewActions(Base):
    """What a person can decide about connections; only for those of accounts the person may edit."""

    action_form = SeenForm
    actions = ["approve", "reject", "reject_as_duplicate", "reopen"]
    actions_submit_line = ["save_and_approve", "save_and_reject", "save_and_reopen"]
    actions_detail = ["duplicate"]

    @display(description="status", ordering="status", label=STATUS_COLOURS)
    def review_status(self, connection: Connection) -> tuple[str, str]:
        return connection.status, connection.get_status_display()

    @display(description="due", ordering="created_at")
    def due(self, connection: Connection) -> str:
        """Until when it is to be reviewed; since when it should have been."""
        if connection.status != Connection.Status.PENDING:
            return ""
        due_at = review.due_at(connection)
        said = "overdue since " if due_at <= timezone.now() else ""
        return format_html("{}{}", said, show_time(due_at))

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        queryset = self._not_decided_since(request, queryset)
        self._tell(request, "approved", review.approve(self.editable(request, queryset), *_decided(request)))

    @admin.action(description="Send back to review", permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        queryset = self._not_decided_since(request, queryset)
        count = review.reopen(self.editable(request, queryset), *_decided(request))
        self._tell(request, "wait for review again" if count != 1 else "waits for review again", count)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        queryset = self._not_decided_since(request, queryset)
        try:
            user, note = _decided(request)
            self._tell(request, "rejected", review.reject(self.editable(request, queryset), user, note=note))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))

    @admin.action(description="Reject as duplicate of …", permissions=["change"])
    def reject_as_duplicate(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        chosen = self.editable(request, self._not_decided_since(request, queryset))
        accounts = set(chosen.values_list("account_id", flat=True))
        if len(accounts) != 1:
            messages.error(request, "Choose connections of one account that you may edit.")
            return None
        data = request.POST if "duplicate_of" in request.POST else None
        rejected = tuple(chosen.values_list("pk", flat=True)[:MOST_LEFT_OUT])
        initial = {name: request.POST.get(name) or request.GET.get(name) for name in ("duplicate_of", "note")}
        form = OriginalForm(data, self.get_queryset(request), accounts.pop(), rejected, initial)
        if form.is_valid():
            try:
                original = form.cleaned_data["duplicate_of"]
                count = review.reject(chosen, user_of(request), original, form.cleaned_data["note"])
            except ValidationError as error:
                form.add_error("duplicate_of", error)
            else:
                self._tell(request, f"rejected as duplicates of {form.cleaned_data['duplicate_of']}", count)
                return None
        several = counted(chosen.count(), "connection")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Reject as duplicate · {chosen[0] if len(rejected) == 1 else several}",
            "connections": chosen,
            "form": form,
            "media": self.media + form.media,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "connections/reject_as_duplicate.html", context)

    def _not_decided_since(self, request: HttpRequest, queryset: QuerySet[Connection]) -> QuerySet[Connection]:
        """Without those that somebody else decided on since the list was shown; the person is told of them."""
        try:
            seen = parse_datetime(signing.loads(request.POST.get("seen", ""), salt=SEEN))
        except signing.BadSignature:
            return queryset  # not an action of a list
        late = list(queryset.filter(reviewed_at__gt=seen).exclude(reviewed_by=user_of(request))[:MOST_LEFT_OUT])
        for connection in late:
            status = connection.get_status_display()
            messages.warning(
                request, f"{connection} was {status} by {connection.reviewed_by} since you opened the list; look again."
            )
        return queryset.exclude(pk__in=[connection.pk for connection in late])

    def get_urls(self) -> list[Any]:
        found = self.admin_site.admin_view(self.show_similar)
        return [path("<int:pk>/similar/", found, name="connections_connection_similar"), *super().get_urls()]

    def show_similar(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of a connection's page that says what it may be a duplicate of: it takes longer than all others."""
        connection = self.get_object(request, str(pk))
        if connection is None:
            raise Http404
        may_review = self.has_change_permission(request, connection)
        context = {"original": connection, "review": describe_review(connection), "may_review": may_review}
        return TemplateResponse(request, "connections/review.html", context)

    @action(description="Reject as duplicate of …", url_path="duplicate")
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            raise Http404
        answer = self.reject_as_duplicate(request, self.get_queryset(request).filter(pk=object_id))
        return answer or HttpResponseRedirect(reverse("admin:connections_connection_change", args=[object_id]))

    @action(description="Save and approve")
    def save_and_approve(self, request: HttpRequest, obj: Connection) -> None:
        self.approve(request, self.get_queryset(request).filter(pk=obj.pk))

    @action(description="Save and send back to review")
    def save_and_reopen(self, request: HttpRequest, obj: Connection) -> None:
        self.reopen(request, self.get_queryset(request).filter(pk=obj.pk))

    @action(description="Save and reject")
    def save_and_reject(self, request: HttpRequest, obj: Connection) -> None:
        self.reject(request, self.get_queryset(request).filter(pk=obj.pk))

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The decisions that this person may take and that would change something."""
        connection = self.get_object(request, str(object_id))
        if connection is None or not self.has_change_permission(request, connection):
            return []
        taken = {
            Connection.Status.PENDING: "save_and_reopen",
            Connection.Status.APPROVED: "save_and_approve",
            Connection.Status.REJECTED: "save_and_reject",
        }
        done = taken[Connection.Status(connection.status)]
        actions = super().get_actions_submit_line(request, object_id)
        return [action for action in actions if not action.action_name.endswith(done)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        connection = self.get_object(request, str(object_id))
        if connection is None or not self.has_change_permission(request, connection):
            return []
        return list(super().get_actions_detail(request, object_id))

    def _tell(self, request: HttpRequest, what: str, count: int) -> None:
        if count:
            messages.success(request, f"{count} connection{'s' * (count != 1)} {what}.")
        else:
            messages.warning(request, "Nothing to do: none of the chosen connections that you may edit would change.")

"""Lists of the admin: an action is done with what was chosen, and what is deleted is as it was when that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db.models import F, Func, Model, QuerySet, TextField
from django.template.response import TemplateResponse
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode
from django.utils.text import capfirst
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from accounts.admin.shown import SHOWN
from accounts.paging import MOST_COUNTED, read_ids
from accounts.users import user_of
from accounts.waiting import done_again, some_patience

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from unfold.admin import ModelAdmin as Base

    Versions = dict[str, str]
    """By id of what was chosen: the version of its row."""
else:
    Base = object

OF_ACCOUNT = "account__id__exact"
"""The filter by account."""
MOST_NAMED = 5
MOST_SORTED = 20_000
"""Longer lists keep the order that an index gives them: nobody waits until a million rows are sorted."""


class LongList(ChangeList):
    """A list that may be long: then it is sorted only by the columns that the admin names as `sorted_by_index`.

    The others are offered where it is searched or filtered, for that may leave few of it.
    """

    page_num: int

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if not self._is_sorted_freely() or not _is_long(found):
            return found
        for given in (self.params, self.filter_params):
            given.pop(ORDER_VAR, None)
        if exclude_parameters is None:
            messages.info(request, f"More than {MOST_SORTED:,} are not sorted by this column. Filter or search first.")
        return found.order_by(*self.get_ordering(request, found))

    def get_results(self, request: HttpRequest) -> None:
        """The ids first, and then the rows of one page: what they are found by is asked once."""
        try:
            page = read_ids(self.queryset, request.GET.get(PAGE_VAR, "1"), self.list_per_page)
        except InvalidPage:
            raise IncorrectLookupParameters from None
        if page.is_cut:
            text = f"Only the first {MOST_COUNTED:,} are paged by number. Go on with Next, or filter or search."
            messages.info(request, text)
        self.paginator = page.paginator
        if not isinstance(self.paginator, InfinitePaginator):
            self.page_num = self.paginator.get_page(self.page_num).number
        self.result_count = self.paginator.count
        self.can_show_all = self.result_count <= self.list_max_show_all
        self.multi_page = self.result_count > self.list_per_page
        is_whole = not self.query and not self.has_active_filters
        self.show_full_result_count, self.show_admin_actions = False, True
        self.full_result_count = self.result_count if is_whole else None
        ids = self.paginator.object_list if self.show_all and self.can_show_all else page.ids
        rows = self.apply_select_related(self.root_queryset).in_bulk(ids)
        self.result_list = [rows[pk] for pk in ids if pk in rows]
        self.page_before, self.page_behind = page.before, page.behind
        if is_whole and isinstance(self.paginator, InfinitePaginator) and _is_long(self.queryset):
            self.sortable_by = self.model_admin.sorted_by_index

    @property
    def account_asked(self) -> str:
        """The account, by its id, to which the list is narrowed; blank without one."""
        return str(self.get_filters_params().get(OF_ACCOUNT, [""])[-1])

    @property
    def is_whole_of_account(self) -> bool:
        """Whether nothing else narrows it."""
        asked = {name for name, values in self.get_filters_params().items() if any(values)}
        return asked == {OF_ACCOUNT} and not self.query

    @property
    def add_query(self) -> str:
        """What begins the form of a record that is added from here."""
        return f"?{urlencode({'account': self.account_asked})}" if self.account_asked else ""

    def _is_sorted_freely(self) -> bool:
        """Whether somebody asks for the order of a column that has no index for it."""
        asked = {each.lstrip("-") for each in self.params.get(ORDER_VAR, "").split(".")}
        columns = {name for number, name in enumerate(self.list_display) if str(number) in asked}
        return bool(columns.difference(self.model_admin.sorted_by_index))


def _is_long(found: QuerySet[Any]) -> bool:
    return found.order_by()[: MOST_SORTED + 1].count() > MOST_SORTED


class CarefulList(Base):
    """The list of an admin."""

    sorted_by_index: tuple[str, ...] = ()
    """Columns by which also a long list may be sorted: those that an index has in order."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        """An action is for records that can be; ids that are none choose nothing."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(self._can_be_id(text) for text in chosen):
            messages.warning(request, "Nothing was done: the list did not send what was chosen. Choose again.")
            return None
        answer: HttpResponse | None = super().response_action(request, queryset, *args)
        return answer

    def _can_be_id(self, text: str) -> bool:
        try:
            self.opts.pk.to_python(text)
        except ValidationError:
            return False
        return bool(text) and "\0" not in text

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Named after what it lists."""
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if "delete_selected" in actions:
            _, name, description = actions["delete_selected"]
            actions["delete_selected"] = (delete_as_shown, name, description)
        return actions


@done_again
def delete_as_shown(admin: Base, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Django's action, which asks on a second page; what was changed since is asked about again."""
    if not request.POST.get("post"):
        return _ask(admin, request, queryset)
    with some_patience(list):
        chosen = admin.model._default_manager.filter(pk__in=[obj.pk for obj in queryset]).order_by("pk")
        list(chosen.select_for_update(no_key=True, of=("self",)).values_list("pk"))
        asked, asked_of_all = _read(request)
        versions, of_all = _look_at(queryset)
        if of_all == asked_of_all:
            answer: HttpResponse | None = delete_selected(admin, request, queryset)
            return answer
        changed = [str(obj) for obj in queryset if asked.get(str(obj.pk)) != versions.get(str(obj.pk))]
    messages.error(
        request, f"{_name(changed)} changed since you were asked. Nothing was deleted; look and confirm again."
    )
    sent = request.POST.copy()
    del sent["post"]
    request.POST = sent  # type: ignore[assignment]  # a QueryDict too; without "post" Django asks again
    return _ask(admin, request, queryset)


def _ask(admin: Base, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    answer: HttpResponse | None = delete_selected(admin, request, queryset)
    if isinstance(answer, TemplateResponse) and answer.context_data is not None:
        answer.context_data["shown"] = signing.dumps(_look_at(queryset), salt=_scope(request), compress=True)
    return answer


def _read(request: HttpRequest) -> tuple[Versions, str]:
    """What was signed on the page before; nothing where it was not."""
    try:
        versions, of_all = signing.loads(request.POST.get(SHOWN, ""), salt=_scope(request))
    except signing.BadSignature:
        return {}, ""
    return versions, of_all


def _scope(request: HttpRequest) -> str:
    return f"selected:{request.path}:{user_of(request).pk}"


def _look_at(queryset: QuerySet[Any]) -> tuple[Versions, str]:
    """The versions of the chosen rows, and a fingerprint of those of everything that would be deleted with them."""
    collector = NestedObjects(using=queryset.db, origin=queryset)
    collector.collect(queryset)
    rows: dict[type[Model], list[Any]] = {model: [obj.pk for obj in found] for model, found in collector.data.items()}
    versions = {model._meta.label: _versions(model, ids) for model, ids in sorted(rows.items(), key=_by_label)}
    return versions.get(queryset.model._meta.label, {}), salted_hmac("selected", repr(versions)).hexdigest()


def _by_label(item: tuple[type[Model], list[Any]]) -> str:
    return item[0]._meta.label


def _versions(model: type[Model], ids: list[Any]) -> Versions:
    """PostgreSQL writes each version of a row anew: by whom and where tells one from the other."""
    version = Func(
        F("pk"), template=f"{model._meta.db_table}.xmin || ' ' || {model._meta.db_table}.ctid", output_field=TextField()
    )
    found = model._default_manager.filter(pk__in=ids).order_by("pk").annotate(row_version=version)
    return {str(pk): text for pk, text in found.values_list("pk", "row_version")}


def _name(changed: list[str]) -> str:
    if not changed:
        return "What belongs to your choice was"
    more = len(changed) - MOST_NAMED
    names = [*changed[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
    return f"{', '.join(names)} {'was' if len(changed) == 1 else 'were'}"

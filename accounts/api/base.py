"""Views below /accounts/{account}/: what is the account's, for its members alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.plumbing import get_lib_doc_excludes
from rest_framework import mixins
from rest_framework.exceptions import ErrorDetail, MethodNotAllowed, ParseError, PermissionDenied, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.idempotency import answer_once
from accounts.api.pagination import KeyPagination
from accounts.api.problems import (
    LengthRequired,
    NotAsDocumented,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
)
from accounts.api.strictness import find_misread, find_repeated, find_unknown
from accounts.models import Account
from accounts.users import user_of
from accounts.waiting import done_again, some_patience
from accounts.watching import name_also

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django_filters import Filter
    from rest_framework.request import Request


class AccountView(GenericAPIView[Any]):
    """Members read, editors write; to everybody else the account does not exist.

    What is not understood is refused, times are UTC, a write is one transaction, and a POST with the header
    Idempotency-Key is done once.
    """

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    account: Account
    account_field = "account"
    """Which field of what is listed or found here names its account."""
    takes_body = True
    """False for a POST that says all with its URL."""
    one_transaction = True
    """False for what asks servers or takes long, and then opens a transaction of its own to write."""
    rate_limit: dict[str, str] = {}
    """Headers that tell how many requests are left."""

    @property
    def largest_body(self) -> int:
        """Bytes."""
        return 5_000_000

    @property
    def owner(self) -> Account:
        """The account whose members may do this: the one of the URL, unless the thing belongs to its production."""
        return self.account

    @property
    def writes(self) -> bool:
        return self.request.method not in SAFE_METHODS

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        check_form(request, self.largest_body)
        super().initial(request, *args, **kwargs)
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(str(request.method))  # before anything is said of what came with it
        self.check_account(request, **kwargs)
        self.check_query(request)
        if not self.writes:
            return
        if not self.takes_body or request.method == "DELETE":
            self.check_nothing_sent(request)
        if "If-Match" in request.headers and not self.minds_etags:
            raise ValidationError({"If-Match": "There is nothing here that an ETag could name."})
        self.wrap_handler(request)

    def wrap_handler(self, request: Request) -> None:
        """Let the write be one transaction, and be done once where it has a key."""
        name = str(request.method).lower()
        handler: Any = getattr(self, name, self.http_method_not_allowed)
        if self.one_transaction:
            handler = done_again(some_patience(lambda: [self.account.pk])(handler))
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            answer = handler
            handler = lambda *args, **kwargs: answer_once(request, key, partial(answer, *args, **kwargs))  # noqa: E731  (wraps the one above)
        setattr(self, name, handler)

    def get_queryset(self) -> QuerySet[Any]:
        return self.narrow(super().get_queryset())

    def narrow(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """What is the account's alone."""
        return found.filter(**{self.account_field: None if self.is_described else self.owner})

    def check_account(self, request: Request, **kwargs: Any) -> None:
        visible = Account.objects.visible_to(user_of(request)).select_related("sandbox_of")
        self.account = get_object_or_404(visible, code=kwargs["account"])
        name_also(account=self.account.code)
        self.check_rights(self.owner, edit=self.writes)

    def check_rights(self, owner: Account, *, edit: bool) -> None:
        user = user_of(self.request)
        if not user.may_see(owner.pk):
            raise PermissionDenied(f"This belongs to {owner.code}, of which you are no member.")
        if edit and not user.may_edit(owner.pk):
            which = "this account" if owner == self.account else f"{owner.code}, to which this belongs"
            raise PermissionDenied(f"You may only look at {which}.")

    def check_query(self, request: Request) -> None:
        """Raise ValidationError for a parameter that is unknown, repeated, blank or not what its filter takes."""
        given = request.query_params
        problems = find_unknown(given, self.known_parameters()) | find_misread(given, self.known_filters())
        problems |= find_repeated(given)
        for name, value in given.items():
            if not str(value).strip() and name not in problems:
                problems[name] = [ErrorDetail("Give a value, or leave it out.", "blank")]
        if problems:
            raise ValidationError(problems)

    @property
    def is_list(self) -> bool:
        return isinstance(self, mixins.ListModelMixin) and getattr(self, "action", "list") == "list"

    def known_parameters(self) -> set[str]:
        if self.writes or not self.is_list:
            return set()
        return {*getattr(self.paginator, "parameters", ()), *self.known_filters()}

    def known_filters(self) -> dict[str, Filter]:
        """The filters of a list, by the names of their parameters."""
        known: dict[str, Filter] = {}
        for backend in self.filter_backends if self.is_list else ():
            made: Any = backend()
            filterset = made.get_filterset_class(self, self.get_queryset())
            known |= filterset.base_filters if filterset else {}
        return known

    def check_nothing_sent(self, request: Request) -> None:
        if isinstance(request.data, Mapping):
            problems: dict[str, Any] = dict(find_unknown(request.data, ()))
        else:
            problems = {"non_field_errors": "No body is taken here."} if request.data is not None else {}
        if problems:
            raise ValidationError(problems)

    @property
    def minds_etags(self) -> bool:
        """Whether the action looks at If-Match."""
        return False

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finished = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.rate_limit.items():
            finished[name] = value
        finished["Cache-Control"] = "private, no-cache"
        return finished

    @property
    def is_described(self) -> bool:
        """Whether nobody asks, and the schema alone is being written."""
        return bool(getattr(self, "swagger_fake_view", False))


def check_form(request: Request, largest: int) -> None:
    """What the headers alone tell of a body that will not be taken, before any of it is read."""
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        raise NotAsDocumented("Send the body as it is; compressed ones are not read.", "content_encoding")
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    charset = (request._request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise NotAsDocumented("Text is read as UTF-8 alone.", "charset")
    length = str(request.META.get("CONTENT_LENGTH") or 0)
    if not (length.isascii() and length.isdecimal()):
        raise ParseError("The Content-Length is no number.")
    if int(length) > largest:
        raise TooLarge(f"The request has {int(length):,} bytes; at most {largest:,} are taken.")


class AccountViewSet(AccountView, GenericViewSet[Any]):
    """The same for several actions on one kind of thing."""


class VersionedMixin(AccountView):
    """Things with an ETag: a GET with If-None-Match is spared the body, a write with If-Match overwrites nobody.

    A write locks the thing before it compares, so that nothing comes in between.
    """

    def etag_of(self, data: Any) -> str:
        return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'

    @property
    def minds_etags(self) -> bool:
        return bool(getattr(self, "detail", False))

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset()
        if not (self.writes and self.one_transaction and self.minds_etags):
            return found
        return found.select_for_update(of=("self",), no_key=self.request.method != "DELETE")

    def get_object(self) -> Any:
        found = super().get_object()
        if self.writes:
            self.check_seen(lambda: self.get_serializer(found).data)
        return found

    def check_seen(self, describe: Callable[[], Any], *, replaces: bool | None = None) -> None:
        """Raise PreconditionFailed where If-Match names something else than what there is; none has any ETag.

        Without If-Match, PreconditionRequired where it would be replaced whole, as a PUT does.
        """
        header = self.request.headers.get("If-Match")
        if header is None and not (self.request.method == "PUT" if replaces is None else replaces):
            return
        current = describe()
        if header is None:
            if current is not None:
                raise PreconditionRequired
            return
        wanted = _etags(header)
        if current is None or ("*" not in wanted and self.etag_of(current) not in wanted):
            raise PreconditionFailed

    def answer(self, data: Any, status: int = 200, location: str = "") -> Response:
        """The thing with its ETag; without its body where a reader knows it."""
        etag = self.etag_of(data)
        if self.request.method == "GET" and etag in _etags(self.request.headers.get("If-None-Match", "")):
            return Response(status=304, headers={"ETag": etag})
        return Response(data, status=status, headers={"ETag": etag} | ({"Location": location} if location else {}))


def _etags(header: str) -> list[str]:
    return [etag for one in header.split(",") if (etag := one.strip().removeprefix("W/"))]


class RetrieveVersioned(VersionedMixin, mixins.RetrieveModelMixin):
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_serializer(self.get_object()).data)


class UpdateVersioned(VersionedMixin, mixins.UpdateModelMixin):
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=kwargs.get("partial", False))
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return self.answer(serializer.data)


class DestroyVersioned(VersionedMixin, mixins.DestroyModelMixin):
    """A DELETE minds If-Match as every write does."""


class CreateVersioned(VersionedMixin, mixins.CreateModelMixin):
    basename: str

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        key = {self.lookup_field: getattr(serializer.instance, self.lookup_field)}
        where = reverse(f"{self.basename}-detail", kwargs={"account": self.account.code, **key})
        return self.answer(serializer.data, 201, where)


class EditableViewSet(
    AccountViewSet, mixins.ListModelMixin, CreateVersioned, RetrieveVersioned, UpdateVersioned, DestroyVersioned
):
    """What programs list, make, change and remove in an account."""

    pagination_class: Any = KeyPagination


def without_description() -> list[type]:
    """The classes whose docstrings describe no endpoint, for the schema."""
    of_libraries: list[type] = get_lib_doc_excludes()  # type: ignore[no-untyped-call]  # the library has no types there
    mixed_in = [VersionedMixin, CreateVersioned, RetrieveVersioned, UpdateVersioned, DestroyVersioned]
    return [*of_libraries, AccountView, AccountViewSet, EditableViewSet, *mixed_in]

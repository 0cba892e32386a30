"""Views below /accounts/{account}/: what is the account's, for its members alone."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework import mixins
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.idempotency import answer_once
from accounts.api.problems import PreconditionFailed, TooLarge
from accounts.models import Account
from accounts.users import user_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request


class AccountView(GenericAPIView[Any]):
    """Members read, editors write; to everybody else the account does not exist.

    A POST with the header Idempotency-Key is done once.
    """

    account: Account
    rate_limit: dict[str, str] = {}
    """Headers that tell how many requests are left."""

    @property
    def largest_body(self) -> int:
        """Bytes."""
        return 5_000_000

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_account(request, **kwargs)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > self.largest_body:
            raise TooLarge(f"The request has {length:,} bytes; at most {self.largest_body:,} are taken.")
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            handler: Any = getattr(self, "post", self.http_method_not_allowed)
            self.post = lambda *args, **kwargs: answer_once(request, key, partial(handler, *args, **kwargs))

    def check_account(self, request: Request, **kwargs: Any) -> None:
        user = user_of(request)
        visible = Account.objects.visible_to(user).select_related("sandbox_of")
        self.account = get_object_or_404(visible, code=kwargs["account"])
        if request.method not in SAFE_METHODS and not user.may_edit(self.account.pk):
            raise PermissionDenied("You may only look at this account.")

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


class AccountViewSet(AccountView, GenericViewSet[Any]):
    """The same for several actions on one kind of thing."""


class VersionedMixin(GenericAPIView[Any]):
    """Things with an ETag: a GET with If-None-Match is spared the body, a write with If-Match overwrites nobody."""

    def etag_of(self, data: Any) -> str:
        return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset()
        return found.select_for_update(of=("self",)) if self.request.method in ("PUT", "PATCH", "DELETE") else found

    def get_object(self) -> Any:
        found = super().get_object()
        if self.request.method in ("PUT", "PATCH", "DELETE"):
            self.check_seen(lambda: self.get_serializer(found).data)
        return found

    def check_seen(self, describe: Callable[[], Any]) -> None:
        """Raise PreconditionFailed where If-Match names something else than what there is; none has any ETag."""
        wanted = _etags(self.request.headers.get("If-Match", ""))
        if not wanted:
            return
        current = describe()
        if current is None or ("*" not in wanted and self.etag_of(current) not in wanted):
            raise PreconditionFailed

    def answer(self, data: Any, status: int = 200) -> Response:
        """The thing with its ETag; without its body where a reader knows it."""
        etag = self.etag_of(data)
        if self.request.method == "GET" and etag in _etags(self.request.headers.get("If-None-Match", "")):
            return Response(status=304, headers={"ETag": etag})
        return Response(data, status=status, headers={"ETag": etag})


def _etags(header: str) -> list[str]:
    return [etag for one in header.split(",") if (etag := one.strip().removeprefix("W/"))]


class RetrieveVersioned(VersionedMixin, mixins.RetrieveModelMixin):
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_serializer(self.get_object()).data)


class UpdateVersioned(VersionedMixin, mixins.UpdateModelMixin):
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            serializer = self.get_serializer(self.get_object(), data=request.data, partial=kwargs.get("partial", False))
            serializer.is_valid(raise_exception=True)
            self.perform_update(serializer)
        return self.answer(serializer.data)


class DestroyVersioned(VersionedMixin, mixins.DestroyModelMixin):
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            return super().destroy(request, *args, **kwargs)


class CreateVersioned(VersionedMixin, mixins.CreateModelMixin):
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            self.perform_create(serializer)
        return self.answer(serializer.data, 201)

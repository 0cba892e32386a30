"""The API of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action

from accounts.api.base import AccountViewSet, RetrieveVersioned, UpdateVersioned
from accounts.api.pagination import KeyPagination
from accounts.api.problems import Conflict
from accounts.api.strictness import StrictModelSerializer
from accounts.models import Account
from accounts.sandboxes import add_sandbox
from accounts.users import user_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.response import Response


class AccountSerializer(StrictModelSerializer):
    sandbox_of: serializers.SlugRelatedField[Account] = serializers.SlugRelatedField(
        "code", read_only=True, allow_null=True, help_text="Code of the production account of a sandbox."
    )

    class Meta:
        model = Account
        fields = ["code", "name", "sandbox_of", "auto_approval", "review_hours", "created_at"]
        read_only_fields = ["code", "created_at"]


@extend_schema(tags=["accounts"])
@extend_schema_view(
    list=extend_schema(summary="The accounts that you are a member of"),
    retrieve=extend_schema(summary="One account"),
    partial_update=extend_schema(summary="Rename an account, or choose how new connections are reviewed"),
)
class Accounts(AccountViewSet, mixins.ListModelMixin, RetrieveVersioned, UpdateVersioned):
    queryset = Account.objects.select_related("sandbox_of").order_by("id")
    serializer_class = AccountSerializer
    pagination_class = KeyPagination
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    http_method_names = ["get", "patch", "post", "head"]

    def check_account(self, request: Request, **kwargs: Any) -> None:
        """The account is the thing itself here."""
        if "code" in kwargs:
            super().check_account(request, account=kwargs["code"])

    def narrow(self, found: QuerySet[Account]) -> QuerySet[Account]:
        visible = Account.objects.none() if self.is_described else Account.objects.visible_to(user_of(self.request))
        return found.filter(pk__in=visible)

    @extend_schema(summary="Make a sandbox to test formats in", request=None, responses={201: AccountSerializer})
    @action(detail=True, methods=["post"], takes_body=False)
    def sandbox(self, request: Request, code: str) -> Response:
        account = self.get_object()
        try:
            sandbox = add_sandbox(account)
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from None
        where = reverse("account-detail", kwargs={"code": sandbox.code})
        return self.answer(self.get_serializer(sandbox).data, 201, where)

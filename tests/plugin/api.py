"""`/api/v1/accounts/{account}/heard/`; `AccountViewSet` sees to who may ask."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.routers import SimpleRouter

from accounts.api.base import AccountViewSet
from accounts.api.pagination import KeyPagination
from tests.plugin.models import Heard


class HeardSerializer(serializers.ModelSerializer[Heard]):
    class Meta:
        model = Heard
        fields = ["id", "run", "status"]


@extend_schema(tags=["plugin"])
@extend_schema_view(list=extend_schema(summary="Runs that were heard of"))
class HeardRuns(AccountViewSet, mixins.ListModelMixin):
    queryset = Heard.objects.order_by("id")
    serializer_class = HeardSerializer
    pagination_class = KeyPagination


router = SimpleRouter()
router.register(r"accounts/(?P<account>[-a-zA-Z0-9_]+)/heard", HeardRuns, basename="heard")

urlpatterns = router.urls

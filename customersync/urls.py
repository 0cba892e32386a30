from typing import Any

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.plugins import collect
from accounts.searching import show_found

admin.autodiscover()

handler400 = "customersync.api.bad_request"
handler404 = "customersync.api.not_found"
handler500 = "customersync.api.server_error"

api: list[Any] = [
    *(path("", include(module)) for module in collect("api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/docs.html"),
        name="api-docs",
    ),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/search/", admin.site.admin_view(show_found)),  # in the place of the admin's own
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
]

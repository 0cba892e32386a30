from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from customersync.health import show_health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/", show_health, name="health"),
]

"""Routes of runs, formats and feeds."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from imports.api.feeds import Feeds, Pulls
from imports.api.formats import Formats
from imports.api.proposals import Propose
from imports.api.reports import Report, Row, Table
from imports.api.runs import Issues, Runs, Upload

ACCOUNT = "accounts/(?P<account>[-a-zA-Z0-9_]+)"

router = SimpleRouter()
router.register(f"{ACCOUNT}/runs", Runs, basename="run")
router.register(f"{ACCOUNT}/formats", Formats, basename="format")
router.register(f"{ACCOUNT}/feeds", Feeds, basename="feed")
router.register(f"{ACCOUNT}/pulls", Pulls, basename="pull")

urlpatterns = [
    path("accounts/<slug:account>/runs/upload/", Upload.as_view(), name="run-upload"),
    path("accounts/<slug:account>/runs/<int:pk>/issues/", Issues.as_view(), name="run-issues"),
    path("accounts/<slug:account>/runs/<int:pk>/report/", Report.as_view(), name="run-report"),
    path("accounts/<slug:account>/runs/<int:pk>/rows/<int:line>/", Row.as_view(), name="run-row"),
    path("accounts/<slug:account>/runs/<int:pk>/report/csv/", Table.as_view(), name="run-report-csv"),
    path("accounts/<slug:account>/formats/propose/", Propose.as_view(), name="format-propose"),
    *router.urls,
]

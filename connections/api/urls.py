"""Routes of connections, their changes and their review."""

from rest_framework.routers import SimpleRouter

from connections.api.changes import Changes
from connections.api.connections import Connections
from connections.api.review import Review

ACCOUNT = "accounts/(?P<account>[-a-zA-Z0-9_]+)"

router = SimpleRouter()
router.register(f"{ACCOUNT}/connections", Connections, basename="connection")
router.register(f"{ACCOUNT}/changes", Changes, basename="change")
router.register(f"{ACCOUNT}/review", Review, basename="review")

urlpatterns = router.urls

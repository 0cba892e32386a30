"""Routes of accounts."""

from rest_framework.routers import SimpleRouter

from accounts.api.views import Accounts

router = SimpleRouter()
router.register("accounts", Accounts, basename="account")

urlpatterns = router.urls

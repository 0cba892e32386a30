"""How often a token may ask: counted in the database, so that it holds for all processes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from accounts.models import AuthToken

if TYPE_CHECKING:
    from rest_framework.request import Request


class TokenThrottle(BaseThrottle):
    """So many requests of a token in every minute of the clock."""

    def allow_request(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, AuthToken):
            return True
        now = timezone.now()
        minute = now.replace(second=0, microsecond=0)
        AuthToken.objects.filter(pk=token.pk).update(
            requests=Case(When(minute=minute, then=F("requests") + 1), default=Value(1)), minute=minute
        )
        used = AuthToken.objects.filter(pk=token.pk).values_list("requests", flat=True).first() or 1
        limit = settings.API_REQUESTS_PER_MINUTE
        self.seconds = 60 - now.second
        view.rate_limit = {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - used)),
            "RateLimit-Reset": str(self.seconds),
        }
        return bool(used <= limit)

    def wait(self) -> float:
        return self.seconds

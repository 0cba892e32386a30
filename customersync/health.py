"""`/health/` for load balancers and monitors: 200 when all is well, 503 and what is wrong when not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.health import find_problems

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
@never_cache
def show_health(request: HttpRequest) -> JsonResponse:
    problems = find_problems()
    return JsonResponse({"ok": not problems, "problems": problems}, status=503 if problems else 200)

"""Requests that are made once however often they are sent: the header Idempotency-Key of a POST names the request."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.api.problems import Conflict, KeyReused
from accounts.models import IdempotencyKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

KEPT = timedelta(hours=24)
LONGEST = timedelta(minutes=15)
"""After which a request whose process was killed may be made again."""


def answer_once(request: Request, key: str, answer: Callable[[], Response]) -> Response:
    """The answer, or the one that the same request got before."""
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise ValidationError({"Idempotency-Key": "Give 1 to 200 printable characters."})
    forget_old_keys()
    named = {"user": request.user, "key": key}
    fingerprint = _fingerprint(request)
    entry, made = IdempotencyKey.objects.get_or_create(**named, defaults={"fingerprint": fingerprint})
    if not made:
        if entry.fingerprint != fingerprint:
            raise KeyReused
        if entry.status is None:
            raise Conflict("The request is still being answered. Send it again later.", code="in_progress")
        return Response(entry.body, status=entry.status, headers={**entry.headers, "Idempotency-Replayed": "true"})
    try:
        with transaction.atomic():  # what is done, and that it is, go into the database together
            answered = answer()
            entry.status, entry.body = answered.status_code, json.loads(JSONRenderer().render(answered.data) or b"null")
            entry.headers = {name: answered[name] for name in ("Location", "ETag") if name in answered}
            entry.save()
    except BaseException:
        entry.delete()
        raise
    return answered


def forget_old_keys() -> None:
    now = timezone.now()
    IdempotencyKey.objects.filter(made_at__lt=now - KEPT).delete()
    IdempotencyKey.objects.filter(made_at__lt=now - LONGEST, status=None).delete()


def _fingerprint(request: Request) -> str:
    """Of path and content; files by what they hold."""
    digest = hashlib.sha256(request.get_full_path().encode())
    data = request.data
    for name, value in sorted(data.items()) if hasattr(data, "items") else [("", data)]:
        digest.update(name.encode())
        if isinstance(value, UploadedFile):
            digest.update(str(value.name).encode())
            for chunk in value.chunks():
                digest.update(chunk)
            value.seek(0)
        else:
            digest.update(json.dumps(value, sort_keys=True, default=str).encode())
    return digest.hexdigest()

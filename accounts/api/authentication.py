"""Tokens in the header `Authorization: Bearer …`, and the session of the admin. Neither reads a request's body."""

from __future__ import annotations

import copy
from typing import Any

from django.http import QueryDict
from drf_spectacular.authentication import SessionScheme as LibrarysScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed

WORTHLESS = "The token is not known, was revoked, has run out, or its user may not log in any more. Make another one."


class BearerAuthentication(TokenAuthentication):
    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isascii():  # which the library would stumble over
            raise AuthenticationFailed(WORTHLESS)
        try:
            user, row = super().authenticate_credentials(token)
        except AuthenticationFailed:
            raise AuthenticationFailed(WORTHLESS) from None
        user.token_name = row.name
        return user, row


class SessionAuthentication(authentication.SessionAuthentication):
    """The CSRF token is taken from its header alone.

    Looking for it in a form would write the form's files to the disk, whoever sends them.
    """

    def enforce_csrf(self, request: Any) -> None:
        bare: Any = copy.copy(getattr(request, "_request", request))
        bare._post = QueryDict()
        super().enforce_csrf(bare)


class SessionScheme(LibrarysScheme):  # type: ignore[no-untyped-call]  # the library's own
    target_class = "accounts.api.authentication.SessionAuthentication"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library's own
    """A token, as generated clients call it."""

    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "Made with `create_token` or in the admin."}

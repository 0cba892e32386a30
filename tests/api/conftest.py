from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from accounts.tokens import make_token
from tests.builders import add_lookups, add_member, make_account, make_user

if TYPE_CHECKING:
    from accounts.models import Account, User


class Program:
    """A program with a token, which speaks JSON."""

    def __init__(self, user: User) -> None:
        self.user = user
        _, self.token = make_token(user, "tests")
        self.client = APIClient(raise_request_exception=False)
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token}")

    def __call__(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        extra = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        return self.client.generic(method, f"/api/v1/{path}", *_encode(data), **extra)  # type: ignore[arg-type]  # headers

    def upload(self, path: str, headers: Any = None, **data: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", data, format="multipart", **headers or {})


def _encode(data: Any) -> tuple[Any, ...]:
    import json

    return () if data is None else (json.dumps(data), "application/json")


@dataclass
class World:
    """Rosa edits maison, Vera views it, and Luc edits atelier, which is none of theirs."""

    maison: Account
    atelier: Account
    rosa: Program
    vera: Program
    luc: Program


def make_world() -> World:
    maison, atelier = make_account("maison"), make_account("atelier")
    add_lookups(maison)
    add_lookups(atelier)
    rosa, vera, luc = (make_user(name) for name in ("rosa", "vera", "luc"))
    add_member(maison, rosa, "editor")
    add_member(maison, vera, "viewer")
    add_member(atelier, luc, "editor")
    return World(maison, atelier, *(Program(user) for user in (rosa, vera, luc)))


@pytest.fixture
def world(db):
    return make_world()


@pytest.fixture
def things(world):
    """Something of maison for every parameter of a path."""
    from tests.api.routes import fill_account

    return fill_account(world.maison)

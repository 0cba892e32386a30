"""Feeds of tests, and servers that they read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.models import Feed
from tests.imports.customer_files import NEW, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from accounts.models import Account
    from tests.servers import Running


def make_feed(account: Account, server: Running, name: str = "erp", **fields: Any) -> Feed:
    """A feed of the server's folder that takes files at once: nothing has to settle."""
    settings = server.settings
    feed = Feed(
        account=account,
        name=name,
        **{
            "protocol": settings.protocol,
            "host": settings.host,
            "port": settings.port,
            "user": settings.user,
            "password": settings.password,
            "private_key": settings.private_key,
            "host_key": settings.host_key,
            "ca_bundle": settings.ca_bundle,
            "settle_seconds": 0,
            **fields,
        },
    )
    feed.full_clean()
    feed.save()
    return feed


def drop(folder: Path, name: str, *codes: str, profile: str = "Harbor Row") -> Path:
    """Put a file of customers into a server's folder, as an ERP does."""
    path = folder / name
    path.write_text(customers(*codes, profile=profile))
    return path


def customers(*codes: str, profile: str = "Harbor Row") -> str:
    return as_text([{**NEW, "customer_code": code, "profile_name": profile} for code in codes])

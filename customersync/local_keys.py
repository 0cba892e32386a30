"""Keys for local use, generated once into the data folder."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def secret_key(data_dir: Path, *, allowed: bool) -> str:
    """The key that signs sessions."""
    return _kept(data_dir / "secret.key", "SECRET_KEY", lambda: secrets.token_urlsafe(64), allowed=allowed)


def encryption_key(data_dir: Path, *, allowed: bool) -> str:
    """The Fernet key (32 bytes, base64) that encrypts stored credentials."""
    return _kept(
        data_dir / "encryption.key",
        "ENCRYPTION_KEYS",
        lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        allowed=allowed,
    )


def _kept(path: Path, setting: str, generate: Callable[[], str], *, allowed: bool) -> str:
    """The key in the file; made there first when it is missing, by whichever process comes first.

    Raises ImproperlyConfigured in production, where losing a generated file would lose the key.
    """
    if not allowed:
        raise ImproperlyConfigured(f"{setting} must be set in the environment when DEBUG is off.")
    try:
        if not path.exists():
            _make(path, generate())
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{setting} cannot be kept in {path} ({error.filename}: {error.strerror}). "
            "Mend that, or set DATA_DIR to another folder."
        ) from error


def _make(path: Path, key: str) -> None:
    """Write the file whole and readable to its owner alone, unless another process just did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()

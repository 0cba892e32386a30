"""Keys: which of the encryption keys stored secrets need, told by fingerprints from which no key can be had."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from accounts.fields import Ciphertext, secret_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model


def fingerprint(key: str) -> str:
    """16 hexadecimal digits. A key is 32 random bytes, so its digest tells nothing of it."""
    return hashlib.sha256(b"customersync encryption key " + key.encode()).hexdigest()[:16]


def own_fingerprints() -> set[str]:
    return {fingerprint(key) for key in settings.ENCRYPTION_KEYS}


def find_keys_in_use(models: Iterable[type[Model]]) -> tuple[list[str], int]:
    """Fingerprints of the keys that stored secrets were encrypted with, and how many secrets none of ours decrypts."""
    ciphers = {fingerprint(key): Fernet(key) for key in settings.ENCRYPTION_KEYS}
    used, unreadable = set[str](), 0
    for token in _find_tokens(models):
        mark = next((mark for mark, cipher in ciphers.items() if _decrypts(cipher, token)), "")
        used.add(mark)
        unreadable += not mark
    return sorted(used - {""}), unreadable


def _find_tokens(models: Iterable[type[Model]]) -> Iterator[str]:
    for model in models:
        if names := secret_names(model):
            for row in model._base_manager.only("pk", *names).iterator():
                secrets = (row.__dict__[name] for name in names)
                yield from (secret.token for secret in secrets if isinstance(secret, Ciphertext))


def _decrypts(cipher: Fernet, token: str) -> bool:
    try:
        cipher.decrypt(token.encode())
    except InvalidToken:
        return False
    return True

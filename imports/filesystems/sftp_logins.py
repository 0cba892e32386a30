"""Logins on SFTP servers: private keys as people paste them, and answers to what servers ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncssh

from imports.errors import SettingsWrong
from imports.filesystems.base import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.filesystems.base import ServerSettings


def read_private_keys(settings: ServerSettings) -> list[asyncssh.SSHKey] | None:
    """The key of a feed, whose passphrase is its password; none where it has none. Raises SettingsWrong."""
    text = "\n".join(line.strip("\ufeff \t") for line in settings.private_key.splitlines())
    if not text:
        return None
    try:
        return [asyncssh.import_private_key(text, settings.password or None)]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise SettingsWrong(
            f"The private key for {settings.where} cannot be read: {_say_what_is_right(text)}"
        ) from None


def _say_what_is_right(text: str) -> str:
    if text.startswith("PuTTY-User-Key-File"):
        return "it is one of PuTTY. Open it in PuTTYgen and export it as an OpenSSH key (Conversions)."
    if text.startswith(("ssh-", "ecdsa-", "---- BEGIN SSH2 PUBLIC", "-----BEGIN PUBLIC")):
        return "it is the public key, which the server gets. Give the other half, which begins with -----BEGIN."
    return "give it in OpenSSH or PEM format, with its lines as they are, and its passphrase as the password."


class Answers:
    """What a server is answered that asks by itself instead of taking a password: the password, once."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.has_begun = self.told = False
        self.has_expired = False
        """Whether it wants another password."""
        self.unanswered = ""
        """What it asked further."""

    def begin(self) -> bool:
        """Whether to let it ask: once, as whoever repeats a wrong password is locked out."""
        begins = bool(self.settings.password) and not self.has_begun
        self.has_begun = True
        return begins

    def give(self, questions: Sequence[tuple[str, bool]]) -> list[str] | None:
        """To questions, each with whether what is typed may be seen; none where there is no answer."""
        secret = [text for text, is_seen in questions if not is_seen or "passw" in text.lower()]
        if secret and (self.told or len(secret) > 1):
            self.unanswered = secret[-1].strip()
            return None
        self.told = self.told or bool(secret)
        return [self.settings.password if text in secret else self.settings.user for text, _ in questions]

    def explain(self) -> str:
        """What to do about a login without a secret, or a question without an answer; "" where that is not why."""
        if not (self.settings.password or self.settings.private_key):
            return ". There is neither a password nor a private key: give the feed one of them."
        if self.has_expired:
            return ". The password has expired: have a new one set, and give it to the feed."
        if not self.unanswered:
            return ""
        asked = quote(self.unanswered, self.settings.password)
        return f". It asks for {asked!r} too: have its operator let the user in by a password or a key alone."

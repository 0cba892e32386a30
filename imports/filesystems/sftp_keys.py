"""Host keys of SFTP servers: which ones are pinned, and which ones a server has.

A server has a key for each of several algorithms and presents one of them, the one that is asked for. A fingerprint
says nothing of the algorithm, so algorithms are gone through until a pinned key is presented, or none is left.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh
from fsspec.asyn import get_loop, sync

from imports.errors import SettingsWrong
from imports.filesystems.base import LIBRARY_ERRORS, Identity, ServerSettings, ServerUnreachable, quote
from imports.filesystems.network import open_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from imports.filesystems.sftp_logins import Answers

_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
FAMILIES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": _RSA,
}
"""By the kind of a key, the algorithms that are asked for; the best first, which are shown first too."""


class PinnedKeys:
    """The keys that a server may present: whole ones, or their fingerprints."""

    def __init__(self, text: str) -> None:
        """Raises SettingsWrong for a line that is neither."""
        self.fingerprints: set[str] = set()
        whole: dict[str, tuple[str, ...]] = {}
        of_any_kind = False
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("SHA256:"):
                self.fingerprints.add(line.split()[0].rstrip("="))
                of_any_kind = True
                continue
            try:
                key = asyncssh.import_public_key(line)
            except (asyncssh.KeyImportError, ValueError):
                raise SettingsWrong(
                    f"{quote(line)!r} is no host key: give a line such as 'ssh-ed25519 AAAA…', or 'SHA256:…'."
                ) from None
            self.fingerprints.add(key.get_fingerprint())
            kind = key.get_algorithm()
            whole[kind] = FAMILIES.get(kind, (kind,))
        self.families = whole | FAMILIES if of_any_kind else whole
        """What to ask for, in this order."""

    def __bool__(self) -> bool:
        return bool(self.fingerprints)


class Client(asyncssh.SSHClient):
    """Decides about the server's key, and remembers the ones that it presented; `left` is what is still to ask for.

    `answers` says what the server asks who logs in.
    """

    def __init__(self, pinned: PinnedKeys, answers: Answers) -> None:
        self.pinned = pinned
        self.answers = answers
        self.presented: list[str] = []
        self.accepted = False
        self.left = dict(pinned.families)

    @property
    def algorithms(self) -> list[str]:
        return [name for family in self.left.values() for name in family]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        fingerprint = key.get_fingerprint()
        if fingerprint in self.pinned.fingerprints:
            self.accepted = True
            return True
        self.presented.append(fingerprint)
        self.left.pop(key.get_algorithm(), None)
        return False

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        """Nobody here may choose one; the library then gives up the login."""
        self.answers.has_expired = True
        return NotImplemented  # type: ignore[no-any-return]  # as the library says it

    def kbdint_auth_requested(self) -> str | None:
        return "" if self.answers.begin() else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        return self.answers.give(prompts)


def connect_socket(settings: ServerSettings) -> socket.socket:
    opened = open_socket(settings.host, settings.port or 22, settings.timeout)
    opened.setblocking(False)
    return opened


def read_host_keys(settings: ServerSettings) -> list[Identity]:
    """The keys that a server presents, trusted or not, the pinned ones first. Raises ServerUnreachable."""
    pinned = PinnedKeys(settings.host_key)
    left = pinned.families | FAMILIES
    found: list[Identity] = []
    while left:
        try:
            key = _ask(settings, [name for family in left.values() for name in family])
        except (asyncssh.Error, OSError, TimeoutError, *LIBRARY_ERRORS) as error:
            if found:  # it has no other one
                break
            said = quote(error, settings.password)
            raise ServerUnreachable(f"{settings.where} cannot be reached: {said}") from None
        if key is None or left.pop(key.get_algorithm(), None) is None:
            break
        fingerprint = key.get_fingerprint()
        pin = key.export_public_key().decode().strip()
        matches = fingerprint in pinned.fingerprints if pinned else None
        found.append(Identity("host key", fingerprint, pin, key.get_algorithm(), matches))
    if not found:
        raise ServerUnreachable(f"{settings.where} presents no key.")
    return sorted(found, key=lambda identity: not identity.matches)


def _ask(settings: ServerSettings, algorithms: list[str]) -> asyncssh.SSHKey | None:
    async def ask(opened: socket.socket) -> asyncssh.SSHKey | None:
        waiting = asyncssh.get_server_host_key(
            settings.host, settings.port or 22, sock=opened, config=None, server_host_key_algs=algorithms
        )
        return await asyncio.wait_for(waiting, settings.timeout)

    with connect_socket(settings) as opened:
        key: asyncssh.SSHKey | None = sync(get_loop(), ask, opened)
    return key

"""Public keys, as people paste them."""

from __future__ import annotations

import asyncssh


def read_public_keys(text: str) -> list[asyncssh.SSHKey]:
    """The keys of a text, one per line; lines that are blank or begin with # are left out. Raises ValueError."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            keys.append(asyncssh.import_public_key(line.strip()))
        except asyncssh.KeyImportError:
            what = "a private key, which stays with its owner" if "PRIVATE KEY" in text else "no public key"
            raise ValueError(
                f"Line {number} is {what}. Give the line of a file such as id_ed25519.pub: ssh-ed25519 AAAA…"
            ) from None
    return keys


def find_key_problem(text: str) -> str:
    """What is wrong with a text of public keys; "" where nothing is."""
    try:
        read_public_keys(text)
    except ValueError as error:
        return str(error)
    return ""


def describe_keys(text: str) -> list[str]:
    """Algorithm and fingerprint of each key."""
    return [f"{key.get_algorithm()} {key.get_fingerprint()}" for key in read_public_keys(text)]

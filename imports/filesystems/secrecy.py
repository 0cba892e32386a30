"""Secrecy: a server that repeats the password that it got is not quoted, however it writes it."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

SHORTEST = 4
"""Characters of what is looked for in other forms than the secret's own; shorter ones are found everywhere."""


def holds_secret(text: str, *secrets: str) -> bool:
    """Whether a text holds one of the secrets, in whatever case, spacing or encoding."""
    texts = {text, unquote(text), unquote_plus(text), html.unescape(text), _as_utf_8(text), _unescaped(text)}
    squeezed = {_squeeze(one) for one in texts}
    letters = {_letters(one) for one in texts}
    for secret in filter(None, secrets):
        own, others = _forms(secret)
        if any(form in one for form in own for one in squeezed):
            return True
        if any(form in one for form in others for one in letters):
            return True
    return False


@lru_cache(64)
def _forms(secret: str) -> tuple[frozenset[str], frozenset[str]]:
    """What to look for in text without white space, and what in text of letters and digits alone."""
    raw = secret.encode(errors="surrogateescape")
    encoded = {raw.hex(), *_in_base64(raw)}
    letters = {_letters(one) for one in (secret, secret.encode("unicode_escape").decode(), *encoded)}
    return frozenset(filter(None, {_squeeze(secret)})), frozenset(one for one in letters if len(one) >= SHORTEST)


def _in_base64(raw: bytes) -> set[str]:
    """What always stands in the base64 of anything that holds the bytes, wherever they stand in it."""
    found = set()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (0, 2, 3)[before]
        last = len(text) if (before + len(raw)) % 3 == 0 else -1
        found.add(text[first:last])
    return {form for form in found if len(form) > 2 * SHORTEST}


def _as_utf_8(text: str) -> str:
    """What was sent in UTF-8 and read in Latin-1."""
    return text.encode("latin-1", "ignore").decode(errors="ignore")


def _unescaped(text: str) -> str:
    r"""What stands in code and JSON: \xe4, \u00e4, \t, \"."""
    coded = re.sub(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))", lambda match: chr(int(match[1] or match[2], 16)), text)
    return re.sub(r"\\(?:[abfnrtv0]|(.))", lambda match: match[1] or " ", coded)


def _squeeze(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "ZC")


def _letters(text: str) -> str:
    return "".join(letter for letter in _squeeze(text) if letter.isalnum())

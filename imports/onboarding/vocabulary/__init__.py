"""The words of onboarding: data files, and how words are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from imports.formats.data import read_data

_FOLDER = Path(__file__).parent
_SIGNS = str.maketrans({"#": " no ", "%": " percent ", "№": " no ", "&": " and "} | {
    "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D",
})  # fmt: skip
_NUMBER_SIGN = re.compile(r"\bn[°º]", re.IGNORECASE)
_LATIN = [chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))]
_UPPER, _LOWER = (re.escape("".join(filter(test, _LATIN))) for test in (str.isupper, str.islower))
_WORDS = re.compile(
    rf"[A-Z{_UPPER}]+(?![a-z{_LOWER}])|[A-Z{_UPPER}]?[a-z{_LOWER}]+|[0-9]+"
    r"|[\u0370-\u052f]+|[\u3041-\u3096]+|[\u30a1-\u30ff]+|[\u3005\u4e00-\u9fff]+|[\uac00-\ud7a3]+|\w"
)
"""Words begin with a capital or where the script changes: Greek and Cyrillic, kana, Chinese characters, Hangul."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def load(name: str) -> dict[str, Any]:
    """A data file of this folder, every scalar a text."""
    return read_data(_FOLDER / f"{name}.yaml")


def fold(text: str) -> str:
    """A text as words are compared: in no case and without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@cache
def words_of(text: str) -> tuple[str, ...]:
    """The words of a header: cut at spaces, punctuation, digits and where capitals begin a new one."""
    text = unicodedata.normalize("NFC", _NUMBER_SIGN.sub(" no ", text).translate(_SIGNS))
    return tuple(word for part in _WORDS.findall(text) if (word := fold(part).strip("_")))


def squash(text: str) -> str:
    """A phrase without anything between its words."""
    return "".join(words_of(text))


def spellings(phrase: str) -> set[str]:
    """A phrase of the data files, squashed, also as people write it who have no umlauts."""
    return {squash(phrase), squash(phrase.translate(_UMLAUTS))} - {""}

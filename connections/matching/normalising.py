"""Normalise: what is left of names, telephones and addresses without what people write differently each time."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from anyascii import anyascii

from connections.matching.words import (
    COMMON,
    ENDINGS,
    IN_OTHER_SCRIPTS,
    LEGAL_FORMS,
    LEGAL_PHRASES,
    OWNERS,
    PLATFORMS,
    SAME,
    SECOND_LEVELS,
    STOPWORDS,
    STREETS,
)

_LETTERS_WITH_DOTS = re.compile(r"\b(\w)[./](?=\w\b)")
_APOSTROPHES = re.compile(r"['’`´ʼ]")
_ELIDED = re.compile(r"\b(l|d|dell|all|nell|sull|qu)['’`´ʼ](?=\w)")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_OWNER = re.compile(rf"\s(?:{'|'.join(map(re.escape, OWNERS))})\s", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![a-z0-9])([a-z]?)0*([0-9]+)(?:st|nd|rd|th)?(?![a-z0-9])")
_SOUNDS = (
    ("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"), ("ou", "u"), ("oy", "u"), ("ph", "f"), ("qu", "k"), ("ck", "k"),
    ("kh", "h"), ("yy", "i"), ("y", "i"), ("j", "i"), ("w", "v"), ("iia", "ia"),
)  # fmt: skip
"""Spellings of one sound: umlauts without their dots, and ways to write other alphabets in ours."""
_DOUBLED = re.compile(r"(.)\1+")
_AT_DIGITS = re.compile(r"(?<=\d)(?=\D)|(?<=\D)(?=\d)")
_NUMBERED = re.compile(r"[a-z]?0*([0-9]+)")
_WRITTEN_NUMBERS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7", "eighth": "8",
    "ninth": "9", "tenth": "10",
}  # fmt: skip
SHORTEST_PHONE = 7
LONGEST_PHONE = 10
"""Digits that tell telephones apart: without the country's, which is often left out."""


class Name(NamedTuple):
    """A name as it is compared: telling words, common ones, numbers, all of them in one, and their initials."""

    telling: tuple[str, ...]
    common: frozenset[str]
    numbers: frozenset[str]
    joined: str
    initials: str
    is_latin: bool


def fold(text: str) -> str:
    """In ASCII and small, whatever the script; of each letter without its marks."""
    return _APOSTROPHES.sub("", anyascii(unicodedata.normalize("NFKC", text).casefold()).lower())


def sound(word: str) -> str:
    """A folded word without what is spelt in several ways."""
    for spelt, same in _SOUNDS:
        word = word.replace(spelt, same)
    return _DOUBLED.sub(r"\1", word)


@lru_cache(20_000)
def name_of(text: str) -> Name | None:
    """A name for comparing; nothing where nothing is left of it."""
    words = _words(text)
    core = _without_legal_forms(words) or words
    named = [SAME.get(word, word) for word in core]
    numbers = frozenset(found[1] for word in named if (found := _NUMBERED.fullmatch(word)))
    words_alone = [word for word in named if not _NUMBERED.fullmatch(word) and word not in STOPWORDS]
    common = frozenset(word for word in words_alone if word in COMMON)
    telling = tuple(sorted({sound(word) for word in _initials_joined(words_alone) if word not in COMMON}))
    spoken = [word for word in core if word not in STOPWORDS]
    own = [word for word in spoken if SAME.get(word, word) != "shop"]
    joined = sound("".join(own or spoken))
    initials = sound("".join(word[0] for word in spoken)) if len(spoken) > 2 else ""
    return Name(telling, common, numbers, joined, initials, _is_latin(text)) if joined else None


def names_in(text: str) -> list[Name]:
    """The name itself; without what stands in brackets; and what stands before and behind "doing business as"."""
    parts = [text]
    if (without := _BRACKETS.sub(" ", text).strip()) != text:
        parts.append(without)
    parts += [part for part in _OWNER.split(f" {without} ") if part.strip() and part.strip() != without]
    return [name for part in parts if (name := name_of(part.strip()))]


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        for word, said in IN_OTHER_SCRIPTS.items():
            text = text.replace(word, said)
    text = _ELIDED.sub(r"\1 ", text).replace("μπ", "b")
    text = _LETTERS_WITH_DOTS.sub(r"\1", _APOSTROPHES.sub("", text))
    text = f" {_NO_WORD.sub(' ', fold(text.replace('&', ' and ').replace('+', ' and ')))} "
    for phrase in LEGAL_PHRASES:
        text = text.replace(phrase, " ")
    return text.split()


def _without_legal_forms(words: list[str]) -> list[str]:
    core = [word for word in words if word not in LEGAL_FORMS]
    while core and (core[-1] in ENDINGS or core[-1] in STOPWORDS):
        core.pop()
    while len(core) > 1 and core[0] in ENDINGS:
        core.pop(0)
    return core


def _initials_joined(words: list[str]) -> list[str]:
    """Letters that stand alone, one behind the other, as the word that they are: "h p langford" as "hp langford"."""
    joined: list[str] = []
    was_letter = False
    for word in words:
        is_letter = len(word) == 1
        if is_letter and was_letter:
            joined[-1] += word
        else:
            joined.append(word)
        was_letter = is_letter
    return joined


def _is_latin(text: str) -> bool:
    """Whether what stands there can be compared letter by letter with other names in Latin letters."""
    return all(char.isascii() or not char.isalpha() or "LATIN" in unicodedata.name(char, "LATIN") for char in text)


@lru_cache(20_000)
def phone_of(text: str) -> str:
    """The last digits of a telephone, without the zero before an area; blank for what is too short to tell."""
    number = re.split(r"(?i)\s*(?:ext|extension|x|durchwahl|poste|int\.)\.?\s*\d+\s*$", text)[0].replace("(0)", "")
    digits = "".join(str(unicodedata.decimal(char)) for char in number if char.isdecimal()).lstrip("0")
    return digits[-LONGEST_PHONE:] if len(digits) >= SHORTEST_PHONE else ""


def same_phone(first: str, second: str) -> bool:
    """Whether two telephones end alike; one of them may lack its area's last digit or begin with the country's."""
    length = min(len(first), len(second))
    return first[-length:] == second[-length:]


def domain_of(host: str) -> str:
    """The part of a host name that its owner has registered: example.co.uk of www.shop.example.co.uk."""
    labels = host.lower().strip(".").split(".")
    kept = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVELS else 2
    return ".".join(labels[-kept:])


@lru_cache(20_000)
def web_of(website: str) -> str:
    """What a web address says of its owner: the domain, or the page of its own on a host that many share."""
    if not website:
        return ""
    try:
        parts = urlsplit(website if "//" in website else f"//{website}")
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return ""
    domain = domain_of(host)
    if host not in PLATFORMS and domain not in PLATFORMS:
        return domain
    path = parts.path.strip("/").split("/")[0].lower()
    own = host if host != domain else f"{domain}/{path}" if path else ""
    return "" if own in PLATFORMS else own


class Place(NamedTuple):
    """An address as it is compared: country, postal code, city, and of the street its words and numbers."""

    country: str
    zip: str
    city: str
    street: str
    numbers: tuple[str, ...]
    is_latin: bool


@lru_cache(20_000)
def place_of(country: str, postal_code: str, city: str, street: str) -> Place:
    code = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", postal_code)).upper()
    if country == "US":
        code = code[:5]
    if not (is_latin := _is_latin(street)):
        street = _AT_DIGITS.sub(" ", street)
    folded = _NO_WORD.sub(" ", fold(_LETTERS_WITH_DOTS.sub(r"\1", _APOSTROPHES.sub("", street))))
    words = [_WRITTEN_NUMBERS.get(word, word) for word in re.sub(r"(?<=[a-z]{3})str\b|strasse\b", " ", folded).split()]
    spelt = " ".join(words)
    numbers = tuple(letter + digits for letter, digits in _NUMBER.findall(spelt))
    told = [word for word in words if not any(char.isdigit() for char in word)]
    named = [sound(word) for word in told if SAME.get(word, word) not in ("street", "saint") and word not in STREETS]
    return Place(country, code, city_of(city), " ".join(sorted(named)), numbers, is_latin)


@lru_cache(20_000)
def city_of(text: str) -> str:
    words = _NO_WORD.sub(" ", fold(_APOSTROPHES.sub("", text.split("/")[0]))).split()
    return " ".join(sound(word) for word in words if not word.isdigit() and not re.fullmatch(r"\d+(er?|eme)", word))

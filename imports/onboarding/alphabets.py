"""Alphabets: in which encoding of one byte, or of two as in East Asia, the bytes of a file read as words.

A wrong encoding makes letters too, but not such as stand together in one word: no language has "Dvoøáková". So each
word with letters beyond ASCII is asked whether any language could have it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ENCODINGS = (
    *("cp1252", "cp1250", "cp1254", "cp1251", "cp1253", "iso8859-2", "mac-roman", "cp850", "cp852"),
    *("cp866", "koi8-r"),
)
"""The likeliest first: of two that read alike, it is taken."""
RARE = ("cp866", "koi8-r")
"""Encodings that are taken where they alone read: in capitals, text in cp1251 reads in koi8-r as well."""
MARGIN = 0.04
"""How much more of the words another encoding must make readable to be taken instead of the first."""
TOGETHER = 0.3
"""What part of a reading's share one language must give alone."""
OPEN = 0.03
"""How close a rival must come, with other words, for a person to be asked."""
MOST_WORDS = 3000

READABLE = 0.75
"""From this share on, an encoding of one byte needs no rival of two: nearly all bytes are pairs in some of these."""
_KANA = re.compile(r"[\u3041-\u30ff]")
_HALF_KANA = re.compile(r"[\uff61-\uff9f]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_FOREIGN_LETTERS = re.compile(r"[^\W\d_a-zA-Z]")
_USUAL_HAN = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6)}
"""By encoding: the set of the characters in daily use, and the first bytes of them."""
USUAL_KANJI = 0x88, 0x97
"""The first bytes of those in daily use, in Shift JIS."""

_LANGUAGES = (
    "äöüß",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúüºª",  # Spanish
    "áâãàçéêíóôõúüºª",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "àçèéíïòóúü·",  # Catalan
    "áâàéèêëïíîóôöúûü",  # Dutch
    "åäöéüà",  # Swedish and Finnish
    "æøåéèòôóäöü",  # Danish and Norwegian
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîșțşţ",  # Romanian
    "čćđšž",  # Croatian and Slovene
    "çğıİöşüâîû",  # Turkish
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґђћјљњџѓќѕў",  # Cyrillic
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",  # Greek
)
_ALPHABETS = tuple(frozenset(letters) for letters in _LANGUAGES)
_NONE = (False,) * len(_ALPHABETS)
_FOREIGN = "\u0370", "\u04ff"
"""From the first Greek letter to the last Cyrillic one."""
_SIGNS = frozenset("’‘“”„«»–—…€£§°ºª²³´·•®™©½¼¿¡№ \xa0")
"""What stands between and behind words, in any language."""
_SPLIT = re.compile(r"[^\W\d_][^\w’·ªº]+[^\W\d_]")
"""A sign within a word."""
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


class Reading(NamedTuple):
    """An encoding, the share of the words that it makes readable, and some of these words."""

    encoding: str
    share: float
    words: tuple[str, ...]


def read_words(data: bytes) -> list[Reading]:
    """How readable the words beyond ASCII are in each encoding, the best first; only that one where nothing rivals it.

    A rival is an encoding that reads about as many of the words, and reads some of them as others.
    """
    words = list(dict.fromkeys(_WORDS.findall(data)))[:MOST_WORDS]
    readings = [_read(words, encoding) for encoding in ENCODINGS]
    first, best = readings[0], max(readings, key=lambda reading: reading.share)
    if best.share <= first.share + MARGIN:
        best = first
    rivals = [
        reading
        for reading in readings
        if reading is not best
        and reading.encoding not in RARE
        and reading.share >= max(best.share - OPEN, 0.5)
        and reading.words != best.words
    ]
    return [best, *rivals]


def read_pairs(data: bytes) -> Reading | None:
    """The encoding of two bytes, of Japanese, Korean or Chinese, in which whole lines read; none where they do not."""
    for encoding, reads in _PAIRS.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = _FOREIGN_LETTERS.findall(text)
        if letters and reads(letters):
            words = dict.fromkeys(re.findall(r"[^\W\d_a-zA-Z]+", text))
            return Reading(encoding, 1.0, tuple(words)[:20])
    return None


def _is_japanese(letters: Sequence[str]) -> bool:
    text = "".join(letters)
    return len(_KANA.findall(text)) > len(text) / 10 and len(_HALF_KANA.findall(text)) < len(text) / 3


def _is_shift_jis(letters: Sequence[str]) -> bool:
    """As above, or of usual kanji: other encodings of two bytes have half kana in their place."""
    usual = sum(USUAL_KANJI[0] <= letter.encode("cp932")[0] <= USUAL_KANJI[1] for letter in letters)
    return _is_japanese(letters) or usual + len(_KANA.findall("".join(letters))) > len(letters) * 0.9


def _is_korean(letters: Sequence[str]) -> bool:
    return len(_HANGUL.findall("".join(letters))) > len(letters) * 0.8


def _is_chinese(encoding: str) -> Callable[[Sequence[str]], bool]:
    name, low, high = _USUAL_HAN[encoding]

    def reads(letters: Sequence[str]) -> bool:
        first = [letter.encode(name, "replace")[0] for letter in letters]
        return sum(low <= byte <= high for byte in first) > len(letters) * 0.8

    return reads


_PAIRS: dict[str, Callable[[Sequence[str]], bool]] = {
    "cp932": _is_shift_jis,
    "euc_jp": _is_japanese,
    "cp949": _is_korean,
    "big5": _is_chinese("big5"),
    "gb18030": _is_chinese("gb18030"),
}


def _read(words: Iterable[bytes], encoding: str) -> Reading:
    """Words that one language has all together say more than such as need one each."""
    texts = [word.decode(encoding, "replace") for word in words]
    if not texts:
        return Reading(encoding, 1.0, ())
    languages = [_languages_of(text) for text in texts]
    readable = sum(any(of_text) for of_text in languages)
    together = max(map(sum, zip(*languages, strict=True)))
    share = (1 - TOGETHER) * readable / len(texts) + TOGETHER * together / len(texts)
    return Reading(encoding, share, tuple(texts[:20]))


def _languages_of(text: str) -> tuple[bool, ...]:
    """Which languages have all letters of the word, in a case that words have; none for what is no word."""
    if any(letter not in _SIGNS for letter in text if not letter.isalpha()) or _SPLIT.search(text):
        return _NONE
    pieces = "".join(letter if letter.isalpha() else " " for letter in text).split()
    if any(map(_is_mixed, pieces)):
        return _NONE
    beyond = {letter for letter in text.lower().replace("i̇", "i") if letter.isalpha() and not letter.isascii()}
    return tuple(beyond <= alphabet for alphabet in _ALPHABETS)


def _is_mixed(piece: str) -> bool:
    """Whether a capital stands behind a small letter, or Greek or Cyrillic beside Latin."""
    foreign = [_FOREIGN[0] <= letter <= _FOREIGN[1] for letter in piece]
    changes = any(before.islower() and letter.isupper() for before, letter in pairwise(piece))
    return changes or any(foreign) != all(foreign)

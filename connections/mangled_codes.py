"""Mangled codes: what a code may have been before a program took it for a date or markup, or lost its accents.

Such codes have other near-keys than theirs, so these are asked for beside their own. Nothing of it is stored.
"""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import permutations, product
from typing import TYPE_CHECKING
from urllib.parse import unquote

from connections.near_keys import near_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

DATE = "the form of a date"
ACCENTS = "accents"
LOST = "letters that a program did not have"
ROUNDED = "the digits behind the fifteenth, which spreadsheets do not keep"

DIGITS_KEPT = 15
LONG_NUMBER = f"^[0-9]{{{DIGITS_KEPT + 1},}}$"
"""Near-keys of more digits than spreadsheets keep, as a pattern of PostgreSQL."""

_MONTHS = (
    "jan january januar janv janvier gen gennaio ene enero januari janeiro",
    "feb february februar févr février febbraio febrero februari fev fevereiro",
    "mar march mär märz mrz mars marzo mrt maart março",
    "apr april avr avril aprile abr abril",
    "may mai mag maggio mayo mei maio",
    "jun june juni juin giu giugno junio junho",
    "jul july juli juil juillet lug luglio julio julho",
    "aug august août ago agosto augustus",
    "sep sept september septembre set settembre septiembre setembro",
    "oct october okt oktober octobre ott ottobre octubre out outubro",
    "nov november novembre noviembre novembro",
    "dec december dez dezember déc décembre dic dicembre diciembre dezembro",
)
_MONTH_OF = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAMED = re.compile(
    r"(?:(?P<day>[0-9]{1,2})[-./ ]*)?(?P<month>[^\W\d_]{3,10})\.?(?:[-./ ]*(?P<number>[0-9]{4}|[0-9]{1,2}))?"
)
_COUNTED = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-./])(?P<a>\d{1,2})(?P=mark)(?P<b>\d{1,2})(?: 0?0:00(?::00(?:\.0+)?)?)?"
    r"|(?P<c>\d{1,2})(?P<sign>[-./])(?P<d>\d{1,2})(?P=sign)(?P<last>\d{4})(?: 0?0:00(?::00)?)?",
    re.ASCII,
)
_MARKS = "-/."
_NUMBERED = re.compile(r"^(?:no|nr|num|n[°º])[.:]? ?(?=[0-9])", re.IGNORECASE)
_USUAL = re.compile(r"[0-9]*[A-Za-z]+[0-9A-Za-z]*(?:-[0-9]+)?|[0-9]+", re.ASCII)
"""Letters with digits, and perhaps a number behind: of these only names of months may be dates."""

_COMMON = re.compile(r"(?:[1-9a-z][0-9a-z]{0,14}(?:-[0-9]{1,15})?(?:\n|$))+", re.ASCII)
"""Codes in small letters of which only case and the hyphen can be lost, unless they may be dates."""
_DATED = re.compile("|".join(sorted({name[:3] for name in _MONTH_OF} | {"num"})))
"""How names of months begin, and the longest word before a number that is no part of a code."""

_ACCENT_SIGNS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
ACCENTED = "[\u00df-\u024f]"
"""Near-keys with Latin letters that some programs do not have, as a pattern of PostgreSQL. An index knows them."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_DAMAGE = "\ufffd"


def are_unlike(codes: Collection[str]) -> bool:
    """Whether no two of these codes are like each other, by any of their near-keys; as a quick look tells.

    It tells so of most that are not: what it does not tell takes a closer look.
    """
    text = "\n".join(codes)
    if not text.isascii() or not _COMMON.fullmatch(text := text.lower()) or _DATED.search(text):
        return False
    found = text.replace("-", "").split("\n")
    return len({*found}) == len(found) == len(codes)


def keys_meant(code: str) -> dict[str, str]:
    """Near-keys of what a trimmed code may have been, each with what it differs in; without its own."""
    if _USUAL.fullmatch(code) and (code.isdigit() or not _NAMED.fullmatch(code)):
        return {}  # what most codes are like
    own = near_key(code)
    found: dict[str, str] = {}
    for kind, reading in _readings(code):
        if reading and (key := near_key(reading)) != own:
            found.setdefault(key, kind)
    if not own.isascii():
        for key in accents_lost(own):
            found.setdefault(key, ACCENTS)
    return found


def accents_lost(key: str) -> set[str]:
    """A near-key as it comes without its accents: "muller" and "mueller" for "müller"."""
    return {_without_accents(key), _without_accents(key.translate(_SPELLED))} - {key}


def rounded(key: str) -> set[str]:
    """A near-key of more digits than spreadsheets keep as these leave it: with zeros at its end, cut off or rounded."""
    more = len(key) - DIGITS_KEPT
    if more <= 0 or not (key.isascii() and key.isdigit()):
        return set()
    return {str((int(key) + half) // 10**more * 10**more) for half in (0, 5 * 10 ** (more - 1))} - {key}


def keys_left(key: str) -> set[str]:
    """Other near-keys that a code may have come to on its way: without its accents, letters or last digits."""
    if key.isascii():
        return rounded(key) if len(key) > DIGITS_KEPT else set()
    return {*accents_lost(key), damaged(key)}


def damaged(key: str) -> str:
    """A near-key with one mark for what a program that does not have its letters leaves of them."""
    return _NOT_ASCII.sub(_DAMAGE, key)


def name_mangling(code: str, other: str) -> str:
    """What two codes differ in whose near-keys are not the same, whichever was made of the other."""
    mine, own = near_key(code), near_key(other)
    if kind := keys_meant(code).get(own) or keys_meant(other).get(mine):
        return kind
    if mine in rounded(own) or own in rounded(mine):
        return ROUNDED
    return ACCENTS if mine in accents_lost(own) or own in accents_lost(mine) else LOST


def _readings(code: str) -> Iterator[tuple[str, str]]:
    """What a code may have been, each with the kind of its difference."""
    if "&" in code and ";" in code:
        yield "signs written as HTML", html.unescape(code)
    if "%" in code:
        yield "signs written as in web addresses", unquote(code)
    if not code.isascii():
        yield "its encoding", _decoded_again(code)
    yield "marks around it", _NUMBERED.sub("", code).strip("#;:,*<>[]{}|\\ $€£¥")
    yield "zeros behind a decimal point", re.sub(r"(?<=\w)[.,]0+$", "", code)
    if negative := re.fullmatch(r"(\d[\d.,]*)[-\u2212]|\((\d[\d.,]*)\)", code):
        yield "the place of its minus", f"-{negative[1] or negative[2]}"
    if "?" in code or any(unicodedata.category(sign)[0] in "SN" for sign in code if not sign.isascii()):
        signs = "".join("?" if unicodedata.category(sign)[0] in "SN" and not sign.isascii() else sign for sign in code)
        yield LOST, re.sub(r"\?+", _DAMAGE, signs)
    for text in _read_date(code):
        yield DATE, text


def _decoded_again(code: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return code.encode(encoding).decode()
        except UnicodeError:
            continue
    return code


def _without_accents(key: str) -> str:
    letters = unicodedata.normalize("NFD", key.translate(_ACCENT_SIGNS))
    return unicodedata.normalize("NFC", "".join(sign for sign in letters if not unicodedata.combining(sign)))


def _read_date(code: str) -> Iterator[str]:
    """What a spreadsheet makes this date of: "1-2" and "2/1" for "02-Jan", "MAR10" for "10-Mar"."""
    if named := _NAMED.fullmatch(code):
        month = _MONTH_OF.get(named["month"].lower())
        numbers = [number for number in (named["day"], named["number"]) if number]
        if not month or not numbers:
            return
        for number in numbers:
            yield from _join((str(month), number))
            yield from _name(month, number)
            if len(number) == 2:
                yield from _join((str(month), f"20{number}"))
        if len(numbers) == 2:
            yield from _join((str(month), *numbers))
    elif counted := _COUNTED.fullmatch(code):
        year = counted["year"] or counted["last"]
        pair = (counted["a"] or counted["c"], counted["b"] or counted["d"])
        yield from _join(pair)
        yield from _join((*pair, year))
        yield from _join((*pair, year[2:]))
        for number, counts in permutations(pair):
            if 1 <= int(counts) <= len(_MONTHS):
                yield from _name(int(counts), number)


def _name(month: int, number: str) -> Iterator[str]:
    """A number before or behind each name of a month."""
    for name, mark in product(_MONTHS[month - 1].split(), ("", "-")):
        yield f"{name}{mark}{number.lstrip('0')}"
        yield f"{number}{mark}{name}"


def _join(numbers: tuple[str, ...]) -> Iterator[str]:
    """The numbers in every order, with every mark, with zeros in front and without."""
    for order, mark in product(permutations(numbers), _MARKS):
        yield mark.join(number.lstrip("0") for number in order)
        yield mark.join(number.zfill(2) for number in order)

"""Misreading: what was meant by text that was encoded twice, or read in another encoding than it was written in."""

from __future__ import annotations

import re

_ADJACENT = re.compile(r"[^\x00-\x7f]{2}")
_TWICE = ("cp850", "cp437", "cp1251")
"""Encodings beside those of ftfy in which text that is UTF-8 is often read."""
_MISREAD = (
    *(("cp1252", written) for written in ("cp850", "mac-roman")),
    *((read, "cp1252") for read in ("mac-roman", "cp850", "cp437")),
)
"""As which encoding text of one byte for each letter is read, and in which it was written."""
_MARKS = (
    "\u0192\u02c6\u02dc\u201a\u201c-\u201e\u2020\u2021\u2030\u2039\u20ac\u2248\u207f\u2500-\u259f"
    "\u00a1-\u00a7\u00a9-\u00ac\u00ae\u00b1\u00b3\u00b5\u00b6\u00b8\u00bb-\u00bf\u00f7"
)
_MARK_WITHIN = re.compile(
    rf"(?<=[^\W\d_])(?:[{_MARKS}\u0178](?=[a-z\u00df-\u00ff])|[{_MARKS}\u2122](?=[A-Z\u00c0-\u00de]))"
    r"|(?<=[a-z\u00df-\u00ff])[\u00c0-\u00d6\u00d8-\u00dd](?=[a-z\u00df-\u00ff]|\b)"
)
"""A mark within a word, such as the quotes that umlauts of DOS are in Windows, or an accented capital behind a small
letter, as small ones of Windows are on a Mac (CafÈ). Signs that people write so are none."""
_POLISH_MARKS = re.compile("[³¿](?=[aeiouyóê])|(?<=[aeiouyóê])[³¿]", re.IGNORECASE)
_POLISH = (("cp1252", "cp1250"),)
"""What stands beside vowels for ł and ż where Windows reads its own Polish text as Western."""
_ACCENTED_ALONE = re.compile(r"(?<![a-z])[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{4,}")
_LINES_BESIDE = re.compile("[\u2550-\u2593][\u0430-\u044f]")
"""Signs by which DOS draws tables, before a small letter of Cyrillic: a capital of Windows."""
_SIGNS_ALONE = re.compile(
    "[\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201a\u201c-\u201e"
    "\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]{4,}"
)
_TWO_SCRIPTS = re.compile(
    r"\b(?=\w*(?:[A-Za-z][\u0370-\u03bb\u03bd-\u04ff]|[\u0370-\u03bb\u03bd-\u04ff][A-Za-z]"
    r"|[A-Za-z][\u4e00-\u9fff]{1,2}[a-z]))\w+"
)
_SCRIPTS = (("cp1251", "оаеинтсрвл"), ("koi8-r", "оаеинтсрвл"), ("cp1253", "αοιεστνρςκ"))
"""Encodings of other scripts, with the letters that most of their words have."""
_OTHER_SCRIPTS = ("cp1251", "cp1253", "gbk", "koi8-r")
_LETTERS = bytes([*range(65, 91), *range(97, 123), *range(128, 256)])
"""What may be letters in encodings of one byte for each."""


def find_meant(text: str) -> str:
    """What was meant by a text that was encoded twice ("CafÃ©": Café); "" where it does not look so.

    Its sign are characters that stand for the bytes of one, so at least two that are not ASCII side by side.
    """
    if text.isascii() or not _ADJACENT.search(text):
        return ""
    import ftfy  # few texts need it, and its tables take time to load

    if ftfy.badness.is_bad(text):
        meant = ftfy.fix_encoding(text, replace_lossy_sequences=False, fix_c1_controls=False)  # without guesses
        if meant != text:
            return meant
    return next(filter(None, (_read_as_utf8(text, encoding) for encoding in _TWICE)), "")


def _read_as_utf8(text: str, encoding: str) -> str:
    """The text, if its bytes in the encoding are Latin letters in UTF-8; none is so by chance. "" for others."""
    try:
        meant = text.encode(encoding).decode()
    except UnicodeError:
        return ""
    letters = [letter for letter in meant if not letter.isascii()]
    return meant if letters and all("\u00c0" <= letter <= "\u017f" for letter in letters) else ""


def find_misread(text: str) -> str:
    """What was meant by a text of one byte for each letter that was read in another encoding ("S”hne": Söhne), or "".

    Its sign are marks within a word that are letters in the other encoding, in the case of the one behind.
    """
    places = [found.start() for found in _MARK_WITHIN.finditer(text)]
    is_polish = places and len(places) == len(_POLISH_MARKS.findall(text))
    for read, written in (*(_POLISH if is_polish else ()), *_MISREAD) if places else ():
        try:
            meant = text.encode(read).decode(written)
        except UnicodeError:
            continue
        if len(meant) == len(text) and all(_fits(meant, place) for place in places):
            return meant
    return ""


_IN_STYLE = re.compile("(?:[ΩΛΠΓЯ]|[ΣΦΔΨΞΘ](?=[AEIOUYaeiouy]))[A-Za-z]+$")
"""A word that begins with a Greek capital for a Latin one, as brands do: Ωmega, Σigma. What would be meant instead
begins no word (Ùmega), or is a vowel before a vowel (Óigma); Óscar is no such word."""


def find_written(line: bytes, place: int) -> str:
    """Words for the encoding in which a byte that is not UTF-8 is part of a word: "; in cp1252 it is part of 'Café'".

    "" where none has a Latin letter there.
    """
    before, behind = line[:place], line[place:]
    word = before[len(before.rstrip(_LETTERS)) :] + behind[: len(behind) - len(behind.lstrip(_LETTERS))]
    for encoding in ("cp1252", "cp850", "mac-roman"):
        text = word.decode(encoding, "replace")
        is_latin = all(letter.isascii() or "\u00c0" <= letter <= "\u017f" for letter in text)
        is_word = text.isalpha() and (text.islower() or text.isupper() or text[1:].islower())
        if is_latin and is_word and not find_foreign(text):
            return f"; in {encoding} it is part of {text!r}"
    return ""


def find_foreign(text: str) -> str | None:
    """What was meant by a text that was read as another script has its bytes: Москва for "Ìîñêâà", Müller for "Mьller".

    "" where it only looks so, and none where it does not. Its signs are letters that no language puts together, and
    rows of signs.
    """
    if text.isascii():
        return None
    if _LINES_BESIDE.search(text):
        return _read_dos(text)
    if _ACCENTED_ALONE.search(text):
        return max((_read_whole(text, script) for script in _SCRIPTS), key=lambda found: found[0])[1]
    if found := _SIGNS_ALONE.search(text):
        return "" if len({*found[0]}) > 2 else None
    for word in _TWO_SCRIPTS.findall(text):
        if 2 * sum(map(str.isascii, word)) > len(word) and not _IN_STYLE.match(word):
            meant = next(filter(None, (_read_as_latin(text, encoding) for encoding in _OTHER_SCRIPTS)), "")
            return meant or None
    return None


def _read_dos(text: str) -> str:
    """The text as Windows has the bytes that were read as those of DOS, if all its words beyond ASCII are Cyrillic."""
    try:
        meant = text.encode("cp866").decode("cp1251")
    except UnicodeError:
        return ""
    letters = [letter for letter in meant if not letter.isascii()]
    return meant if all("\u0400" <= letter <= "\u045f" or letter == "№" for letter in letters) else ""


def _read_whole(text: str, script: tuple[str, str]) -> tuple[int, str]:
    """How many usual letters of a script a text has that is read in its encoding, and the text where it fits."""
    encoding, usual = script
    try:
        meant = text.encode("cp1252").decode(encoding)
    except UnicodeError:
        return 0, ""
    words = [word for word in re.findall(r"[^\W\d_]+", meant) if not word.isascii()]
    if "ς" in meant and re.search(r"ς\w", meant):  # which ends words
        return 0, ""
    if not words or not all(word[1:].islower() or word.isupper() for word in words if len(word) > 1):
        return 0, ""
    return sum(letter in usual for letter in meant.lower()), meant


def _read_as_latin(text: str, encoding: str) -> str:
    """The text as cp1252 has its bytes, if all letters are Latin then; "" for others."""
    try:
        meant = text.encode(encoding).decode("cp1252")
    except UnicodeError:
        return ""
    return meant if all("\u00c0" <= sign <= "\u017f" and sign.isalpha() for sign in meant if not sign.isascii()) else ""


def _fits(text: str, place: int) -> bool:
    """Whether a Latin letter stands there, in the case of the one behind it; a capital behind another one."""
    before, letter, behind = text[place - 1], text[place], text[place + 1 : place + 2]
    is_latin = "\u00c0" <= letter <= "\u017f" and letter.isalpha()
    return is_latin and letter.isupper() is behind.isupper() and (before.isupper() or letter.islower())

"""What a text says, however it came: what cannot be seen is no part of a key, and every text has one Unicode form.

Files, lists and programs say the same code in many ways: with a byte order mark or a direction mark that was copied
along, with letters and accents apart, or as the formula by which a spreadsheet keeps zeros (`="00123"`). This is the
one place that knows them for the same.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from django.utils.text import get_text_list

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Unicode calls White_Space. Python trims U+001C to U+001F too, which are control characters."""

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What Unicode calls Default_Ignorable_Code_Point, and the marks of annotations, as a class of a pattern has them."""
BRAILLE_BLANK = "\u2800"
"""A letter of braille without a dot: no white space, and nothing to see."""
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_OF_TEXT = re.compile(r"[\x00-\x08\v\f\x0e-\x1f\x7f-\x9f\u2028\u2029]")
"""With the separators of lines and paragraphs, which do what control characters did. A text may have lines and tabs."""

_FORMULA = re.compile(r'=\s*"((?:[^"]|"")*)"')
_PRINTABLE = bytes(set(range(0x20, 0x7F)) - set(b"<=&%?_\\[{"))
# No group is possessive, only what it is made of: Python misreads groups of alternatives before 3.11.5.
_PLAIN = re.compile(
    r"(?:[ -$'-;>@-Z\]^`-z|}~"  # the same
    "\u0100\u0101\u0103-\u0138\u013a-\u0177\u0179-\u024f"  # Latin
    "\u03bc\u3041-\u3096\u30a1-\u30fa\u30fc\uac00-\ud7a3"  # the micro sign, Japanese, Korean
    "\u2019\u00b0\u00aa\u00ba]++"  # the apostrophe, signs of numbers
    "|[\u00c0\u00c1\u00c6-\u00cd\u00d2-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{1,3}+(?![\u00c0-\u00ff])"  # Latin
    "|(?<![A-Za-z])[\u0390-\u03bb\u03bd-\u03ce\u0410-\u044f\u4e00-\u9fff]++(?![A-Za-z])"  # Greek, Cyrillic, Chinese
    ")*"
)
"""And letters that have one form. Those are left out with which text begins to look encoded twice (ÂÃÄÅÎÏÐÑĂĹ), and Ÿ,
which small letters have beside them only where text of another encoding is read; so are accented letters of western
Europe side by side, and letters of two scripts, which few words have and many that are read in another encoding."""


def is_plain(text: str) -> bool:
    """Whether a text says what it is once spaces around it are trimmed: printable ASCII and usual letters, without the
    signs by which programs write formulas and what is no plain text: < = & % ? _ [ { and the
    backslash, and without two apostrophes together. An "and" is none, with which a space follows.

    Most texts are, so this is quick; what is ASCII needs no expression.
    """
    text = text.replace("& ", " ")
    if "''" in text:
        return False
    return not text.encode().translate(None, _PRINTABLE) if text.isascii() else _PLAIN.fullmatch(text) is not None


def read_text(cell: str) -> str:
    """What a cell says: trimmed, out of a spreadsheet's formula, in NFC; "" where nothing of it can be seen."""
    text = cell.strip(WHITE_SPACE)
    if text.startswith("=") and (formula := _FORMULA.fullmatch(text)):
        text = formula[1].replace('""', '"').strip(WHITE_SPACE)
    if text.isascii():
        return text
    return normalize("NFC", text) if drop_invisible(text).strip(WHITE_SPACE + BRAILLE_BLANK) else ""


def read_key(cell: str) -> str:
    """What a cell says by which something is found: a header, a code, an e-mail, an entry of a list."""
    return read_text(cell if cell.isascii() else drop_invisible(cell))


def drop_invisible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def find_controls(text: str, *, is_key: bool) -> list[str]:
    """The control characters of a text, each once. Lines and tabs are such only in keys."""
    return [] if text.isprintable() else [*dict.fromkeys((_CONTROL if is_key else _CONTROL_OF_TEXT).findall(text))]


def name_controls(found: list[str]) -> str:
    """Characters as messages name them: the control characters U+0007 and U+001C."""
    names = get_text_list([f"U+{ord(letter):04X}" for letter in found], "and")
    return f"the control character{'s' if len(found) > 1 else ''} {names}"


def space_controls(text: str) -> str:
    """The text with spaces for its control characters."""
    return _CONTROL_OF_TEXT.sub(" ", text).strip(WHITE_SPACE)


def drop_controls(key: str) -> str:
    """What a key would be without its control characters, for which it is refused."""
    return key if key.isprintable() else _CONTROL.sub("", key).strip(WHITE_SPACE)

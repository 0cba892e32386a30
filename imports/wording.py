"""Words and names from elsewhere, made safe to show and to write.

Control characters, and those that turn the direction of what follows, are obeyed by terminals, mail programs and file
managers: `annexe\\u202etxt.exe` is shown as `annexeexe.txt`. Where such text leaves the program, it goes through here.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 150
"""Bytes of a file's own name within the names that we give, of the 255 that file systems allow."""
_JOINERS = "\u200c\u200d"
"""Belong to the spelling of words in Persian and in the scripts of India, and turn nothing."""


def one_line(text: str, instead: str = "?") -> str:
    """The text on one line, of characters that can be seen; what cannot is replaced, spaces of any kind by a space."""
    return "".join(_visible(letter, instead) for letter in text)


def plain_text(text: str) -> str:
    """The same for text of several lines: their ends and tabs stay."""
    return "".join(letter if letter in "\n\t" else _visible(letter, "?") for letter in text.replace("\r\n", "\n"))


def file_name(name: str) -> str:
    """A name that any file system and server takes. Its end is kept, which tells what kind of file it is."""
    plain = re.sub(r'[/\\:*?"<>|]', "_", one_line(name, "_"))
    return plain.encode()[-LONGEST_NAME:].decode(errors="ignore")


def _visible(letter: str, instead: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    return " " if unicodedata.category(letter) == "Zs" else instead

"""Encodings: the ones that files may be in, by the name they are kept under, and their bytes → text.

Only what is listed here is taken: Python knows more names, some of which are no encodings of text (idna), decode what
no ERP writes (unicode_escape), lose line ends (hz) or ASCII (cp864).
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

BLOCK = 1 << 18

ENCODINGS: dict[str, tuple[str, ...]] = {
    "Unicode": (
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
        "ascii",
    ),
    "Windows": (
        *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
        "kz1048",
    ),
    "ISO and the like": (
        *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *("koi8-r", "koi8-u", "koi8-t", "tis-620", "ptcp154", "hp-roman8"),
    ),
    "Mac": (
        *("mac-roman", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish", "mac-iceland", "mac-croatian"),
        "mac-romanian",
    ),
    "DOS": (
        *("cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp856", "cp857", "cp858", "cp860", "cp861"),
        *("cp862", "cp863", "cp865", "cp866", "cp869", "cp1125"),
    ),
    "EBCDIC": ("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"),
    "Chinese, Japanese, Korean": (
        *("gb2312", "gbk", "gb18030", "big5", "big5hkscs", "cp950"),
        *("shift_jis", "cp932", "euc_jp", "iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext"),
        *("euc_kr", "cp949", "johab", "iso2022_kr"),
    ),
}
"""By family, each under the name that Python normalises it to."""

_LISTED = frozenset(name for names in ENCODINGS.values() for name in names)
_EXAMPLES = "utf-8, utf-16, cp1252, iso8859-15, mac-roman, cp850, cp500 and shift_jis"
_NEXT_LINE = "\x85"
"""What ends a line in EBCDIC, beside the line feed."""


_ZEROS = {"utf-32-le": (0, 1, 1, 1), "utf-32-be": (1, 1, 1, 0), "utf-16-le": (0, 1, 0, 1), "utf-16-be": (1, 0, 1, 0)}
"""Which bytes of four are zero in ASCII text."""
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


class UnknownEncoding(ValueError):
    """A name that is none of the listed encodings; the message says what would be."""


class Undecodable(ValueError):
    """Bytes that are not of the encoding: the line of the first of them, and what is wrong."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def find_encoding(name: str) -> str:
    """The listed name of an encoding, however it is spelled (UTF8, latin-1, windows-1252). Raises UnknownEncoding."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        found = ""
    if found not in _LISTED:
        raise UnknownEncoding(f"{name!r} is no encoding that files are read in; examples are {_EXAMPLES}.")
    return found


def is_utf_8(file: BinaryIO) -> bool:
    """Whether a file is UTF-8 from its position on, with so many characters beyond ASCII that it is not by chance.

    Encodings of two bytes decode most files in UTF-8 too, to other characters.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = 0
    try:
        while block := file.read(BLOCK):
            text = decoder.decode(block)
            beyond += len(text) - len(text.encode("ascii", "ignore"))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return beyond >= ENOUGH_CHARACTERS


def find_wide_encoding(start: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark, by how a file begins; "" for another encoding.

    Headers and delimiters are ASCII, so that most bytes in the same places are zero, from the first letters on.
    """
    for encoding, pattern in _ZEROS.items():
        if all(
            share > 0.3 if zero else share < 0.06
            for sample in (start[:8], start[:4000])
            for share, zero in zip(_share_of_zeros(sample), pattern, strict=True)
        ):
            return encoding
    return ""


def _share_of_zeros(sample: bytes) -> list[float]:
    """How many of the first, second, third and fourth bytes of each four are zero, from 0 to 1."""
    return [sample[place::4].count(0) * 4 / max(1, len(sample)) for place in range(4)]


def read_text(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The text of a file from its position on, in blocks.

    Raises Undecodable with the line of the first byte that is not of the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_ebcdic = encoding in ENCODINGS["EBCDIC"]
    line, last = 1, ""
    while True:
        state = decoder.getstate()
        block = file.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeError:
            decoder.reset()
            decoder.setstate(state)
            good, what = _find_bad(decoder, block)
            raise Undecodable(line + _count_line_ends(last, good, is_ebcdic=is_ebcdic), what) from None
        if is_ebcdic:
            text = text.replace(_NEXT_LINE, "\n")
        yield text
        line += _count_line_ends(last, text)
        last = text[-1:] or last
        if not block:
            return


_EBCDIC = ("".join(map(chr, range(32, 127))) + "\x85\r\n\t").encode("cp037")
_ENOUGH_BYTES = 20
ENOUGH_CHARACTERS = 4
"""Text of two bytes for each character is hardly ever UTF-8 from this number of characters on."""
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


def looks_like_ebcdic(start: bytes) -> bool:
    """Whether a file that begins so is text of mainframes and IBM i, which has other bytes for spaces and line ends."""
    if len(start) < _ENOUGH_BYTES or b" " in start or b"\n" in start:
        return False
    return len(start.translate(None, _EBCDIC)) * 10 < len(start)


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


def _find_bad(decoder: codecs.IncrementalDecoder, block: bytes) -> tuple[str, str]:
    """What stands in a block before the first byte that the decoder does not take, and what is wrong with that one."""
    good = ""
    try:
        for index in range(len(block)):  # byte by byte, since an encoding can have a state that only its decoder knows
            good += decoder.decode(block[index : index + 1])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return good, f"Byte 0x{error.object[error.start]:02X}"
    except UnicodeError:
        return good, "A file without a byte order mark"  # of UTF-16 and UTF-32, whose mark says the order
    return good, "What stands here"


def _count_line_ends(before: str, text: str, *, is_ebcdic: bool = False) -> int:
    """How many lines end in a text that follows another; LF, CR LF and CR end one."""
    if is_ebcdic:
        text = text.replace(_NEXT_LINE, "\n")
    split = before == "\r" and text.startswith("\n")  # the end of one line, counted with its CR
    return text.count("\n") + text.count("\r") - text.count("\r\n") - split

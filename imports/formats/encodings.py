"""Encodings: the ones that files may be in, by the name they are kept under, and their bytes → text.

Only what is listed here is taken: Python knows more names, some of which are no encodings of text (idna), decode what
no ERP writes (unicode_escape), lose line ends (hz) or ASCII (cp864).
"""

from __future__ import annotations

import codecs
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
_EBCDIC = ("".join(map(chr, range(32, 127))) + "\x85\r\n\t").encode("cp037")
"""What stands in tables of text, as EBCDIC has it."""
_ENOUGH_BYTES = 20
ENOUGH_CHARACTERS = 4
"""Text of two bytes for each character is hardly ever UTF-8 from this number of characters on."""
_ZEROS = {"utf-32-le": (0, 1, 1, 1), "utf-32-be": (1, 1, 1, 0), "utf-16-le": (0, 1, 0, 1), "utf-16-be": (1, 0, 1, 0)}
"""Which bytes of four are zero in ASCII text."""


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


def looks_like_ebcdic(start: bytes) -> bool:
    """Whether a file that begins so is text of mainframes and IBM i, which has other bytes for spaces and line ends."""
    if len(start) < _ENOUGH_BYTES or b" " in start or b"\n" in start:
        return False
    return len(start.translate(None, _EBCDIC)) * 10 < len(start)


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

"""Mangling: what programs on the way made of a text, and what was meant, where that can be told.

Spreadsheets take codes for numbers and dates. Other programs write a text for HTML, for a web address or for e-mail
where plain text is meant, or do not have its letters.
"""

from __future__ import annotations

import html
import re
from email.header import decode_header, make_header
from quopri import decodestring
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from connections.mangled_codes import DIGITS_KEPT
from connections.nothing import says_nothing
from imports.errors import CellError
from imports.formats.misreading import find_foreign, find_meant, find_misread
from imports.template import FIELDS
from lookups.texts import find_controls, space_controls

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_PHONE = FIELDS["shipping_phone"].max_length or 0
PHONE_DIGITS = 15
"""Of a number with the code of its country, without the zeros in front by which it is dialled (ITU-T E.164)."""
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sept|january|february|march|april|june|july|august|september"
    "|october|november|december|januar|februar|mär|märz|mrz|mai|juni|juli|okt|oktober|dez|dezember|janv|févr|mars|avr|juin"
    "|juil|août|déc|janvier|février|avril|juillet|septembre|octobre|novembre|décembre|gen|mag|giu|lug|ago|set|ott|dic"
    "|ene|abr|mrt|fev|out"
)
_NAMED_DATE = re.compile(
    rf"[0-9]{{1,2}}(?:[-/]|\. ?)(?:{_MONTHS})\.?(?:[-/. ](?:[0-9]{{2}}|[0-9]{{4}}))?"
    rf"|(?:{_MONTHS})\.?[-/](?:[0-9]{{2}}|[0-9]{{4}})",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d)"
    r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?",
    re.ASCII,
)
SHORTENED = re.compile(
    r"[+\-\u2212]?(?:[0-9][.,][0-9]+e[+\-\u2212]?|[0-9]{1,3}(?:[.,][0-9]*)?e[+\u2212])[0-9]{1,3}", re.IGNORECASE
)
"""1.67683E+15, 2,5E+07, 1E+07, 167.7E+12, 1.2E7; 1E5, 2E10 and 12E-3 may be codes: no program shortens a number so."""
_AMOUNT = re.compile(r"-\d+|=[-+]?\d+|\d{2,}[.,]0+|\d{1,3}(?:,\d{3})+(?:\.0+)?|\d{1,3}(?:['\u2019]\d{3})+", re.ASCII)
_FORMULA = re.compile(
    r"=\s*(?:\"|[^\W\d_][\w.]*\(|[-+(]*(?:'?[^!]{1,40}'?!)?\$?[A-Z]{1,3}\$?\d+\s*[-+*/&^:)]"
    r"|(?:'?[^!]{1,40}'?!)?\$?[A-Z]{1,3}\$?\d{1,7}$|\d+(?:[-+*/]\d+)+$)",
    re.IGNORECASE,
)
_FUNCTION = re.compile(r"[@+-][A-Z]{2,}[A-Z0-9.]*\(.*\)")
_APOSTROPHES = ("'", "\u2019", "\u2018", "`")
_PHONE = re.compile(r"[+(]*\d[\d\s().+/-]*", re.ASCII)
_MISSPELT = re.compile("[OoIl'\u2019\u2018`]")
"""Without one of these, as most are, nothing in a figure is misspelt."""
NOT_MISSPELT = r"[^OoIl'\u2019\u2018`\n]*"
"""A pattern of lines that hold none."""
_LETTERED_PHONE = re.compile(r"[\d\s().+/\-OoIl]{7,}", re.ASCII)
_DIGIT = re.compile(r"\d")
_NO_DIGITS = re.compile(r"[^0-9]+")
_SEVERAL = re.compile(r"(?:[^,;]*[0-9]){6,}[^,;]*[,;](?:[^,;]*[0-9]){6}")
_DECIMAL = re.compile(r"[0-9]{3,}\.0")
_UTF_7 = re.compile(r"\+([A-Za-z0-9+/]{3,})-")
_DATE_LIKE = re.compile(r"\| ?+(?:[0-9]{1,12}+[-/.]|[A-Sa-s][A-Za-z\x80-\u024f]{2,8}+\.?+[-/][0-9])")
"""Where one of a row's cells, each behind a bar, may be a date. Most rows have none, so this is all they cost."""

SHORT = "is a number as a spreadsheet shortens it: its last digits are lost. Send it whole, as text."
AMOUNT = "is written as a spreadsheet writes an amount. Send what it was before, as text."
DATE = "reads like a date, as which spreadsheets take texts such as 1-2. Send what it was before, as text."
FORMULA = "is a formula of a spreadsheet, and not what it comes to. Send its value."
ROUNDED = f"ends in zeros behind its digit {DIGITS_KEPT}, as spreadsheets leave long numbers. Send it whole, as text."
JOINED = f"has more digits than any phone number, which has {PHONE_DIGITS} at most. Send one number, whole."
SEVERAL = "holds several numbers. Send one."
LETTERED = "has letters that look like digits, O or l. Send 0 or 1 if those are meant."
APOSTROPHE = "begins with an apostrophe, by which spreadsheets keep numbers as text. Leave it out."
NO_DIGIT = "holds no digit, and so no phone number. Send the number, or leave the cell blank."
BACKSLASH = (
    "ends in a backslash. If the delimiter behind it belongs to the text, put the cell in quotes, or let the format "
    "say so (escapechar); else leave it out."
)
"""What a text looks like that a spreadsheet mangled, and what to do, in words behind it."""


def may_be_mangled(cells: str) -> bool:
    """Whether a look at cells is worth it, each of which stands behind a bar."""
    has_plus = "+" in cells and ("E+" in cells or "e+" in cells or _UTF_7.search(cells) is not None)
    return has_plus or _DATE_LIKE.search(cells) is not None


def find_mangled_figure(text: str, is_phone: bool) -> str:
    """What a postal code or a phone seems to be instead: AMOUNT, ROUNDED, JOINED, SEVERAL, NO_DIGIT; "" for one."""
    if is_amount(text):
        return AMOUNT
    if not is_phone or len(text) > _LONGEST_PHONE:
        return ""
    if not _DIGIT.search(text):
        return "" if says_nothing(text) else NO_DIGIT
    if ("," in text or ";" in text) and _SEVERAL.match(text):
        return SEVERAL
    if len(text) <= PHONE_DIGITS or not _PHONE.fullmatch(text):
        return ""
    digits = _NO_DIGITS.sub("", text)
    if len(digits.removeprefix("00")) <= PHONE_DIGITS:
        return ""
    return JOINED if digits[DIGITS_KEPT:].strip("0") else ROUNDED


def find_misspelt_figure(text: str, is_phone: bool) -> str:
    """What in a postal code or a phone was not meant: APOSTROPHE, LETTERED; "" for nothing."""
    if not _MISSPELT.search(text):
        return ""
    if has_apostrophe(text):
        return APOSTROPHE
    is_lettered = is_phone and _LETTERED_PHONE.fullmatch(text)
    return LETTERED if is_lettered and any(map(str.isdigit, text)) else ""


def has_apostrophe(text: str) -> bool:
    """Whether a number stands behind the apostrophe by which spreadsheets keep it as text: '00123."""
    return text[:1] in _APOSTROPHES and text[1:].lstrip("+(")[:1].isdigit() and text[-1] not in _APOSTROPHES


def is_amount(text: str) -> bool:
    """Whether a postal code or a phone is written as an amount is, which neither ever is: 8001.0, 41,791,234,567."""
    return _AMOUNT.fullmatch(text) is not None


def find_mangled(text: str) -> str:
    """What a spreadsheet made of a trimmed text that is neither a number nor a date: SHORT, AMOUNT or DATE, or ""."""
    if SHORTENED.fullmatch(text):
        return SHORT
    if _DECIMAL.fullmatch(text):
        return AMOUNT
    return DATE if _NAMED_DATE.fullmatch(text) or _DATE.fullmatch(text) else ""


def is_formula(text: str) -> bool:
    """Whether a text is a formula of a spreadsheet, such as =A2&"-1" or @SUM(A2:A4), and not its value."""
    if text.startswith("="):
        return _FORMULA.match(text) is not None
    return text.startswith(("@", "+", "-")) and _FUNCTION.fullmatch(text) is not None


# -- text that was written for something else

_ENTITY = re.compile(
    r"&(?:(?:#[0-9]{2,6}|#x[0-9a-f]{2,5}|[a-z][a-z0-9]{1,30});"
    r"|(?:[aeiouyn](?:acute|grave|circ|uml|tilde)|aring|aelig|ccedil|oslash|szlig|amp|quot)(?![a-z0-9]))",
    re.IGNORECASE,
)
_SHEET_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ESCAPE = re.compile(r"\\(?:u(?=[0-9A-Fa-f]{4})|x(?=[89A-Fa-f][0-9A-Fa-f]))([0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})")
_TAG = re.compile(r"</?(?:a|b|br|div|em|font|i|li|p|span|strong|td|tr|u|ul)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PERCENT = re.compile(r"(?<![0-9])%[0-9A-F]{2}", re.IGNORECASE)
_SLASHED = re.compile(r"\\(?=['\"/])")
_DOUBLED = re.compile(r"(?<=[^\W\d_])''(?=[^\W\d_])")
_LINES = re.compile(r"\\r\\n|\\[nrt](?![a-z])")
_QUOTED = re.compile(r"=(?:[89A-F][0-9A-F]|20|3D)(?![0-9])")
_MAIL = re.compile(r"=\?[\w-]+\?[bq]\?[^?]*\?=", re.IGNORECASE)
_LOST = re.compile(r"(?<=[^\W\d_])\?{1,3}(?=[^\W\d_])")
_LOST_WORDS = re.compile(r"(?<![^\W_])\?{3,}|(?<![^\W_])\?\?(?=.*(?<![^\W_?])\?\?)|^[\s.,?]*\?[\s.,?]*$")
_PRINTED_SIGNS = re.compile("[])}>'\"@]")
"""All printed values but names of types have one of these; most texts have none."""
UNPRINTED = r"(?!System\.)[^])}>'\"@\n]*"
"""A pattern of lines that are no printed values."""
_PARTS = re.compile(r"([\x00-\x7f]*)([^\x00-\x7f]*)")
_BOX = re.compile(r"[■□▯](?=[^\W\d_])|(?<=[^\W\d_])(?:[■□▯]|¿(?=[^\W\d_]))")
_PRIVATE = re.compile("[\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff]")
_UNSEEN = re.compile(
    "[\u00ad\u202d\u202e\u2060-\u2064\ufeff]|(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
    "|(?:^[^\u0590-\u08ff]*)[\u200e\u200f\u061c\u202a-\u202c\u2066-\u2069](?=[^\u0590-\u08ff]*$)"
)
"""What nobody sees and no text needs: words of south-east Asia end in U+200B, and what is written from right to left
has marks of direction."""
_UNFILLED = re.compile(
    r"\{\{[^{}]+\}\}|\$\{[^{}]+\}|%[A-Z][A-Z_]*%|%\(\w+\)[sd]|<%=?[^<>]+%>|\{[0-9]\}|\[[a-z]+(?:_[a-z]+)+\]"
    r"|^<[a-z]+(?:[_ ][a-z]+)*>$"
)
_PRINTED = re.compile(
    r"""\[\s*(['"]).*\1\s*\]|\(\s*(['"]).*\2\s*,?\)|\{\s*['"].*\}|b(['"]).*\3"""
    r"|System(?:\.[A-Z]\w*)+(?:`\d+)?(?:\[.*\])?|\[?L?(?:[a-z]\w*\.){2,}[A-Z]\w*(?:@[0-9a-f]+|;.*)"
    r"|<[\w.]+ object at 0x[0-9A-Fa-f]+>|(?:Decimal|datetime\.date(?:time)?|UUID|ObjectId)\(.*\)"
)


def _read_points(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        read = pattern.sub(lambda found: chr(int(found[1], 16)), text)
        return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    return read


def _read_html(text: str) -> str:
    for _ in range(3):  # it may have been written so more than once
        text = html.unescape(text)
    return text


def _read_bytes(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


_ESCAPES: tuple[tuple[re.Pattern[str], str, Callable[[str], str]], ...] = (
    (_ENTITY, "written for HTML", _read_html),
    (_TAG, "written for HTML", lambda text: _read_html(_TAG.sub(" ", text))),
    (_SHEET_ESCAPE, "written for a workbook", _read_points(_SHEET_ESCAPE)),
    (_ESCAPE, "written for a program", _read_points(_ESCAPE)),
    (_LINES, "written for a program", lambda text: _LINES.sub(" ", text)),
    (_SLASHED, "written for a program", lambda text: _SLASHED.sub("", text)),
    (_DOUBLED, "written for a database", lambda text: _DOUBLED.sub("'", text)),
    (_MAIL, "written for e-mail", lambda text: str(make_header(decode_header(text)))),
    (_QUOTED, "written for e-mail", lambda text: _read_bytes(decodestring(text.encode()))),
    (_PERCENT, "written for a web address", lambda text: _read_bytes(unquote_to_bytes(text))),
)
_ESCAPING = ("&", "<", "_x", "\\", "=", "%", "''")
"""One of these is in every text that is escaped."""


def find_escaped(text: str) -> tuple[str, str] | None:
    """What else a text was written for than to be read, and what was meant: "written for HTML", "Müller & Söhne"."""
    if not any(sign in text for sign in _ESCAPING):
        return None
    for pattern, what, read in _ESCAPES:
        if not pattern.search(text):
            continue
        try:
            meant = read(text)
        except (ValueError, LookupError):  # it names an encoding that there is not
            continue
        meant = " ".join((space_controls(meant) if find_controls(meant, is_key=False) else meant).split())
        if meant != text and "\ufffd" not in meant:
            return what, meant
    return None


def find_utf_7(text: str) -> CellError | None:
    """What stands for letters in a text of UTF-7, as old mail programs write it: M+APw-ller."""
    if not (found := _UTF_7.search(text)):
        return None
    try:
        meant = text.encode().decode("utf-7")
        is_read = found[0].encode().decode("utf-7").isalpha()
    except UnicodeError:
        return None
    if not is_read:
        return None
    return CellError("encoded_twice", f"looks written in UTF-7; {meant!r} may be meant. Send plain text.")


def is_printed(text: str) -> bool:
    """Whether a text is how a program prints a value for its programmers: b'Oak', ['Oak'], {"name": "Oak"}."""
    return may_be_printed(text) and _PRINTED.fullmatch(text) is not None


def may_be_printed(texts: str) -> bool:
    """Whether a look at some texts, put together, is worth it."""
    return _PRINTED_SIGNS.search(texts) is not None or "System." in texts


def has_lost_letters(text: str, before: str) -> bool:
    """Whether a text is the one before but for letters beyond ASCII, which are gone or question marks: Caf? for Café.

    Where the question mark itself tells, `find_damage` has told.
    """
    if before.isascii() or "?" in before or text == before or _find_lost(text):
        return False
    ways = []
    for ascii_part, other in _PARTS.findall(before):
        is_latin = bool(other) and all("\u00c0" <= letter <= "\u024f" for letter in other)
        ways.append(re.escape(ascii_part))
        if other:
            ways.append(rf"(?:{re.escape(other)}|\?{{1,{4 * len(other)}}}{'|' if is_latin else ''})")
    return re.fullmatch("".join(ways), text) is not None


def _find_lost(text: str) -> str:
    """Words for the characters that a text has lost on its way, or ""."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return "holds U+FFFD, which programs write for a character they cannot read."
    if "?" in text and not _MAIL.search(text):
        if _LOST.search(text):
            return "holds a question mark within a word, which programs write for a letter that they do not have."
        if _LOST_WORDS.search(text):
            return "holds question marks for a word, which programs write for letters that they do not have."
    if not text.isascii() and (box := _BOX.search(text)):
        return f"holds {box[0]!r} within a word, which programs write for a letter that they do not have."
    if not text.isascii() and (private := _PRIVATE.search(text)):
        return (
            f"holds U+{ord(private[0]):04X}, a character that has no meaning of its own outside of one font or program."
        )
    return ""


def find_damage(text: str, *, looks_at_encoding: bool) -> CellError | None:
    """What other programs left of a text, where it does not look as it was written.

    `encoded_twice` only where somebody wants to know of encodings.
    """
    if lost := _find_lost(text):
        return CellError("lost_character", lost)
    if unfilled := _UNFILLED.search(text):
        why = f"holds {unfilled[0]!r}, the name of a value that a program did not put in its place. Send the value."
        return CellError("mangled_value", why)
    if text.endswith("\\"):
        return CellError("mangled_value", BACKSLASH)
    if looks_at_encoding and (misread := _find_encoding_lost(text)):
        return CellError("encoded_twice", misread)
    if not text.isascii() and (unseen := _UNSEEN.search(text)):
        why = f"holds U+{ord(unseen[0][-1]):04X}, which nobody sees; it is kept. Send the text without it."
        return CellError("control_character", why)
    return None


def _find_encoding_lost(text: str) -> str:
    """What seems wrong with the encoding that a text was read in; "" for nothing."""
    if escaped := find_escaped(text):
        what, meant = escaped
        return f"looks {what}; {meant!r} may be meant. Send plain text."
    if meant := find_meant(text):
        return f"looks encoded twice; {meant!r} may be meant. Encode texts once."
    if meant := find_misread(text):
        return f"looks read in another encoding than it was written in; {meant!r} may be meant. Encode texts once."
    if (other := find_foreign(text)) is not None:
        hint = other and f"; {other!r} may be meant"
        return f"looks read in another encoding than it was written in{hint}. Send it in the agreed encoding."
    return ""

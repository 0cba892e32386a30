"""Masks: which of a folder's files a feed takes, and the time that their names carry."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate

from imports.filesystems.months import read_month

TEMPORARY = re.compile(
    r".*(\.(part|partial|tmp|temp|filepart|crdownload|download|upload|uploading|inprogress|swp|lock|bak)|~)"
    r"|(~\$|\.~lock\.).*",
    re.I,
)
"""What programs call a file that is still being written, or is open in an office program."""
DEFAULT = "*.txt or *.csv"
"""What a blank mask takes, in any case."""
_TIME = re.compile(r"\{([^{}]*%[^{}]*)\}")
_TWO_DIGITS = r"(?:\d{2}|(?<!\d)\d(?!\d))"
"""Or one that stands alone, as many write days and months below ten."""
_MONTH = r"[^\W\d_]{3,12}\.?"
_PARTS = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": _TWO_DIGITS, "d": _TWO_DIGITS, "H": _TWO_DIGITS, "M": _TWO_DIGITS,
    "S": _TWO_DIGITS, "f": r"\d{1,6}", "j": r"\d{3}", "b": _MONTH, "B": _MONTH, "p": r"[APap][Mm]", "I": _TWO_DIGITS,
    "%": "%",
}  # fmt: skip


class MaskError(ValueError):
    """A mask that cannot be one; the message says what would be right."""


@dataclass(frozen=True)
class Mask:
    """A file-name mask with * ? [abc], and at most one time stamp: customers_{%Y%m%d%H%M%S}*.txt; blank for DEFAULT.

    Names are compared in Unicode NFC, as some systems write an accent apart from its letter.
    """

    text: str
    pattern: re.Pattern[str]
    stamp: str
    hidden: bool

    @classmethod
    def parse(cls, text: str) -> Mask:
        """Raises MaskError."""
        if not text:
            return cls(DEFAULT, re.compile(r".*\.(txt|csv)", re.DOTALL | re.IGNORECASE), "", hidden=False)
        if "/" in text or "\\" in text or "\0" in text:
            raise MaskError("The mask is of a file's name alone; the folder has a field of its own.")
        text = unicodedata.normalize("NFC", text)
        stamps = _TIME.findall(text)
        if len(stamps) > 1:
            raise MaskError("A mask has at most one time stamp in braces.")
        if not stamps and re.search(r"[{}]", text):
            raise MaskError("Braces hold a time stamp, such as {%Y%m%d%H%M%S}.")
        stamp = stamps[0] if stamps else ""
        return cls(text, _compile(text, stamp, _stamp_pattern(stamp)), stamp, text.startswith("."))

    def matches(self, name: str) -> bool:
        """Whether a file of this name is the feed's; hidden and unfinished ones are not, and no NUL can be stored."""
        return not self.explain(name)

    def explain(self, name: str) -> str:
        """Why a file of this name is not the feed's; "" where it is."""
        if "\0" in name:
            return "its name holds a NUL, which no database stores"
        if TEMPORARY.fullmatch(name):
            return "its name says that it is still being written"
        if name.startswith(".") and not self.hidden:
            return "it is hidden, and the mask does not begin with a dot"
        if self.pattern.fullmatch(unicodedata.normalize("NFC", name)) and (not self.stamp or self.time_of(name)):
            return ""
        return self._explain_stamp(name) or f"the mask {self.text} does not take it"

    def _explain_stamp(self, name: str) -> str:
        """Of a name that differs from the mask in its time stamp alone."""
        loose = _compile(self.text, self.stamp, ".+") if self.stamp else None
        match = loose and loose.fullmatch(unicodedata.normalize("NFC", name))
        if not match:
            return ""
        return f"the mask {self.text} does not take it: '{match['stamp']}' is no time of the form {{{self.stamp}}}"

    def time_of(self, name: str) -> datetime | None:
        """The time in a name, in the sender's own time zone; none where the mask has no stamp or it is no time."""
        match = self.pattern.fullmatch(unicodedata.normalize("NFC", name)) if self.stamp else None
        if match is None:
            return None
        letters, values = [], []
        for number, letter in enumerate(_letters(self.stamp)):
            value = match[f"part{number}"]
            if letter in "bB":
                letter, value = "m", str(read_month(value))
            letters.append(f"%{letter}")
            values.append(value)
        try:
            return datetime.strptime(" ".join(values), " ".join(letters))  # noqa: DTZ007  (compared with its like alone)
        except ValueError:
            return None

    def date(self, name: str) -> tuple[str, datetime] | None:
        """A name without its time, and that time; none where it has none."""
        name = unicodedata.normalize("NFC", name)
        match, time = self.pattern.fullmatch(name), self.time_of(name)
        if match is None or time is None:
            return None
        start, end = match.span("stamp")
        return f"{name[:start]}{name[end:]}", time


def _compile(text: str, stamp: str, stamp_pattern: str) -> re.Pattern[str]:
    head, _, tail = text.partition("{" + stamp + "}") if stamp else (text, "", "")
    within = f"(?P<stamp>{stamp_pattern})" if stamp else ""
    return re.compile(f"{_glob(head)}{within}{_glob(tail)}", re.DOTALL)


def _glob(text: str) -> str:
    return translate(text).removeprefix("(?s:").removesuffix(r")\Z") if text else ""


def _letters(stamp: str) -> list[str]:
    """The letters of a time stamp that say something of the time."""
    return [letter for letter in re.split(r"%(.)", stamp)[1::2] if letter != "%"]


def _stamp_pattern(stamp: str) -> str:
    """Each part as a group: part0, part1, …"""
    if not stamp:
        return ""
    parts, number, pattern = re.split(r"%(.)", stamp), 0, ""
    for letter in parts[1::2]:
        if letter not in _PARTS:
            raise MaskError(f"%{letter} cannot stand in a time stamp; use {' '.join('%' + part for part in _PARTS)}.")
    if not {"Y", "y"} & set(parts[1::2]):
        raise MaskError("A time stamp needs a year, as in %Y%m%d.")
    for place, part in enumerate(parts):
        if place % 2 and part != "%":
            pattern += f"(?P<part{number}>{_PARTS[part]})"
            number += 1
        else:
            pattern += re.escape(part)
    return pattern

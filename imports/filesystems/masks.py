"""Masks: which of a folder's files a feed takes, and the time that their names carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate

TEMPORARY = re.compile(
    r".*(\.(part|partial|tmp|temp|filepart|crdownload|download|upload|uploading|swp|lock|bak)|~)", re.I
)
"""What programs call a file that is still being written."""
_TIME = re.compile(r"\{([^{}]*%[^{}]*)\}")
_PARTS = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}",
    "f": r"\d{1,6}", "j": r"\d{3}", "b": r"[^\W\d_]{3,9}", "B": r"[^\W\d_]{3,12}", "p": r"[APap][Mm]", "I": r"\d{2}",
    "%": "%",
}  # fmt: skip


class MaskError(ValueError):
    """A mask that cannot be one; the message says what would be right."""


@dataclass(frozen=True)
class Mask:
    """A file-name mask with * ? [abc], and at most one time stamp: customers_{%Y%m%d%H%M%S}*.txt."""

    pattern: re.Pattern[str]
    stamp: str
    hidden: bool

    @classmethod
    def parse(cls, text: str) -> Mask:
        """Raises MaskError."""
        if "/" in text or "\\" in text or "\0" in text:
            raise MaskError("The mask is of a file's name alone; the folder has a field of its own.")
        stamps = _TIME.findall(text)
        if len(stamps) > 1:
            raise MaskError("A mask has at most one time stamp in braces.")
        if not stamps and re.search(r"[{}]", text):
            raise MaskError("Braces hold a time stamp, such as {%Y%m%d%H%M%S}.")
        head, _, tail = text.partition("{" + stamps[0] + "}") if stamps else (text, "", "")
        stamp = f"(?P<stamp>{_stamp_pattern(stamps[0])})" if stamps else ""
        pattern = f"{_glob(head)}{stamp}{_glob(tail)}"
        return cls(re.compile(pattern, re.DOTALL), stamps[0] if stamps else "", text.startswith("."))

    def matches(self, name: str) -> bool:
        """Whether a file of this name is the feed's; hidden and unfinished ones are not, and no NUL can be stored."""
        if TEMPORARY.fullmatch(name) or (name.startswith(".") and not self.hidden) or "\0" in name:
            return False
        return self.pattern.fullmatch(name) is not None and (not self.stamp or self.time_of(name) is not None)

    def time_of(self, name: str) -> datetime | None:
        """The time in a name, in the sender's own time zone; none where the mask has no stamp or it is no time."""
        match = self.pattern.fullmatch(name) if self.stamp else None
        if match is None:
            return None
        try:
            return datetime.strptime(match["stamp"], self.stamp)  # noqa: DTZ007  (only compared with others like it)
        except ValueError:
            return None


def _glob(text: str) -> str:
    return translate(text).removeprefix("(?s:").removesuffix(r")\Z") if text else ""


def _stamp_pattern(stamp: str) -> str:
    parts = re.split(r"%(.)", stamp)
    for letter in parts[1::2]:
        if letter not in _PARTS:
            raise MaskError(f"%{letter} cannot stand in a time stamp; use {' '.join('%' + part for part in _PARTS)}.")
    if not {"Y", "y"} & set(parts[1::2]):
        raise MaskError("A time stamp needs a year, as in %Y%m%d.")
    return "".join(_PARTS[part] if number % 2 else re.escape(part) for number, part in enumerate(parts))

"""Listings: what FTP servers answer to MLSD and LIST, in the dialects of the systems that they run on.

A line that no dialect takes is never passed over: `UnreadableLine` names it, and whoever asked asks in another way.
All is read as it came over the wire, a character per byte, so space means what ASCII calls space.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Kind(Enum):
    """What a line tells of an entry; who is unsure asks the server further."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link"
    UNSURE = "a file or a folder"
    OTHER = "neither a file nor a folder"


class Entry(NamedTuple):
    """An entry of a folder; `size` in bytes, none where the line does not tell it exactly. `line` is quoted."""

    name: str
    kind: Kind
    size: int | None
    modified_at: datetime | None
    line: str


class UnreadableLine(ValueError):
    """A line of a listing that no dialect takes."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


LONGEST_LINE = 2000
"""Characters; names have 255 at most, and nobody shall keep us busy with a line."""
_SIZE = r"(?P<size>(?<![\d.,'])\d{1,3}(?:(?:[.,'\xff\xa0]|\xc2\xa0|\xe2\x80[\x99\xaf])\d{3})+|(?<![\d.,'])\d+)"
"""Bytes, in groups of three as some locales write them: 1,234, 1.234, 1'234, or with a space that is no ASCII one."""
_CLOCK = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?"
_DIGITS = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\.?"
_WORD = r"[^\s\d,.]{3,12}\.?,?"
_WHEN = rf"(?:\d{{4}}|{_CLOCK})"
_UNIX_DATE = "|".join(
    [
        rf"{_WORD}\s+\d{{1,2}},?\s+(?:{_CLOCK}\s+\d{{4}}|\d{{4}}\s+{_CLOCK}|{_WHEN})",  # Nov 24 05:30
        rf"\d{{1,2}}\.?[\s-]+{_WORD}[\s-]+(?:\d{{4}}\s+{_CLOCK}|{_WHEN})",  # 24 Nov 05:30, 24. Nov. 2026
        rf"\d{{1,2}}-{_WORD}-\d{{2,4}}(?:\s+{_CLOCK})?",  # 24-nov-26
        rf"{_DIGITS}(?:[\sT]+{_CLOCK}(?:\s*[+-]\d{{2}}:?\d{{2}}|Z)?)?",  # 2026-11-24 05:30:00.0 +0100
        rf"\d{{1,2}}[-/]\d{{1,2}}\s+{_WHEN}",  # 11-24 05:30
        rf"\d{{1,2}}\s+\d{{1,2}}\s+{_WHEN}",  # 11 24 05:30
        # With what stands for month, day and year in East Asia: 11月 24日 05:30, 2026年 11月 24日
        rf"\d{{1,2}}[^\s\d:.,/-]{{1,6}}\s*\d{{1,2}}[^\s\d:.,/-]{{0,6}}\s+(?:\d{{4}}[^\s\d:]{{0,6}}|{_CLOCK})",
        r"\d{4}[^\s\d:.,/-]{0,6}\s+\d{1,2}[^\s\d:.,/-]{1,6}\s*\d{1,2}[^\s\d:.,/-]{0,6}",
    ]
)
_MODE = r"(?P<kind>[-dlbcpsnCDMP?])[-rwxsStTlLaACE?]{8}\S*"
_DIALECTS = [
    re.compile(pattern, re.ASCII | re.DOTALL)
    for pattern in (
        # EPLF: +i83.48,m825718503,r,s280,<tab>customers.txt
        r"\+(?P<eplf>[^\t ]*),?[\t ](?P<name>.+)",
        # Unix, and who writes like it: -rw-r--r-- 1 erp users 1234 Nov 24 05:30 customers.txt; behind a link count,
        # owner, group and size may look like a date, so where nothing stands before the size none is in the name
        rf"{_MODE}\s+(?P<before>\S.*?\s|(?:\S.*?)?[^\s\d])??{_SIZE}\s+(?:{_UNIX_DATE})\s"
        rf"(?(before)|(?!\s*(?:{_UNIX_DATE})\s))(?P<name>.+)",
        # The same with a size for people, which is none: 33.5k
        rf"{_MODE}\s.*?\s\d[\d.,]*[kKMGT]i?B?\s+(?:{_UNIX_DATE})\s(?P<name>.+)",
        # NetWare: - [RWCEAFMS] erp 1234 Nov 24 05:30 customers.txt
        rf"(?P<kind>[-d])\s*\[[^\]]*\]\s+.*?{_SIZE}\s+(?:{_UNIX_DATE})\s+(?P<name>.+)",
        # DOS and Windows: 11-24-26  05:30AM  1,234 customers.txt
        rf"{_DIGITS}\s+{_CLOCK}\s*(?:[AaPp]\.?\s?[Mm]\.?)?\s+(?:<(?P<dos>\w+)>|{_SIZE})\s+(?!(?<=\d\s)\d{{3}}\b)(?P<name>.+)",
        # OS/2: 1234  A  11-24-26  05:30  customers.txt
        rf"\s*{_SIZE}\s+(?:(?P<os2>DIR)\s+)?(?:[ADHRS]+\s+)?\d{{1,2}}-\d{{1,2}}-\d{{2,4}}\s+{_CLOCK}\s+(?P<name>.+)",
        # VShell: 1234  Nov 24, 2026 05:30 customers.txt
        rf"{_SIZE}\s+{_WORD}\s+\d{{1,2}},\s+\d{{4}}\s+{_CLOCK}\s(?P<name>.+)",
        # IBM i: ERP  1234 11/24/26 05:30:00 *STMF  customers.txt
        rf"\s*(?:\S+\s+)?(?:{_SIZE}\s+)?(?:{_DIGITS}\s+{_CLOCK}\s+)?\*(?P<ibmi>[A-Z0-9]+)\s+(?P<name>.+)",
        # z/OS data sets: VOL001 3390 2026/11/24 1 15 FB 80 8000 PS ERP.CUSTOMERS
        r"\S+\s+\S+\s+(?:\d{4}/\d{2}/\d{2}|\*\*NONE\*\*)\s+\d.*\s(?P<zos>[A-Z]{2}(?:-E)?)\s+(?P<name>\S+)",
        r"\S+\s+(?:\S+\s+)?(?P<zos>VSAM|Tape|GDG|PATH)\s+(?P<name>\S+)",
        r"(?P<zos>Migrated|Pseudo Directory|ARCIVE|Error determining attributes)\s+(?P<name>\S+)",
        # z/OS members: CUSTOMER 01.01 2026/11/23 2026/11/24 05:30 128 128 0 ERP
        r"\s*(?P<name>\S+)\s+\d{2}\.\d{2}\s+\d{4}/\d{2}/\d{2}\s+\d{4}/\d{2}/\d{2}\s+\d{2}:\d{2}(?P<about>\s.*)?",
        # VMS: CUSTOMERS.TXT;1  12/15  24-NOV-2026 05:30:00  [ERP]  (RWED,RWED,RE,)
        r"(?P<name>[^;]+?)(?P<vmsdir>\.(?i:DIR))?;\d+\s+(?:.*\s)?\d{1,2}-[^\s\d-]{3,}-\d{2,4}(?P<about>\s.*)?",
        # NonStop: CUSTOMER  101  1234  24-Nov-26 05:30:00  255,255 "nunu"
        rf"(?P<name>\S+)\s+\d+\s+\d+\s+\d{{1,2}}-[^\s\d-]{{3}}-\d{{2}}\s+{_CLOCK}\s+(?P<about>\d+,\s*\d+\s+\S+)",
    )
]
_HEADINGS = re.compile(
    r"\s*|Directory\s.*|(Grand\s+)?[Tt]otal of \d+ .*|Volume\s+Unit\s+.*|\s*Name\s+(VV\.MM|Size)\s.*", re.ASCII
)
"""Lines that are no entries: blank ones, totals, and heads of columns."""
_TOTAL = re.compile(r"\S+:?\s+\d+", re.ASCII)
"""What stands in the first line alone: total 12, in any language."""
_MEMBER = re.compile(r"\s*[A-Z#@$][A-Z0-9#@$]{0,7}\s*", re.ASCII)
"""A member of z/OS without statistics, below the head of members: its name alone."""
_KINDS = {
    **dict.fromkeys(["-", "C", "M", "n"], Kind.FILE),
    **dict.fromkeys(["d", "DIR", "SYMLINKD", "JUNCTION", "DDIR", "FLR", "LIB"], Kind.FOLDER),
    **dict.fromkeys(["PO", "PO-E", "Pseudo Directory"], Kind.FOLDER),
    **dict.fromkeys(["l", "SYMLINK", "SYMLNK"], Kind.LINK),
    **dict.fromkeys(["STMF", "DSTMF", "DOC", "MEM", "PS"], Kind.FILE),
    "FILE": Kind.UNSURE,
}  # fmt: skip
_FACTS = {"type", "size", "sizd", "modify", "create", "perm", "unique"}
_INEXACT = {"MEM", "FILE"}
"""IBM i tells what their records take up, not what comes when they are fetched."""


def read_listing(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a listing, of whichever system, without `.` and `..`. Raises UnreadableLine."""
    below_head = False
    is_first = True
    for line in _join_continued(lines):
        entry = read_facts(line) or _read_line(line)
        below_head = below_head or (entry is None and line.lstrip().startswith("Name "))
        if entry is None and below_head and _MEMBER.fullmatch(line):
            entry = Entry(line.strip(), Kind.FILE, None, None, line)
        if entry is None and not _HEADINGS.fullmatch(line) and not (is_first and _TOTAL.fullmatch(line)):
            raise UnreadableLine(line)
        is_first = is_first and not line.strip()
        if entry is not None and entry.name not in (".", ".."):
            yield entry


def read_facts(line: str) -> Entry | None:
    """A line of MLSD, which some servers write to LIST too; none where it is no such line."""
    described, _, name = line.partition(" ")
    pairs = [fact.partition("=") for fact in described.split(";") if fact]
    facts = {fact.lower(): value for fact, _, value in pairs}
    if not (name and facts.keys() & _FACTS and all(equals for _, equals, _ in pairs)):
        return None
    size = facts.get("size", facts.get("sizd", ""))
    kind = facts.get("type", "").lower()
    return Entry(
        name.rpartition("/")[2] if kind in ("cdir", "pdir") else name,
        _kind_of_fact(kind, size),
        int(size) if size.isdigit() else None,
        read_time(facts.get("modify", "")),
        line,
    )


def _kind_of_fact(kind: str, size: str) -> Kind:
    if kind == "file":
        return Kind.FILE
    if kind in ("dir", "cdir", "pdir"):
        return Kind.FOLDER
    if "link" in kind:  # OS.unix=slink:/where/it/leads, OS.unix=symlink
        return Kind.LINK
    return Kind.OTHER if kind else Kind.FILE if size.isdigit() else Kind.UNSURE


def read_time(text: str) -> datetime | None:
    """A time of MLSD or MDTM: 20261124053000 or 20261124053000.123, always UTC."""
    try:
        moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    fraction = text[15:].strip()
    return moment.replace(microsecond=int(f"{fraction:0<6}"[:6])) if fraction.isdigit() else moment


def _read_line(line: str) -> Entry | None:
    if len(line) > LONGEST_LINE:
        return None
    for dialect in _DIALECTS:
        if match := dialect.fullmatch(line):
            return _describe(match.groupdict(), line)
    return None


def _describe(found: dict[str, str | None], line: str) -> Entry:
    name, size = str(found["name"]), found.get("size")
    exact = int(re.sub(r"\D", "", size, flags=re.ASCII)) if size else None
    if found.get("eplf") is not None:
        return _describe_facts(name, str(found["eplf"]).split(","), line)
    if found.get("vmsdir") or found.get("os2"):
        return Entry(name, Kind.FOLDER, None, None, line)
    word = next((value for group in ("kind", "dos", "ibmi", "zos") if (value := found.get(group))), "-")
    kind = _KINDS.get(word, Kind.OTHER)
    if word == "DIR" or name.endswith("/"):
        kind, name = Kind.FOLDER, name.rstrip("/")
    if kind == Kind.LINK:
        name = re.split(r" -> | \[", name, maxsplit=1)[0]
    return Entry(name, kind, None if word in _INEXACT or kind == Kind.LINK else exact, None, line)


def _describe_facts(name: str, facts: list[str], line: str) -> Entry:
    """EPLF's: / for a folder, r for what can be fetched, s and m before its size and its seconds since 1970."""
    told = {fact[0]: fact[1:] for fact in facts if fact}
    size, seconds = told.get("s", ""), told.get("m", "")
    kind = Kind.FOLDER if "/" in told else Kind.FILE if "r" in told else Kind.OTHER
    modified = datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() and len(seconds) < 12 else None
    return Entry(name, kind, int(size) if size.isdigit() else None, modified, line)


def _join_continued(lines: Iterable[str]) -> Iterator[str]:
    """VMS continues on the next line what stands behind a long name."""
    name = ""
    for line in lines:
        if re.fullmatch(r"\S+;\d+", line, re.ASCII):
            if name:
                yield name
            name = line
        else:
            yield f"{name} {line}" if name else line
            name = ""
    if name:
        yield name

"""Listings of FTP servers: every dialect is read, and no line is passed over."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.filesystems.listings import Kind, UnreadableLine, read_listing

FILE, FOLDER, LINK, OTHER, UNSURE = Kind.FILE, Kind.FOLDER, Kind.LINK, Kind.OTHER, Kind.UNSURE

LINES = [
    # Unix, and who writes like it
    ("-rw-r--r--   1 erp  users   1234 Nov 24 05:30 customers.txt", "customers.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 Nov  4  2026 two words.txt", "two words.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 24 Nov 05:30 day first.txt", "day first.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 24. Dez. 2026 german.txt", "german.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 24 août 05:30 french.txt", "french.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 11月 24日 05:30 japan.txt", "japan.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 2026-11-24 05:30 iso.txt", "iso.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 2026-11-24 05:30:01.123456789 +0100 full.txt", "full.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 11-24 05:30 short.txt", "short.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 24.11.2026 05:30 dots.txt", "dots.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 Nov 24 05:30:01 2026 seconds.txt", "seconds.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  users   1234 Nov 24, 2026 05:30 vshell.txt", "vshell.txt", FILE, 1234),
    ("-rw-r--r--   erp  users   1234 Nov 24 05:30 no-link-count.txt", "no-link-count.txt", FILE, 1234),
    ("-rw-r--r--   1 erp   1234 Nov 24 05:30 no-group.txt", "no-group.txt", FILE, 1234),
    ("-rw-r--r--   1234 Nov 24 05:30 nobody.txt", "nobody.txt", FILE, 1234),
    ("-rw-r--r--   1 BRAND\\ftp user Domain Users 1234 Nov 24 05:30 spaces.txt", "spaces.txt", FILE, 1234),
    ("-rw-r--r--   1 4 31   12 Nov 24 2026 numbers.txt", "numbers.txt", FILE, 12),
    ("-rw-r--r--   1 0        0            1234 Nov 24 05:30 of root.txt", "of root.txt", FILE, 1234),
    ("-rwx---rwx   1 ERP  0   1234 Nov 24 05:30 group 0.txt", "group 0.txt", FILE, 1234),
    ("-rw-r--r--   1 11 erp 2026 Nov 24 05:30 owner 11.txt", "owner 11.txt", FILE, 2026),
    ("-rw-r--r--   1 0  0   1234 2026-11-24 05:30 root and iso.txt", "root and iso.txt", FILE, 1234),
    ("-rw-r--r--   1 0  0   1234 11 24 05:30 all numbers.txt", "all numbers.txt", FILE, 1234),
    ("-rw-r--r--   1 erp  erp 1234 Nov 24 05:30 Nov 24 2026 dated.txt", "Nov 24 2026 dated.txt", FILE, 1234),
    ("-rw-rw-r--+  1 erp  users   1234 Nov 24 05:30 acl.txt", "acl.txt", FILE, 1234),
    ("-rw-r--r--   longowner longgroup123456 Nov 24 05:30 touching.txt", "touching.txt", FILE, 123456),
    ("-rw-r--r--   1 erp  users   1,234,567 Nov 24 05:30 grouped.txt", "grouped.txt", FILE, 1234567),
    ("-rw-r--r--   1 erp  users   33.5k Nov 24 05:30 rounded.txt", "rounded.txt", FILE, None),
    ("drwxr-xr-x   2 erp  users   4096 Nov 24 05:30 processed", "processed", FOLDER, 4096),
    ("lrwxrwxrwx   1 erp  users     13 Nov 24 05:30 today.txt -> 2026/11 24.txt", "today.txt", LINK, None),
    ("prw-r--r--   1 erp  users      0 Nov 24 05:30 pipe", "pipe", OTHER, 0),
    ("brw-rw----   1 root disk  8,   0 Nov 24 05:30 sda", "sda", OTHER, 0),
    # NetWare
    ("- [RWCEAFMS] erp   1234       Nov 24 05:30    netware.txt", "netware.txt", FILE, 1234),
    ("d [RWCEAFMS] erp    512       Nov 24 05:30    processed", "processed", FOLDER, 512),
    # EPLF
    ("+i83.48,m1764000000,r,s1234,\tcustomers.txt", "customers.txt", FILE, 1234),
    ("+i83.50,m1764000000,/,\tprocessed", "processed", FOLDER, None),
    ("+up644\tneither", "neither", OTHER, None),
    # DOS, Windows, OS/2
    ("11-24-26  05:30AM                 1234 with spaces.txt", "with spaces.txt", FILE, 1234),
    ("24.11.2026  05:30             1.234 german.txt", "german.txt", FILE, 1234),
    ("2026-11-24  17:30             1,234 iso.txt", "iso.txt", FILE, 1234),
    ("24/11/26  5:30 p.m.           1’234 swiss.txt", "swiss.txt", FILE, 1234),
    ("24/11/2026  05:30         1\u00a0234\u00a0567 french.txt", "french.txt", FILE, 1234567),
    ("11-24-26  05:30AM       <DIR>          processed", "processed", FOLDER, None),
    ("11-24-26  05:30AM       <JUNCTION>     elsewhere", "elsewhere", FOLDER, None),
    ("11-24-26  05:30AM       <SYMLINK>      today.txt [C:\\out\\a.txt]", "today.txt", LINK, None),
    ("  1234      A    11-24-26   05:30  os2.txt", "os2.txt", FILE, 1234),
    ("     0 DIR       11-24-26   05:30  processed", "processed", FOLDER, None),
    ("1234  Nov 24, 2026 05:30 vshell.txt", "vshell.txt", FILE, 1234),
    # IBM i
    ("ERP             1234 11/24/26 05:30:00 *STMF      customers.txt", "customers.txt", FILE, 1234),
    ("ERP             1234 24.11.26 05:30:00 *STMF      two words.txt", "two words.txt", FILE, 1234),
    ("QSYS           77824 11/24/26 05:30:00 *DIR       processed/", "processed", FOLDER, 77824),
    ("ERP            36864 24.11.26 05:30:00 *FILE      CUSTOMERS.FILE", "CUSTOMERS.FILE", UNSURE, None),
    ("ERP                                    *MEM       OUT.FILE/CUST.MBR", "OUT.FILE/CUST.MBR", FILE, None),
    ("ERP             8192 24.11.26 05:30:00 *PGM       SEND.PGM", "SEND.PGM", OTHER, 8192),
    # z/OS
    ("VOL001 3390   2026/11/24  1   15  FB      80  8000  PS  ERP.CUSTOMERS", "ERP.CUSTOMERS", FILE, None),
    ("VOL001 3390   **NONE**    1   15  FB      80  8000  PO  ERP.LIBRARY", "ERP.LIBRARY", FOLDER, None),
    ("Migrated                                               ERP.ON.TAPE", "ERP.ON.TAPE", OTHER, None),
    ("CUST      01.01 2026/11/23 2026/11/24 05:30   128   128     0 ERP", "CUST", FILE, None),
    # VMS, NonStop
    ("CUSTOMERS.TXT;3   12/15   24-NOV-2026 05:30:00  [ERP]  (RWED,RWED,RE,)", "CUSTOMERS.TXT", FILE, None),
    ("CUSTOMERS.TXT;3   [ERP]  12/15   4-NOV-2026 05:30  (RWED,RWED,RE,)", "CUSTOMERS.TXT", FILE, None),
    ("PROCESSED.DIR;1    1/3    24-NOV-2026 05:30:00  [ERP]  (RWE,RWE,RE,RE)", "PROCESSED", FOLDER, None),
    ('CUST  101  1234  24-Nov-26 05:30:00  255,255 "nunu"', "CUST", FILE, None),
    # The facts of MLSD, whole and not
    ("type=file;size=1234;modify=20261124053000; customers.txt", "customers.txt", FILE, 1234),
    ("Type=file;Modify=20261124053000; no size.txt", "no size.txt", FILE, None),
    ("size=1234;modify=20261124053000; no type.txt", "no type.txt", FILE, 1234),
    ("modify=20261124053000; neither.txt", "neither.txt", UNSURE, None),
    ("type=file;size=1234 no-last-semicolon.txt", "no-last-semicolon.txt", FILE, 1234),
    ("type=dir;modify=20261124053000; processed", "processed", FOLDER, None),
    ("type=OS.unix=slink:/data/a.txt;size=7; today.txt", "today.txt", LINK, 7),
    ("type=OS.unix=chr-1/3;size=0; null", "null", OTHER, 0),
]  # fmt: skip


def over_the_wire(line):
    return line.encode().decode("latin-1")


@pytest.mark.parametrize(("line", "name", "kind", "size"), LINES, ids=[name for _, name, _, _ in LINES])
def test_a_line_of_any_dialect_is_read(line, name, kind, size):
    (entry,) = read_listing([over_the_wire(line)])
    assert (entry.name, entry.kind, entry.size) == (over_the_wire(name), kind, size)


@pytest.mark.parametrize(
    "lines",
    [
        ["total 12", LINES[0][0]],
        ["", "total 12", LINES[0][0]],
        ["insgesamt 12", LINES[0][0], ""],
        ["drwxr-xr-x 2 erp users 4096 Nov 24 05:30 .", LINES[0][0]],
        ["drwxr-xr-x 2 erp users 4096 Nov 24 05:30 ..", LINES[0][0]],
        ["type=cdir; /out", "type=pdir; ..", LINES[0][0]],
        ["", "Directory DISK:[ERP]", "", "CUSTOMERS.TXT;1", "   12   24-NOV-2026 05:30", "Total of 1 file, 2 blocks"],
        ["Volume Unit Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname", "VOL1 3390 **NONE** 1 15 FB 80 80 PS CUST"],
        [" Name     VV.MM   Created       Changed      Size  Init   Mod   Id", "CUST"],
    ],
)  # fmt: skip
def test_what_stands_around_the_files_is_no_file(lines):
    assert len([entry for entry in read_listing(lines) if entry.kind == Kind.FILE]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "customers.txt",
        "what is this",
        "drwxr-xr-x 3 erp users 512 no-date",
        "24.11.2026  05:30         9 730 is this 9 or 9730.txt",
        "-rw-r--r-- 1 erp users 1234 yesterday customers.txt",
        "%RMS-E-PRV, insufficient privilege",
    ],
)
def test_a_line_that_no_dialect_takes_is_never_passed_over(line):
    with pytest.raises(UnreadableLine) as raised:
        list(read_listing([LINES[0][0], line, LINES[1][0]]))
    assert raised.value.line == line


@given(st.lists(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60), max_size=4))
def test_any_text_is_read_or_named(lines):
    try:
        entries = list(read_listing(lines))
    except UnreadableLine as error:
        assert error.line
        return
    assert len(entries) <= len(lines)


def test_the_times_that_a_listing_tells_exactly_are_taken():
    lines = ["type=file;size=1;modify=20261124053000.25; a", "+m1764000000,r,s1,\tb", LINES[0][0]]
    assert [entry.modified_at for entry in read_listing(lines)] == [
        datetime(2026, 11, 24, 5, 30, 0, 250_000, UTC),
        datetime.fromtimestamp(1_764_000_000, UTC),
        None,
    ]

# ruff: noqa: DTZ001  (names carry no time zone)
"""Masks: which files are a feed's, and in which order they were made."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.filesystems.masks import Mask, MaskError

STAMPED = "customers_{%Y%m%d%H%M%S}*.txt"


@pytest.mark.parametrize(
    ("mask", "name", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "a.TXT", False),
        ("*.[ct]sv", "a.csv", True),
        ("customers?.csv", "customers1.csv", True),
        ("customers?.csv", "customers.csv", False),
        ("*", "with spaces and ü.csv", True),
        ("*", "line\nbreak.csv", True),
        ("*", ".hidden.csv", False),
        (".*.csv", ".hidden.csv", True),
        ("*", "a.csv.part", False),
        ("*", "a.CSV.FILEPART", False),
        ("*", "a.csv~", False),
        ("*.tmp", "a.tmp", False),
        (STAMPED, "customers_20261124053000.txt", True),
        (STAMPED, "customers_20261124053000_full.txt", True),
        (STAMPED, "customers_20261324053000.txt", False),
        (STAMPED, "customers_.txt", False),
        ("(a+b).txt", "(a+b).txt", True),
        ("(a+b).txt", "aab.txt", False),
        ("", "customers.txt", True),
        ("", "CUSTOMERS.Csv", True),
        ("", "customers.xml", False),
        ("", ".customers.txt", False),
        ("ünï*.txt", "u\u0308ni\u0308.txt", True),
    ],
)
def test_which_names_a_mask_takes(mask, name, matches):
    assert Mask.parse(mask).matches(name) is matches


@pytest.mark.parametrize(
    ("mask", "name", "time"),
    [
        (STAMPED, "customers_20261124053000.txt", datetime(2026, 11, 24, 5, 30)),
        ("{%d.%m.%y}-*.csv", "24.11.26-b.csv", datetime(2026, 11, 24)),
        ("k_{%Y-%j}.csv", "k_2026-328.csv", datetime(2026, 11, 24)),
        ("{%d%b%Y}.csv", "24Nov2026.csv", datetime(2026, 11, 24)),
        ("{%d-%m-%Y}.csv", "2-11-2026.csv", datetime(2026, 11, 2)),
        ("*{%d-%m-%Y}*", "a12-11-2026b", datetime(2026, 11, 12)),
        ("{%Y-%m-%d %H.%M}.csv", "2026-1-2 7.05.csv", datetime(2026, 1, 2, 7, 5)),
        ("{%Y%m%d}.csv", "2026112.csv", None),
        ("{%d-%b-%Y}.csv", "26-Dez-2026.csv", datetime(2026, 12, 26)),
        ("{%d. %B %Y}.csv", "2. März 2026.csv", datetime(2026, 3, 2)),
        ("{%d. %B %Y}.csv", "2. MAERZ 2026.csv", datetime(2026, 3, 2)),
        ("{%d %b %Y}.csv", "2 févr. 2026.csv", datetime(2026, 2, 2)),
        ("{%d %b %Y}.csv", "2 fe\u0301vr. 2026.csv", datetime(2026, 2, 2)),
        ("{%d%b%y}.csv", "02ago26.csv", datetime(2026, 8, 2)),
        ("{%d%b%y}.csv", "02set26.csv", datetime(2026, 9, 2)),
        ("{%d%b%y}.csv", "02mrt26.csv", datetime(2026, 3, 2)),
        ("{%d%b%y}.csv", "02ene26.csv", datetime(2026, 1, 2)),
        ("{%d%b%y}.csv", "02out26.csv", datetime(2026, 10, 2)),
        ("{%d-%b-%Y}.csv", "26-GRU-2026.csv", datetime(2026, 12, 26)),
        ("{%d %B %Y}.csv", "2 grudnia 2026.csv", datetime(2026, 12, 2)),
        ("{%d %B %Y}.csv", "2 červen 2026.csv", datetime(2026, 6, 2)),
        ("{%b-%d-%Y}.csv", "Kas-4-2026.csv", datetime(2026, 11, 4)),
        ("{%d%b%y}.csv", "02jui26.csv", None),
        ("{%d%b%y}.csv", "02xyz26.csv", None),
        ("*.csv", "20261124.csv", None),
        (STAMPED, "other.txt", None),
    ],
)
def test_the_time_that_a_name_carries(mask, name, time):
    assert Mask.parse(mask).time_of(name) == time


@pytest.mark.parametrize(
    ("mask", "wrong"),
    [
        ("in/*.txt", "folder"),
        ("in\\*.txt", "folder"),
        ("{%Y}{%m}.txt", "at most one time stamp"),
        ("{}.txt", "time stamp"),
        ("a}.txt", "time stamp"),
        ("{%d%m}.txt", "a year"),
        ("{%Y%Q}.txt", "%Q"),
        ("{%Y", "time stamp"),
    ],
)
def test_what_is_no_mask_is_told(mask, wrong):
    with pytest.raises(MaskError, match=wrong):
        Mask.parse(mask)


@pytest.mark.parametrize(
    ("mask", "name", "reason"),
    [
        (STAMPED, "customers_26-Foo-2026.txt", "'26-Foo-2026' is no time of the form {%Y%m%d%H%M%S}"),
        (STAMPED, "customers_20261324053000.txt", "'20261324053000' is no time"),
        (STAMPED, "orders_20261124053000.txt", f"the mask {STAMPED} does not take it"),
        ("", "a.xml", "the mask *.txt or *.csv does not take it"),
        ("*", "a.part", "still being written"),
        ("*", "~$a.txt", "still being written"),
        ("*", ".~lock.a.txt#", "still being written"),
        ("*", ".a", "hidden"),
    ],
)
def test_why_a_name_is_not_taken(mask, name, reason):
    assert reason in Mask.parse(mask).explain(name)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_mask_or_told_why_not(mask, name):
    try:
        parsed = Mask.parse(mask)
    except MaskError:
        return
    assert parsed.matches(name) in (True, False)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2068, 12, 31)))
def test_a_time_written_into_a_name_is_read_from_it(time):
    name = f"customers_{time:%Y%m%d%H%M%S}.txt"
    assert Mask.parse(STAMPED).time_of(name) == time.replace(microsecond=0)

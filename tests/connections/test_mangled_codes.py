"""What codes may have been before a program took them for something else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connections.mangled_codes import (
    ACCENTS,
    DATE,
    LOST,
    accents_lost,
    are_unlike,
    damaged,
    keys_left,
    keys_meant,
    name_mangling,
)
from connections.near_keys import near_key


@pytest.mark.parametrize(
    ("mangled", "code"),
    [
        ("02-Jan", "1-2"), ("02. Jan", "1-2"), ("2-Jan", "1/2"), ("02-janv", "1.2"), ("02.Jan", "02-01"),
        ("4-Mär", "3/4"), ("04-mars", "3-4"), ("04-mrt", "4-3"), ("Jan-26", "1-26"), ("01-Sep", "SEPT1"),
        ("1-Mar", "MARCH1"),
        ("10-Mar", "MAR-10"), ("10-mrz", "MRZ10"), ("12-May", "12/05"), ("2026-01-02", "1-2"),
        ("2026-03-04 00:00:00", "3/4"), ("02.01.2026", "1-2"), ("1/2/2026", "01-02"), ("01/02/2026", "1-2-26"),
        ("2026-12-01", "DEC1"), ("Jan-24", "2024-01"), ("02-Jan-26", "1-2-26"), ("Dez 24", "12/24"),
    ],
)  # fmt: skip
def test_dates_of_spreadsheets(mangled, code):
    assert keys_meant(mangled)[near_key(code)] == DATE


@pytest.mark.parametrize(
    ("mangled", "code"),
    [
        ("A&amp;B", "A&B"), ("M&Uuml;LLER", "MÜLLER"), ("A&#38;B", "a&b"), ("A%26B", "A&B"), ("MÃœLLER", "müller"),
        ("MÃ¼LLER", "MÜLLER"), ("#10017", "10017"), ("10017;", "10017"), ("<10017>", "10017"), ("[A-1]", "a-1"),
        ("42.000", "42"), ("42,000", "42"), ("55-", "-55"), ("(55)", "-55"), ("55−", "-55"),
        ("$10,017", "10017"), ("No. 10017", "10017"), ("Nr 00123", "123"),
    ],
)  # fmt: skip
def test_signs_that_programs_change(mangled, code):
    assert near_key(code) in keys_meant(mangled)


@pytest.mark.parametrize(
    ("mangled", "code"), [("MULLER", "MÜLLER"), ("MUELLER", "Müller"), ("Lodz-1", "Łódź-1"), ("Nandu", "Ñandú")]
)
def test_accents_that_are_lost_on_either_side(mangled, code):
    assert near_key(mangled) in accents_lost(near_key(code))
    assert keys_meant(code)[near_key(mangled)] == ACCENTS


@pytest.mark.parametrize("mangled", ["M?LLER", "M??LLER", "M\ufffdLLER", "M\ufffd\ufffdLLER", "M³LLER", "M▄LLER"])
def test_characters_that_are_lost(mangled):
    assert damaged(near_key("MÜLLER")) in {near_key(mangled), *keys_meant(mangled)}
    assert name_mangling(mangled, "MÜLLER") == LOST


@pytest.mark.parametrize(
    "code",
    ["10017", "00123", "C1", "ABC-1", "AB12", "MARIO1", "2026", "1-2", "1/2", "12/05", "MAR", "MARTIN-7", "10.5", "A.1",
     "123-456", "КЛИЕНТ-1", "東京-7", "A_1", "X-2026-01-02"],
)  # fmt: skip
def test_usual_codes_mean_themselves(code):
    assert keys_meant(code) == {}


@given(
    st.lists(
        st.from_regex(r"0?[1-9A-Ca-c]{1,4}-?[0-9]{0,3}", fullmatch=True)
        | st.sampled_from(["MAR1", "1-Mar", "NUM12", "12", "1E2", "9" * 16, "9" * 15, "Ä1", "A 1", "\u212a1", "a.1"])
        | st.text("0123aK-\n", min_size=1, max_size=5),
        unique=True,
    )
)
@example(["K0000001-1", "K0000001-2", "K0000001-10"])
def test_codes_that_are_unlike_at_a_glance_share_no_key(codes):
    keys = [{near_key(code), *keys_left(near_key(code)), *keys_meant(code)} for code in codes]
    shares = sum(map(len, keys)) > len(set().union(*keys))
    assert not (are_unlike(codes) and shares)


def test_what_most_codes_are_is_unlike_at_a_glance():
    assert are_unlike([f"K{number:07}-{address}" for number in range(50) for address in range(1, 4)])
    assert are_unlike(["10017", "10018", "A1"])
    assert not are_unlike(["10017", "0010017"])
    assert not are_unlike(["K1-1", "k11"])

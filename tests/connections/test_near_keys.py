"""Near-keys: which codes look like one, and in what they differ."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connections import near_keys
from connections.near_keys import name_differences, near_key
from tests.imports.mangling import CODES, mangled


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ("A1", "a1", "case"),
        ("ÄPFEL", "äpfel", "case"),
        ("STRASSE", "straße", "case"),
        ("ΟΔΟΣ", "οδος", "case"),
        ("КЛИЕНТ-1", "клиент-1", "case"),
        ("DIYAR", "dıyar", "case (U+0131)"),
        ("İZMIR", "izmir", "case (U+0130)"),
        ("C1", "С1", "letters of another script (U+0421)"),
        ("KAMA-7", "КАМА-7", "letters of another script (U+0410, U+041A, U+041C)"),
        ("hotel", "НOTEL", "case and letters of another script (U+041D)"),
        ("TAO", "ΤΑΟ", "letters of another script (U+0391, U+039F, U+03A4)"),
        ("КА", "ΚΑ", "letters of another script (U+0391, U+039A, U+0410, …)"),
        ("00123", "123", "leading zeros"),
        ("000", "0", "leading zeros"),
        ("00A1", "a1", "case and leading zeros"),
        ("10017", "10017.0", "zeros behind a decimal point"),
        ("10017", "10017.00", "zeros behind a decimal point"),
        ("10017", "10017,0", "zeros behind a decimal point"),
        ("10017", "10017.", "zeros behind a decimal point"),
        ("0", "0.0", "zeros behind a decimal point"),
        ("00123", "123.0", "leading zeros and zeros behind a decimal point"),
        ("10017", "10,017", "separators of thousands"),
        ("10017", "10.017", "separators of thousands"),
        ("10017", "10'017", "separators of thousands"),
        ("1234567", "1,234,567.00", "separators of thousands and zeros behind a decimal point"),
        ("10017", "'10017", "marks around it"),
        ("10017", "’10017", "marks around it (U+2019)"),
        ("10017", "´10017", "marks around it (U+00B4)"),
        ("10017", "＇10017", "marks around it (U+FF07)"),
        ("10017", '"10017"', "marks around it"),
        ("10017", '="10017"', "marks around it"),
        ("10017", "+10017", "marks around it"),
        ("00123", "'123", "marks around it and leading zeros"),
        ("10017", "10 017", "spaces"),
        ("10017", "10\u00a0017", "spaces (U+00A0)"),
        ("10017", "10\u202f017", "spaces (U+202F)"),
        ("A 1", "A\t1", "spaces (U+0009)"),
        ("A B", "A  B", "spaces"),
        ("10017", "10017\u200b", "invisible characters (U+200B)"),
        ("10017", "\ufeff10017", "invisible characters (U+FEFF)"),
        ("10017", "100\u00ad17", "invisible characters (U+00AD)"),
        ("10017", "10017\u2800", "invisible characters (U+2800)"),
        ("10017", "10017\ufe0f", "invisible characters (U+FE0F)"),
        ("10017", "10017\x07", "invisible characters (U+0007)"),
        ("CAFÉ", unicodedata.normalize("NFD", "CAFÉ"), "the form of its characters (U+00C9, U+0301)"),
        ("서울", unicodedata.normalize("NFD", "서울"), "the form of its characters (U+1109, U+110B, U+1165, …)"),
        ("10017", "１００１７", "the form of its characters (U+FF10, U+FF11, U+FF17)"),
        ("10017", "١٠٠١٧", "the form of its characters (U+0660, U+0661, U+0667)"),
        ("AB1", "ＡＢ１", "the form of its characters (U+FF11, U+FF21, U+FF22)"),
        ("カ1", "ｶ1", "the form of its characters (U+30AB, U+FF76)"),
        ("ﬁrma", "firma", "the form of its characters (U+FB01)"),
        ("A2", "A²", "the form of its characters (U+00B2)"),
        ("A-1", "A–1", "the form of its characters (U+2013)"),
        ("A-1", "A\u20111", "the form of its characters (U+2011)"),
        ("A-1", "A−1", "the form of its characters (U+2212)"),
        ("A-1", "A－1", "the form of its characters (U+FF0D)"),
        ("O'NEIL", "O’NEIL", "the form of its characters (U+2019)"),
        ("AB-123", "AB 123", "spaces and separators"),
        ("AB-123", "AB/123", "separators"),
        ("AB_123", "AB.123", "separators"),
        ("KD-MUN-1", "KDMUN1", "separators"),
        ("10-200", "10/200", "separators"),
        ("DE-10-200", "de10.200", "case and separators"),
    ],
)
def test_codes_that_look_like_one(first, second, difference):
    assert near_key(first) == near_key(second)
    assert name_differences(first, second) == name_differences(second, first) == difference


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("10017", "10018"), ("123", "1230"), ("100", "1"), ("A1", "A01"), ("10-11", "101-1"), ("1.5", "15"),
        ("10.1", "10.10"), ("1.50", "1.5"), ("10.20", "1020"), ("CAFE", "CAFÉ"), ("A-1-1", "A-11"),
        ("X&Y", "XY"), ("C+1", "C1"), ("-1", "1"), ("0", "O"),         ("'", "-"), ("\u200b", "\u200c"), ("1/2", "12"),
    ],
)  # fmt: skip
def test_codes_that_are_different(first, second):
    assert near_key(first) != near_key(second)


@given(code=CODES, data=st.data())
@example(code="0", data=None)
def test_what_other_programs_make_of_a_code_has_its_near_key(code, data):
    changed = data.draw(mangled(code)) if data else f"00{code}.0"
    assert near_key(changed) == near_key(code)
    if changed != code:
        assert name_differences(code, changed)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=100).map(str.strip))
@example("\ufdfa" * 100)
@example("0.0")
def test_every_code_has_a_near_key_that_can_be_stored(code):
    key = near_key(code or "x")
    assert 0 < len(key) <= near_keys.LONGEST
    assert "\0" not in key


@given(st.text(st.characters(max_codepoint=126, min_codepoint=33), min_size=1, max_size=12))
def test_the_short_way_for_plain_codes_comes_to_the_same(code):
    with pytest.MonkeyPatch.context() as patch:
        key = near_key(code)
        patch.setattr(near_keys, "_PLAIN", re.compile(r"(?!)"))
        assert near_key(code) == key

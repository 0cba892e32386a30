"""Postal codes that lack the zeros in front of them, and those with letters for digits."""

import pytest

from imports.formats.postal_codes import find_confused, find_full_code, is_incomplete


@pytest.mark.parametrize(
    ("code", "country", "full"),
    [
        ("2110", "US", "02110"), ("501", "US", "00501"), ("21101234", "US", "021101234"),
        ("2110-1234", "US", "02110-1234"),
        ("1067", "DE", "01067"), ("6000", "FR", "06000"), ("187", "IT", "00187"), ("8001", "ES", "08001"),
        ("150", "NO", "0150"), ("800", "AU", "0800"), ("1", "ZA", "0001"), ("600001", "JP", "0600001"),
        ("60-0001", "JP", "060-0001"), ("1310-100", "BR", "01310-100"), ("0-950", "PL", ""), ("950", "PL", "00950"),
        ("10 01", "SK", "010 01"),
    ],
)  # fmt: skip
def test_lost_zeros_are_put_back(code, country, full):
    assert find_full_code(code, country) == full


@pytest.mark.parametrize(
    ("code", "country"),
    [("97201", "US"), ("97201-1234", "US"), ("8001", "CH"), ("D-1067", "DE"), ("1067", "GB"), ("", "US"),
     ("75 003", "FR"), ("972012345678", "US"), ("100-0001", "JP"), ("0150", "NO"), ("x", "DE"), ("1010", "AT"),
     ("²110", "US")],
)  # fmt: skip
def test_others_lack_none(code, country):
    assert find_full_code(code, country) == ""


@pytest.mark.parametrize(
    ("code", "country", "meant"),
    [
        ("O2110", "US", "02110"), ("O211O-l234", "US", "02110-1234"), ("SW1A OAA", "GB", "SW1A 0AA"),
        ("0X1 2AB", "GB", "OX1 2AB"), ("K1A OB1", "CA", "K1A 0B1"), ("k1ao b1", "CA", ""), ("1O115", "DE", "10115"),
        ("D-1O115", "DE", "D-10115"), ("I0I5", "AT", "1015"), ("1OO-0001", "JP", "100-0001"),
        ("1012 0P", "NL", "1012 OP"), ("00-95O", "PL", "00-950"),
    ],
)  # fmt: skip
def test_letters_for_digits_are_told_with_what_may_be_meant(code, country, meant):
    assert find_confused(code, country) == meant


@pytest.mark.parametrize(
    ("code", "country"),
    [("02110", "US"), ("SW1A 0AA", "GB"), ("GIR 0AA", "GB"),
     ("W1A 1AA", "GB"), ("OL1 1AA", "GB"), ("K1A 0B1", "CA"), ("1012 OP", "NL"),
     ("D02 XO00", "IE"), ("OOOOO", "XX"), ("LOT 5", "US"), ("", "US"), ("2110", "US")],
)  # fmt: skip
def test_in_others_nothing_is_confused(code, country):
    assert find_confused(code, country) == ""


@pytest.mark.parametrize(
    ("code", "country"), [("1017 A", "NL"), ("1017ABC", "NL"), ("0017 AB", "NL"), ("M5V 2T", "CA"), ("SW1A 1A", "GB")]
)
def test_a_code_with_too_few_or_too_many_letters_is_no_whole_one(code, country):
    assert is_incomplete(code, country)


@pytest.mark.parametrize(
    ("code", "country"),
    [("1017 ab", "NL"), ("NL-1017 AB", "NL"), ("1017", "NL"), ("m5v-2t6", "CA"), ("SW1A  1AA", "GB"), ("BFPO 1", "GB"),
     ("GIR 0AA", "GB"),
     ("1017 A", "DE"), ("Amsterdam", "NL"), ("", "NL")],
)  # fmt: skip
def test_whole_codes_are_written_in_many_ways(code, country):
    assert not is_incomplete(code, country)

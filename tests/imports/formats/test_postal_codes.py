"""Postal codes that lack the zeros in front of them."""

import pytest

from imports.formats.postal_codes import find_full_code


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

"""Codes are numbered as a dict would number them, in less memory."""

import copy
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.files import codes as codes_module
from imports.files.codes import Codes

CODES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.text("ab", max_size=3)


@pytest.mark.parametrize(
    ("many", "bits"),
    [(2**17, 0xFFFFFFFF), (3, 0xFFFFFFFF), (3, 0b11)],
    ids=["few", "many", "many whose hashes collide"],
)
def test_codes_are_numbered_as_by_a_dict(many, bits):
    @given(st.lists(CODES, max_size=60), st.lists(CODES, max_size=10))
    def compare(came, asked):
        codes = Codes()
        expected: dict[str, int] = {}
        for code in came:
            assert codes.add(code) == expected.setdefault(code, len(expected))
        assert [*codes] == [*expected] == [codes.name(number) for number in range(len(codes))]
        for code in [*came, *asked]:
            assert codes.get(code) == expected.get(code)
            assert (code in codes) == (code in expected)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes_module, "MANY", many)
        patch.setattr(codes_module, "_FEWEST_SLOTS", 8)
        patch.setattr(codes_module, "_HASH", bits)
        compare()


def test_a_code_that_did_not_come_has_no_number():
    with pytest.raises(KeyError, match="'C2'"):
        Codes(["C1"])["C2"]
    assert Codes(["C1"])["C1"] == 0


def test_a_code_of_many_takes_less_than_forty_bytes():
    codes = Codes(f"C{number:07}" for number in range(2**18))  # as few for its slots as there can be
    tracemalloc.start()
    copied = copy.deepcopy(codes)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 40 * len(copied)

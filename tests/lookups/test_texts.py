"""What a text says does not depend on how it came."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookups.texts import (
    WHITE_SPACE,
    drop_controls,
    drop_invisible,
    find_controls,
    is_plain,
    name_controls,
    read_key,
    read_text,
    space_controls,
)

UNSEEN = [
    "\u200b",  # zero-width space
    "\u200c\u200d",  # zero-width joiners
    "\u200e\u200f\u061c",  # direction marks
    "\u202a\u202e\u2066\u2069",  # embeddings and isolates
    "\u00ad",  # soft hyphen
    "\u2060",  # word joiner
    "\ufeff\ufeff",  # byte order marks
    "\u180e\ufe0f\U000e0020",  # vowel separator, variation selector, tag
]


@pytest.mark.parametrize("unseen", UNSEEN, ids=lambda text: f"U+{ord(text[0]):04X}")
def test_what_cannot_be_seen_is_no_part_of_a_key(unseen):
    for place in ("{}A-17", "A-17{}", "A{}-17", " {} A-17 {} ", '="A-{}17"', '{}="A-17"'):
        assert read_key(place.replace("{}", unseen)) == "A-17", place


def test_what_cannot_be_seen_stays_within_other_text_but_makes_none():
    assert read_text("می\u200cخواهم") == "می\u200cخواهم"
    assert read_text(" \u200b\ufeff\u00a0") == read_key("\u200e") == ""


@pytest.mark.parametrize("space", WHITE_SPACE, ids=lambda text: f"U+{ord(text):04X}")
def test_every_space_of_unicode_is_trimmed(space):
    assert read_key(f"{space}A 17{space} ") == read_text(f" {space}A 17{space}") == "A 17"


def test_spaces_are_those_of_unicode():
    python = {chr(point) for point in range(0x110000) if chr(point).isspace()}
    assert python - set(WHITE_SPACE) == set("\x1c\x1d\x1e\x1f")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="00123"', "00123"),
        (' = "00123 " ', "00123"),
        ('=""', ""),
        ('="say ""so"""', 'say "so"'),
        ("=00123", "=00123"),
        ('="a"&"b"', '="a"&"b"'),
        ("'00123", "'00123"),
        ('"00123"', '"00123"'),
    ],
)
def test_a_text_comes_out_of_the_formula_that_keeps_its_zeros(cell, text):
    assert read_key(cell) == read_text(cell) == text


@given(st.text())
def test_reading_again_changes_nothing_but_formulas(text):
    for read in (read_text, read_key):
        once = read(text)
        assert unicodedata.is_normalized("NFC", once)
        assert once.startswith("=") or read(once) == once
        assert read(unicodedata.normalize("NFD", text)) == read(unicodedata.normalize("NFC", text))


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_plain_text_is_what_it_says(text):
    if is_plain(text):
        assert read_text(text) == read_key(text) == text.strip()
        assert not find_controls(text, is_key=True)


def test_control_characters_are_named():
    assert find_controls("a\x07b\x1c\x07", is_key=True) == ["\x07", "\x1c"]
    assert find_controls("two\r\nlines\tand a tab", is_key=False) == []
    assert find_controls("two\nlines", is_key=True) == ["\n"]
    assert find_controls("a\x0b\x92\x00", is_key=False) == ["\x0b", "\x92", "\x00"]
    assert find_controls("non\u00a0breaking", is_key=True) == []
    assert name_controls(["\x07"]) == "the control character U+0007"
    assert name_controls(["\x07", "\x1c", "\x92"]) == "the control characters U+0007, U+001C and U+0092"


def test_control_characters_give_way_to_spaces_in_text_and_to_nothing_in_keys():
    assert space_controls("Ash\x0b&\u2028Sons\x1d") == "Ash & Sons"
    assert drop_controls("10\x0718\x1c") == "1018"
    assert drop_invisible("a\u200bb") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "Żaba Nowak 0",
        "50 中央通り",
        "48 Gran Vía",
        "京都",
        "Μόσχα",
        "Москва",
        "n° 1",
        "L’Été",
        "서울",
        "Ash & Żaba",
        "Öçé ßé",
        "Кафе No 1",
    ],
)
def test_most_names_are_plain(text):
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "a\u200b",
        "a\u00a0b",
        "Àéîõ",
        "Mьller",
        "Oakу",
        "Àéîõ|Кафе",
        "e\u0301",
        "a\x07",
        "a\tb",
        "\u212b",
        "Ã©",
        "Å›",
        "â€™",
        "カ\u3099",
        "A&B",
        "&& amp;",
    ],
)
def test_what_must_be_looked_at_is_not(text):
    assert not is_plain(text)

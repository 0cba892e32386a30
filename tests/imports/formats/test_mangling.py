"""What spreadsheets and other programs leave of a text is told; what people write is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.errors import CellError
from imports.formats.mangling import (
    DATE,
    JOINED,
    NO_DIGIT,
    ROUNDED,
    SEVERAL,
    SHORT,
    find_damage,
    find_escaped,
    find_mangled,
    find_mangled_figure,
    find_utf_7,
    has_apostrophe,
    has_lost_letters,
    is_amount,
    is_formula,
    is_printed,
    may_be_mangled,
)
from lookups.texts import is_plain

DATES = """02.Jan|2-Jan|02. Jan|02-janv|Jan-02|02/jan|07.Nov|4-Mär|04-mrt|1-ene|02-Jan-26|2026-01-02|2026-01-02 00:00:00
|01.02.2026|1/2/2026|13/02/2026""".replace("\n", "").split("|")
NUMBERS = ["4.1791E+10", "4,1791e+10", "1E+05", "41.8E+09", "1.2E7"]
WRITTEN = """1 Elm St.|7-11|8 Mars|May Co|12/15|Mai 68|12 Rue X|97201|97201-1234|00-950|01310-100|W1A 1AA|503.555.0101
|912.345.678|01.02.03.04.05|+41 79 123 45 67|(503) 555-0101|12-34-5678|1E5|2-3 Main St|10.5.|A-Jan-02|32.Jan.X|0|00
|Unit 4/Dec|Saint-10""".replace("\n", "").split("|")


@pytest.mark.parametrize(("texts", "what"), [(DATES, DATE), (NUMBERS, SHORT), (WRITTEN, "")])
def test_dates_and_shortened_numbers_are_told_from_what_people_write(texts, what):
    for text in texts:
        assert find_mangled(text) == what, text
        assert may_be_mangled(f"|Elm| {text} |Oak|") or not what, text
        assert not is_amount(text), text


PHONES = [
    "0049 30 12345678901",
    "+493012345678901",
    "503 555 0100 ext. 123456",
    "5035550100x123456",
    "123456789012345",
]


def test_phones_have_as_many_digits_as_there_are():
    assert {find_mangled_figure(text, True) for text in PHONES} == {""}
    told = ["4930123456789012", "44 20 7946 0958 1234 5678", "(503) 555-0100/(503) 555-0101", "0049301234567890123"]
    assert {find_mangled_figure(text, True) for text in told} == {JOINED}
    assert find_mangled_figure("49301234567890100", True) == ROUNDED
    assert {find_mangled_figure(text, True) for text in ("call me", "eve@oak.example", "+", "Eve Roe")} == {NO_DIGIT}
    several = ["030 123456, 0171 1234567", "503-555-0100;503-555-0101"]
    assert {find_mangled_figure(text, True) for text in several} == {SEVERAL}
    assert {find_mangled_figure(text, True) for text in ("5035550100,12", "555-0100 (Mo-Fr, 9-17)")} == {""}
    assert find_mangled_figure("n/a", True) == ""  # which is told as a word for nothing
    assert find_mangled_figure("HKG", False) == ""
    assert find_mangled_figure("4930123456789012", False) == ""  # no postal code is dialled


@pytest.mark.parametrize(
    ("text", "meant"), [("M+APw-ller", "Müller"), ("Caf+AOk- Noir", "Café Noir"), ("+BB8EQA-", "Пр")]
)
def test_text_of_utf_7(text, meant):
    assert may_be_mangled(f"C1|{text}|Oak")
    said = find_utf_7(text)
    assert said is not None
    assert repr(meant) in str(said)


@pytest.mark.parametrize(
    "text", ["A+B-C", "Smith +Co- x", "A++-", "+Plus-Size", "+351-21", "+44-20", "Elm+Ash-Oak", "1+1-2", "x +AAA- y"]
)
def test_what_people_write_with_plus_and_minus_is_no_utf_7(text):
    assert find_utf_7(text) is None


@pytest.mark.parametrize(
    "text",
    ["8001.0", "41791234567.0", "41791234567,00", "-4518", "97,201", "41,791,234,567.0", "1’204", "=97201", "=+49301"],
)
def test_amounts_in_the_place_of_digits(text):
    assert is_amount(text)


ESCAPED = [
    ("O\\'Neill", "a program", "O'Neill"),
    ("Ash\\/Oak", "a program", "Ash/Oak"),
    ("O''Neill", "a database", "O'Neill"),
    ("M&uuml;ller &amp; S&ouml;hne", "HTML", "Müller & Söhne"),
    ("O&#39;Neill", "HTML", "O'Neill"),
    ("Caf&eacute Noir", "HTML", "Café Noir"),
    ("Ash\\nSons", "a program", "Ash Sons"),
    ("Ash\\r\\nand Sons", "a program", "Ash and Sons"),
    ("B&amp;amp;B", "HTML", "B&B"),
    ("Ash_x000D_", "a workbook", "Ash"),
    ("M\\u00fcller", "a program", "Müller"),
    ("M\\xfcller", "a program", "Müller"),
    ("<b>Ash</b><br/>Sons", "HTML", "Ash Sons"),
    ("M=C3=BCller", "e-mail", "Müller"),
    ("M=FCller", "e-mail", "Müller"),
    ("=?utf-8?Q?M=C3=BCller?=", "e-mail", "Müller"),
    ("Rue de l%27%C3%A9cole", "a web address", "Rue de l'école"),
]


@pytest.mark.parametrize(("text", "what", "meant"), ESCAPED)
def test_text_that_was_written_for_something_else(text, what, meant):
    assert find_escaped(text) == (f"written for {what}", meant)


@pytest.mark.parametrize(
    "text",
    [
        "M?ller & S?hne",
        "M??ller",
        "M\ufffdller",
        "?????",
        "??? ????",
        "12 ?????",
        "?? ??",
        "?",
        "Oak\uf0b7",
        "\ufffe z",
        "M■ller",
        "Caf□",
        "▯sterreich",
        "Mu¿oz",
    ],
)
def test_letters_that_are_lost(text):
    assert damage_of(text) == "lost_character"


@pytest.mark.parametrize(
    "text", ["{{name}}", "Dear ${name}", "%NAME%", "<%= name %>", "{0}", "[customer_name]", "Oak\\"]
)
def test_values_that_a_program_did_not_fill_in(text):
    assert not is_plain(text)
    assert damage_of(text) == "mangled_value"


SOUND = """Müller & Söhne|A&B|AT&T; Co|R&D;|100%|50%20|a_b|Elm=Oak|Guess?|Who? Me|iPhone™s|wait…what|4”x6”|A•B|10×15 cm
|Rock´n´Roll|Mode¨X|Hotel„Zur Post”|«Été»|col·lecció|Привет|Україна|Ві|Πλατεία|京都|Łódź|José
|Oak ■ Ash|¿Qué?|C:\\users|C:\\new|50% of %|[Oak]|Oak {new}|$5 {x}|Really???|#5|x_x0_|<3 Elm|a < b > c""".replace(
    "\n", ""
).split("|")


def test_what_people_write_is_not_told():
    assert {text: found for text in SOUND if (found := damage_of(text))} == {}


@given(st.text("&; #xamp1A|é中"))
def test_what_is_plain_is_as_it_was_written(text):
    assert not is_plain(text) or damage_of(text) == ""


def damage_of(text: str) -> str:
    found = find_damage(text, looks_at_encoding=True)
    assert found is None or isinstance(found, CellError)
    return found.code if found else ""


FORMULAS = [
    '=A2&"-1"',
    "=VLOOKUP(A2,B:C,2,0)",
    "=SUMME(A1)",
    "='Sheet 1'!A1*2",
    "=-A1+1",
    "= $B$2/3",
    "=$A$3",
    "=Kunden!A2",
    "=A2",
    "=1+1",
    "@SUM(A2:A4)",
    "+SUM(A2)",
    '=""00123""',
    '="A"&"1"',
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_that_came_instead_of_their_values(text):
    assert is_formula(text)
    assert not any(map(is_formula, ["=00123", "=Elm", "A2+1", "=", "=-= Oak =-=", "@Home (NY)", "+1 (NY)", "@AB1"]))


def test_what_programs_print_is_told_from_what_people_write():
    printed = """['Oak']|('Oak',)|b'Oak'|{"name": "Oak"}|System.Data.DataRow|System.String[]|java.lang.Object@1f2a
|<shop.Customer object at 0x7f1>|Decimal('1.50')""".replace("\n", "").split("|")
    written = [
        "Oak",
        "[Oak]",
        "(Oak)",
        "'Oak'",
        "{Oak}",
        "B'Oak's",
        "b'twin",
        "System.Sound Shop",
        "Oak <Ash>",
        "a@oak.fr",
    ]
    assert [text for text in printed if not is_printed(text)] == []
    assert [text for text in written if is_printed(text)] == []


@pytest.mark.parametrize(
    ("before", "after", "is_lost"),
    [
        ("Café Noir", "Caf? Noir", True), ("Café Noir", "Caf?? Noir", True), ("Müller", "Mller", True),
        ("株式会社オーク", "???????", True), ("Café Noir", "Cafe Noir", False), ("Café Noir", "Café", False),
        ("株式会社オーク", "オーク", False), ("Oak®", "Oak", False), ("Oak", "Oak?", False), ("Café?", "Caf?", False),
    ],
)  # fmt: skip
def test_letters_are_lost_where_nothing_else_differs(before, after, is_lost):
    told_of_itself = find_damage(after, looks_at_encoding=True) is not None
    assert (has_lost_letters(after, before) or told_of_itself) is is_lost


def test_apostrophes_of_spreadsheets_stand_before_numbers():
    assert all(map(has_apostrophe, ("'00123", "\u201910017", "'10-17")))
    assert not any(map(has_apostrophe, ("", "'", "00123", "'t Winkeltje", "'10017'", "'n Oak")))

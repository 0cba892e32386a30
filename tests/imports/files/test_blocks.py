"""Blocks: what the cells of a row become, and what is said of them."""

from typing import Any

import pytest

from imports.files.blocks import CLEAR, KEEP, NOTHING
from imports.files.columns import CellProblem
from imports.files.mapping import CustomerMapping
from imports.formats.documents import read_format
from imports.formats.policies import EncodedTwice, FormatError, Policies, WordsForNothing
from imports.formats.spec import STANDARD, BadValue, Blank, FormatSpec
from imports.template import Target, find_target
from tests.imports.formats.test_spec import column, spec


def read(format_, header, *cells) -> tuple[dict[str, Any], list[CellProblem]]:
    """Values by field, and what was said, of one row."""
    values: dict[str, Any] = {}
    problems: list[CellProblem] = []
    for block in CustomerMapping(format_, header.split("|")).blocks:
        cleaned = block.clean(cells)
        parts = {bound.target.field.part: str(bound.target) for bound in block.columns}
        values |= {parts[part]: value for part, value in cleaned.values.items() if part in parts}
        problems += cleaned.problems
    return values, problems


def read_address(value_map, cell, target="shipping_country", **policies):
    columns = column("shipping_code", "Code"), column(target, "Land", value_map=value_map)
    format_ = spec(column("customer_code", "Nr"), column("profile_name", "Name"), *columns, **policies)
    return read(format_, "Nr|Name|Code|Land", "C1", "A", "S1", cell)


# -- value maps and languages


@pytest.mark.parametrize("cell", ["Ruritanien", "RURITANIEN", " ruritanien "])
@pytest.mark.parametrize("key", ["Ruritanien", "ruritanien", "RURITANIEN"])
def test_a_value_map_is_read_in_any_case(key, cell):
    values, problems = read_address({key: "RO"}, cell)
    assert (values["shipping_country_1"], problems) == ("RO", [])


@pytest.mark.parametrize(
    ("target", "value_map", "cell", "value"),
    [
        ("discount_line_item_level", {"JA": "yes"}, "ja", True),
        ("profile_name", {"dept": "Department"}, "DEPT", "Department"),
        ("address_type", {"Rechnung": "B"}, "RECHNUNG", "B"),
        ("price_type_currency", {"Pfund": "GBP"}, "PFUND", "GBP"),
        ("shipping_city", {"STRASSE": "Gasse"}, "straße", "Gasse"),
        ("shipping_state", {"É": "OR"}, "é", "OR"),
    ],
)
def test_value_maps_of_every_kind_of_field_are_read_in_any_case(target, value_map, cell, value):
    format_ = spec(column("shipping_code"), column(target, value_map=value_map))
    header = ["customer_code", "profile_name", "shipping_code", target]
    row = dict.fromkeys(header, "x") | {target: cell}
    values, problems = read(format_, "|".join(row), *row.values())
    assert value in values.values()
    assert problems == []


def test_an_exact_cell_of_a_value_map_comes_first():
    assert read_address({"a": "FR", "A": "DE"}, "A")[0]["shipping_country_1"] == "DE"
    assert read_address({"a": "FR", "A": "DE"}, "a")[0]["shipping_country_1"] == "FR"


DOCUMENT = """
name: erp
columns:
  - {source: Nr, target: customer_code}
  - {source: Land, target: shipping_country, value_map: {MAP}}
"""


def test_a_document_is_refused_whose_value_map_contradicts_itself_in_another_case():
    with pytest.raises(FormatError, match="column 2: value_map: 'd' and 'D' differ in case only"):
        read_format(DOCUMENT.replace("MAP", "d: DE, D: DK"))
    assert read_format(DOCUMENT.replace("MAP", "d: DE, D: DE")).columns


@pytest.mark.parametrize(
    ("cell", "code"), [("Österreich", "AT"), ("DEUTSCHLAND", "DE"), ("Suedkorea", "KR"), ("Italy", "IT"), ("d", "DE")]
)
def test_a_format_in_a_language_knows_all_countries_in_it(cell, code):
    values, problems = read_address({"Deutschland": "DE"}, cell, languages=("de",))
    assert (values["shipping_country_1"], problems) == (code, [])


def test_a_value_map_comes_before_the_language():
    assert read_address({"Holland": "BE"}, "holland", languages=("de",))[0]["shipping_country_1"] == "BE"


@pytest.mark.parametrize("policies", [{"languages": ("de",)}, {}])
def test_a_country_that_nothing_translates_names_the_value_map_and_who_keeps_it(policies):
    _, (problem,) = read_address({"Deutschland": "DE"}, "Autriche", **policies)
    assert problem.code == "invalid_country"
    assert "Did you mean Austria (AT)?" in problem.message
    assert "value map of the column 'Land' in the format test" in problem.message
    assert "whoever keeps the format" in problem.message


def test_a_cell_of_another_kind_that_a_value_map_lacks_names_it_too():
    _, (problem,) = read_address({"Y": "yes"}, "vielleicht", "discount_line_item_level")
    assert "value map of the column 'Land'" in problem.message


def test_the_standard_template_knows_english_alone_and_names_no_format():
    values, (problem,) = read(STANDARD, "customer_code|shipping_code|shipping_country", "C1", "S1", "Österreich")
    assert "shipping_country_1" not in values
    assert problem.message.endswith("such as FR, FRA or France. Did you mean Austria (AT)?")


@pytest.mark.parametrize("cell", ["null", "Null", " NULL "])
def test_cells_that_name_no_customer_do_so_in_any_case(cell):
    mapping = CustomerMapping(spec(column("customer_code", value_map={"NULL": ""})), ["customer_code", "profile_name"])
    assert cell.strip() in mapping.no_codes
    assert "NULL1" not in mapping.no_codes


# -- what comes unseen


def read_standard(format_=STANDARD, **cells):
    """Values and problems (field, code, severity, message) of a row of the standard template."""
    mapping = CustomerMapping(format_, list(cells))
    values: dict[str, Any] = {}
    problems: list[tuple[str, str, str, str]] = []
    for block in mapping.blocks:
        cleaned = block.clean(list(cells.values()))
        values |= cleaned.values
        problems += [(found.field, found.code, found.severity, found.message) for found in cleaned.problems]
    return values, problems


def problems_of(format_=STANDARD, **cells):
    return [problem[:3] for problem in read_standard(format_, **cells)[1]]


@pytest.mark.parametrize("name", ["customer_code", "shipping_code", "customer_group_name", "price_type_name"])
@pytest.mark.parametrize("cell", ["\u200bKé1", "Ke\u0301\u00ad1", " \ufeffKé1\u00a0", "\u200eKé1\u200f", '="Ké1"'])
def test_a_key_is_read_without_what_cannot_be_seen(name, cell):
    values, problems = read_standard(**{"customer_code": "C1"} | {name: cell})
    assert "Ké1" in values.values()
    assert problems == []


def test_an_email_and_a_country_are_read_without_what_cannot_be_seen():
    values, problems = read_standard(
        customer_code="C1", buyer_email="\u200bana@shop.example\u00a0", website="\u2060shop.example"
    )
    assert (values["email"], values["website"]) == ("ana@shop.example", "https://shop.example")
    assert problems == []
    values, problems = read_standard(**ADDRESSED, shipping_zip="75\u200b001", shipping_phone="\u202a+33 1 23\u202c")
    assert (values["zip"], values["phone"], problems) == ("75001", "+33 1 23", [])
    assert read_standard(customer_code="C1", shipping_code="S", shipping_country="\u200eFR")[0]["country"] == "FR"


def test_text_is_stored_in_one_form():
    values, _ = read_standard(
        customer_code="C1", profile_name="Cafe\u0301 \u212bngstro\u0308m", customer_alias="\u3000A\u3000"
    )
    assert (values["profile_name"], values["customer_alias"]) == ("Café Ångström", "A")


def test_a_cell_of_which_nothing_can_be_seen_is_blank():
    assert read_standard(customer_code="C1", customer_alias="\u200b\u00a0")[0] == {"customer_code": "C1"}
    mapping = CustomerMapping(STANDARD, ["customer_code", "shipping_code"])
    assert mapping.blocks[1].clean(["C1", "\ufeff\u200b"]) is NOTHING


def test_a_formula_of_a_spreadsheet_is_unwrapped_in_any_cell():
    values, problems = read_standard(customer_code='="00123"', shipping_code='="00123-1"', shipping_zip='="02110"')
    assert (values["customer_code"], values["code"], values["zip"]) == ("00123", "00123-1", "02110")
    assert problems == []


@pytest.mark.parametrize(
    "code",
    [
        *("1.67683E+15", "2.5E+07", "1E+07", "2,5e+07", "-1.2E+10", "1.6768E15", "3.4E-05", "1.E+04", "1.23457e+007"),
        *("167.7E+12", "12E+06", "1E+4", "1,2E\N{MINUS SIGN}05", "\N{MINUS SIGN}1,2E+07", "1E\N{MINUS SIGN}05"),
    ],
)
def test_a_code_that_a_spreadsheet_shortened_is_refused(code):
    for name in ("customer_code", "shipping_code", "sales_rep_code"):
        (problem,) = read_standard(**{"customer_code": "C1"} | {name: code})[1]
        assert problem[1:3] == ("mangled_code", "error")
        assert code in problem[3]


@pytest.mark.parametrize(
    "code",
    [
        "1E5",
        "1e4",
        "2E10",
        "1234E+07",
        "1E-05",
        "12E07",
        "E+07",
        "1.2E",
        "1.2.E+07",
        "12E-3",
        "7E",
        "1.2",
        "A1.2E+07",
        "1.2E+07-1",
    ],
)
def test_codes_that_only_look_like_numbers_are_codes(code):
    assert read_standard(customer_code=code) == ({"customer_code": code}, [])


@pytest.mark.parametrize(
    "name",
    ["customer_code", "shipping_code", "payment_terms_code", "buyer_email", "price_type_name", "customer_group_name"],
)
@pytest.mark.parametrize("place", ["{}C1", "C{}1", "C1{}"])
def test_a_control_character_in_a_key_is_an_error_that_names_it(name, place):
    for letter in "\x07\x1c\x1f\x7f\x92\x01\x1a":
        problems = read_standard(**{"customer_code": "C1"} | {name: place.replace("{}", letter)})[1]
        (problem,) = [found for found in problems if found[1] != "required"]
        assert (problem[0].removesuffix("_1"), *problem[1:3]) == (name, "control_character", "error")
        assert f"U+{ord(letter):04X}" in problem[3]


def test_a_control_character_in_text_becomes_a_space_with_a_warning():
    texts = {"profile_name": "Ash\x0b& Sons\x1d", "customer_alias": "l\x92Eglise", "alternate_name": "All for\x805"}
    values, problems = read_standard(customer_code="C1", **texts)
    assert [values[name] for name in texts] == ["Ash & Sons", "l Eglise", "All for 5"]
    assert [problem[:3] for problem in problems] == [
        ("profile_name", "control_character", "warning"),
        ("customer_alias", "control_character", "warning"),
        ("alternate_name", "control_character", "warning"),
    ]
    assert "U+000B and U+001D" in problems[0][3]
    assert ["cp1252" in problem[3] for problem in problems] == [False, True, True]


def test_lines_and_tabs_stay_in_text():
    assert read_standard(customer_code="C1", shipping_code="S", shipping_address_1="Dock 3\nGate\t4") == (
        {"customer_code": "C1", "code": "S", "address_1": "Dock 3\nGate\t4"},
        [],
    )


TWICE = [  # as they are read as cp1252
    "CafÃ© Noir",
    "BesanÃ§on",
    "12 Rue de lâ€™Ã‰glise",
    "MÃ¼ller",
    "Ð¡Ñ‚Ð°Ð½",
]


@pytest.mark.parametrize("text", TWICE)
def test_text_that_was_encoded_twice_is_a_warning_with_what_is_meant(text):
    values, problems = read_standard(customer_code="C1", profile_name=text)
    assert values["profile_name"] == text
    (problem,) = problems
    assert problem[1:3] == ("encoded_twice", "warning")
    assert text.encode("cp1252", "ignore").decode(errors="ignore")[:3] in problem[3]
    ignoring = FormatSpec("erp", policies=Policies(encoded_twice=EncodedTwice.IGNORE))
    assert read_standard(ignoring, customer_code="C1", profile_name=text)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "Café créé",
        "Spaß”",
        "JOSÉ™",
        "ANDRÉ’S",
        "日本株式会社",
        "Μόσχα",
        "«Été»",
        "Łódź",
        "N° 5",
    ],
)
def test_text_that_only_has_such_letters_is_none(text):
    assert problems_of(customer_code="C1", profile_name=text) == []


@pytest.mark.parametrize("target", ["customer_code", "profile_name", "shipping_city", "buyer_name", "sales_rep_code"])
@pytest.mark.parametrize("cell", ["M\ufffdller", "\ufffd", " Caf\ufffd\ufffd "])
def test_characters_that_a_program_lost_are_a_warning(target, cell):
    value, (problem,) = read_cell(target, cell, buyer_email="a@shop.example")
    assert value == cell.strip()
    assert (problem.code, problem.severity, problem.field) == ("lost_character", "warning", str(find_target(target)))
    assert "U+FFFD" in problem.message


# -- words for nothing

WORDS = ["-", "--", "–", ".", "N/A", "n/a", "n.a.", "NULL", "null", "nUlL", "(null)", "<NULL>", "none", "None", "NONE",
         "#N/A", "#NV", "#REF!", "k.A.", "K.A.", "keine Angabe", "néant", "Aucun", "nessuno", "sin datos", "n.v.t.",
         "não disponível", " - ", "\\N", "nan", "NaN", "./."]  # fmt: skip
ADDRESS = ["customer_code", "profile_name", "shipping_code", "shipping_country"]
BLANK = WordsForNothing.BLANK


def read_cell(target, cell, format_=None, **cells):
    """The value of a field, and what was said, of a row that gives the address of a customer besides."""
    row = dict.fromkeys(ADDRESS, "FR") | cells | {target: cell}
    format_ = format_ or spec(*(column(name) for name in row))
    values, problems = read(format_, "|".join(row), *row.values())
    return values.get(str(find_target(target))), problems


@pytest.mark.parametrize("target", ["customer_alias", "shipping_city", "shipping_zip", "shipping_name", "buyer_name"])
def test_a_word_for_nothing_is_kept_as_text_with_a_warning(target):
    for word in WORDS:
        value, (problem,) = read_cell(target, word, buyer_email="a@shop.example")
        assert value == word.strip()
        assert (problem.code, problem.severity, problem.value) == ("word_for_nothing", "warning", word)
        assert "it is kept as it is" in problem.message
        assert "words_for_nothing" in problem.message


@pytest.mark.parametrize(
    "target",
    [
        *("profile_name", "shipping_country", "shipping_state", "price_type_currency"),
        *("website", "shipping_email", "buyer_email"),
    ],
)
def test_a_word_for_nothing_never_is_what_is_needed_or_of_a_kind(target):
    for word in WORDS:
        value, (problem,) = read_cell(target, word, shipping_city="Lyon", buyer_name="Eve")
        assert (word, value) == (word, None)
        assert (problem.code, problem.severity, problem.value) == ("word_for_nothing", "warning", word)
        assert problem.message.endswith("is a word for nothing; it is read as a blank cell.")


@pytest.mark.parametrize("word", ["None", "-", "N/A"])
@pytest.mark.parametrize("target", ["discount", "discount_line_item_level", "create_doors", "address_type"])
def test_a_word_for_nothing_that_may_mean_a_value_is_refused(target, word):
    value, (problem,) = read_cell(target, word)
    assert value is None
    assert (problem.code[:8], problem.severity) == ("invalid_", "error")


@pytest.mark.parametrize(
    "target", ["payment_terms_code", "shipping_terms", "customer_group_name", "sales_rep_code", "shipping_code"]
)
def test_a_word_for_nothing_may_be_known_as_a_code_or_an_entry_of_a_list(target):
    assert read_cell(target, "None") == ("None", [])


@pytest.mark.parametrize(
    "target",
    [
        *("profile_name", "customer_alias", "shipping_city", "shipping_state", "website", "discount", "create_doors"),
        *("address_type", "payment_terms_code", "shipping_email"),
    ],
)
def test_a_format_reads_words_for_nothing_as_blank_in_every_column(target):
    row = [*ADDRESS, target]
    format_ = spec(*(column(name) for name in dict.fromkeys(row)), words_for_nothing=BLANK)
    assert [word for word in WORDS if read_cell(target, word, format_) != (None, [])] == []


def test_a_word_that_a_value_map_names_is_what_it_says():
    for policy in WordsForNothing:
        names = column("profile_name", value_map={"none": "None"}), column("customer_alias", value_map={"-": "?!"})
        format_ = spec(*names, words_for_nothing=policy)
        row = "customer_code|profile_name|customer_alias", "C1", "NONE", "-"
        values, problems = read(format_, *row)
        assert (values["profile_name"], values["customer_alias"], problems) == ("None", "?!", [])


def test_a_clear_token_that_is_a_word_for_nothing_clears():
    format_ = spec(column("customer_alias"), clear_token="-")
    assert read(format_, "customer_code|profile_name|customer_alias", "C1", "A", "-")[0]["customer_alias"] is CLEAR


@pytest.mark.parametrize(
    "text", ["NA", "na", "Nan", "No", "N", "N.D.", "N.C.", "x", "0", "Nilsson", "none of it", "A-"]
)
def test_what_may_be_a_code_or_a_name_is_no_word_for_nothing(text):
    assert read_cell("shipping_city", text) == (text, [])
    assert read_cell("shipping_state", text) == (text, [])
    assert read_cell("shipping_country", "NA") == ("NA", [])


def test_an_address_of_words_for_nothing_is_none():
    header = "customer_code|shipping_code|shipping_address_1|shipping_state|shipping_country|buyer_name|buyer_email"
    values, problems = read(STANDARD, header, "C1", "N/A", "NULL", "-", "NULL", "-", "n/a")
    assert (values, problems) == ({"customer_code": "C1"}, [])


def test_a_row_whose_code_a_format_reads_as_blank_names_no_customer():
    header, words = ["customer_code", "profile_name"], [word.strip() for word in WORDS]
    blank, standard = (CustomerMapping(of, header).no_codes for of in (spec(words_for_nothing=BLANK), STANDARD))
    for word in words:
        kept = spec(column("customer_code", value_map={word: word}), words_for_nothing=BLANK)
        assert word not in CustomerMapping(kept, header).no_codes
    assert [word for word in words if word not in blank or word in standard] == []
    assert "NA" not in blank


# -- bad values


BAD = {
    "website": "http://", "shipping_email": "a@b; c@d", "discount": "12.5", "discount_line_item_level": "perhaps",
    "customer_alias": "x" * 151, "create_doors": "?!", "shipping_zip": "x" * 21, "company_number_code": "x" * 101,
}  # fmt: skip


@pytest.mark.parametrize(("target", "bad"), BAD.items())
def test_a_bad_value_is_left_out_with_a_warning_where_the_column_says_so(target, bad):
    row = [*ADDRESS, target]
    reads = {
        bad_value: read_cell(target, bad, spec(*map(column, ADDRESS), column(target, bad_value=bad_value)))
        for bad_value in BadValue
    }
    (value, (problem,)), (rejected, (error,)) = reads[BadValue.LEAVE_OUT], reads[BadValue.REJECT]
    assert value is rejected is None
    assert (problem.severity, error.severity) == ("warning", "error")
    assert problem.code == error.code
    assert problem.message == f"{error.message} It is left out, and the field stays as it is."
    assert row


@pytest.mark.parametrize("target", ["profile_name", "customer_code", "shipping_country", "buyer_email", "address_type"])
def test_a_bad_value_of_what_is_needed_cannot_be_left_out(target):
    with pytest.raises(FormatError, match="cannot be left out"):
        column(target, bad_value=BadValue.LEAVE_OUT)


def test_a_bad_value_is_kept_apart_from_a_blank_one_that_clears():
    format_ = spec(column("website", bad_value=BadValue.LEAVE_OUT, blank=Blank.CLEAR))
    header = "customer_code|profile_name|website"
    assert read(format_, header, "C1", "A", "http://")[0]["website"] is KEEP
    assert "website" not in read(format_, header, "C1", "A", "")[0]


# -- what spreadsheets and other programs leave

ADDRESSED = {"customer_code": "C1", "shipping_code": "S1", "shipping_country": "FR"}


@pytest.mark.parametrize(
    ("name", "cell", "code", "severity"),
    [
        ("shipping_phone", "4.1791E+10", "mangled_value", "error"),
        ("shipping_zip", "1E+05", "mangled_value", "error"),
        ("shipping_phone", "41791234567.0", "mangled_value", "warning"),
        ("shipping_zip", "8001.0", "mangled_value", "warning"),
        ("shipping_address_1", "02.Jan", "mangled_value", "warning"),
        ("customer_alias", "1.2E+07", "mangled_value", "warning"),
        ("profile_name", "=VLOOKUP(A2,B:C,2,0)", "mangled_value", "warning"),
        ("customer_code", '=A2&"-1"', "mangled_code", "error"),
        ("customer_code", "=Kunden!A2", "mangled_code", "error"),
        ("customer_code", "C\u20281", "control_character", "error"),
        ("profile_name", "Har\u200bbor", "control_character", "warning"),
        ("shipping_city", "Rouen\u200e", "control_character", "warning"),
        ("customer_alias", "\u202eHarbor", "control_character", "warning"),
        ("profile_name", "M&uuml;ller", "encoded_twice", "warning"),
        ("shipping_city", "K?ln", "lost_character", "warning"),
        ("shipping_phone", "########", "word_for_nothing", "warning"),
        ("shipping_country", "CONGO", "doubtful_country", "warning"),
        ("profile_name", "Profile Name", "placeholder", "warning"),
        ("customer_alias", "customer_alias", "placeholder", "warning"),
        ("shipping_city", "SHIPPING CITY 1", "placeholder", "warning"),
        ("shipping_name", "Xxxx", "placeholder", "warning"),
        ("profile_name", "Test", "placeholder", "warning"),
    ],
)
def test_a_value_that_a_program_mangled_is_told_and_kept_where_it_is_not_lost(name, cell, code, severity):
    values, (problem,) = read_standard(**ADDRESSED | {name: cell})
    target = Target(name)
    assert problem[:3] == (str(target), code, severity)
    if name not in ("customer_code", "shipping_country"):
        assert values.get(target.field.part) == (None if severity == "error" else cell)


def test_a_name_of_two_countries_is_told_with_both_where_the_format_reads_it():
    values, (problem,) = read_address({}, "Kongo", languages=("de",))
    assert values["shipping_country_1"] == "CG"
    assert "it is read as CG. Send its code, or CD for Congo, The Democratic Republic of the" in problem.message
    assert read_address({"Kongo": "CD"}, "Kongo", languages=("de",))[1] == []
    assert [problem.code for problem in read_address({}, "Kongo")[1]] == ["invalid_country"]


def test_what_a_column_is_called_is_no_name_of_a_customer():
    _, (problem,) = read(
        spec(column("customer_code", "Nr"), column("profile_name", "Firma")), "Nr|Firma", "C1", "FIRMA"
    )
    assert (problem.code, problem.field) == ("placeholder", "profile_name")
    assert "'FIRMA' is what the column is called" in problem.message


def test_characters_that_nobody_sees_are_no_fault_where_a_script_needs_them():
    for name in ("می\u200cخواهم", "\u05e9\u05dc\u200f Oak", "ไทย\u200bไทย", "👩\u200d🌾 Farm", "I ❤\ufe0f Oak"):
        values, problems = read_standard(**ADDRESSED | {"profile_name": name})
        assert (values["profile_name"], problems) == (name, [])


def test_a_mangled_value_is_left_out_or_translated_where_the_format_says_so():
    columns = [column(name) for name in ("shipping_code", "shipping_zip")]
    names = "customer_code|profile_name|shipping_code|shipping_zip|shipping_phone"
    row = names, "C1", "Elm", "S1", "02.Jan", "4.1E+10"
    leaving = column("shipping_phone", bad_value=BadValue.LEAVE_OUT)
    values, problems = read(spec(*columns, leaving), *row)
    assert "shipping_phone_1" not in values
    assert [(found.code, found.severity) for found in problems] == [("mangled_value", "warning")] * 2
    columns[1] = column("shipping_zip", value_map={"02.jan": "1-2"})
    assert read(spec(*columns, leaving), *row)[0]["shipping_zip_1"] == "1-2"

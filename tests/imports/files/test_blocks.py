"""Blocks: what the cells of a row become, and what is said of them."""

from typing import Any

import pytest

from imports.files.blocks import CellProblem
from imports.files.mapping import CustomerMapping
from imports.formats.documents import read_format
from imports.formats.policies import FormatError
from imports.formats.spec import STANDARD
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

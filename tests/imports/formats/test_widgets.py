"""Widgets: what a bad value leaves behind."""

import gc

import pytest

from imports.errors import CellError
from imports.formats.widgets import WIDGETS
from imports.template import FIELDS

BAD = {
    "website": ["?", "info@shop.example", "http://exämple..com", "ftp://x.example", "http://[::1"],
    "buyer_email": ["?", "a@b", "ä@exämple..com", "a b@c.example"],
    "shipping_country": ["?"],
    "price_type_currency": ["?"],
    "discount": ["?"],
}


def test_no_bad_value_leaves_a_reference_cycle():
    """While files are imported no cycles are collected, so that one per bad cell would fill the memory."""
    widgets = {name: WIDGETS[FIELDS[name].kind](FIELDS[name]) for name in BAD}
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            for name, values in BAD.items():
                for value in values:
                    with pytest.raises(CellError):
                        widgets[name].clean(value)
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 3


def clean(name, value):
    return WIDGETS[FIELDS[name].kind](FIELDS[name]).clean(value)


def refuse(name, value):
    with pytest.raises(CellError) as refused:
        clean(name, value)
    return refused.value.code, str(refused.value)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("jane (at) shop.example", "jane@shop.example"), ("jane[at]shop[dot]example", "jane@shop.example"),
        ("jane AT shop DOT example", "jane@shop.example"), ("jane@shop,example", "jane@shop.example"),
        ("jane@@shop..example", "jane@shop.example"), ("jane @ shop .example", "jane@shop.example"),
        ("jane roe@shop.example", ""), ("at the shop", ""), ("jane", ""),
    ],
)  # fmt: skip
def test_an_email_that_is_written_in_words_or_mistyped_is_refused_with_what_may_be_meant(cell, meant):
    code, message = refuse("buyer_email", cell)
    assert code == "invalid_email"
    assert message.partition("name@example.com.")[2] == (f" {meant!r} may be meant." if meant else "")


@pytest.mark.parametrize(
    "cell",
    [
        "eve@oak.example", "Eve Roe <eve@oak.example>", '"Roe, Eve" <eve@oak.example>', "<eve@oak.example>",
        "mailto:eve@oak.example", "MAILTO:eve@oak.example?subject=Hello", "<mailto:eve@oak.example>",
        "eve@oak.example.", "eve@oak.example;", "eve@oak.example , ", "'eve@oak.example'", "(eve@oak.example)",
        "eve@oak.example (Eve Roe)", "Eve Roe [mailto:eve@oak.example]", "eve@oak.example<mailto:eve@oak.example>",
        "eve@oak.example; EVE@oak.example", "eve@oak.example eve@oak.example",
        "Eve Roe <eve@oak.example>;",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["buyer_email", "shipping_email"])
def test_a_cell_with_exactly_one_address_in_it_is_read(name, cell):
    assert clean(name, cell) == "eve@oak.example"


@pytest.mark.parametrize(
    "cell",
    [
        "eve@oak", "eve oak@oak.example", "eve@oak,example", "eve,roe@oak.example", "eve@oak.example,uk", "eve",
        "eve@oak.exa mple", "Eve eve@oak.example", "zoë@bücher.example.", "eve@oak.example or ask", "Eve <eve@oak>",
        "eve;roe@oak.example", "eve@@oak.example", "@oak.example", "mailto:", "<>", "n/a", "a@b.example x@y",
        "eve at oak.example", "Eve@Oak <eve@oak.example>",
    ],
)  # fmt: skip
def test_what_may_be_a_part_of_an_address_is_never_left_out(cell):
    code, message = refuse("buyer_email", cell)
    assert code == "invalid_email"
    assert message.startswith("must be an e-mail address, such as name@example.com.")


@pytest.mark.parametrize(
    "cell",
    [
        "ann@ash.example; bob@ash.example", "ann@ash.example,bob@ash.example", "ann@ash.example bob@ash.example",
        "Ann <ann@ash.example>, Bob <bob@ash.example>", "ann@ash.example (bob@ash.example)",
        "mailto:ann@ash.example;mailto:bob@ash.example", "ann@ash.example/bob@ash.example",
        "ann@ash.example\tbob@ash.example", "ann@ash.example\nbob@ash.example", "ann@ash.example and bob@ash.example",
        "ann@ash.example und bob@ash.example", "ann@ash.example & bob@ash.example",
    ],
)  # fmt: skip
def test_several_addresses_are_counted_and_the_fields_named_that_take_them(cell):
    message = "holds 2 addresses (ann@ash.example, bob@ash.example)"
    assert refuse("buyer_email", cell)[1].startswith(message)
    assert "Send one in each field, buyer_email_1, buyer_email_2" in refuse("buyer_email", cell)[1]
    assert "Send one here, and those of buyers in buyer_email_1" in refuse("shipping_email", cell)[1]


def test_the_length_of_an_address_is_that_of_the_address():
    assert clean("buyer_email", f"{'Eve ' * 80}<eve@oak.example>") == "eve@oak.example"
    assert refuse("buyer_email", f"{'e' * 60}@{'a.' * 100}example")[0] == "too_long"


@pytest.mark.parametrize(
    ("cell", "discount"),
    [
        (".00", 0), (".0", 0), (",00", 0), ("0.00", 0), ("00", 0), (".00%", 0), (".000000 %", 0), ("0.000", 0),
        ("5.0000", 5), ("10", 10),
        ("10%", 10), ("10 %", 10), ("10.00", 10), ("10,0", 10), ("010.00", 10), ("100.00", 100), ("100.00%", 100),
    ],
)  # fmt: skip
def test_whole_numbers_as_systems_write_them(cell, discount):
    assert clean("discount", cell) == discount


@pytest.mark.parametrize(
    "cell",
    [
        "12.5",
        "1,000",
        "10.000",
        "-10",
        "10-",
        ".5",
        ".01",
        ".00-",
        "-.00",
        ".",
        "%",
        ",",
        "1E1",
        "+10",
        "%10",
        "10 pct",
        "１０",
        "101",
        "none",
    ],
)
def test_what_is_no_whole_number_is_refused(cell):
    assert refuse("discount", cell)[0] == "invalid_integer"


@pytest.mark.parametrize("cell", ["$", "US$", "€", "EURO", "Euro", "£", "STG", "RMB", "NT$", "DEM", "U S D"])
def test_signs_and_former_currencies_are_none(cell):
    assert refuse("price_type_currency", cell)[0] == "invalid_currency"
    assert clean("price_type_currency", "usd") == "USD"


@pytest.mark.parametrize("cell", ["10\u00a0%", "10\u202f%", "10 %", "10,00\u00a0%"])
def test_the_space_before_a_percent_sign_may_be_one_that_does_not_break(cell):
    assert clean("discount", cell) == 10


@pytest.mark.parametrize(
    ("name", "cell", "said"),
    [
        ("buyer_email", "eve＠oak.example", "The '＠' in it is U+FF20, another character than '@'."),
        ("discount", "１0", "The '１' in it is U+FF11, another character than '1'."),
        ("create_doors", "Ｙ", "The 'Ｙ' in it is U+FF39, another character than 'Y'."),
        ("address_type", "Ｂ", "The 'Ｂ' in it is U+FF22, another character than 'B'."),
        ("website", "https：//oak.example", "The '：' in it is U+FF1A, another character than ':'."),
    ],
)
def test_characters_that_only_look_like_those_that_are_needed_are_named(name, cell, said):
    assert said in refuse(name, cell)[1]
    assert "in it is" not in refuse(name, "ü@")[1]

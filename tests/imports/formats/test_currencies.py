"""What a cell may mean that is no currency code: asked, never read."""

import pytest

from imports.errors import CellError
from imports.formats.currencies import suggest_currencies
from imports.formats.widgets import CurrencyWidget
from imports.template import FIELDS


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("EURO", "EUR"),
        ("Euros", "EUR"),
        ("€", "EUR"),
        ("EUR (€)", "EUR"),
        ("EUR.", "EUR"),
        ("Euro - EUR", "EUR"),
        ("US Dollar", "USD"),
        ("U.S. dollars", "USD"),
        ("US-$", "USD"),
        ("US$", "USD"),
        ("$", "USD or CAD or AUD"),
        ("Canadian Dollars", "CAD"),
        ("CAN", "CAD"),
        ("£", "GBP"),
        ("Pounds", "GBP"),
        ("pound sterling", "GBP"),
        ("STG", "GBP"),
        ("RMB", "CNY"),
        ("￥", "JPY or CNY"),
        ("SFr.", "CHF"),
        ("swiss francs", "CHF"),
        ("kr", "SEK or NOK or DKK"),
        ("Swedish Krona", "SEK"),
        ("ZŁ", "PLN"),
        ("Kč", "CZK"),
    ],
)
def test_names_and_signs_are_asked_about(text, meant):
    assert suggest_currencies(text) == f" Did you mean {meant}?"
    with pytest.raises(CellError, match="must be a currency code") as refused:
        CurrencyWidget(FIELDS["price_type_currency"]).clean(text)
    assert f"Did you mean {meant}?" in str(refused.value)


@pytest.mark.parametrize("text", ["zzz", "?", "wholesale", "12", "USD EUR GBP CHF"])
def test_of_what_is_no_currency_nothing_is_asked(text):
    assert suggest_currencies(text) == ""

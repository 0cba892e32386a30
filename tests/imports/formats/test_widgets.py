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


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_leaves_no_reference_cycle(name, value):
    """While files are imported no cycles are collected, so that one per bad cell would fill the memory."""
    widget = WIDGETS[FIELDS[name].kind](FIELDS[name])
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(CellError):
                widget.clean(value)
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 3

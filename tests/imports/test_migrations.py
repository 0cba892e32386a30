"""Formats of earlier releases, brought to what the models are now."""

from importlib import import_module

import pytest
from django.apps import apps

from imports.formats.spec import Dialect, FormatSpec
from imports.versioning import save_draft
from tests.builders import make_account
from tests.imports.formats.test_spec import column

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("positions", "width"), [([1, 2, 3, 4, 5], 5), ([1], 0), ([], 0)], ids=["sample", "narrower", "none"]
)
def test_a_format_without_a_header_gets_the_width_of_its_sample(positions, width):
    spec = FormatSpec("erp", Dialect(has_header=False), (column("customer_code", 1), column("profile_name", 3)))
    proposal = {"columns": [{"position": position} for position in positions]}
    draft = save_draft(make_account("maison"), "erp", spec, proposal=proposal)
    import_module("imports.migrations.0008_widths").take_widths_from_samples(apps, None)
    draft.refresh_from_db()
    assert draft.width == width

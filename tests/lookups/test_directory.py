"""The lists of an account as an import or an export reads them, while people go on editing them."""

from __future__ import annotations

import pytest

from lookups.directory import GONE, Entry, LookupDirectory
from lookups.models import PriceType, Warehouse
from tests.builders import add_lookups, make_account

pytestmark = pytest.mark.django_db


def test_an_entry_that_was_added_since_is_read_but_never_found_by_its_code(django_assert_num_queries):
    account = make_account("maison")
    directory = LookupDirectory(account)
    house = Warehouse.objects.create(account=account, code="NEW", name="Newest").pk
    price = PriceType.objects.create(account=account, currency="CHF", label="Swiss").pk
    with django_assert_num_queries(2):
        for _ in range(2):
            assert directory.entry("warehouses", house) == Entry("NEW", "Newest")
            assert directory.entry("price_types", price) == Entry("CHF Swiss", "Swiss", "CHF")
    assert ("NEW" in directory["warehouses"].ids, directory["warehouses"].codes_named("Newest")) == (False, [])


def test_an_entry_that_was_deleted_or_is_another_account_s_is_gone():
    account, other = make_account("maison"), make_account("atelier")
    add_lookups(other)
    directory = LookupDirectory(account)
    house = Warehouse.objects.create(account=account, code="NEW", name="Newest")
    pk = house.pk
    house.delete()
    assert directory.entry("warehouses", pk) is GONE
    assert directory.entry("warehouses", other.warehouses.all()[0].pk) is GONE

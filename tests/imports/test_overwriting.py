"""What the files of an account do to the fields of its customers, by the formats they are read with."""

import pytest

from connections.history.keeping import KEEPABLE
from imports.formats.documents import read_format
from imports.models import Feed, FormatVersion, Run
from imports.overwriting import find_written
from imports.versioning import save_draft
from tests.imports.customer_files import NEW

pytestmark = pytest.mark.django_db

DOCUMENT = """
name: erp
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {source: Group, target: customer_group_name, ownership: if_blank}
  - {source: Site, target: website, ownership: never}
  - {source: Kind, target: address_type}
  - {source: Shop, target: address_code}
  - {source: Land, target: address_country}
  - {source: Town, target: shipping_city, ownership: if_blank}
  - {source: Town 2, target: shipping_city_2}
  - {source: Door, target: create_doors}
  - {source: Mail, target: buyer_email}
  - {source: Buyer, target: buyer_name, ownership: if_blank}
  - {source: Terms, target: payment_terms_code}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
WRITTEN = {
    ("connection", "profile_name"): "overwrites",
    ("connection", "customer_group"): "fills",
    ("connection", "price_types"): "overwrites",
    ("connection", "payment_terms"): "overwrites",
    ("address:S", "country"): "overwrites",
    ("address:B", "country"): "overwrites",
    ("address:S", "city"): "overwrites",
    ("door", "name"): "overwrites",
    ("buyer", "name"): "fills",
}


@pytest.fixture
def version(account):
    save_draft(account, "erp", read_format(DOCUMENT))
    FormatVersion.objects.update(status="live")
    return FormatVersion.objects.get()


def feed(account, format_=None, **fields):
    return Feed.objects.create(account=account, name="erp", protocol="ftp", host="127.0.0.1", format=format_, **fields)


def test_of_an_account_without_files_nothing_is_written(account, version):
    assert find_written(account) == {}
    feed(account, version.format, enabled=False)
    assert find_written(account) == {}


def test_a_feed_writes_what_its_live_format_does(account, version):
    feed(account, version.format)
    assert find_written(account) == WRITTEN


def test_the_last_run_writes_what_its_format_did_unless_it_was_retired(account, version):
    run = Run.objects.create(account=account, file_name="a", status="succeeded", format_version=version)
    assert find_written(account) == WRITTEN
    FormatVersion.objects.update(status="retired")
    assert find_written(account) == {}
    FormatVersion.objects.update(status="live")
    Run.objects.filter(pk=run.pk).update(dry_run=True)
    assert find_written(account) == {}


def test_the_standard_template_writes_everything_that_can_be_kept(account, send):
    send(NEW)
    written = find_written(account)
    kinds = {"connection": ["connection"], "address": ["address:S", "address:B"], "door": ["door"], "buyer": ["buyer"]}
    expected = {(kind, field) for record, fields in KEEPABLE.items() for kind in kinds[record] for field in fields}
    assert {place for place, does in written.items() if does == "overwrites"} >= expected - {
        ("address:B", "email"),
        ("address:B", "phone"),
    }

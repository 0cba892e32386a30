"""What the account's lists tell of a sample's columns."""

import pytest

from imports.onboarding.corrections import Corrections
from imports.onboarding.proposing import propose_format
from lookups import models
from tests.builders import make_account

HEADER = "Customer No,Customer Name,City,Country,{}"
ROW = "K{0},Shop {0},Lyon,FR,{1}"


@pytest.fixture
def propose(tmp_path, db):
    account = make_account("erp")
    models.PriceType.objects.create(account=account, currency="EUR", label="Gold")
    models.PriceType.objects.create(account=account, currency="EUR", label="Silver")
    models.SalesRep.objects.create(account=account, code="Gia P", email="gia@brand.example")
    models.SalesRep.objects.create(account=account, code="Tom K", email="tom@brand.example")
    models.PaymentTerm.objects.create(account=account, code="B3", name="30 Tage netto")
    models.PaymentTerm.objects.create(account=account, code="V", name="Vorkasse")
    models.CustomerGroup.objects.create(account=account, code="TK", name="Tukku")
    models.Warehouse.objects.create(account=account, code="Lyon", name="Lyon")

    def propose(header, values):
        path = tmp_path / "sample.csv"
        rows = (ROW.format(number, values[number % len(values)]) for number in range(10, 20))
        path.write_text("".join(f"{line}\n" for line in [HEADER.format(header), *rows]))
        return propose_format(path, account, Corrections()).columns[4]

    return propose


@pytest.mark.parametrize(
    ("header", "values", "target"),
    [
        ("Qzx", ["Gold", "Silver"], "price_type_name_1"),
        ("Band", ["Gold", "Gold"], "price_type_name_1"),
        ("Qzx", ["Gia P", "Tom K"], "sales_rep_code"),
        ("Sales Rep", ["Gia P", "Tom K"], "sales_rep_code"),
        ("user_id/login", ["Gia@brand.example", "tom@brand.example"], "sales_rep_code"),
        ("Qzx", ["30 Tage netto", "Vorkasse"], "payment_terms_1"),
        ("Qzx", ["Tukku", "Tukku"], "customer_group_name"),
        ("Qzx", ["Gold", "Bronze"], ""),
        ("Active", ["Y", "N"], ""),
        ("Notes", ["", ""], ""),
    ],
)
def test_a_column_whose_values_a_list_holds_is_of_that_list(propose, header, values, target):
    column = propose(header, values)
    assert str(column.target or "") == target
    assert not target or (column.is_mapped and any("list has all its values" in text for text in column.evidence))


def test_few_letters_may_be_in_a_list_by_accident(propose):
    assert propose("Qzx", ["V", "V"]).confidence < 0.6


def test_what_the_header_says_goes_before_a_list_that_holds_the_values_too(propose):
    assert str(propose("Ship To City", ["Lyon", "Lyon"]).target).endswith("city_1")

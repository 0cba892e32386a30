"""A proposal is judged by what it makes of its sample, and nothing of that stays."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Account
from connections.models import Connection
from imports.models import Run
from imports.onboarding.corrections import Corrections
from imports.runs import rehearsing
from imports.runs.rehearsing import propose_and_rehearse
from imports.template import Target
from lookups.models import PriceType, SalesRep
from tests.builders import make_account
from tests.imports.customer_files import import_path

pytestmark = pytest.mark.django_db

HEADER = "Customer No,Customer Name,Street,City,Zip,Country,E-mail,Contact,Currency,Price List,Sales Rep"
ROW = "C{0},Shop {0},{0} Pier St,Lyon,{1},FR,shop{0}@shop.example,Ann Poe,EUR,Wholesale,R{0}"


@pytest.fixture
def rehearse(tmp_path):
    account = make_account("erp")

    def rehearse(*lines, **corrections):
        path = tmp_path / "sample.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        proposal = propose_and_rehearse(path, account, Corrections(**corrections))
        assert proposal.rehearsal is not None, proposal.missing
        return proposal, proposal.rehearsal

    return rehearse


def rows(count=12):
    return [ROW.format(number, 69000 + number) for number in range(10, 10 + count)]


def test_a_sample_that_can_be_imported_whole_is_workable_and_leaves_nothing(rehearse):
    _, rehearsal = rehearse(HEADER, *rows())
    assert rehearsal.is_workable
    assert (rehearsal.customers, rehearsal.rows, rehearsal.addresses, rehearsal.buyers) == (12, 12, 12, 12)
    assert rehearsal.assumed == {"address_type": "B"}
    for model in (Connection, Run, PriceType, SalesRep):
        assert not model.objects.exists()
    assert Account.objects.count() == 1


def test_why_customers_are_rejected_is_said_with_field_line_and_count(rehearse):
    wrong = [row.replace(",FR,", ",US,") for row in rows(3)]
    proposal, rehearsal = rehearse(HEADER, *rows(12)[3:], *wrong)
    assert not rehearsal.is_workable
    assert rehearsal.rejected == 3
    (reason,) = rehearsal.reasons
    assert (reason.field, reason.code, reason.customers, reason.line) == ("address_state_1", "required", 3, 11)
    assert any(what.startswith("address_state_1: 3 of 12 customers need it") for what in proposal.missing)


def test_blank_cells_of_what_is_needed_ask_for_a_default(rehearse):
    lines = [row.replace(",FR,", ",,") if row < "C13" else row for row in rows()]
    proposal, rehearsal = rehearse(HEADER, *lines)
    (needed,) = proposal.defaults
    assert (str(needed.target), needed.suggestion) == ("address_country_1", "FR")
    assert rehearsal.is_workable
    assert rehearsal.assumed["address_country_1"] == "FR"
    decided, _ = rehearse(HEADER, *lines, defaults={Target("address_country"): "BE"})
    assert not decided.defaults
    assert next(column for column in decided.columns if column.source == "Country").default == "BE"


def test_values_that_the_field_cannot_have_are_said_and_can_be_blanked(rehearse):
    lines = [*rows(11), ROW.format(30, 69030).replace("@", " at ")]
    proposal, rehearsal = rehearse(HEADER, *lines)
    assert (rehearsal.rejected, rehearsal.reasons[0].code) == (1, "invalid_email")
    email = next(column for column in proposal.columns if column.source == "E-mail")
    assert email.unmapped == ["shop30 at shop.example"]
    assert email.confidence < 0.9
    _, rehearsal = rehearse(HEADER, *lines, blanked=["E-mail"])
    assert rehearsal.is_workable
    assert rehearsal.buyers == 11


def test_a_contact_without_an_e_mail_is_left_out_with_a_warning(rehearse, tmp_path):
    lines = [HEADER, *rows(11), ROW.format(30, 69030).replace("shop30@shop.example", "")]
    constants = {Target("address_type"): "B"}
    proposal, rehearsal = rehearse(*lines, constants=constants)
    assert rehearsal.is_workable
    name = next(column for column in proposal.columns if column.source == "Contact")
    assert name.evidence[-1] == "no e-mail stands beside it on 1 row, and it is left out there"
    spec = proposal.to_draft().complete("erp")
    PriceType.objects.create(account=Account.objects.get(), currency="EUR", label="Wholesale")
    for number in (*range(10, 21), 30):
        SalesRep.objects.create(
            account=Account.objects.get(), code=f"R{number}", name="", email=f"r{number}@rep.example"
        )
    run = import_path(Account.objects.get(), tmp_path / "sample.csv", spec)
    assert (run.status, run.created) == ("succeeded", 12)
    assert list(run.issues.values_list("line", "field", "code", "severity")) == [
        (13, "buyer_name_1", "required", "warning")
    ]


def test_of_a_long_sample_the_first_whole_records_are_rehearsed(rehearse, monkeypatch):
    monkeypatch.setattr(rehearsing, "MOST_ROWS", 5)
    _, rehearsal = rehearse(HEADER, *rows(20), "Total customers: 20")
    assert rehearsal.is_workable
    assert rehearsal.customers == 4


def test_codes_of_addresses_are_composed_where_no_column_has_them(rehearse):
    lines = [
        f"C{code},Shop {code},{street} Pier St,Lyon,{69000 + street},FR,EUR,Wholesale"
        for code in range(10, 18)
        for street in (1, 2)
    ]
    proposal, rehearsal = rehearse("Customer No,Customer Name,Street,City,Zip,Country,Currency,Price List", *lines)
    (needed,) = proposal.derived
    assert (str(needed.target), needed.source) == ("address_code_1", "Zip")
    assert rehearsal.is_workable
    assert rehearsal.addresses == 16


def test_a_discount_asks_where_it_is_given(rehearse):
    proposal, rehearsal = rehearse(HEADER + ",Discount", *(f"{row},10" for row in rows()))
    assert "discount_line_item_level" in [str(needed.target) for needed in proposal.constants]
    assert rehearsal.is_workable


def test_the_command_prints_what_the_dry_run_came_to(tmp_path):
    make_account("erp")
    path = tmp_path / "sample.csv"
    path.write_text("\n".join([HEADER, *rows(11), ROW.format(30, 69030).replace("@", " at ")]), encoding="utf-8")
    for arguments, said in (
        ([], ["12 customers with 11 addresses", "1 customer is rejected", "1 × invalid_email", "--blank 7"]),
        (["--blank", "E-mail"], ["No customer is rejected.", "address_type=B"]),
    ):
        output = StringIO()
        call_command("onboard_format", str(path), "--account", "erp", *arguments, stdout=output)
        for text in said:
            assert text in output.getvalue()

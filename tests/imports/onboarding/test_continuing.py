"""Samples in which a customer goes on in rows without a code, and such as only look so."""

from io import StringIO

import pytest
from django.core.management import call_command

from imports.onboarding.proposing import onboard
from lookups.models import PriceType
from tests.builders import make_account
from tests.imports.customer_files import import_path

HEADER = "ref,name,street,zip,city,country,currency,pricelist,child_ids/name,child_ids/email"
FULL = "C{0},Shop {0},{0} Pier St,602{0},Elgin,US,USD,A,Ann Lee,ann@shop{0}.example"
MORE = ",,,,,,,,Bea Fox,bea{1}@shop{0}.example"


@pytest.fixture
def propose(tmp_path):
    def propose(*lines):
        path = tmp_path / "sample.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return onboard(path)

    return propose


@pytest.mark.parametrize("counts", [[0, 1, 0, 2], [1, 1], [0, 0, 3, 0, 0]])
@pytest.mark.django_db
def test_rows_without_a_code_continue_the_one_above(propose, tmp_path, counts):
    lines = [HEADER]
    for number, count in enumerate(counts, 10):
        lines += [FULL.format(number), *(MORE.format(number, more) for more in range(count))]
    proposal = propose(*lines)
    assert proposal.describe()["policies"]["blank_code"] == "continue"
    assert [str(column.target) for column in proposal.columns][:2] == ["customer_code", "profile_name"]
    assert not proposal.defaults
    account = make_account("erp")
    PriceType.objects.create(account=account, currency="USD", label="A")
    run = import_path(account, tmp_path / "sample.csv", proposal.to_draft().complete("erp"), dry_run=True)
    assert (run.customers, run.rows_rejected) == (len(counts), 0)


@pytest.mark.django_db
def test_the_command_says_that_rows_continue(tmp_path):
    make_account("erp")
    path = tmp_path / "sample.csv"
    lines = [HEADER, FULL.format(10), MORE.format(10, 1), FULL.format(11), MORE.format(11, 2)]
    path.write_text("".join(f"{line}\n" for line in lines))
    output = StringIO()
    call_command("onboard_format", str(path), account="erp", stdout=output)
    assert "rows without a code continue the one above; 4 rows looked at" in output.getvalue()


WIDE = "Customer No,Customer Name,Ship-to No,Ship-to Name,Ship-to City,Ship-to Country"


@pytest.mark.parametrize(
    "lines",
    [
        [WIDE, "C1,Shop A,S1,Depot A,Elgin,US", "C2,Shop B,,,,", "C3,Shop C,S3,Depot C,Elgin,US", "C4,Shop D,,,,"],
        [HEADER, FULL.format(10), FULL.format(11), ",No Code Yet,,,,,,,Ann,a@b.example", FULL.format(12)],
        [HEADER, MORE.format(1, 2), FULL.format(10), MORE.format(1, 3), FULL.format(11)],
        [HEADER, *map(FULL.format, range(10, 16))],
    ],
    ids=["second addresses left out", "a code left out", "nothing above", "full rows"],
)
def test_rows_that_lack_something_else_continue_none(propose, lines):
    assert "blank_code" not in propose(*lines).describe()["policies"]

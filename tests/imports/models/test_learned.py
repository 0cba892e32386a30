"""What people change of a proposal is evidence for the account's next sample, and for nobody else's."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.sandboxes import add_sandbox
from imports.asking import find_questions
from imports.errors import SettingsWrong
from imports.models import FormatColumn, LearnedHeader
from imports.onboarding.corrections import Corrections
from imports.onboarding.proposing import propose_format
from imports.template import Target
from imports.versioning import save_draft, start_testing
from tests.builders import make_account

pytestmark = pytest.mark.django_db

HEADER = "Customer No,Customer Name,Street,City,Zip,Country,Belegart,Remark"
ROWS = [f"C{n},Shop {n},{n} Pier St,Elgin,{60120 + n},US,Zed {n},Remark {n}" for n in range(1, 9)]


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.csv"
    path.write_text("\n".join([HEADER, *ROWS]), encoding="utf-8")
    return path


@pytest.fixture
def teach(sample):
    """Onboards the sample in an account, changes the draft and tests it."""

    def teach(code="erp", **changes):
        account = make_account(code)
        add_sandbox(account)
        proposal = propose_format(sample, account)
        draft = save_draft(account, "erp", proposal.to_draft(), proposal=proposal.describe())
        for order, (source, target) in enumerate(changes.items(), 100):
            name = source.replace("_", " ")
            draft.columns.filter(source=name).delete()
            if target:
                draft.columns.filter(target=target).delete()
                FormatColumn.objects.create(version=draft, order=order, source=name, target=target)
        start_testing(draft, without=[str(question.target) for question in find_questions(draft)])
        return account

    return teach


def targets(sample, account, **corrections):
    proposal = propose_format(sample, account, Corrections(**corrections))
    return {column.source: column for column in proposal.columns}


def test_a_header_that_a_person_mapped_is_that_field_next_time(teach, sample):
    account = teach(Belegart="customer_alias")
    assert list(LearnedHeader.objects.values_list("header", "field")) == [("belegart", "customer_alias")]
    column = targets(sample, account)["Belegart"]
    assert str(column.target) == "customer_alias"
    assert column.evidence[0] == "a person of this account decided so before"
    assert 0.5 < column.confidence < 1


def test_a_column_that_a_person_left_out_is_left_out_next_time(teach, sample):
    account = teach(Street="")
    column = targets(sample, account)["Street"]
    assert column.target is None
    assert column.evidence == ["left out before, as a person decided"]


def test_what_was_not_changed_is_not_learned(teach):
    teach()
    assert not LearnedHeader.objects.exists()


def test_another_account_learns_nothing(teach, sample):
    teach(Belegart="customer_alias")
    assert targets(sample, make_account("other"))["Belegart"].target is None


def test_a_sandbox_knows_what_its_account_learned(teach, sample):
    account = teach(Belegart="customer_alias")
    assert str(targets(sample, account.sandboxes.get())["Belegart"].target) == "customer_alias"


def test_a_decision_goes_before_what_was_learned(teach, sample):
    account = teach(Belegart="customer_alias")
    found = targets(sample, account, fields={"Belegart": Target("alternate_name")})
    assert str(found["Belegart"].target) == "alternate_name"


def test_what_values_contradict_is_not_proposed_though_it_was_learned(sample):
    account = make_account("erp")
    LearnedHeader.objects.create(account=account, header="remark", field="buyer_email_1")
    column = targets(sample, account)["Remark"]
    assert column.target is None or column.confidence < 0.5


def test_what_an_account_learned_teaches_an_installation(teach, sample, settings, tmp_path):
    teach(Belegart="customer_alias", Street="")
    output = StringIO()
    call_command("export_vocabulary", "--account", "erp", stdout=output)
    settings.ONBOARDING_VOCABULARY = tmp_path / "headers.yaml"
    settings.ONBOARDING_VOCABULARY.write_text(output.getvalue(), encoding="utf-8")
    found = targets(sample, make_account("other"))
    assert str(found["Belegart"].target) == "customer_alias"
    assert found["Street"].target is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("a: [", "cannot be read"),
        ("- a\n- b", "must be a mapping of headers to fields"),
        ("Kunde: customer", "'Kunde' is 'customer', which is no template field"),
        ("Kunde: [customer_code]", "which is no template field"),
    ],
)
def test_a_vocabulary_that_cannot_be_read_is_said(settings, tmp_path, text, message):
    settings.ONBOARDING_VOCABULARY = tmp_path / "headers.yaml"
    if text is not None:
        settings.ONBOARDING_VOCABULARY.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsWrong, match=message):
        LearnedHeader.objects.recall(make_account("erp"))


def test_headers_of_a_vocabulary_are_the_texts_they_look_like(settings, tmp_path):
    settings.ONBOARDING_VOCABULARY = tmp_path / "headers.yaml"
    settings.ONBOARDING_VOCABULARY.write_text("No: customer_code\n123: website\nOn: null\nFax:\n", encoding="utf-8")
    taught = LearnedHeader.objects.recall(make_account("erp"))
    assert taught == {"no": Target("customer_code"), "123": Target("website"), "on": None, "fax": None}

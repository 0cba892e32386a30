"""A sample that is read otherwise is proposed anew, and what a person has decided is not lost by it."""

import pytest
from django.core.files.base import ContentFile

from accounts.sandboxes import add_sandbox
from imports.errors import FileRejected
from imports.models import FormatVersion, LearnedHeader
from imports.onboarding.corrections import Corrections
from imports.runs.rehearsing import propose_and_rehearse
from imports.runs.rereading import propose_anew
from imports.runs.sampling import has_sample, keep_sample
from imports.template import Target
from imports.versioning import save_draft, start_testing
from tests.builders import make_account

pytestmark = pytest.mark.django_db

HEADER = "Customer No,Customer Name,Street|E,City|Zip,Country,E-mail,First Name,Last Name,Currency,Price List"
ROW = "C{0},Shop {0},{0} Pier St|{0},Lyon|{1},FR,shop{0}@shop.example,Ann,Poe,EUR,Wholesale"
ROWS = [ROW.format(number, 69000 + number) for number in range(10, 22)]
COMMA = Corrections(encoding="utf-8", delimiter=",", quotechar='"', header_line=1)
PIPE = Corrections(encoding="utf-8", delimiter="|", quotechar="", header_line=1)
BARE = Corrections(encoding="utf-8", delimiter=",", quotechar='"', header_line=0)


@pytest.fixture
def draft(tmp_path, monkeypatch):
    monkeypatch.setattr("imports.runs.rehearsing.rehearse", lambda *_: None)  # it takes most of the time
    account = make_account("maison")
    path = tmp_path / "sample.csv"
    path.write_text("\n".join([HEADER, *ROWS, ""]))
    reading = Corrections(delimiter=",", constants={Target("discount"): "10"}, fields={"E-mail": None})
    proposal = propose_and_rehearse(path, account, reading)
    draft = save_draft(account, "erp", proposal.to_draft(), proposal=proposal.describe())
    keep_sample(draft.format, ContentFile(path.read_bytes(), name="sample.csv"))
    return draft


def stands(draft):
    """Everything the draft says, in the order in which it says it."""
    version = FormatVersion.objects.get(pk=draft.pk)
    return version.to_draft()


def proposed(draft):
    return FormatVersion.objects.get(pk=draft.pk).proposal or {}


def decide(draft):
    """A person takes one column for another field, leaves one out, gives a constant and sets what the draft has."""
    draft.columns.filter(target="profile_name").update(target="customer_alias", ownership="if_blank")
    draft.columns.filter(target="price_type_currency_1").delete()
    draft.columns.create(order=89, target="profile_name", source="{First Name} {Last Name}")
    draft.columns.create(order=90, target="create_doors", constant="yes")
    draft.columns.create(order=91, target="website", source="{Customer No}.{Currency}")
    draft.columns.create(order=92, target="alternate_name", position=99)
    FormatVersion.objects.filter(pk=draft.pk).update(max_error_percent=3, words_for_nothing="blank", footer="END*")


def test_there_and_back_is_as_it_was(draft):
    before = stands(draft)
    for reading in (PIPE, BARE, COMMA):
        propose_anew(draft, reading)
    assert stands(draft) == before


def test_columns_are_proposed_anew_by_what_the_reading_finds(draft):
    assert propose_anew(draft, PIPE).columns == 3
    version = FormatVersion.objects.get()
    assert (version.delimiter, version.quotechar) == ("|", "")
    assert [column["source"] for column in proposed(draft)["columns"]][1] == "E,City"
    assert not version.columns.filter(source="Customer No").exists()
    propose_anew(draft, BARE)
    assert FormatVersion.objects.get().columns.get(target="profile_name").position == 2


def test_what_was_decided_comes_back_with_its_columns(draft):
    decide(draft)
    before = stands(draft)
    other = propose_anew(draft, PIPE)
    assert (other.kept, other.waiting) == (0, 6)
    between = {str(column.target): column.constant for column in stands(draft).columns if column.constant}
    assert between == {"create_doors": "yes", "discount": "10"}
    assert stands(draft).policies == before.policies
    propose_anew(draft, PIPE)
    back = propose_anew(draft, COMMA)
    assert (back.kept, back.waiting) == (6, 0)
    after = stands(draft)
    assert set(map(str, after.columns)) == set(map(str, before.columns))
    assert (after.dialect, after.policies, after.header) == (before.dialect, before.policies, before.header)


def test_the_same_column_is_known_without_its_header(draft):
    decide(draft)
    propose_anew(draft, BARE)
    columns = {str(column.target): column for column in stands(draft).columns}
    assert columns["customer_alias"].source == 2
    assert columns["customer_alias"].ownership == "if_blank"
    assert not {"price_type_currency_1", "buyer_email_1"} & columns.keys()
    assert "website" not in columns  # there is no header to make it of


def test_a_field_that_was_decided_is_proposed_of_no_other_column(draft):
    draft.columns.filter(target="profile_name").delete()
    draft.columns.filter(target="customer_code").update(ownership="always", value_map={"NULL": ""})
    draft.columns.create(order=90, target="profile_name", source="City|Zip")
    propose_anew(draft, Corrections(encoding="cp1252", delimiter=",", quotechar="", header_line=1))
    named = stands(draft).columns
    assert [column.source for column in named if column.target == Target("profile_name")] == ["City|Zip"]
    assert next(column for column in named if column.source == "Customer No").value_map == {"NULL": ""}


def test_what_was_decided_is_still_learned(draft):
    add_sandbox(draft.format.account)
    draft.columns.filter(target="profile_name").update(target="customer_alias")
    draft.columns.create(order=90, target="profile_name", source="City|Zip")
    propose_anew(draft, Corrections(encoding="cp1252", delimiter=",", quotechar='"', header_line=1))
    without = [needed["target"] for needed in proposed(draft)["constants"]]
    start_testing(draft, without=without)
    assert dict(LearnedHeader.objects.values_list("header", "field")) == {
        "customer_name": "customer_alias", "city|zip": "profile_name", "e-mail": "",
    }  # fmt: skip


def test_a_reading_that_makes_no_table_changes_nothing(draft):
    before = stands(draft)
    with pytest.raises(FileRejected, match="seems to have one column"):
        propose_anew(draft, Corrections(encoding="utf-8", delimiter=";", quotechar="", header_line=1))
    assert stands(draft) == before
    assert has_sample(draft.format)

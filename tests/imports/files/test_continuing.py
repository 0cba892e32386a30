"""Rows without a code: those that continue the row above, and those that do not."""

from dataclasses import replace

import pytest

from imports.formats.policies import BlankCode, Policies
from imports.formats.spec import STANDARD, Dialect, FormatSpec
from tests.imports.customer_files import issues_of
from tests.imports.formats.test_spec import column

OWN = "customer_code|profile_name|price_type_currency|price_type_name"
HEADER = f"{OWN}|buyer_name|buyer_email|shipping_code|shipping_country"
ASH = "C1|Ash|EUR|EU Wholesale|Ann|ann@ash.example|A1|FR"
OAK = "C2|Oak|EUR|EU Wholesale|Dan|dan@oak.example|B1|FR"
BOB, CAT = "||||Bob|bob@ash.example|A2|FR", "||||Cat|cat@ash.example||"
CONTINUED = replace(STANDARD, policies=Policies(blank_code=BlankCode.CONTINUE))


def text_of(*rows):
    return "\n".join([HEADER, *rows, ""])


def records(customer):
    return [len(customer[kind]) for kind in ("addresses", "buyers")]


@pytest.mark.parametrize("between", [[], [""], ["||||||| "], [HEADER]])
@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_continue_the_one_above_where_the_format_says_so(send, between, quote):
    ash = ASH.replace("Ash", f"{quote}Ash{quote}", 1)
    run = send.text(text_of(ash, *between, BOB, *between, CAT, OAK), CONTINUED)
    assert (run.status, run.rows, run.created) == ("succeeded", 4, 2)
    assert [records(customer) for customer in send.customers().values()] == [[2, 3], [1, 1]]
    assert send.text(text_of(ash, BOB, CAT, OAK), CONTINUED).unchanged == 2
    assert send.text(text_of(ash, BOB.replace("A2", "A3"), OAK), CONTINUED).updated == 1


def test_without_a_row_above_nothing_is_continued(send):
    run = send.text(text_of(BOB, ASH), CONTINUED)
    assert (run.status, run.rows_rejected, run.created) == ("partial", 1, 1)
    assert issues_of(run) == [(2, "customer_code", "required")]


def test_what_is_wrong_with_a_continued_row_rejects_its_customer_with_all_rows(send):
    rejects = send.folder / "rejects.txt"
    bad = BOB.replace("bob@", "bob")
    run = send.text(text_of(ASH, bad, CAT, OAK), CONTINUED, rejects=rejects)
    assert (run.created, run.rejected, run.rows_rejected) == (1, 1, 0)
    assert issues_of(run) == [(3, "buyer_email_1", "invalid_email")]
    lines = rejects.read_text().splitlines()
    assert [line.rsplit("|", 4)[0] for line in lines[1:]] == [ASH, bad, CAT]
    mended = send.text(rejects.read_text().replace("bobash", "bob@ash"), CONTINUED)
    assert (mended.status, records(send.customer("C1"))) == ("succeeded", [2, 3])


@pytest.mark.parametrize("bad", ["|short", '|"x" y||||||', "||||Bob|bob\0||"])
def test_a_row_that_cannot_be_read_belongs_to_the_row_above_too(send, bad):
    run = send.text(text_of(ASH, bad, CAT, OAK), CONTINUED)
    assert (run.created, run.rejected, run.rows_rejected) == (1, 1, 0)


def test_a_code_that_cannot_be_stored_is_none_that_is_left_out(send):
    run = send.text(text_of(ASH, f"\0{BOB}"), CONTINUED)
    assert (run.created, run.rejected, run.rows_rejected) == (1, 0, 1)


@pytest.mark.parametrize("row", ["Total||||2|||", "||||Total|2||", "|||||||Summe"])
def test_a_total_continues_nothing(send, row):
    run = send.text(text_of(ASH, row), CONTINUED)
    assert (run.created, [code for *_, code in issues_of(run)]) == (1, ["totals_row"])


def test_a_customer_that_seems_to_go_on_is_not_applied_in_half(send):
    rejects = send.folder / "rejects.txt"
    run = send.text(text_of(ASH, BOB, CAT, OAK), rejects=rejects)
    assert (run.status, run.created, run.rejected, run.rows_rejected) == ("partial", 1, 1, 0)
    assert issues_of(run) == [(3, "customer_code", "required")]
    message = run.issues.get().message
    assert "this row and 1 more below seem to continue customer 'C1' of the row above" in message
    assert "blank_code: continue" in message
    assert [line.split("|")[4] for line in rejects.read_text().splitlines()[1:]] == ["Ann", "Bob", "Cat"]
    again = send.bytes(rejects.read_bytes())
    assert (again.rejected, again.customers, issues_of(again)) == (1, 1, [(3, "customer_code", "required")])


def test_a_known_customer_that_seems_to_go_on_is_not_applied_either(send):
    send.text(text_of(ASH))
    run = send.text(text_of(ASH, BOB))
    assert (run.unchanged, run.rejected, run.status) == (0, 1, "rejected")


@pytest.mark.parametrize(
    "row",
    [
        "|Elm|EUR|EU Wholesale||||",
        "|Elm|||Bob|bob@elm.example|A2|FR",
        "||||Bob|bob@elm.example",
        "||EUR|",
    ],
)
def test_a_row_that_lacks_its_code_is_rejected_by_itself(send, row):
    run = send.text(text_of(ASH, row, OAK))
    assert (run.created, run.rejected, run.rows_rejected) == (2, 0, 1)


def test_what_continues_a_row_that_lacks_its_code_is_rejected_with_it(send):
    run = send.text(text_of(ASH, "|Elm|EUR|EU Wholesale||||", BOB, OAK))
    assert (run.created, run.rejected, run.rows_rejected) == (2, 0, 2)


def test_words_that_stand_for_no_code_are_continued(send):
    dialect = Dialect(has_header=False, width=3)
    columns = [column("customer_code", 1, value_map={"-": ""}), column("profile_name", 2), column("buyer_email", 3)]
    prices = [column("price_type_currency", constant="EUR"), column("price_type_name", constant="EU Wholesale")]
    format_ = FormatSpec("erp", dialect, (*columns, *prices), Policies(blank_code=BlankCode.CONTINUE))
    run = send.text("C1|Ash|a@ash.example\n-||b@ash.example\n||c@ash.example\n", format_)
    assert (run.status, len(send.customer()["buyers"])) == ("succeeded", 3)

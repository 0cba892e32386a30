"""Header drift: a file whose header is not the approved one."""

import pytest

from imports.formats.documents import read_format
from imports.models import Run
from imports.versioning import save_draft
from tests.imports.customer_files import issues_of

FORMAT = """
name: erp
dialect: {delimiter: "|"}
header: [Nr, Name, Ort, Fax, Mail, Mail]
columns:
  - {source: Nr, target: customer_code}
  - {source: Name, target: profile_name}
  - {source: Ort, target: customer_alias}
  - {source: 5, target: alternate_name}
  - {constant: EUR, target: price_type_currency}
  - {constant: EU Wholesale, target: price_type_name}
"""
SPEC = read_format(FORMAT)
HEADER = "Nr|Name|Ort|Fax|Mail|Mail"
ROW = "1|Harbor Row|Rouen|-|x|y"


def messages(run):
    return [issue.message for issue in run.issues.all()]


@pytest.mark.parametrize("header", [HEADER, " nr |NAME|oRT|Fax|Mail|Mail", '"Nr"|Name|"Ort"|Fax|Mail|Mail'])
def test_headers_match_trimmed_and_in_any_case(send, header):
    run = send.text(f"{header}\n{ROW}\n", SPEC)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    assert send.customer("1")["customer_alias"] == "Rouen"


def test_columns_in_another_order_are_read_by_their_headers(send):
    run = send.text("Ort|Name|Nr|Fax|Mail|Mail\nRouen|Harbor Row|1|-|x|y\n", SPEC)
    assert run.status == "succeeded"
    assert send.customer("1")["alternate_name"] == "x"


def test_a_missing_column_holds_the_run_and_nothing_is_applied(send):
    run = send.text("Nr|Name|Fax|Mail|Mail|Mail\n1|A|B|C|D|E\n", SPEC)
    assert run.status == "held"
    assert issues_of(run)[0] == (1, "customer_alias", "missing_column")
    assert "The column 'Ort', read into customer_alias, is missing." in run.message
    assert (run.customers, send.customers()) == (0, {})


def test_a_renamed_column_is_named_with_what_looks_like_it(send):
    run = send.text(HEADER.replace("Ort", "Ort / Stadt") + f"\n{ROW}\n", SPEC)
    assert (run.status, issues_of(run)) == ("held", [(1, "customer_alias", "renamed_column")])
    assert "the new column 3, 'Ort / Stadt', looks like it" in run.message


def test_a_wholly_other_name_in_the_same_place_is_taken_for_the_new_one(send):
    run = send.text(HEADER.replace("Ort", "City") + f"\n{ROW}\n", SPEC)
    assert "'City', looks like it" in run.message


def test_a_known_column_is_never_taken_for_a_renamed_one(send):
    run = send.text("Nr|Name|Fax|Mail|Mail\n1|A|B|C|D\n", SPEC)
    assert "looks like" not in run.message.split("customer_alias")[1].split(".")[0]


def test_a_doubled_column_holds_the_run(send):
    run = send.text(f"{HEADER}|Ort\n{ROW}|Dieppe\n", SPEC)
    assert (run.status, issues_of(run)) == ("held", [(1, "customer_alias", "doubled_column")])
    assert "Columns 3 and 7 are both named 'Ort'" in run.message


def test_a_column_read_by_its_position_must_be_named_as_approved(send):
    run = send.text("Nr|Name|Ort|Fax|Phone|Mail\n1|A|B|C|D|E\n", SPEC)
    assert issues_of(run) == [(1, "alternate_name", "renamed_column")]
    assert "is named 'Phone'; 'Mail' is approved there" in run.message


def test_a_position_beyond_the_header_holds_the_run(send):
    run = send.text("Nr|Name|Ort|Fax\n1|A|B|C\n", SPEC)
    assert (run.status, issues_of(run)) == ("held", [(1, "alternate_name", "missing_column")])


def test_an_extra_column_warns_by_name(send):
    run = send.text(f"{HEADER}|Instagram\n{ROW}|@harbor\n", SPEC)
    assert (run.status, issues_of(run)) == ("succeeded", [(1, "", "unknown_column")])
    assert "Column 7 ('Instagram') is not in the approved header; it is not read." in messages(run)


def test_a_known_column_that_is_not_mapped_may_go(send):
    spec = read_format(FORMAT.replace("source: 5", "source: Note").replace("Fax, Mail, Mail", "Fax, Note"))
    assert send.text("Nr|Name|Ort|Note\n1|A|B|C\n", spec).status == "succeeded"


def test_without_an_approved_header_the_mapped_columns_are_the_known_ones(send):
    spec = read_format("\n".join(line for line in FORMAT.splitlines() if not line.startswith("header:")))
    run = send.text(f"{HEADER}\n{ROW}\n", spec)
    assert run.status == "succeeded"
    assert [issue.column for issue in run.issues.all()] == ["Fax", "Mail"]


def test_the_columns_of_a_rejects_file_are_no_drift(send):
    run = send.text(f"{HEADER}|_line|_code|_field|_message\n{ROW}|2|x|y|z\n", SPEC)
    assert (run.status, issues_of(run)) == ("succeeded", [])


def test_a_dry_run_is_held_the_same(send):
    run = send.text("Nr|Name\n1|A\n", SPEC, dry_run=True)
    assert (run.status, run.dry_run) == ("held", True)


# -- what the file is instead


def sentence(run):
    assert (run.status, run.held_for) == ("held", "header")
    return run.message.partition(". ")[0]


def test_another_delimiter_is_named_first_and_the_header_is_not_repeated(send):
    run = send.text(f"{HEADER};Fax\n{ROW}\n".replace("|", ";"), SPEC)
    assert run.message == "This file uses semicolons, erp expects pipes."
    assert issues_of(run) == [(1, "", "other_delimiter")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "^"])
def test_a_truthful_line_for_spreadsheets_is_one_sentence(send, mark):
    run = send.text(f"sep={mark}\n{HEADER}\n{ROW}\n".replace("|", mark), SPEC)
    assert issues_of(run) == [(2, "", "other_delimiter")]
    assert run.message == f"This file says on line 1 that its delimiter is {mark!r} (sep=), erp expects pipes."


@pytest.mark.parametrize("mark", [",", ";", "\t", "^"])
def test_a_quoted_header_of_another_delimiter_is_named_as_that(send, mark):
    header = mark.join(f'"{name}"' for name in HEADER.split("|"))
    before = "sep=^\n" if mark == "^" else ""
    run = send.text(f"{before}{header}\n{ROW.replace('|', mark)}\n", SPEC)
    assert run.message == f"The header cannot be read: its delimiter is {mark!r}, and '|' is expected."


def test_what_else_is_wrong_with_a_header_of_another_delimiter_is_said_too(send):
    run = send.text(f"sep=;\n{HEADER.replace('Ort', 'Ort / Stadt')}\n".replace("|", ";"), SPEC)
    assert issues_of(run) == [(2, "", "other_delimiter"), (2, "customer_alias", "renamed_column")]


@pytest.mark.parametrize("mark", [";", ","])
def test_an_untruthful_line_for_spreadsheets_does_not_decide(send, mark):
    run = send.text(f"sep={mark}\n{HEADER.replace('Ort', 'City')}\n{ROW}\n", SPEC)
    assert issues_of(run) == [(2, "customer_alias", "renamed_column")]


def test_a_file_of_the_standard_template_is_recognised(send):
    commas = read_format(FORMAT.replace('"|"', '","'))
    run = send.text("customer_code|profile_name|website\n1|Harbor Row|\n", commas)
    assert run.message == "This file uses pipes, erp expects commas; it looks like the standard template."


def test_a_file_of_another_format_of_the_account_is_recognised(send, account):
    other = FORMAT.replace("Nr", "Code").replace("Ort", "City").replace("name: erp", "name: shop")
    save_draft(account, "shop", read_format(other))
    run = send.text("Code|Name|City|Fax|Mail|Mail\n1|A|B|C|D|E\n", SPEC)
    assert sentence(run) == "It looks like shop"


def test_a_header_on_another_line_is_found(send):
    run = send.text(f"Customers of today\n\n{HEADER}\n{ROW}\n", SPEC)
    assert (run.status, run.held_for, issues_of(run)) == ("held", "header", [(3, "", "moved_header")])
    assert run.message == "The header stands on line 3 of this file, erp expects it on line 1."


def test_data_in_the_place_of_the_header_is_seen(send):
    run = send.text(f"{ROW}\n2|Elm Street|Lyon|-|x|y\n", SPEC)
    assert sentence(run).startswith("This file has no header: '1' and '1' stand in its place")


def test_any_other_drift_begins_with_a_sentence_too(send):
    run = send.text("Nr|Name|Fax|Mail|Mail|Mail\n1|A|B|C|D|E\n", SPEC)
    assert sentence(run) == "The header of this file is not the one that erp is approved for"


def test_what_is_no_such_file_at_all_is_quoted_once(send):
    run = send.text("ORA-01034: ORACLE not available\n", SPEC)
    assert (run.status, issues_of(run)) == ("held", [(1, "", "missing_column")])
    assert "it begins with 'ORA-01034: ORACLE not available'. None of the " in run.message


def test_many_wrong_columns_are_counted_and_not_all_repeated(send):
    columns = "".join(f"  - {{source: S{n}, target: shipping_city_{n}}}\n" for n in range(1, 40))
    run = send.text(f"{HEADER}\n{ROW}\n", read_format(FORMAT + columns))
    assert "And 34 more like these." in run.message
    assert run.issues.count() == 39


# -- footers

FOOTED = read_format(FORMAT.replace('delimiter: "|"', 'delimiter: "|", footer: "END*"'))


@pytest.mark.parametrize("footer", ["END 1\n", "END 1", "END|1\r\n", "\nEND 1\n\n", "END 1\nEND of file\n"])
def test_the_footer_is_no_record(send, footer):
    run = send.text(f"{HEADER}\n{ROW}\n{footer}", FOOTED)
    assert (run.status, run.rows, issues_of(run)) == ("succeeded", 1, [])


def test_a_file_without_its_footer_is_held_for_it_may_be_cut_off(send):
    run = send.text(f"{HEADER}\n{ROW}\n", FOOTED)
    assert (run.status, issues_of(run)) == ("held", [(None, "", "missing_footer")])
    assert "may have been cut off" in run.message


def test_a_row_that_looks_like_the_footer_is_read_where_rows_follow(send):
    run = send.text(f"{HEADER}\nEND1|A|B|C|D|E\n{ROW}\nEND\n", FOOTED)
    assert sorted(send.customers()) == ["1", "END1"]
    assert run.rows == 2


def test_the_rejects_of_a_file_with_a_footer_can_be_sent_again(send, tmp_path):
    rejects = tmp_path / "rejects.txt"
    send.text(f"{HEADER}\n{ROW}\n2||a|b|c|d\nEND 2\n", FOOTED, rejects=rejects)
    assert rejects.read_text().splitlines()[-1] == "END 2"
    assert send.text(rejects.read_text(), FOOTED).status == "rejected"


def test_a_large_file_ends_before_its_footer(send):
    rows = "".join(f"{number}|N{number:099}|O|F|x|y\n" for number in range(12_000))
    run = send.text(f"{HEADER}\n{rows}END 12000\n", FOOTED)
    assert (run.status, run.rows, run.created) == ("succeeded", 12_000, 12_000)


# -- delimiters within cells

SPACED = read_format(FORMAT.replace('delimiter: "|"', 'delimiter: ",", allow_spaced_delimiter: true'))


def test_a_delimiter_with_a_space_behind_it_may_be_part_of_the_cell(send):
    header, row = HEADER.replace("|", ","), ROW.replace("|", ",")
    run = send.text(f'{header}\n{row}\n2,"Claire, ""M"", B.",12, rue Vert, 3,F,x,y\n', SPACED)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    customer = send.customer("2")
    assert (customer["profile_name"], customer["customer_alias"]) == ('Claire, "M", B.', "12, rue Vert, 3")
    again = send.text(f'{header}\n{row}\n2,"Claire, ""M"", B.",12, rue Vert, 3,F,x,y\n', SPACED)
    assert again.unchanged == 2


def test_a_row_with_wrong_quotes_is_named_all_the_same(send):
    run = send.text(f'{HEADER.replace("|", ",")}\n1,"A" x,B, b,F,x,y\n', SPACED)
    assert issues_of(run) == [(2, "", "malformed_quote")]


def test_a_rejected_row_is_handed_back_as_it_came(send, tmp_path):
    rejects = tmp_path / "rejects.txt"
    send.text(f"{HEADER.replace('|', ',')}\n1,,12, rue Vert,F,x,y\n", SPACED, rejects=rejects)
    assert rejects.read_text().splitlines()[1].startswith("1,,12, rue Vert,F,x,y,2,required")
    assert send.text(rejects.read_text(), SPACED).rejected == 1


# -- conflicts


@pytest.mark.parametrize(("policy", "name"), [("first", "A"), ("last", "C")])
def test_a_format_may_let_the_first_or_the_last_value_win(send, policy, name):
    spec = read_format(FORMAT + f"policies: {{conflict: {policy}}}")
    run = send.text(f"{HEADER}\n1|A|x|-|x|y\n1|B|x|-|x|y\n1|C|x|-|x|y\n", spec)
    assert run.status == "succeeded"
    assert send.customer("1")["profile_name"] == name
    assert [issue.severity for issue in run.issues.all()] == ["warning", "warning"]
    assert f"The {policy} one is taken." in messages(run)[0]


def test_conflicts_reject_by_default(send):
    run = send.text(f"{HEADER}\n1|A|x|-|x|y\n1|B|x|-|x|y\n", SPEC)
    assert (run.status, Run.objects.get().rejected) == ("rejected", 1)

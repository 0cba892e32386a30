"""The rejects file: what came, why it was rejected, and fit to be sent again."""

import csv

import pytest

from imports.errors import SettingsWrong
from imports.formats.policies import Policies
from imports.formats.spec import Dialect, FormatSpec
from imports.models import Run
from tests.imports.customer_files import NEW, SHIPPING, as_text
from tests.imports.formats.test_spec import column, spec

HEADER = "customer_code|profile_name|price_type_currency|price_type_name|website"


@pytest.fixture
def rejects(tmp_path):
    return tmp_path / "rejects.txt"


def test_all_rows_of_a_rejected_customer_come_back_as_they_came_with_the_reasons(send, rejects):
    run = send.text(
        f'{HEADER}\nC1| Alpha |EUR|EU Wholesale|\nC2|Beta|EUR|EU Wholesale|?\nC3|"Gam|ma"|EUR|EU Wholesale|\n'
        "C2|Beta|EUR|EU Wholesale|\n|Nobody|EUR|EU Wholesale|\n",
        rejects=rejects,
    )
    assert (run.status, run.rejected, run.rows_rejected) == ("partial", 1, 1)
    lines = rejects.read_text().splitlines()
    assert lines[0] == f"{HEADER}|_line|_code|_field|_message"
    assert lines[1].startswith("C2|Beta|EUR|EU Wholesale|?|3|invalid_website|website|website '?' must be a web address")
    assert lines[2] == "C2|Beta|EUR|EU Wholesale||5|||"
    assert lines[3].startswith("|Nobody|EUR|EU Wholesale||6|required|customer_code|")
    assert len(lines) == 4


def test_nothing_is_written_when_nothing_was_rejected(send, rejects):
    send(NEW, rejects=rejects)
    assert not rejects.exists()


def test_a_file_rejected_as_a_whole_has_no_rejects(send, rejects):
    assert send.text(f'{HEADER}\nC1|"open\n', rejects=rejects).status == "rejected"
    assert not rejects.exists()


def test_mended_rejects_can_be_sent_again_and_again(send, rejects):
    send(NEW | {"website": "?"} | SHIPPING, NEW | {"customer_code": "C2"}, rejects=rejects)
    again = send.bytes(rejects.read_bytes(), rejects=rejects)
    assert (again.status, again.rejected) == ("rejected", 1)
    assert "unknown_column" not in set(again.issues.values_list("code", flat=True))
    header, row = csv.reader(rejects.read_text().splitlines(), delimiter="|")
    assert header.count("_line") == 1
    assert dict(zip(header, row, strict=True))["_line"] == "2"
    mended = send.text(rejects.read_text().replace("?|", "shop.example.com|"))
    assert (mended.status, mended.created, mended.issues.count()) == ("succeeded", 1, 0)
    assert send.customer()["website"] == "https://shop.example.com"


def test_short_rows_are_padded_and_surplus_cells_stand_behind(send, rejects):
    send.text(f"{HEADER}\nC1|A\nC2|B|EUR|EU Wholesale||surplus\n", rejects=rejects)
    _, short, long = csv.reader(rejects.read_text().splitlines(), delimiter="|")
    assert short[:5] == ["C1", "A", "", "", ""]
    assert short[5:7] == ["2", "wrong_number_of_cells"]
    assert long[:5] == ["C2", "B", "EUR", "EU Wholesale", ""]
    assert long[-1] == "surplus"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_dialect_encoding_and_line_ends_are_the_senders(send, rejects, encoding, newline):
    format_ = spec(column("website"), dialect=Dialect(encoding=encoding, delimiter=";"))
    text = newline.join(["customer_code;profile_name;website", "C1;Café;?", ""])
    send.bytes(text.encode(encoding), format_, rejects=rejects)
    data = rejects.read_bytes()
    back = data.decode(encoding)
    assert back.startswith(f"customer_code;profile_name;website;_line;_code;_field;_message{newline}C1;Café;?;2;")
    assert send.bytes(back.replace("?", "a.example.com", 1).encode(encoding), format_).status == "succeeded"


def test_without_quotes_the_reasons_never_hold_the_delimiter(send, rejects):
    format_ = spec(column("website"), dialect=Dialect(delimiter=",", quotechar=None))
    send.text("customer_code,profile_name,website\nC1,A,?\n", format_, rejects=rejects)
    header, row = rejects.read_text().splitlines()
    assert header.count(",") == row.count(",")


def test_without_a_header_the_originals_stand_alone_and_the_reasons_beside_them(send, rejects):
    format_ = FormatSpec(
        "test",
        Dialect(has_header=False),
        (column("customer_code", 1), column("profile_name", 2), column("website", 3)),
        Policies(),
    )
    send.text("C1|A|?\n", format_, rejects=rejects)
    assert rejects.read_text() == "C1|A|?\n"
    reasons = list(csv.DictReader((rejects.parent / "rejects.txt.reasons.csv").read_text().splitlines()))
    assert {reason["_line"] for reason in reasons} == {"1"}
    assert "invalid_website" in {reason["_code"] for reason in reasons}


def test_lines_before_the_header_come_back_too(send, rejects):
    format_ = spec(column("website"), dialect=Dialect(skip_lines=1))
    send.text("Customers of today\ncustomer_code|profile_name|website\nC1|A|?\n", format_, rejects=rejects)
    assert rejects.read_text().startswith("Customers of today\ncustomer_code|")
    assert send.text(rejects.read_text().replace("?", "a.example.com", 1), format_).status == "succeeded"


def test_a_cell_that_spans_lines_comes_back_whole(send, rejects):
    text = as_text([NEW | {"profile_name": "Two\nlines\r", "website": "?"}])
    send.text(text, rejects=rejects)
    assert send.bytes(rejects.read_bytes()).rejected == 1
    run = send.bytes(rejects.read_bytes().replace(b"?", b"a.example.com", 1))
    assert run.status == "succeeded"
    assert send.customer()["profile_name"] == "Two\nlines"


def test_a_dry_run_writes_the_rejects_too(send, rejects):
    send(NEW | {"website": "?"}, dry_run=True, rejects=rejects)
    assert rejects.exists()


def test_rejects_that_cannot_be_written_leave_the_run_as_it_ended(send, rejects):
    rejects.mkdir()
    with pytest.raises(SettingsWrong, match="ended as partial, but its rejects could not be written"):
        send(NEW, NEW | {"customer_code": "C2", "website": "?"}, rejects=rejects)
    run = Run.objects.get()
    assert (run.status, run.created, run.rejected) == (Run.Status.PARTIAL, 1, 1)
    assert list(send.customers()) == ["C1"]

"""The first read stays small and quick, whatever the bytes are."""

import tracemalloc

import pytest

from imports.files.opening import open_source
from imports.files.scanning import read_rows, scan_customers
from imports.files.spans import NAMELESS
from imports.formats.documents import read_format
from imports.formats.spec import Dialect
from tests.imports.customer_files import NEW, issues_of
from tests.imports.files.test_sources import SEED, lines_of, scan_bytes
from tests.imports.formats.test_spec import column, spec

SIZE = 5 << 18  # more than a block
FILES = {
    "line ends": b"code|x\n" + b"\n" * SIZE,
    "line ends behind a quote": b'code|x\n"A"|x\n' + b"\r\n" * (SIZE // 2),
    "line ends before the header": b"\n" * SIZE + b"code|x\nA|x\n",
    "delimiters": b"code|x\n" + b"|\n" * (SIZE // 2),
    "NULs": b"code|x\n" + b"\0\n" * (SIZE // 2),
    "one customer": b"code|x\n" + b"A|some text of a row\n" * (SIZE // 21),
    "no customer": b"code|x\n" + b"|some text of a row\n" * (SIZE // 20),
}


def read_twice(path):
    """Spans of the first read, and rows of the second."""
    with open_source(path, Dialect()) as source:
        scan = scan_customers(source, 0, SEED, lambda size: None)
        numbers = [NAMELESS, *range(len(scan.customers))]
        rows = sum(1 for number in numbers for _ in read_rows(source, scan, scan.spans(number)))
    assert rows == scan.records
    return len(scan.lines), rows


@pytest.mark.parametrize("name", FILES)
def test_what_is_kept_does_not_grow_with_rows(tmp_path, name):
    (tmp_path / "f").write_bytes(FILES[name])
    spans, rows = read_twice(tmp_path / "f")
    assert spans <= 1
    assert rows in (0, 1, SIZE // 2, SIZE // 20, SIZE // 21)


def test_memory_stays_below_a_large_file(tmp_path):
    (tmp_path / "f").write_bytes(b"code|x\n" + b"A|%s\n" % (b"some text" * 1000) * 4000)
    tracemalloc.start()
    read_twice(tmp_path / "f")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 << 20  # of 36 MB


def test_one_byte_lines_cost_little_each(tmp_path):
    (tmp_path / "f").write_bytes(b"code\n" + b"A\nB\n" * 200_000)
    with open_source(tmp_path / "f", Dialect()) as source:
        scan = scan_customers(source, 0, SEED, lambda size: None)
        assert scan.records == len(scan.lines) == 400_000
        kept = sum(array.itemsize * len(array) for array in (scan.lines, scan.offsets, scan.previous))
        assert kept + len(scan.marks) <= 17 * 400_000
        assert sum(scan.size(span) for span in scan.spans(scan.customers["B"])) == 400_000


def test_blank_lines_are_no_rows_and_change_no_digest(tmp_path):
    with_blanks = b"h|i\n\n||\nA|1\n \nA|2\n\t|\n\nB|1\n\xc2\xa0|\n"
    result = scan_bytes(tmp_path / "f", with_blanks)
    assert lines_of(result) == {"A": [4, 6], "B": [9]}
    without = scan_bytes(tmp_path / "f", b"h|i\nA|1\nA|2\nB|1\n")
    assert {code: digest for code, (digest, _) in result.items()} == {
        code: digest for code, (digest, _) in without.items()
    }
    quoted = scan_bytes(tmp_path / "f", with_blanks.replace(b"B|1", b'B|"1"'))
    assert lines_of(quoted) == {"A": [4, 6], "B": [9]}


def test_blank_lines_between_quotes_stay(tmp_path):
    cell = "\n" * (3 << 18)
    result = scan_bytes(tmp_path / "f", f'h|i\nA|"{cell}"\nB|b\n'.encode())
    assert result["A"][1][0][1] == ["A", cell]
    assert lines_of(result) == {"A": [2], "B": [2 + len(cell) + 1]}


def test_the_clear_token_and_blanked_words_are_no_codes(send):
    format_ = spec(column("customer_code", value_map={"NULL": "", "-": ""}), clear_token="\\N")
    run = send.text("customer_code|profile_name\n\\N|A\nNULL|B\n - |C\nC1|D\n", format_)
    assert (run.status, run.rows_rejected, list(send.customers())) == ("partial", 3, ["C1"])
    assert [(line, code) for line, _, code in issues_of(run)] == [(line, "required") for line in (2, 3, 4)]


def test_a_trailing_delimiter_that_the_format_allows_is_silent(send):
    format_ = spec(column("customer_alias"), allow_trailing_delimiter=True)
    run = send.text("customer_code|profile_name|customer_alias|\nC1|A|x|\nC2|B|y\n", format_)
    assert (run.status, issues_of(run)) == ("succeeded", [])
    bad = send.text("customer_code|profile_name|customer_alias|\nC3|A|x|y\n", format_)
    assert issues_of(bad) == [(2, "", "wrong_number_of_cells")]


@pytest.mark.parametrize("website", ["info@shop.example", "https://info@shop.example", "http://a:b@shop.example/x"])
def test_an_address_of_mail_is_no_website(send, website):
    run = send(NEW | {"website": website})
    assert issues_of(run) == [(2, "website", "invalid_website")]


def test_an_at_sign_in_a_path_is_fine(send):
    assert send(NEW | {"website": "https://shop.example/@maison"}).status == "succeeded"


@pytest.mark.parametrize("name", ["Code", "Line", "Field", "Message", "LINE", "_Code"])
def test_a_format_may_have_columns_that_are_called_like_those_of_rejects(send, name):
    rejects = send.folder / "rejects.txt"
    format_ = spec(column("customer_code", name), column("website"))
    send.text(f"{name}|profile_name|website\nC1|A|?\n", format_, rejects=rejects)
    again = send.bytes(rejects.read_bytes(), format_)
    assert (again.status, issues_of(again)) == ("rejected", [(2, "website", "invalid_website")])


def test_rejects_of_a_file_that_names_one_column_twice_are_read_by_the_same_format(send):
    format_ = read_format(
        "name: erp\ncolumns:\n  - {source: Nr, target: customer_code}\n  - {source: 2, target: profile_name}\n"
        "  - {source: 3, target: website}\n  - {constant: EUR, target: price_type_currency}\n"
        "  - {constant: EU Wholesale, target: price_type_name}\nheader: [Nr, Text, Text]\n"
    )
    rejects = send.folder / "rejects.txt"
    send.text("Nr|Text|Text\nC1|A|?\n", format_, rejects=rejects)
    again = send.bytes(rejects.read_bytes(), format_)
    assert issues_of(again) == [(2, "website", "invalid_website")]

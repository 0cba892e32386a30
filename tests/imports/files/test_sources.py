"""Bytes to rows: exact lines, two ways of cutting that agree, any encoding."""

import tempfile
import unicodedata
from io import BufferedRandom, FileIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.errors import FileRejected, SettingsWrong
from imports.files.opening import open_source
from imports.files.records import is_blank
from imports.files.scanning import read_rows, scan_customers
from imports.files.sources import Source
from imports.files.spans import NAMELESS
from imports.formats.encodings import BLOCK, looks_like_ebcdic
from imports.formats.spec import Dialect
from lookups.texts import read_key
from tests.imports.customer_files import NEW, as_text, issues_of

SEED = b"0123456789abcdef"


def scan_bytes(path, data, dialect=None, code_index=0, forced=False):
    """What the two reads make of a file: digest and (line, cells, fault) of every row, by customer code."""
    path.write_bytes(data)
    with open_source(path, dialect or Dialect()) as source:
        if forced:
            source.specials = [b""]  # found everywhere, so that the csv module reads all of it
        scan = scan_customers(source, code_index, SEED, lambda size: None)
        customers = {code: scan.customers[code] for code in scan.customers} | {"": NAMELESS}
        return {
            code: (
                scan.digest(number) if code else b"",
                [
                    (row.line, row.cells, row.fault)
                    for row in read_rows(source, scan, scan.spans(number))
                    if not is_blank(row)
                ],
            )
            for code, number in customers.items()
            if scan.spans(number)
        }


def lines_of(result):
    return {code: [line for line, _, _ in rows] for code, (_, rows) in result.items() if rows}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_physical_lines(tmp_path, newline):
    text = newline.join(["code|name", "A|x", "", 'B|"two', 'lines"', "A|y", "B|z"])
    result = scan_bytes(tmp_path / "f", text.encode())
    assert lines_of(result) == {"A": [2, 6], "B": [4, 7]}
    assert result["B"][1][0][1] == ["B", f"two{newline}lines"]


CELLS = st.text(st.sampled_from("ABab é💎\t\x0b\u2028"), max_size=5)
FILES = st.builds(
    lambda rows, newline, last: (
        "h|i|j\n" + newline.join("|".join(row) for row in rows) + (newline if last else "")
    ).encode(),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)


@settings(max_examples=300)
@given(data=FILES, code_index=st.integers(0, 3))
def test_cutting_by_hand_and_by_the_csv_module_agree(tmp_path, data, code_index):
    by_hand = scan_bytes(tmp_path / "f", data, code_index=code_index)
    by_csv = scan_bytes(tmp_path / "f", data, code_index=code_index, forced=True)
    by_hand.pop("", None), by_csv.pop("", None)
    assert by_hand == by_csv


def test_a_quote_in_a_later_block_changes_the_way_and_not_the_rows(tmp_path):
    row = "|".join(["{}", "x" * 90]) + "\n"
    plain = "code|name\n" + "".join(row.format(f"C{number}") for number in range(2 * BLOCK // 95))
    result = scan_bytes(tmp_path / "f", (plain + 'LAST|"y\nz"\nC0|again\n').encode())
    count = 2 * BLOCK // 95
    lines = lines_of(result)
    assert lines["C0"] == [2, count + 4]
    assert result["LAST"][1] == [(count + 2, ["LAST", "y\nz"], "")]
    assert all(lines[f"C{number}"][0] == number + 2 for number in range(count))


def test_rows_that_the_first_quote_of_a_file_parts_stay_one_customers(tmp_path, monkeypatch):
    """Wherever a block ends: before the record that opens the first quote, in the middle of it, behind it."""
    data = b'code|name\nC1|plain\nC2|a\nC2|"b\nc\nd"\nC2|e\nC1|"f"\nC3|g'
    rows = {
        "C1": [(2, ["C1", "plain"], ""), (8, ["C1", "f"], "")],
        "C2": [(3, ["C2", "a"], ""), (4, ["C2", "b\nc\nd"], ""), (7, ["C2", "e"], "")],
        "C3": [(9, ["C3", "g"], "")],
    }
    for size in range(1, len(data) + 2):
        monkeypatch.setattr("imports.files.sources.BLOCK", size)
        assert {code: found for code, (_, found) in scan_bytes(tmp_path / "f", data).items()} == rows, size


def test_scattered_rows_are_found(tmp_path):
    result = scan_bytes(tmp_path / "f", b"n|code\n1|A\n2|B\n3|A\n4|A\n5| B \n", code_index=1)
    assert [cells[0] for _, cells, _ in result["A"][1]] == ["1", "3", "4"]
    assert [cells[0] for _, cells, _ in result["B"][1]] == ["2", "5"]


def test_a_digest_depends_on_every_byte_and_on_the_order_of_the_rows(tmp_path):
    digests = {
        scan_bytes(tmp_path / "f", data)["A"][0]
        for data in (b"h|i\nA|1\nA|2\n", b"h|i\nA|2\nA|1\n", b"h|i\nA|1\nA|2 \n", b"h|i\nA|1\n")
    }
    assert len(digests) == 4


def test_escapes_and_files_without_quotes(tmp_path):
    escaped = Dialect(quotechar=None, escapechar="\\")
    assert scan_bytes(tmp_path / "f", b"h|i\nA|x\\|y\nB|z\n", escaped)["A"][1] == [(2, ["A", "x|y"], "")]
    none = Dialect(quotechar=None)
    assert scan_bytes(tmp_path / "f", b'h|i\nA|"x\nB|y\n', none)["A"][1] == [(2, ["A", '"x'], "")]


def test_text_after_a_closing_quote_is_a_fault_of_its_row(tmp_path):
    result = scan_bytes(tmp_path / "f", b'h|i\nA|"x"y\nB|z\n')
    (row,) = result["A"][1]
    assert row[0] == 2
    assert row[2]
    assert result["B"][1] == [(3, ["B", "z"], "")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "mac-roman"])
def test_any_encoding_gives_the_same_rows(tmp_path, encoding):
    data = "code|name\r\nA|Café\r\nB|x\r\n".encode(encoding)
    assert scan_bytes(tmp_path / "f", data, Dialect(encoding=encoding))["A"][1] == [(2, ["A", "Café"], "")]


def test_a_delimiter_byte_within_a_character_does_not_cut(tmp_path):
    data = "code|name\nA|ソ表\u30dd\n".encode("shift_jis")
    assert b"|" in "ポ".encode("shift_jis")
    assert scan_bytes(tmp_path / "f", data, Dialect(encoding="shift_jis"))["A"][1] == [(2, ["A", "ソ表ポ"], "")]


@pytest.mark.parametrize("bom", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, bom):
    assert scan_bytes(tmp_path / "f", "code|name\nA|é\n".encode(bom))["A"][1] == [(2, ["A", "é"], "")]


@pytest.mark.parametrize(
    ("encoding", "data", "line"),
    [
        ("utf-8", b"code|name\nA|x\nB|\xe9\n", 3),
        ("utf-8", b"code|name\r\n\xe9|x\r\n", 2),
        ("ascii", b"code|name\nA|\xc3\xa9\n", 2),
        ("cp1252", b"code|name\r\nA|x\r\n\r\nB|\x81\r\n", 4),
        ("utf-16-le", "code|name\nA|x\n".encode("utf-16-le") + b"\x00\xdc", 3),
    ],
)
def test_an_undecodable_byte_names_its_line(tmp_path, encoding, data, line):
    with pytest.raises(FileRejected) as rejection:
        scan_bytes(tmp_path / "f", data, Dialect(encoding=encoding))
    assert (rejection.value.code, rejection.value.line) == ("wrong_encoding", line)


def test_lines_before_the_header_are_skipped_and_counted(tmp_path):
    result = scan_bytes(tmp_path / "f", b'Report, "of\ntoday\n\ncode|name\nA|x\n', Dialect(skip_lines=2))
    assert lines_of(result) == {"A": [5]}


def test_a_file_without_a_header_begins_with_its_first_row(tmp_path):
    assert lines_of(scan_bytes(tmp_path / "f", b"A|x\nB|y", Dialect(has_header=False))) == {"A": [1], "B": [2]}


def test_source_tells_plain_data_from_special(tmp_path):
    (tmp_path / "f").write_text("a|b\n")
    with open_source(tmp_path / "f", Dialect(escapechar="\\")) as source:
        assert isinstance(source, Source)
        assert [source.is_plain(data) for data in (b"a|b", b'a"', b"a\\|")] == [True, False, False]


ROWS = b"code|name\r\nA|x\r\nB|y\r\n"


@pytest.mark.parametrize(
    "padding",
    [
        b"\x1a",
        b"\x1a\r\n",
        b"\x1a\x1a\x1a",
        b"\0",
        b"\0" * 9000,
        b"\x1a" + b"\0" * (2 << 20),
        b"\0\0\r\n",
        b"\r\n \x1a\0",
    ],
    ids=["end mark", "its line", "some", "NUL", "a block of NULs", "many blocks", "a line of NULs", "spaces"],
)
def test_what_fills_up_the_end_of_a_file_is_no_row(tmp_path, padding):
    assert lines_of(scan_bytes(tmp_path / "f", ROWS + padding)) == {"A": [2], "B": [3]}
    assert scan_bytes(tmp_path / "f", ROWS + padding)["B"] == scan_bytes(tmp_path / "f", ROWS)["B"]


def test_an_end_mark_ends_a_file_whose_last_line_has_no_end(tmp_path):
    assert scan_bytes(tmp_path / "f", b"code|name\nA|x\x1a")["A"][1] == [(2, ["A", "x"], "")]
    assert scan_bytes(tmp_path / "f", "code|name\nA|x\n\x1a".encode("utf-16"))["A"][1] == [(2, ["A", "x"], "")]


def test_nuls_behind_an_unfinished_line_are_no_padding(tmp_path):
    """The file may have been cut off while it was written."""
    assert scan_bytes(tmp_path / "f", b"code|name\nA|x\0\0")["A"][1] == [(2, ["A", "x\0\0"], "")]


def test_padding_hides_no_footer(tmp_path):
    (tmp_path / "f").write_bytes(ROWS + b"T|2\r\n\x1a")
    with open_source(tmp_path / "f", Dialect(footer="T|*")) as source:
        assert source.footer == "T|2\r\n"
        assert sorted(scan_customers(source, 0, SEED, lambda size: None).customers) == ["A", "B"]


BOM = "\ufeff"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("code_index", [0, 1])
def test_byte_order_marks_and_end_marks_before_a_line_are_dropped(tmp_path, encoding, quote, code_index):
    """Files that were joined bring theirs along."""
    lines = [f"{BOM}{BOM}code|name", f"{BOM}A|A", f"{BOM}{quote}B{quote}|B", "\x1a", f"\x1a{BOM}C|C", BOM, "A|A"]
    text = "\n".join(lines) + "\n"
    rows = scan_bytes(tmp_path / "f", text.encode(encoding), Dialect(encoding=encoding), code_index)
    assert lines_of(rows) == {"A": [2, 7], "B": [3], "C": [5]}
    assert [cells for _, cells, _ in rows["B"][1] + rows["C"][1]] == [["B", "B"], ["C", "C"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_wide_encoding_without_a_mark_is_named(tmp_path, encoding):
    (tmp_path / "f").write_bytes("code|name\r\nA|Café\r\n".encode(encoding))
    with pytest.raises(FileRejected) as caught, open_source(tmp_path / "f", Dialect()):
        pass
    assert caught.value.code == "wrong_encoding"
    assert f"set the format's encoding to {encoding}" in caught.value.message


@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs", "shift_jis", "euc_kr", "euc_jp"])
def test_utf_8_that_is_read_in_two_bytes_is_named(tmp_path, encoding):
    (tmp_path / "f").write_bytes("code|name\nA|上海服装\nB|北京\n".encode())
    with pytest.raises(FileRejected) as caught, open_source(tmp_path / "f", Dialect(encoding=encoding)):
        pass
    assert caught.value.code == "wrong_encoding"
    assert f"The file is in utf-8; it is read as {encoding}." in caught.value.message
    names = "上海" if encoding in ("gb18030", "euc_jp") else "AB"
    (tmp_path / "f").write_bytes(f"code|name\nA|{names}\n".encode(encoding))
    with open_source(tmp_path / "f", Dialect(encoding=encoding)) as source:
        assert source.header == ["code", "name"]


def test_a_code_is_found_however_it_came(tmp_path):
    cells = ["É1", "E\u0301\u200b1", "\u200eÉ1\u00a0", ' ="É1" ', "\ufeffÉ1", "É1\x1c", "É\x071"]
    data = "code|name\n" + "".join(f"{cell}|x\n" for cell in cells)
    for forced in (False, True):
        result = scan_bytes(
            tmp_path / "f", data.encode(), Dialect(quotechar=None) if not forced else None, forced=forced
        )
        assert lines_of(result) == {"É1": [2, 3, 4, 5, 6, 7, 8]}


def test_a_line_of_which_nothing_can_be_seen_is_blank(tmp_path):
    result = scan_bytes(tmp_path / "f", "code|name\nA|x\n\u200b|\u00a0\n\ufeff\nA|y\n".encode())
    assert lines_of(result) == {"A": [2, 5]}


KEYS = st.text(st.sampled_from("A1bé-ü東Å 0"), min_size=1, max_size=6).map(read_key).filter(bool)
UNSEEN = st.text(st.sampled_from("\u200b\u200e\u00ad\u2060\ufeff\u202a\ufe0f"), max_size=2)
SPACES = st.text(st.sampled_from(" \t\u00a0\u3000\u2009"), max_size=2)


@st.composite
def said_otherwise(draw, key):
    """A key with what programs put into and around it."""
    text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), key)
    text = "".join(draw(UNSEEN) + letter for letter in text) + draw(UNSEEN)
    return draw(SPACES) + draw(st.sampled_from(["{}", '="{}"', '= "{}"'])).format(text) + draw(SPACES)


@settings(max_examples=150)
@given(
    known=st.lists(KEYS, min_size=1, max_size=4, unique=True),
    code_index=st.integers(0, 1),
    quotechar=st.sampled_from(["'", None]),
    data=st.data(),
)
def test_no_second_customer_comes_of_how_a_key_is_said(tmp_path, known, code_index, quotechar, data):
    rows = [[data.draw(said_otherwise(key)), "x"] for key in known for _ in range(2)]
    text = "".join("|".join(row[::-1] if code_index else row) + "\n" for row in [["code", "name"], *rows])
    result = scan_bytes(tmp_path / "f", text.encode(), Dialect(quotechar=quotechar), code_index)
    assert {code: len(found) for code, (_, found) in result.items()} == dict.fromkeys(known, 2)


@pytest.mark.parametrize("encoding", ["cp037", "cp273", "cp500", "cp1140"])
def test_ebcdic_that_is_read_as_something_else_is_named(send, encoding):
    run = send.bytes(as_text([NEW, NEW | {"customer_code": "C2"}]).encode(encoding))
    assert (run.status, issues_of(run)) == ("rejected", [(None, "", "wrong_encoding")])
    assert "The file looks like EBCDIC; it is read as utf-8." in run.message


def test_short_files_and_those_of_other_encodings_are_no_ebcdic():
    assert not any(map(looks_like_ebcdic, [b"", b"customer_code|profile_name|website", "Ññüøé".encode("cp1252") * 9]))
    assert looks_like_ebcdic("customer_code|profile_name|website".encode("cp037"))


def test_no_room_to_rewrite_a_file_is_told_by_the_folder_that_has_none(tmp_path, monkeypatch):
    (tmp_path / "f").write_text("a|b\n", encoding="utf-16")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: BufferedRandom(FileIO("/dev/full", "w+")))
    said = rf"in {tempfile.gettempdir()}: No space left on device\. Make room there"
    with pytest.raises(SettingsWrong, match=said), open_source(tmp_path / "f", Dialect()):
        pass

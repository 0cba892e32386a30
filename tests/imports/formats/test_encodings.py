"""Encodings: the listed ones, and files that are in another than agreed."""

import io

import pytest

from imports.formats.documents import read_format
from imports.formats.encodings import (
    BLOCK,
    ENCODINGS,
    Undecodable,
    UnknownEncoding,
    find_encoding,
    read_text,
)
from imports.formats.policies import FormatError
from imports.formats.spec import Dialect
from imports.models import Run
from tests.imports.customer_files import issues_of
from tests.imports.formats.test_spec import spec

LISTED = [name for names in ENCODINGS.values() for name in names]
ASCII = "".join(map(chr, range(32, 127))) + "\r\n\t"
NAMES = {"shift_jis": "表ソ予", "euc_kr": "한국", "big5": "許功蓋", "gb18030": "𠀀中", "iso2022_jp": "漢字"}


def test_every_listed_encoding_has_ascii_and_its_own_name():
    assert [find_encoding(encoding) for encoding in LISTED] == LISTED
    for encoding in LISTED:
        text = "".join(read_text(io.BytesIO(ASCII.encode(encoding)), encoding))
        assert text.removeprefix("\ufeff") == ASCII, encoding


@pytest.mark.parametrize(
    ("name", "encoding"), [("UTF8", "utf-8"), (" latin-1 ", "iso8859-1"), ("windows-1252", "cp1252")]
)
def test_names_are_taken_in_any_spelling(name, encoding):
    assert find_encoding(name) == encoding
    document = f"name: x\ndialect: {{encoding: '{name}'}}\ncolumns: [{{source: a, target: customer_code}}]\n"
    assert read_format(document).dialect.encoding == encoding


OTHERS = ["utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "hz", "rot13", "base64"]


@pytest.mark.parametrize("name", [*OTHERS, "cp864", "", "klingon", "utf-8\0", "ü"])
def test_no_other_encoding_is_taken(name):
    with pytest.raises(UnknownEncoding, match="no encoding that files are read in; examples are utf-8"):
        find_encoding(name)
    with pytest.raises(FormatError):
        Dialect(encoding=name)


@pytest.mark.parametrize("encoding", NAMES)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_in_the_text(encoding, newline):
    start = newline.join(["code|name", *(f"A|{NAMES[encoding]}" for _ in range(9))])
    data = start.encode(encoding) + newline.encode(encoding) + b"\xff\xff|x\n"
    with pytest.raises(Undecodable) as error:
        list(read_text(io.BytesIO(data), encoding))
    assert error.value.line == 11


@pytest.mark.parametrize("encoding", ["utf-16-le", "iso2022_jp", "cp1252", "utf-8-sig"])
def test_lines_are_counted_over_blocks(encoding):
    line = ("x" * 97 + "\r\n").encode(encoding)
    count = 2 * BLOCK // len(line) + 5
    bad = b"\x00\xdc" if encoding == "utf-16-le" else b"\x81\xff"
    with pytest.raises(Undecodable) as error:
        list(read_text(io.BytesIO(line * count + bad), encoding))
    assert error.value.line == count + 1


def test_the_line_ends_of_ebcdic_are_lines():
    data = "a|b\nc".encode("cp500") + b"\x15" + "d".encode("cp500")
    assert "".join(read_text(io.BytesIO(data), "cp500")) == "a|b\nc\nd"


TEXT = "customer_code|profile_name\nC1|Café\n"


@pytest.mark.parametrize(
    ("agreed", "data", "line"),
    [
        ("utf-16", TEXT.encode("utf-16-le"), 1),
        ("utf-16", TEXT.encode("cp1252"), 1),
        ("utf-16", b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\n", 3),
        ("utf-16-le", b"\xff\xfe" + TEXT.encode("cp1252"), 1),
        ("utf-32", TEXT.encode("utf-32-le"), 1),
        ("utf-32", TEXT.encode(), 1),
        ("utf-8", TEXT.encode("cp1252"), 2),
        ("utf-8", TEXT.encode("utf-16")[:-1], 2),
        ("ascii", TEXT.encode(), 2),
        ("iso2022_jp", TEXT.encode(), 2),
        ("gb18030", TEXT.encode("cp1252"), 2),
    ],
)
def test_a_file_in_another_encoding_than_agreed_is_rejected(send, agreed, data, line):
    run = send.bytes(data, spec(dialect=Dialect(encoding=agreed)))
    assert run.status == Run.Status.REJECTED
    ((of_line, _, code),) = issues_of(run)
    assert code == "wrong_encoding"
    assert of_line == line


@pytest.mark.parametrize("agreed", ["cp500", "utf-16-be", "cp437", "euc_jp", "utf-32-be", "iso2022_kr"])
@pytest.mark.parametrize("sent", ["utf-8", "cp1252", "utf-16-le", "cp500", "shift_jis"])
def test_no_mistake_of_encodings_is_a_technical_failure(send, agreed, sent):
    run = send.bytes(TEXT.replace("é", "ä").encode(sent, "replace"), spec(dialect=Dialect(encoding=agreed)))
    assert run.status in (Run.Status.REJECTED, Run.Status.HELD, Run.Status.SUCCEEDED)

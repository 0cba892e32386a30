"""What is no delimited text is named, with what to do."""

import gzip
import io
import zipfile

import pytest

from imports.files.signatures import find_not_text


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 50)
    return file.getvalue()


@pytest.mark.parametrize(
    ("start", "what", "remedy"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook", "Save it as CSV"),
        (zipped("xl/workbook.xml"), "an Excel workbook", "Save it as CSV"),
        (zipped("customers.txt"), "a ZIP archive", "Send the file that is in it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel or Word file", "Save it as CSV"),
        (gzip.compress(b"customer_code|profile_name\n", mtime=0), "a gzip archive", "Send the file that is in it"),
        (b"BZh91AY&SY", "a bzip2 archive", "Send the file that is in it"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF", "Export the customers"),
        (b"-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nhQEMA", "a PGP message", "Send it decrypted"),
        (b"\r\n-----BEGIN PGP SIGNED MESSAGE-----\n", "a PGP message", "Send it decrypted"),
        (b"\x85\x01\x0c\x03\xaa\xbb", "a PGP message", "Send it decrypted"),
        (b"\xc1\xc1\x4e\x03\xaa\xbb", "a PGP message", "Send it decrypted"),
        (b"\x8c\x0d\x04\x09\x03\x02", "a PGP message", "Send it decrypted"),
        (b"<html><body>Error 500</body></html>", "an HTML page,", "error or a login"),
        (b"<!DOCTYPE html>\n<html><head><title>\n Sign&nbsp;in</title>", "an HTML page called 'Sign in'", "login"),
        (b"\xef\xbb\xbf\n<!-- x --><HTML>", "an HTML page,", "error or a login"),
        (b'<?xml version="1.0"?><!DOCTYPE html><html>', "an HTML page,", "error or a login"),
        (b'<?xml version="1.0"?><customers>', "an XML document", "Export the customers"),
        (b'[{"customer_code": "C1"}]', "JSON", "Export the customers"),
        (b"UNB+UNOC:3+X+Y+260101:1200+1'", "an EDI message", "Export the customers"),
        (b"UNA:+.? 'UNB+UNOC:3+X", "an EDI message", "Export the customers"),
        (b"ISA*00*          *00*          *ZZ*", "an EDI message", "Export the customers"),
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", "a SYLK sheet", "Save it as CSV"),
        (b"BEGIN:VCARD\r\nVERSION:4.0\r\n", "a file of vCards", "Export the customers"),
    ],
)
def test_a_file_that_is_no_text_is_named(start, what, remedy):
    said = find_not_text(start)
    assert said.startswith(what)
    assert remedy in said


@pytest.mark.parametrize(
    "start",
    [
        b"customer_code|profile_name\n",
        b'"customer_code"|"x"\n',
        b"<none>|x\n",
        b"# written by an ERP\ncustomer_code\n",
        "Société|Code\n".encode("cp1252"),
        "コード|名前\n".encode("shift_jis"),
        "customer_code|profile_name\n".encode("cp500"),
        "customer_code".encode("utf-16"),
        b"-----\n|x|\n",
        b"ID;Phone;Name\nC1;030;Oak\n",
        b"ISA|00|Oak|FR\n",
        b"UNB;Name\n",
    ],
)
def test_text_is_none_of_them(start):
    assert find_not_text(start) == ""


def test_base64_is_named():
    assert find_not_text(b"Y3VzdG9tZXJfY29kZXxwcm9maWxlX25hbWV8cHJpY2VfdHlwZV9jdXJyZW5jeXxwcmljZV90eXBl\nX25hbWU=\n")
    assert find_not_text(b"Y3VzdG9t" * 40 + b"=\n").startswith("Base64")
    assert not find_not_text(b"customer_code\n" + b"10017\n" * 40)

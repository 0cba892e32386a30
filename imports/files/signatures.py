"""Signatures: what a file is that is no delimited text, by how it begins, and what its sender should do."""

from __future__ import annotations

import html
import re

_UNPACK = "Send the file that is in it"
_SAVE_AS_TEXT = 'Save it as CSV or as "Text (tab delimited)", and send that'
_EXPORT_TEXT = "Export the customers as delimited text, such as CSV"
_DECODE = "Send the file that it stands for"
_DECRYPT = "Send it decrypted: nothing here has the key, and SFTP and FTPS encrypt on the way"

_BINARY = (
    (b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (b"PK\x05\x06", "an empty ZIP archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", _SAVE_AS_TEXT),
    (b"%PDF", "a PDF", _EXPORT_TEXT),
    (b"{\\rtf", "a document in Rich Text Format", _EXPORT_TEXT),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a", "a RAR archive", _UNPACK),
    (b"\x89PNG", "a picture", _EXPORT_TEXT),
    (b"\xff\xd8\xff", "a picture", _EXPORT_TEXT),
    (b"SQLite format 3\0", "a SQLite database", _EXPORT_TEXT),
)
_WORKBOOKS = (b"[Content_Types].xml", b"xl/", b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet")
"""What stands near the beginning of a ZIP archive that is a workbook."""

_PGP_PACKET = re.compile(rb"\x84.\x03|\x85..\x03|\xc1[\x00-\xbf]\x03|\xc1[\xc0-\xdf].\x03|[\x8c\xc3].\x04", re.DOTALL)
"""How messages begin that are encrypted for a key or with a password (RFC 4880)."""
_TEXT = (
    (re.compile(rb"-----BEGIN PGP [A-Z ]+-----"), "a PGP message", _DECRYPT),
    (re.compile(rb"-----BEGIN (?:CMS|PKCS7)-----"), "an encrypted message (S/MIME)", _DECRYPT),
    (
        re.compile(rb"(?:<!--.*?-->|<\?xml[^>]*>|\s)*<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.I),
        "HTML",
        "",
    ),
    (re.compile(rb"<\?xml\b|<!DOCTYPE\b", re.I), "an XML document", _EXPORT_TEXT),
    (re.compile(rb'\{\s*"|\[\s*\{'), "JSON", _EXPORT_TEXT),
    (re.compile(rb"UNA.{6}\s*UN[BH]|UN[BH]\+|ISA([^\w\s])\d\d\1.{10}\1", re.DOTALL), "an EDI message", _EXPORT_TEXT),
    (re.compile(rb"ID;P\w+;?[\w;]*\r?\n[BPFC];"), "a SYLK sheet", _SAVE_AS_TEXT),
    (
        re.compile(
            rb"[A-Za-z0-9+/]{76}\r?\n[A-Za-z0-9+/=\r\n]*\Z|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/]{200,}=*\s*\Z"
        ),
        "Base64",
        _DECODE,
    ),
    (re.compile(rb"BEGIN:VCARD\b", re.I), "a file of vCards", _EXPORT_TEXT),
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_MARKS = b"\xef\xbb\xbf \t\r\n"


def find_not_text(start: bytes) -> str:
    """What a file is that begins so, and what to do instead, as "The file is …" goes on; "" where it may be text."""
    for magic, what, remedy in _BINARY:
        if start.startswith(magic):
            is_workbook = magic == b"PK\x03\x04" and any(mark in start for mark in _WORKBOOKS)
            return _say("an Excel workbook", _SAVE_AS_TEXT) if is_workbook else _say(what, remedy)
    if _PGP_PACKET.match(start):
        return _say("a PGP message", _DECRYPT)
    text = start.lstrip(_MARKS)
    found = next(((what, remedy) for pattern, what, remedy in _TEXT if pattern.match(text)), None)
    return "" if found is None else _say(*found) if found[1] else _say_page(text)


def _say(what: str, remedy: str) -> str:
    return f"{what}, not text. {remedy}."


def _say_page(text: bytes) -> str:
    """A page that servers and portals send in place of a file; what it is called mostly says why."""
    found = _TITLE.search(text)
    title = " ".join(html.unescape(found[1].decode("utf-8", "replace")).split())[:80] if found else ""
    page = f"an HTML page called {title!r}" if title else "an HTML page"
    return _say(page, f"Servers send such a page for an error or a login. {_EXPORT_TEXT}")

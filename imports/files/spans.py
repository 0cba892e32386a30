"""Spans: where each customer's rows are in a file, kept in a few bytes each."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.files.furniture import Furniture
    from imports.files.records import Row
    from imports.files.sources import Source

DIGEST = 16
"""Bytes of a digest."""
LEFT_OUT, FAULTY = 1, 2
"""What a span holds beside sound rows of its customer."""
NOBODY = "\0"
"""Whose a row is that is left out; no customer has such a code."""


class Scan:
    """Where each customer's rows are and a digest of them: what the first read keeps.

    Adjacent rows of one customer are one span, with the lines among and after them that are no rows; a row with wrong
    quotes is one by itself. `previous` chains a customer's spans backwards. `nameless` is the number of the rows that
    name no customer, if there are any. Per customer that is the code, 16 bytes of digest and 4 bytes more, per span 17.
    `repeated_headers` is how often the header stands among the rows, and `first_repeat` the line where first.
    `left_out` counts the rows that the format leaves out, by the code that they have.
    """

    def __init__(self, seed: bytes, furniture: Furniture) -> None:
        self.seed = seed
        self.furniture = furniture
        self.repeated_headers, self.first_repeat = 0, 0
        self.left_out: Counter[str] = Counter()
        self.customers: dict[str, int] = {}
        self.digests = bytearray()
        self.last_span = array("i")
        self.lines, self.offsets, self.previous, self.marks = array("I"), array("Q"), array("i"), bytearray()
        self.records = 0
        self.end = 0
        self.nameless: int | None = None

    def count_with_left_out(self) -> dict[str, int]:
        """How many rows and customers the file has with those that are left out."""
        codes = self.left_out.keys() - self.customers.keys() - {""}
        return {"rows": self.records + self.left_out.total(), "customers": len(self.customers) + len(codes)}

    def digest_of(self, code: str, raw: bytes) -> hashlib.blake2b:
        """The digest of a customer's rows so far, gone on with these."""
        number = self.customers.get(code)
        before = raw if number is None else self.digest(number) + raw
        return hashlib.blake2b(before, digest_size=DIGEST, person=self.seed)

    def digest(self, customer: int) -> bytes:
        """The digest of all rows of a customer."""
        return bytes(self.digests[DIGEST * customer : DIGEST * (customer + 1)])

    def add_span(self, code: str, line: int, offset: int, marks: int, digest: bytes) -> None:
        """Append a span that ends where the next one begins."""
        span = len(self.lines)
        self.lines.append(line)
        self.offsets.append(offset)
        self.marks.append(marks)
        number = self.customers.setdefault(code, len(self.last_span))
        if number == len(self.last_span):
            self.digests += digest
            self.previous.append(-1)
            self.last_span.append(span)
        else:
            self.digests[DIGEST * number : DIGEST * (number + 1)] = digest
            self.previous.append(self.last_span[number])
            self.last_span[number] = span

    def spans(self, customer: int) -> Sequence[int]:
        """The spans of a customer's rows, in file order."""
        spans = array("i", [self.last_span[customer]])
        while (span := self.previous[spans[-1]]) >= 0:
            spans.append(span)
        spans.reverse()
        return spans

    def size(self, span: int) -> int:
        following = span + 1
        return (self.offsets[following] if following < len(self.offsets) else self.end) - self.offsets[span]


class SpanWriter:
    """Makes spans of rows as they come; `rows` are those that are not in the digest yet."""

    def __init__(self, scan: Scan, source: Source) -> None:
        self.scan = scan
        self.offset = source.body
        self.code: str | None = None
        self.above = ""
        """Whose the row above is; "" for nobody's, and NOBODY for one that was left out."""
        self.rows: list[bytes] = []
        self.line = self.start = self.marks = 0
        self.digest: hashlib.blake2b | None = None

    def begin(self, code: str, line: int) -> None:
        self.end()
        self.code, self.line, self.start, self.marks = code, line, self.offset, 0
        self.above = code

    def fold(self) -> None:
        """Take the rows so far into the digest, so that they need not be kept."""
        if not self.rows:
            return
        raw = b"".join(self.rows)
        self.rows.clear()
        self.offset += len(raw)
        if self.digest is None:
            self.digest = self.scan.digest_of(self.code or "", raw)
        else:
            self.digest.update(raw)

    def skip(self, size: int) -> None:
        """Leave out lines that are no rows; they stay within the span that is open."""
        self.fold()
        self.offset += size
        self.marks |= LEFT_OUT

    def leave_out(self, size: int) -> None:
        """Leave out a row, and with it those that continue it: they stand at the end of the span, if there is one."""
        self.skip(size)
        self.end()
        self.above = NOBODY

    def end(self) -> None:
        self.fold()
        if self.code is not None and self.digest is not None:
            self.scan.add_span(self.code, self.line, self.start, self.marks, self.digest.digest())
        self.code = self.digest = None

    def add_faulty(self, code: str, row: Row) -> None:
        self.begin(code, row.line)
        self.rows.append(row.raw)
        self.marks = FAULTY
        self.end()

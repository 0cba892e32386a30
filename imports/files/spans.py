"""Spans: where each customer's rows are in a file, kept in a few bytes each."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from imports.files.codes import Codes

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from imports.files.furniture import Furniture
    from imports.files.records import Row
    from imports.files.sources import Source

DIGEST = 16
"""Bytes of a digest."""
LEFT_OUT, FAULTY = 1, 2
"""What a span holds beside sound rows of its customer."""
NAMELESS = -1
"""In the place of a customer's number: rows that name no customer."""
NOBODY = "\0"
"""Whose a row is that is left out; no customer has such a code."""


class Scan:
    """Where each customer's rows are and a digest of them: what the first read keeps.

    Adjacent rows of one customer are one span, with the lines among and after them that are no rows; a row with wrong
    quotes is one by itself. `customers` numbers the customers by their codes, `previous` chains the spans of each
    backwards, and likewise those that name no customer. Per customer of many that is the code with some 20 bytes, 16 of
    digest and 4 bytes more, per span 17.
    `repeated_headers` is how often the header stands among the rows, and `first_repeat` the line where first.
    `left_out` counts the rows that the format leaves out, by the code that they have.
    """

    def __init__(self, seed: bytes, furniture: Furniture) -> None:
        self.seed = seed
        self.furniture = furniture
        self.repeated_headers, self.first_repeat = 0, 0
        self.left_out: Counter[str] = Counter()
        self.customers = Codes()
        self.digests = bytearray()
        self.last_span, self.last_nameless = array("i"), -1
        self.lines, self.offsets, self.previous, self.marks = array("I"), array("Q"), array("i"), bytearray()
        self.records = 0
        self.end = 0

    def count_with_left_out(self) -> dict[str, int]:
        """How many rows and customers the file has with those that are left out."""
        others = sum(1 for code in self.left_out if code and code not in self.customers)
        return {"rows": self.records + self.left_out.total(), "customers": len(self.customers) + others}

    def digest(self, customer: int) -> bytes:
        """The digest of all rows of a customer."""
        return bytes(self.digests[DIGEST * customer : DIGEST * (customer + 1)])

    def add_span(self, customer: int, line: int, offset: int, marks: int, digest: bytes) -> None:
        """Append a span that ends where the next one begins."""
        span = len(self.lines)
        self.lines.append(line)
        self.offsets.append(offset)
        self.marks.append(marks)
        if customer == NAMELESS:
            self.previous.append(self.last_nameless)
            self.last_nameless = span
        elif customer == len(self.last_span):
            self.digests += digest
            self.previous.append(-1)
            self.last_span.append(span)
        else:
            self.digests[DIGEST * customer : DIGEST * (customer + 1)] = digest
            self.previous.append(self.last_span[customer])
            self.last_span[customer] = span

    def spans(self, customer: int) -> Sequence[int]:
        """The spans of a customer's rows, in file order; for NAMELESS of those that name none."""
        span = self.last_nameless if customer == NAMELESS else self.last_span[customer]
        spans = array("i")
        while span >= 0:
            spans.append(span)
            span = self.previous[span]
        spans.reverse()
        return spans

    def first_line(self, customer: int) -> int:
        """The line of a customer's first row."""
        return self.lines[self.spans(customer)[0]]

    def limit(self, codes: Container[str]) -> None:
        """Forget the rows of all customers but these, and those that name none."""
        kept = [(number, code) for number, code in enumerate(self.customers) if code in codes]
        self.customers = Codes(code for _, code in kept)
        self.digests = bytearray().join(self.digest(number) for number, _ in kept)
        self.last_span, self.last_nameless = array("i", (self.last_span[number] for number, _ in kept)), -1

    def size(self, span: int) -> int:
        following = span + 1
        return (self.offsets[following] if following < len(self.offsets) else self.end) - self.offsets[span]


class SpanWriter:
    """Makes spans of rows as they come."""

    def __init__(self, scan: Scan, source: Source) -> None:
        self.scan = scan
        self.offset = source.body
        self.code: str | None = None
        self.customer = NAMELESS
        self.above = ""
        """Whose the row above is; "" for nobody's, and NOBODY for one that was left out."""
        self.line = self.start = self.marks = 0
        self.fresh_digest = hashlib.blake2b(digest_size=DIGEST, person=scan.seed)
        self.digest = self.fresh_digest

    def write(self, code: str, line: int, rows: bytes) -> None:
        """Add rows to the span that is open, or begin one where they are another customer's; "" is nobody's code."""
        if code != self.code:
            self._begin(code, line)
        self.offset += len(rows)
        self.digest.update(rows)

    def _begin(self, code: str, line: int) -> None:
        self.end()
        self.code, self.line, self.start, self.marks = code, line, self.offset, 0
        self.above = code
        scan, self.digest = self.scan, self.fresh_digest.copy()
        self.customer = scan.customers.add(code) if code else NAMELESS
        if 0 <= self.customer < len(scan.last_span):
            self.digest.update(scan.digest(self.customer))

    def skip(self, size: int) -> None:
        """Leave out lines that are no rows; they stay within the span that is open."""
        self.offset += size
        self.marks |= LEFT_OUT

    def leave_out(self, size: int) -> None:
        """Leave out a row, and with it those that continue it: they stand at the end of the span, if there is one."""
        self.skip(size)
        self.end()
        self.above = NOBODY

    def end(self) -> None:
        if self.code is not None:
            self.scan.add_span(self.customer, self.line, self.start, self.marks, self.digest.digest())
        self.code = None

    def add_faulty(self, code: str, row: Row) -> None:
        self.end()
        self.write(code, row.line, row.raw)
        self.marks = FAULTY
        self.end()

"""Limit: of the kept file of an earlier run, a replay takes some customers and says why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.errors import Problem
from imports.files.continuing import Continuation
from imports.files.mapping import CustomerMapping
from imports.files.opening import open_source
from imports.files.scanning import read_rows, scan_customers

if TYPE_CHECKING:
    from pathlib import Path

    from imports.files.sources import Source
    from imports.files.spans import Scan
    from imports.formats.spec import FormatSpec
    from imports.pipeline.requesting import Replay

LEFT = "not_replayed"
"""The code of the issue of a customer that a replay leaves as it is."""


def limit_scan(scan: Scan, source: Source, replay: Replay) -> list[Problem]:
    """Let the scan hold the customers to take alone, and say of those left why they are."""
    numbers = {code: scan.customers.get(code) for code in replay.left}
    lines = {code: scan.first_line(number) for code, number in numbers.items() if number is not None}
    scan.limit(replay.codes)
    scan.records = sum(1 for number in range(len(scan.customers)) for _ in read_rows(source, scan, scan.spans(number)))
    return [
        Problem(
            code=LEFT,
            message=f"Customer {code!r} is left as it is: {why}.",
            severity="warning",
            line=lines.get(code),
            field="customer_code",
            value=code,
            customer_code=code,
        )
        for code, why in replay.left.items()
    ]


def read_codes(path: Path, spec: FormatSpec) -> set[str]:
    """The codes of the customers of a file, as the format reads it.

    Raises FileRejected or FileHeld where it does not read it, OSError where there is no file.
    """
    with open_source(path, spec.dialect) as source:
        mapping = CustomerMapping(spec, source.header)
        source.header = mapping.header
        continuation = Continuation(mapping)
        scan = scan_customers(
            source, mapping.code_index, bytes(16), lambda _: None, mapping.no_codes, continuation, mapping.furniture
        )
        return set(scan.customers)

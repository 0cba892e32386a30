"""Small customer files for tests, and the customers that came of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.storage import default_storage

from connections.describing import describe_customer
from connections.stored import fetch_stored
from imports.copies import open_copy
from imports.pipeline import ImportRequest, Progress, import_file
from lookups.directory import LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts.models import Account
    from imports.formats.spec import FormatSpec
    from imports.models import KeptFile, Run

SAMPLES = Path(__file__).resolve().parents[1] / "samples"

NEW = {
    "customer_code": "C1",
    "profile_name": "Harbor Row",
    "price_type_currency": "EUR",
    "price_type_name": "EU Wholesale",
}
SHIPPING = {"address_type": "S", "shipping_code": "S1", "shipping_country": "FR"}
BILLING = {"address_type": "B", "billing_code": "B1", "billing_country": "FR"}


def as_text(rows: Iterable[Mapping[str, str]], delimiter: str = "|") -> str:
    """A file with a header of all the fields that the rows have."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


class Sender:
    """Sends files into one account, as the ERP of a test."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.folder = folder

    def __call__(self, *rows: Mapping[str, str], spec: FormatSpec | None = None, **options: Any) -> Run:
        """Send rows of the standard template, each a mapping of field to cell."""
        return self.text(as_text(rows), spec, **options)

    def text(self, text: str, spec: FormatSpec | None = None, **options: Any) -> Run:
        return self.bytes(text.encode(), spec, **options)

    def bytes(self, data: bytes, spec: FormatSpec | None = None, **options: Any) -> Run:
        path = self.folder / "customers.txt"
        path.write_bytes(data)
        return import_path(self.account, path, spec, **options)

    def customers(self) -> dict[str, dict[str, Any]]:
        """All customers as the JSON export describes them, by code."""
        return customers_of(self.account)

    def customer(self, code: str = "C1") -> dict[str, Any]:
        return self.customers()[code]


def customers_of(account: Account) -> dict[str, dict[str, Any]]:
    directory = LookupDirectory(account)
    stored = fetch_stored(account.connections.order_by("customer_code"))
    return {code: describe_customer(customer, directory) for code, customer in stored.items()}


def import_path(
    account: Account,
    path: Path,
    spec: FormatSpec | None = None,
    *,
    progress: Progress = lambda stage, done, total: None,
    **options: Any,
) -> Run:
    """Import a file, as a request with these options asks."""
    return import_file(ImportRequest(account=account, path=path, spec=spec, **options), progress=progress)


def kept_path(kept: KeptFile | None) -> Path:
    """Where a copy lies in the storage of the tests, packed."""
    assert kept is not None
    return Path(default_storage.path(kept.key))


def kept_bytes(kept: KeptFile | None) -> bytes:
    """What is kept, as it came."""
    with open_copy(kept, "the file") as file:
        return file.read()


def issues_of(run: Run) -> list[tuple[int | None, str, str]]:
    """Line, field and code of the run's issues."""
    return list(run.issues.order_by("line", "id").values_list("line", "field", "code"))

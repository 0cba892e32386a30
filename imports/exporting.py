"""Export: what is stored → the standard template's file, or one JSON object per customer.

The file imports back unchanged: one row per address, the customer's own fields repeated on each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from connections.models import Buyer, Connection
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, StoredCustomer, fetch_stored
from imports.formats import STANDARD
from imports.template import ASSIGNMENTS, TEMPLATE, Group, TemplateField
from imports.writing import write_record
from lookups.directory import LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from django.db.models import QuerySet

    from accounts.models import Account

BATCH = 1000
_REFERENCES = (
    ("company_number", "company_numbers"),
    ("customer_group", "customer_groups"),
    ("sales_rep", "sales_reps"),
)


def export_json(account: Account, out: TextIO) -> int:
    """Write every customer as one JSON object per line, ordered by customer code; returns how many."""
    directory = LookupDirectory(account)
    count = 0
    for customer in _stored_customers(account.connections.all()):
        out.write(json.dumps(describe_customer(customer, directory), ensure_ascii=False) + "\n")
        count += 1
    return count


def describe_customer(customer: StoredCustomer, directory: LookupDirectory) -> dict[str, Any]:
    """A customer as `--json` prints it; lookups by their codes."""
    values = customer.values
    codes = {kind: _codes(customer, directory, kind) for kind in ASSIGNMENTS}
    return {
        "customer_code": customer.code,
        "status": customer.status,
        **{name: values[name] for name in ("profile_name", "customer_alias", "alternate_name", "website")},
        **{name: directory[kind].codes.get(values[f"{name}_id"]) for name, kind in _REFERENCES},
        "discount": values["discount"],
        "discount_line_item_level": values["discount_line_item_level"],
        "price_types": [code.split(" ", 1) for code in codes[Group.PRICE_TYPES]],
        "payment_terms": codes[Group.PAYMENT_TERMS],
        "shipping_terms": codes[Group.SHIPPING_TERMS],
        "warehouses": codes[Group.WAREHOUSES],
        "addresses": [
            {"kind": kind, "code": code, **dict(zip(ADDRESS_FIELDS, record[1:], strict=True))}
            for (kind, code), record in sorted(customer.addresses.items())
        ],
        "doors": [{"code": code, "name": name} for code, (_, name) in sorted(customer.doors.items())],
        "buyers": [{"email": email, "name": name} for _, (_, email, name) in sorted(customer.buyers.items())],
    }


def export_file(account: Account, out: TextIO) -> int:
    """Write the account's customers in the standard template; returns how many.

    Customers rejected in review are left out: a file with them would only be skipped.
    """
    directory = LookupDirectory(account)
    columns = _columns(account)
    write_record(out, STANDARD.dialect, "\n", [field.numbered(number) for field, number in columns])
    count = 0
    for customer in _stored_customers(account.connections.exclude(status=Connection.Status.REJECTED)):
        own = _own_cells(customer, directory)
        for cells in _address_rows(customer):
            row = own | cells
            write_record(out, STANDARD.dialect, "\n", [row.get((field.name, number), "") for field, number in columns])
        count += 1
    return count


def _stored_customers(connections: QuerySet[Connection]) -> Iterator[StoredCustomer]:
    ids = list(connections.order_by("customer_code").values_list("id", flat=True))
    for start in range(0, len(ids), BATCH):
        batch = Connection.objects.filter(id__in=ids[start : start + BATCH]).order_by("customer_code")
        yield from fetch_stored(batch).values()


def _columns(account: Account) -> list[tuple[TemplateField, int]]:
    """The template's fields, each group numbered as often as the customer with the most of it needs."""
    widths = {kind: _most(model, account) for kind, model in [*ASSIGNMENT_MODELS.items(), ("buyers", Buyer)]}
    columns: list[tuple[TemplateField, int]] = []
    for field in TEMPLATE:
        if (field, 1) not in columns:
            group = [field] if not field.repeats else [other for other in TEMPLATE if other.group is field.group]
            columns += [(other, number) for number in range(1, widths.get(field.group, 1) + 1) for other in group]
    return columns


def _most(model: Any, account: Account) -> int:
    """The most rows that a connection of the account has, at least one."""
    counts = model.objects.filter(connection__account=account).values("connection").annotate(rows=Count("id"))
    return max(1, counts.order_by("-rows").values_list("rows", flat=True).first() or 0)


def _codes(customer: StoredCustomer, directory: LookupDirectory, kind: str) -> list[str]:
    return sorted(directory[kind].codes[lookup] for lookup in customer.assignments[kind])


Cells = dict[tuple[str, int], Any]


def _own_cells(customer: StoredCustomer, directory: LookupDirectory) -> Cells:
    """The cells about the customer itself, by field and number."""
    values = customer.values
    cells: Cells = {("customer_code", 1): customer.code}
    for name in ("profile_name", "customer_alias", "alternate_name", "website", "discount"):
        cells[name, 1] = values[name]
    if values["discount_line_item_level"] is not None:
        cells["discount_line_item_level", 1] = "yes" if values["discount_line_item_level"] else "no"
    for name, kind in _REFERENCES:
        code = directory[kind].codes.get(values[f"{name}_id"], "")
        cells[f"{name}_code", 1] = code
        cells[f"{name}_name", 1] = directory[kind].names.get(code, "")
    for number, code in enumerate(_codes(customer, directory, Group.PRICE_TYPES), 1):
        cells["price_type_currency", number], cells["price_type_name", number] = code.split(" ", 1)
    for kind, code_name, name in (
        (Group.PAYMENT_TERMS, "payment_terms_code", "payment_terms"),
        (Group.WAREHOUSES, "warehouse_code", "warehouse_name"),
        (Group.SHIPPING_TERMS, "shipping_terms", ""),
    ):
        for number, code in enumerate(_codes(customer, directory, kind), 1):
            cells[code_name, number] = code
            if name:
                cells[name, number] = directory[kind].names[code]
    for number, (_, email, buyer) in enumerate(customer.buyers.values(), 1):
        cells["buyer_email", number], cells["buyer_name", number] = email, buyer
    return cells


def _address_rows(customer: StoredCustomer) -> Iterator[Cells]:
    """The cells of each address, billing first; one row without an address for a customer that has none.

    A door is asked for only where it has its address's name, because asking renames it.
    """
    for (kind, code), record in sorted(customer.addresses.items()):
        prefix = "billing" if kind == "B" else "shipping"
        cells: Cells = {("address_type", 1): kind, (f"{prefix}_code", 1): code}
        for part, value in zip(ADDRESS_FIELDS, record[1:], strict=True):
            cells[f"{prefix}_{part}", 1] = value
        door = customer.doors.get(code)
        if kind == "S" and door is not None and door[1] == cells["shipping_name", 1]:
            cells["create_doors", 1] = "yes"
        yield cells
    if not customer.addresses:
        yield {}

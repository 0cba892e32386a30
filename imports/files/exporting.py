"""Export: what is stored → a file of the standard template or of a format, or one JSON object per customer.

The file imports back unchanged: as many rows as the addresses need, the customer's own fields repeated on each.
"""

from __future__ import annotations

import contextlib
import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from connections.describing import assigned_entries, describe_customer, price_types_of
from connections.models import Buyer, Connection
from connections.stored import ADDRESS_FIELDS, ASSIGNMENT_MODELS, GIVEN_OF_CONNECTION, StoredCustomer, fetch_stored
from imports.errors import SettingsWrong
from imports.formats.masks import write_footer
from imports.formats.policies import RowMark
from imports.formats.spec import STANDARD, Column, FormatSpec, fold_value_map
from imports.formats.widgets import WIDGETS
from imports.formats.writing import Unwritable, write_record
from imports.template import ASSIGNMENTS, TEMPLATE, Group, Target, normalize
from lookups.directory import GONE, LookupDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from django.db.models import QuerySet

    from accounts.models import Account

BATCH = 1000
DOOR = "door"
DOOR_FIELD = "create_doors"
KINDS = {"B": Group.BILLING, "S": Group.SHIPPING}
ADDRESS_TYPE = Target("address_type")
Record = dict[str, str]
"""Cells by part of a group."""
Records = dict[Group, list[Record]]
Row = dict[Group, "Sequence[Record]"]


def export_json(account: Account, out: TextIO) -> int:
    """Write every customer as one JSON object per line, ordered by customer code; returns how many."""
    directory = LookupDirectory(account)
    count = 0
    for customer in _stored_customers(account.connections.all()):
        out.write(json.dumps(describe_customer(customer, directory), ensure_ascii=False) + "\n")
        count += 1
    return count


@contextlib.contextmanager
def _writing(what: str, spec: FormatSpec) -> Iterator[None]:
    """Raise SettingsWrong for what the format's dialect has no way to write."""
    try:
        yield
    except (Unwritable, UnicodeEncodeError) as error:
        raise SettingsWrong(f"{what} cannot be written in the dialect of {spec.name}: {error}.") from None


def export_file(account: Account, out: TextIO, spec: FormatSpec = STANDARD) -> int:
    """Write the account's customers as a file of the format; returns how many.

    Customers rejected in review are left out: a file with them would only be skipped. Raises SettingsWrong for a
    value that the format's dialect cannot write.
    """
    connections = account.connections.all()
    layout = Layout(spec, standard_columns(connections) if spec.columns is None else spec.columns)
    with _writing("The header", spec):
        layout.write_head(out)
    count = lines = 0
    for code, rows in export_rows(account, connections, layout):
        with _writing(f"Customer {code!r}", spec):
            for cells in rows:
                write_record(out, spec.dialect, cells)
                lines += 1
        count += 1
    if spec.dialect.footer:
        out.write(f"{write_footer(spec.dialect.footer, {'rows': lines, 'customers': count})}\n")
    return count


def export_rows(
    account: Account, connections: QuerySet[Connection], layout: Layout
) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """The code and the rows of each of the account's connections that was not rejected, by customer code."""
    directory = LookupDirectory(account)
    for customer in _stored_customers(connections.exclude(status=Connection.Status.REJECTED)):
        yield customer.code, layout.rows(_records(customer, directory))


def _stored_customers(connections: QuerySet[Connection]) -> Iterator[StoredCustomer]:
    ids = list(connections.order_by("customer_code").values_list("id", flat=True))
    for start in range(0, len(ids), BATCH):
        batch = Connection.objects.filter(id__in=ids[start : start + BATCH]).order_by("customer_code")
        yield from fetch_stored(batch).values()


def standard_columns(connections: QuerySet[Connection]) -> tuple[Column, ...]:
    """The template's columns, each group numbered as often as the customer with the most of it needs."""
    widths = {kind: _most(model, connections) for kind, model in [*ASSIGNMENT_MODELS.items(), ("buyers", Buyer)]}
    targets: dict[Target, None] = {}
    for field in TEMPLATE:
        group = [field] if not field.repeats else [other for other in TEMPLATE if other.group is field.group]
        for number in range(1, widths.get(field.group, 1) + 1):
            targets |= dict.fromkeys(Target(other.name, number) for other in group)
    return tuple(Column(target=target, source=str(target)) for target in targets)


def _most(model: Any, connections: QuerySet[Connection]) -> int:
    """The most rows that one of the connections has, at least one."""
    counts = (
        model.objects.filter(connection__in=connections.order_by().values("pk"))
        .values("connection")
        .annotate(rows=Count("id"))
    )
    return max(1, counts.order_by("-rows").values_list("rows", flat=True).first() or 0)


def _records(customer: StoredCustomer, directory: LookupDirectory) -> Records:
    """What is stored of a customer, by group and as cells by part; one entry for each number of a group."""
    fields = {"customer_code": customer.code}
    for field, value in zip(GIVEN_OF_CONNECTION, customer.values, strict=True):
        if field.list_name:
            entry = GONE if value is None else directory.entry(field.list_name, value)
            fields[f"{field.name}_code"], fields[f"{field.name}_name"] = entry.code, entry.name
        else:
            fields[field.name] = _cell(value)
    records: Records = {Group.CONNECTION: [fields]}
    for group in ASSIGNMENTS:
        if group is Group.PRICE_TYPES:
            price_types = price_types_of(customer, directory)
            records[group] = [{"currency": currency, "name": label} for currency, label in price_types]
        else:
            entries = assigned_entries(customer, directory, group)
            records[group] = [{"code": entry.code, "name": entry.name} for entry in entries]
    records[Group.BUYERS] = [{"email": buyer.email, "name": buyer.name} for buyer in customer.buyers.values()]
    for kind, group in (("B", Group.BILLING), ("S", Group.SHIPPING)):
        records[group] = [
            {
                "code": code,
                **dict(zip(ADDRESS_FIELDS, map(_cell, address.values), strict=True)),
                DOOR: _door(customer, kind, code),
            }
            for (of_kind, code), address in sorted(customer.addresses.items())
            if of_kind == kind
        ]
    return records


def _door(customer: StoredCustomer, kind: str, code: str) -> str:
    """Yes where a door is to be asked for: one that has its address's name, because asking renames it."""
    door = customer.doors.get(code)
    name = customer.addresses[kind, code].values.name
    return "yes" if kind == "S" and door is not None and door.name == name else ""


def _cell(value: object) -> str:
    """A stored value as a cell gives it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


class Layout:
    """Puts what is stored of a customer into the columns of a format.

    A group that holds more than the columns of its numbers goes on in further rows, so that nothing is left out. A
    template of headers is left blank, which keeps what is stored: what it joined cannot be told apart again.
    """

    def __init__(self, spec: FormatSpec, columns: tuple[Column, ...]) -> None:
        self.dialect = spec.dialect
        self.header = list(spec.header)
        self.places: list[tuple[int, Column, Callable[[str], str]]] = []
        indexes = {normalize(text): index for index, text in enumerate(self.header)}
        for column in columns:
            if isinstance(column.source, int):
                self.places.append((column.source - 1, column, _inverse(column)))
                continue
            for text in column.headers:
                index = indexes.setdefault(normalize(text), len(self.header))
                if index == len(self.header):
                    self.header.append(text)
                if column.headers == (column.source,):
                    self.places.append((index, column, _inverse(column)))
        self.marks: dict[int, str] = {}
        for name, marks in spec.policies.row_marks.items():
            is_position = normalize(name) not in indexes and name.isdecimal()
            index = int(name) - 1 if is_position else indexes.setdefault(normalize(name), len(self.header))
            if index == len(self.header) and not is_position:
                self.header.append(name)
            if marks.get("") is RowMark.LEAVE_OUT:
                self.marks[index] = next(value for value, meaning in marks.items() if meaning is RowMark.TAKE)
        self.width = max(len(self.header), spec.dialect.width, 1 + max((index for index, *_ in self.places), default=0))
        self.header += [f"column {number}" for number in range(len(self.header) + 1, self.width + 1)]
        self.capacity: dict[Group, int] = {}
        for _, column, _ in self.places:
            group = column.target.field.group
            self.capacity[group] = max(self.capacity.get(group, 0), column.target.number)
        constant = next(
            (column.constant for column in columns if column.target == ADDRESS_TYPE and column.constant), ""
        )
        self.only_kind = constant.upper()
        self.kind_on_row = any(column.target == ADDRESS_TYPE for _, column, _ in self.places)

    def write_head(self, out: TextIO) -> None:
        if self.dialect.skip_lines:
            out.write("\n" * self.dialect.skip_lines)
        if self.dialect.has_header:
            write_record(out, self.dialect, self.header)

    def rows(self, records: Records) -> Iterator[list[str]]:
        """The cells of the customer's rows, at least one; the customer's own ones stand on each."""
        own = {
            group: _chunks(records[group], self.capacity[group])
            for group in (*ASSIGNMENTS, Group.BUYERS)
            if group in self.capacity
        }
        addresses = self._address_rows(records)
        for number in range(max(1, len(addresses), *(len(chunks) for chunks in own.values()))):
            row: Row = {Group.CONNECTION: records[Group.CONNECTION]}
            row |= {group: chunks[min(number, len(chunks) - 1)] for group, chunks in own.items() if chunks}
            row |= addresses[number] if number < len(addresses) else {}
            yield self._cells(row)

    def _address_rows(self, records: Records) -> list[Row]:
        """The address groups of each row, with what stands on the row beside them."""
        chunks = {
            kind: _chunks(records[group], self.capacity.get(group) or self.capacity.get(Group.ADDRESS, 0))
            for kind, group in KINDS.items()
            if not self.only_kind or kind == self.only_kind
        }
        if self.kind_on_row or self.only_kind:
            return [
                {
                    KINDS[kind]: chunk,
                    Group.ADDRESS: chunk,
                    Group.ROW: [{"address_type": kind, DOOR_FIELD: _all_doors(chunk)}],
                }
                for kind, of_kind in chunks.items()
                for chunk in of_kind
            ]
        rows: list[Row] = []
        for billing, shipping in zip_longest(chunks["B"], chunks["S"], fillvalue=()):
            row = {DOOR_FIELD: _all_doors(shipping)}
            rows.append({Group.BILLING: billing, Group.SHIPPING: shipping, Group.ROW: [row]})
        return rows

    def _cells(self, row: Row) -> list[str]:
        cells = [self.marks.get(index, "") for index in range(self.width)] if self.marks else [""] * self.width
        for index, column, inverse in self.places:
            target = column.target
            records = row.get(target.field.group, ())
            if target.number <= len(records):
                value = records[target.number - 1].get(target.field.part, "")
                cells[index] = inverse(value)
        return cells


def _inverse(column: Column) -> Callable[[str], str]:
    """What the file writes for a stored value; "" for one that it has no word for, which keeps what is stored."""
    widget = WIDGETS[column.target.field.kind](column.target.field)
    mapped = fold_value_map(column.value_map)
    cells = {_cell(widget.clean(value)): cell for cell, value in column.value_map.items() if value}

    def write(value: str) -> str:
        return cells.get(value) or ("" if value in mapped or value.casefold() in mapped else value)

    return write


def _chunks(records: list[Record], size: int) -> list[list[Record]]:
    return [records[start : start + size] for start in range(0, len(records), size)] if size else []


def _all_doors(addresses: Sequence[Record]) -> str:
    return "yes" if addresses and all(address[DOOR] for address in addresses) else ""

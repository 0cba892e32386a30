"""Group: rows → customers. Equal values collapse and complete each other, different ones are conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.files.blocks import CLEAR, NOTHING, Block, Cleaned
from imports.files.columns import cells_at
from imports.files.continuing import Continuation
from imports.files.customers import PREFIXES, Customer, Given, Merged, Note, keep, target_of
from imports.files.totals import LEAVE_OUT, SUMS_UP, TOTALS_ROW, is_totals_row, says_total
from imports.files.widths import Widths
from imports.formats.policies import Conflict
from imports.formats.spec import BadValue
from imports.template import ASSIGNMENTS, Group, Target, normalize
from lookups.validators import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.files.columns import CellProblem
    from imports.files.mapping import CustomerMapping
    from imports.files.near_lines import NearLines
    from imports.files.records import Row


class Grouper:
    """Makes customers of rows, by the blocks of a mapping; `note` takes the problems of those that have many."""

    def __init__(self, mapping: CustomerMapping, lines: NearLines | None = None, note: Note = keep) -> None:
        self.mapping = mapping
        self.note = note
        self.widths = Widths(mapping, lines)
        self.width = self.widths.width
        self.conflict = mapping.spec.policies.conflict
        self.continuation = Continuation(mapping)
        self.hidden_rows = 0
        blocks = mapping.blocks
        self.row_block = next((block for block in blocks if block.group is Group.ROW), None)
        self.field_blocks = [block for block in blocks if block.group is Group.CONNECTION]
        self.buyer_blocks = [block for block in blocks if block.group is Group.BUYERS]
        billing = [(block, "B") for block in blocks if block.group is Group.BILLING]
        shipping = [(block, "S") for block in blocks if block.group is Group.SHIPPING]
        self.generic_blocks = [block for block in blocks if block.group is Group.ADDRESS]
        self.address_blocks = {
            "B": billing + [(block, "B") for block in self.generic_blocks],
            "S": shipping + [(block, "S") for block in self.generic_blocks],
            "": billing + shipping,
        }
        self.assignment_blocks = [block for block in blocks if block.group in ASSIGNMENTS]
        own = [*self.field_blocks, *self.assignment_blocks, *self.buyer_blocks]
        self.own_cells = cells_at([index for block in own for column in block.columns for index in column.indexes])

    def group(self, code: str, rows: Iterable[Row]) -> Customer:
        """The customer of these rows, with every problem that the rows have by themselves."""
        customer = Customer(code, self.note)
        customer.names_total = customer.sums_up = says_total(code)
        first, continued = 0, 0
        for row in rows:
            if customer.sums_up:
                customer.sums_up = is_totals_row(self.mapping.sent_cells(row.cells))
            if not customer.rows:
                customer.line = row.line
            customer.rows += 1
            if row.swallowed:
                self._warn_of_swallowed(customer, row)
            is_usual = len(row.cells) == self.width and not row.fault and b"\0" not in row.raw
            if not is_usual and (fault := self.find_fault(row)):
                customer.unread = True
                customer.problem(row.line, *fault)
            elif row.cells[self.mapping.code_index] == code or self._has_code(code, row.cells):
                cells = row.cells if len(row.cells) >= self.width else self._pad(customer, row)
                self._add_row(customer, row.line, cells)
            else:
                first, continued = first or row.line, continued + 1
        if continued:
            self._reject_continued(customer, first, continued)
        return customer

    def _pad(self, customer: Customer, row: Row) -> list[str]:
        """The cells of a row of which the last were left out, as the format allows."""
        if self.widths.doubted == row.line:
            message = (
                f"The row is short, and those beside it too: together they have {self.width} cells. If a line break "
                "stands inside a cell, put the cell in quotes."
            )
            customer.problem(row.line, "short_row", message, severity="warning")
        return self.widths.pad(row.cells)

    def find_fault(self, row: Row) -> tuple[str, str] | None:
        """Why the cells of a row cannot be told apart: code and message; none for a sound row."""
        if row.fault and (joined := self.widths.find_joined(row)):
            return "malformed_quote", joined
        if row.fault:
            return "malformed_quote", f"The quotes of this row are wrong: {row.fault}"
        if len(row.cells) != self.width and (wrong := self.widths.explain(row)):
            return "wrong_number_of_cells", wrong
        if b"\0" in row.raw:
            return "nul", "The row holds a NUL character, which no text has. Send the row again without it."
        return None

    def _warn_of_swallowed(self, customer: Customer, row: Row) -> None:
        """A cell over several lines with delimiters in it may have been opened and closed by two stray quotes."""
        self.hidden_rows += row.hidden_rows
        what = f"{row.swallowed} more line{'s' * (row.swallowed > 1)}, with delimiters in them"
        message = f"A quoted cell of this row takes in {what}. If they are rows, a quote is missing or too many."
        customer.problem(row.line, "swallowed_lines", message, severity="warning")

    def _has_code(self, code: str, cells: list[str]) -> bool:
        """Whether a row of a customer names it, or need not."""
        continuation = self.continuation
        return (
            continuation.is_said or cells[continuation.code_index].strip() == code or not continuation.lacks_code(cells)
        )

    def _reject_continued(self, customer: Customer, line: int, count: int) -> None:
        """A customer that seems to go on in rows without a code is not applied without them."""
        rows = "this row seems" if count == 1 else f"this row and {count - 1:,} more below seem"
        target = Target("customer_code")
        customer.problem(
            line,
            "required",
            f"customer_code is required: {rows} to continue customer {customer.code!r} of the row above, which is not "
            "applied without. Repeat the code on every row, or let the format say blank_code: continue.",
            column=self.mapping.column_label(target),
            field=str(target),
        )

    def reject_nameless(self, customer: Customer, row: Row) -> None:
        """Say why a row without a customer code cannot be used."""
        if row.swallowed:
            self._warn_of_swallowed(customer, row)
        if is_totals_row(self.mapping.sent_cells(row.cells)):
            code, message = TOTALS_ROW, f"The row names no customer; {SUMS_UP}: {LEAVE_OUT}."
        elif fault := self.find_fault(row):
            customer.problem(row.line, *fault)
            return
        else:
            code, message = "required", "customer_code is required: the row names no customer."
        target = Target("customer_code")
        customer.problem(row.line, code, message, column=self.mapping.column_label(target), field=str(target))

    def _add_row(self, customer: Customer, line: int, cells: list[str]) -> None:
        own_cells = self.own_cells(cells)
        if own_cells != customer.own_cells:
            before = len(customer.problems)
            self._add_own(customer, line, cells)
            customer.own_cells = own_cells if len(customer.problems) == before else None
        row_values = self._clean(customer, self.row_block, line, cells) if self.row_block else NOTHING
        problems = row_values.problems
        if not problems or all(problem.field != "address_type" for problem in problems):
            self._add_addresses(customer, line, cells, row_values.values)

    def _add_own(self, customer: Customer, line: int, cells: list[str]) -> None:
        """Take in what a row says of the customer itself: fields, assignments, buyers."""
        for block in self.field_blocks:
            values = self._clean(customer, block, line, cells).values
            if customer.fields is None:
                customer.fields = Merged(block, line, values)
            elif values is not customer.fields.values:
                self._merge(customer, customer.fields, values, line, block)
        for block in self.assignment_blocks:
            values = self._clean(customer, block, line, cells).values
            if values:
                given = customer.assignments.setdefault(block.group, {})
                given.setdefault(id(values), Given(values, line, block.number))
        for block in self.buyer_blocks:
            values = self._clean(customer, block, line, cells).values
            if values:
                self._add_buyer(customer, block, line, values)

    def _clean(self, customer: Customer, block: Block, line: int, cells: list[str]) -> Cleaned:
        cleaned = block.clean(cells)
        for problem in cleaned.problems:
            if problem.code == "word_for_nothing":
                customer.words.setdefault(problem.field, {})[line] = problem
            elif problem.severity == "error" or not _is_said(customer, problem):
                customer.problem(line, **problem._asdict())
        return cleaned

    def _merge(self, customer: Customer, merged: Merged, values: dict[str, Any], line: int, block: Block) -> bool:
        """Take another row's values into a record; different ones are an error that names both places.

        A format may let the first or the last value win instead; then it is a warning. Returns whether the row said
        anything that was not known.
        """
        added, conflicts = merged.add(values, line, block)
        for part in conflicts:
            second = values[part]
            target = target_of(block, part)
            remedy = "Send one value." if self.conflict is Conflict.REJECT else f"The {self.conflict} one is taken."
            customer.problem(
                line,
                "conflict",
                f"{target} is {self._shown(second)!r} here and {self._first_of(merged, part, line)}. {remedy}",
                column=self.mapping.column_label(target),
                field=str(target),
                value=self._shown(second),
                severity="error" if self.conflict is Conflict.REJECT else "warning",
            )
            if self.conflict is Conflict.LAST:
                merged.replace(part, second, line, block)
        return added or bool(conflicts)

    def _first_of(self, merged: Merged, part: str, line: int) -> str:
        """The value that another one contradicts, and where it stood."""
        first_line, block = merged.source_of(part)
        value = repr(self._shown(merged.values[part]))
        if first_line != line:
            return f"{value} on line {first_line}"
        target = target_of(block, part)
        label = self.mapping.column_label(target)
        return f"{value} in {target}{f' (column {label!r})' if normalize(label) != str(target) else ''} of the same row"

    def _shown(self, value: Any) -> str:
        return self.mapping.spec.policies.clear_token if value is CLEAR else str(value)

    def _add_buyer(self, customer: Customer, block: Block, line: int, values: dict[str, Any]) -> None:
        email = values.get("email")
        if email is None or email is CLEAR:
            self._miss_email(customer, block, line)
            return
        key = lower_ascii(email)
        if key in customer.buyers:
            known = customer.buyers[key]
            if known.values["email"] != email:
                values = values | {"email": known.values["email"]}
            self._merge(customer, known, values, line, block)
        else:
            customer.buyers[key] = Merged(block, line, values)

    def _miss_email(self, customer: Customer, block: Block, line: int) -> None:
        """A name without an e-mail is no buyer: an error, unless the name's column leaves out what cannot be."""
        name = next((bound for bound in block.columns if bound.target.field.part == "name"), None)
        if name is None or name.column.bad_value is not BadValue.LEAVE_OUT:
            self._require(customer, block, line, "email", "is required when buyer_name is given")
            return
        customer.problem(
            line,
            "required",
            f"{name.target} stands without an e-mail beside it, by which buyers are known; it is left out.",
            column=name.label,
            field=str(name.target),
            severity="warning",
        )

    def _add_addresses(self, customer: Customer, line: int, cells: list[str], row: dict[str, Any]) -> None:
        kind = row.get("address_type", "")
        if kind is CLEAR:
            kind = ""
        repeated: tuple[str, str] | None = None
        brought = is_read = False
        for block, address_kind in self.address_blocks[kind]:
            values = self._clean(customer, block, line, cells).values
            if not values:
                continue
            is_read = True
            code = values.get("code")
            if code is None or code is CLEAR:
                self._require(customer, block, line, "code", "is required for an address")
                continue
            key = (address_kind, code)
            known = customer.addresses.get(key)
            if known is None:
                customer.addresses[key] = Merged(block, line, values)
                brought = True
            elif self._merge(customer, known, values, line, block):
                brought = True
            elif known.line != line:
                repeated = key
            if address_kind == "S" and row.get("create_doors") is True:
                customer.doors.setdefault(code, line)
        if repeated and not brought:
            self._warn_of_repeated(customer, line, repeated)
        if kind and not is_read:
            self._warn_of_unread(customer, line, cells, kind)
        if not kind:
            for block in self.generic_blocks:
                if block.clean(cells) is not NOTHING:
                    self._require(
                        customer, self.row_block, line, "address_type", "is required to tell the address's kind"
                    )
                    break

    def _warn_of_unread(self, customer: Customer, line: int, cells: list[str], kind: str) -> None:
        """A row whose address stands in the columns of the other kind alone brings none."""
        own, other, others = ("billing", "shipping", "S") if kind == "B" else ("shipping", "billing", "B")
        blocks = (block for block, _ in self.address_blocks[others] if block.group is not Group.ADDRESS)
        if any(block.clean(cells) is not NOTHING for block in blocks):
            target = Target("address_type")
            customer.problem(
                line,
                "unread_address",
                f"{target} is {kind}, for which {own} columns are read, and the row has {other} ones alone: its "
                f"address is not read. Send {others} if that is meant, or the address in {own} columns.",
                column=self.mapping.column_label(target),
                field=str(target),
                value=kind,
                severity="warning",
            )

    def _warn_of_repeated(self, customer: Customer, line: int, key: tuple[str, str]) -> None:
        """A row that brings nothing may have been meant for another address."""
        kind, code = key
        target = Target("billing_code" if kind == "B" else "shipping_code")
        customer.problem(
            line,
            "repeated_address",
            f"The row only repeats the address {code!r} of line {customer.addresses[key].line}.",
            column=self.mapping.column_label(target),
            field=str(target),
            value=code,
            severity="warning",
        )

    def _require(self, customer: Customer, block: Block | None, line: int, part: str, why: str) -> None:
        """Say that a part of a block is missing, unless its cell was already found wrong."""
        target = target_of(block, part) if block and block.group in PREFIXES else Target(part)
        customer.require(target, why, self.mapping.column_label(target), (line,))


def _is_said(customer: Customer, problem: CellProblem) -> bool:
    """Whether a warning has been said of the customer already."""
    is_encoded_twice = problem.code == "encoded_twice"
    warning = ("", problem.code) if is_encoded_twice else (problem.field, problem.value)
    is_said = warning in customer.warned
    customer.warned.add(warning)
    customer.encoded_twice |= is_encoded_twice
    return is_said

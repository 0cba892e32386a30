"""Import and export of each list in the admin. The column `account` holds the account's code.

The library reads the file, shows it, and asks for a confirmation; `lookups/loading.py` judges and stores the rows, as
it does for every other door.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from import_export.fields import Field
from import_export.resources import Diff, ModelResource
from import_export.results import Error, Result, RowResult
from import_export.widgets import ForeignKeyWidget

from accounts.models import Account
from lookups import models
from lookups.checking import row_key
from lookups.directory import LISTS
from lookups.formulas import mark_formula, unmark_formula
from lookups.loading import load_rows
from lookups.reading import COLUMNS, Problem, Row
from lookups.texts import read_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User
    from lookups.checking import Key

    Loaded = dict[tuple[int, Key], models.Lookup]


class AccountWidget(ForeignKeyWidget):
    """An account by its code, among those the user edits; so no row can reach into another account."""

    def __init__(self, user: User | None) -> None:
        super().__init__(Account, "code")
        accounts = Account.objects.editable_by(user) if user else Account.objects.none()
        self.accounts = {account.code: account for account in accounts}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Account:
        try:
            return self.accounts[str(value or "").strip()]
        except KeyError:
            known = ", ".join(self.accounts) or "none"
            raise ValidationError(f"{value!r} is not the code of an account you edit; those are: {known}.") from None


class LookupResource(ModelResource):
    """One list. A file without the column `account` goes to the only account the user edits."""

    account = Field(attribute="account", column_name="account")

    def __init__(self, user: User | None = None) -> None:
        super().__init__()
        self.accounts = AccountWidget(user)
        self.fields["account"].widget = self.accounts
        self.list = next(name for name, model in LISTS.items() if model is self._meta.model)

    def export_field(self, field: Field, instance: Any, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return mark_formula(value) if isinstance(value, str) else value

    def import_data(self, dataset: Any, dry_run: bool = False, **kwargs: Any) -> Result:
        """The whole file or nothing of it; a dry run is the real one rolled back."""
        result = Result()
        result.diff_headers = self.get_diff_headers()
        result.total_rows = len(dataset)
        try:
            self._judge_header(dataset)
        except ValidationError as error:
            result.append_base_error(Error(error))
            return result
        with transaction.atomic():
            lines = getattr(dataset, "lines", None) or range(2, len(dataset) + 2)
            for row_result in self._import_rows(result, list(zip(lines, dataset.dict, strict=True))):
                result.append_row_result(row_result)
                result.increment_row_result_total(row_result)
            if dry_run or result.has_validation_errors():
                transaction.set_rollback(True)
        return result

    def _judge_header(self, dataset: Any) -> None:
        headers = list(dataset.headers or [])
        known = [field.column_name for field in self.get_import_fields()]
        if unknown := [name for name in headers if name not in known]:
            raise ValidationError(f"{unknown[0]!r} is not a column of this list; they are {', '.join(known)}.")
        required = [name for name in known if name not in ("account", "name")]
        if missing := [name for name in required if name not in headers]:
            raise ValidationError(f"The file needs a column {missing[0]!r}.")
        if "account" in headers:
            return
        if len(self.accounts.accounts) != 1:
            raise ValidationError("The file needs a column 'account' with the account's code.")
        dataset.append_col(list(self.accounts.accounts) * len(dataset), header="account")

    def _import_rows(self, result: Result, cells: list[tuple[int, dict[str, Any]]]) -> Iterator[RowResult]:
        """What becomes of each row, in the order of the file; the lists are loaded on the way."""
        problems: dict[int, list[str]] = {}
        places: dict[int, tuple[Account, Row]] = {}
        for line, given in cells:
            try:
                places[line] = self.accounts.clean(given["account"]), self._to_row(line, given)
            except ValidationError as error:
                problems[line] = list(error.messages)
        accounts = {account for account, _ in places.values()}
        before = self._stored(accounts)
        for account in sorted(accounts, key=lambda account: account.pk):
            rows = [row for owner, row in places.values() if owner == account]
            for problem in load_rows(account, rows, []).problems:
                problems.setdefault(problem.line or 0, []).append(self._say(problem))
        after = {} if problems else self._stored(accounts)
        for line, given in cells:
            if line in problems:
                result.append_invalid_row(line, given, ValidationError(problems[line]))
                yield _row_result(RowResult.IMPORT_TYPE_INVALID, given)
            elif not problems:
                account, row = places[line]
                key = account.pk, row_key(row)
                yield self._compare(before.get(key), after[key], given)

    def _to_row(self, line: int, given: dict[str, Any]) -> Row:
        cells = dict.fromkeys(COLUMNS, "") | {"list": self.list}
        for name, value in given.items():
            text = read_key(unmark_formula("" if value is None else str(value).strip()))
            if "\0" in text:
                raise ValidationError(f"{name}: contains a NUL character; text must not.")
            if name != "account":
                cells["name" if name == "label" else name] = text
        return Row(line, cells)

    def _say(self, problem: Problem) -> str:
        column = "label" if problem.column == "name" and self.list == "price_types" else problem.column
        return f"{column}: {problem.value!r} {problem.message}" if problem.value else f"{column}: {problem.message}"

    def _stored(self, accounts: set[Account]) -> Loaded:
        entries = self._meta.model._default_manager.filter(account__in=accounts).select_related("account")
        return {(entry.account_id, _key_of(entry)): entry for entry in entries}

    def _compare(self, before: models.Lookup | None, after: models.Lookup, given: dict[str, Any]) -> RowResult:
        kind = RowResult.IMPORT_TYPE_NEW
        if before is not None:
            same = all(field.export(before) == field.export(after) for field in self.get_import_fields())
            kind = RowResult.IMPORT_TYPE_SKIP if same else RowResult.IMPORT_TYPE_UPDATE
        row_result = _row_result(kind, given)
        difference = Diff(self, before or self._meta.model(), before is None)
        difference.compare_with(self, after)
        row_result.diff = difference.as_html()
        row_result.add_instance_info(after)
        row_result.instance, row_result.original = after, copy(before)
        return row_result


def _row_result(kind: str, given: dict[str, Any]) -> RowResult:
    row_result = RowResult()
    row_result.import_type, row_result.row_values = kind, dict(given)
    return row_result


def _key_of(entry: Any) -> Key:
    return (entry.currency, entry.label) if isinstance(entry, models.PriceType) else (entry.code,)


class CodedResource(LookupResource):
    class Meta:
        fields: tuple[str, ...] = ("account", "code", "name")
        import_order = export_order = fields


class PriceTypeResource(LookupResource):
    class Meta:
        model = models.PriceType
        fields = ("account", "currency", "label")
        import_order = export_order = fields


class PaymentTermResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.PaymentTerm


class ShippingTermResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.ShippingTerm


class SalesRepResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.SalesRep
        fields = ("account", "code", "name", "email")
        import_order = export_order = fields


class WarehouseResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.Warehouse


class CustomerGroupResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.CustomerGroup


class CompanyNumberResource(CodedResource):
    class Meta(CodedResource.Meta):
        model = models.CompanyNumber

"""Connections as django-import-export has them: datasets and files in, through the pipeline, and the standard template
out.

    result = ConnectionResource(account, user=user).import_data(dataset, dry_run=True)

The library's `Result` says what became of each customer. A customer is all rows with its code, so that is what a row of
the result is: `new`, `update`, `skip` (nothing differs, or rejected in review), `invalid` (rejected, with the reasons
by field); a row that names no customer is an `error`. What stands against the whole file is a base error.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from import_export.exceptions import ImportError as RowsRefused
from import_export.resources import Diff, ModelResource
from import_export.results import Error, Result, RowResult
from tablib import Dataset

from accounts.models import Account
from connections.models import Connection
from imports.choosing import find_version, read_spec
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.files.datasets import list_fields, write_dataset
from imports.files.exporting import Layout, export_rows, standard_columns
from imports.formats.spec import STANDARD, FormatSpec
from imports.formats.writing import Unwritable
from imports.models import Issue, Run
from imports.pipeline import ImportRequest, Origin, import_file
from imports.pipeline.claiming import claim_account
from imports.runs.previewing import COLUMNS, Kind, Outcome, Preview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from imports.files.datasets import Rows
    from imports.models import FormatVersion

IMPORT_TYPES = {
    Kind.NEW: RowResult.IMPORT_TYPE_NEW,
    Kind.UPDATED: RowResult.IMPORT_TYPE_UPDATE,
    Kind.UNTOUCHED: RowResult.IMPORT_TYPE_SKIP,
    Kind.REJECTED: RowResult.IMPORT_TYPE_INVALID,
    Kind.NAMELESS: RowResult.IMPORT_TYPE_ERROR,
}


class CustomerDiff(Diff):
    """The library's comparison, of texts instead of instances: what stands of a customer is in many tables."""

    def __init__(self, outcome: Outcome) -> None:
        self.new = outcome.kind is Kind.NEW
        self.left = [outcome.before.get(name, "") for name in COLUMNS]
        self.right = [outcome.after.get(name, "") for name in COLUMNS]

    def changes(self) -> list[tuple[str, str]]:
        """The columns that differ, each with its difference as HTML."""
        differs = [left != right for left, right in zip(self.left, self.right, strict=True)]
        return [(name, html) for name, html, shown in zip(COLUMNS, self.as_html(), differs, strict=True) if shown]


class CustomerResult(RowResult):
    """What became of one customer. `number` is that of its first row in the dataset, or its first line in the file."""

    def __init__(self, number: int, outcome: Outcome) -> None:
        super().__init__()
        self.number = number
        self.customer_code = outcome.code
        self.import_type = IMPORT_TYPES[outcome.kind]
        self.changes: list[tuple[str, str]] = []


class ConnectionResult(Result):
    """The result of a file: its run, the totals of all its customers, and the first of them one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.left_out = 0
        """How many customers have no row here, because there are too many of them."""

    def row_errors(self) -> list[tuple[int, list[Error]]]:
        return [(row.number, row.errors) for row in self.rows if row.errors]


class ConnectionResource(ModelResource):
    """The connections of one account. `version` is a format's version or its name; none means the standard template.

    With a user, only an editor of the account may import, and what the user does not see is not exported. The hooks of
    single rows and instances are never called: the pipeline goes by customers.
    """

    class Meta:
        model = Connection
        fields: tuple[str, ...] = ()
        import_id_fields = ("customer_code",)
        name = "Customers"

    def __init__(
        self, account: Account | None = None, *, version: FormatVersion | str | None = None, user: User | None = None
    ) -> None:
        super().__init__()
        self.account = account
        self.user = user
        if isinstance(version, str):
            if account is None:
                raise SettingsWrong(f"Say which account has the format {version!r}.")
            version = find_version(account, version)
        self.version = version
        self.spec: FormatSpec = read_spec(self.version) if self.version else STANDARD
        self.fields = list_fields(self.spec)

    @classmethod
    def get_result_class(cls) -> type[ConnectionResult]:
        return ConnectionResult

    @classmethod
    def get_diff_class(cls) -> type[CustomerDiff]:
        return CustomerDiff

    def get_diff_headers(self) -> list[str]:
        return list(COLUMNS)

    # -- in

    def import_data(
        self,
        dataset: Dataset,
        dry_run: bool = False,
        raise_errors: bool = False,
        use_transactions: bool | None = None,
        collect_failed_rows: bool = False,
        rollback_on_validation_errors: bool = False,
        **kwargs: Any,
    ) -> ConnectionResult:
        """Bring the account's customers to what the dataset says, as `import_file` does.

        A run is one transaction in any case, and without errors of the whole file its good customers go in;
        `raise_errors` and `rollback_on_validation_errors` let all of it go in or nothing. The dataset has the columns
        of the format: its headers are those of the file.
        """
        self.before_import(dataset, **kwargs)
        whole = raise_errors or rollback_on_validation_errors
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "customers.txt"
            try:
                rows = write_dataset(dataset, path, self.spec)
            except (Unwritable, UnicodeEncodeError) as error:
                result = self._refuse(SettingsWrong(f"The dataset cannot be written in the format's dialect: {error}."))
            else:
                name = kwargs.get("file_name") or path.name
                result = self._import_path(path, dry_run, name, rows, whole=whole)
        if collect_failed_rows:
            _collect_failed_rows(result, dataset, rows if result.run else {})
        if raise_errors:
            _raise_first(result)
        return result

    def import_path(self, path: Path, *, dry_run: bool = False, file_name: str = "") -> ConnectionResult:
        """The same for a file as it came, in the format's own dialect."""
        return self._import_path(path, dry_run, file_name or path.name, {})

    def _import_path(
        self, path: Path, dry_run: bool, file_name: str, rows: Rows, *, whole: bool = False
    ) -> ConnectionResult:
        try:
            account = self._writable_account()
            if not whole or dry_run:
                return self._run(account, path, dry_run, file_name, rows)
            with claim_account(account, patient=False):
                result = self._run(account, path, True, file_name, rows)
                if result.has_errors() or result.has_validation_errors():
                    return result
                return self._run(account, path, False, file_name, rows)
        except (SettingsWrong, TryAgainLater) as error:
            return self._refuse(error)

    def _run(self, account: Account, path: Path, dry_run: bool, file_name: str, rows: Rows) -> ConnectionResult:
        preview = Preview()
        request = ImportRequest(
            account=account,
            path=path,
            version=self.version,
            origin=Origin(file_name=file_name),
            patient=False,
            dry_run=dry_run,
            started_by=self.user,
        )
        run = import_file(request, witness=preview)
        return self._report(run, preview.outcomes, rows)

    def _writable_account(self) -> Account:
        if self.account is None:
            raise SettingsWrong("Say which account the customers belong to: ConnectionResource(account).")
        if self.user is not None and not self.user.may_edit(self.account.pk):
            raise SettingsWrong(f"{self.user.get_username()} is no editor of {self.account.code}.")
        return self.account

    def _refuse(self, error: Exception) -> ConnectionResult:
        result = self.get_result_class()()
        result.diff_headers = self.get_diff_headers()
        result.append_base_error(Error(error))
        return result

    def _report(self, run: Run, outcomes: list[Outcome], rows: Rows) -> ConnectionResult:
        result = self.get_result_class()()
        result.diff_headers = self.get_diff_headers()
        result.run, result.total_rows = run, run.rows
        result.totals |= {
            RowResult.IMPORT_TYPE_NEW: run.created,
            RowResult.IMPORT_TYPE_UPDATE: run.updated,
            RowResult.IMPORT_TYPE_SKIP: run.unchanged + run.skipped,
            RowResult.IMPORT_TYPE_INVALID: run.rejected,
            RowResult.IMPORT_TYPE_ERROR: run.rows_rejected,
        }
        if error := _find_base_error(run):
            result.append_base_error(Error(error, number=error.line))
        for outcome in outcomes:
            number, cells = rows.get(outcome.line, (outcome.line, {"customer_code": outcome.code}))
            self._append(result, CustomerResult(number, outcome), outcome, cells)
        result.left_out = max(run.customers + run.rows_rejected - len(outcomes), 0)
        return result

    def _append(self, result: ConnectionResult, row: CustomerResult, outcome: Outcome, cells: dict[str, Any]) -> None:
        row.row_values = cells
        if outcome.kind is Kind.NAMELESS:
            row.errors = [Error(_as_validation_error(outcome.errors), cells, row.number)]
            result.append_error_row(row.number, cells, row.errors)
        elif outcome.kind is Kind.REJECTED:
            row.validation_error = _as_validation_error(outcome.errors)
            result.append_invalid_row(row.number, {"customer_code": outcome.code}, row.validation_error)
        else:
            difference = self.get_diff_class()(outcome)
            row.diff, row.changes = difference.as_html(), difference.changes()
            row.object_repr = outcome.code
            is_there = outcome.kind is not Kind.NEW or (result.run is not None and result.run.is_applied)
            row.object_id = outcome.connection_id if is_there else None
        result.append_row_result(row)

    # -- out

    def get_queryset(self) -> QuerySet[Connection]:
        connections = Connection.objects.all()
        return connections.filter(account=self.account) if self.account else connections

    def filter_export(self, queryset: QuerySet[Connection], **kwargs: Any) -> QuerySet[Connection]:
        """Without what belongs to another account, or to one that the user does not see."""
        if self.account is not None:
            queryset = queryset.filter(account=self.account)
        if self.user is not None:
            queryset = queryset.filter(account__in=Account.objects.visible_to(self.user))
        return queryset

    def export(self, queryset: Any = None, **kwargs: Any) -> Dataset:
        """The connections as a dataset of the standard template, which imports back unchanged.

        It holds as many rows of each customer as its addresses need. Those rejected in review are left out, as files
        could only be skipped for them. Raises ValueError for connections of several accounts: the template has no
        column for the account.
        """
        self.before_export(queryset, **kwargs)
        chosen = self.get_queryset() if queryset is None else queryset
        keys: Any = chosen.order_by().values("pk") if _may_be_ordered(chosen) else [entry.pk for entry in chosen]
        connections = self.filter_export(Connection.objects.filter(pk__in=keys), **kwargs)
        accounts = list(Account.objects.filter(pk__in=connections.values("account"))[:2])
        if len(accounts) > 1:
            raise ValueError(
                f"The template holds customers of one account, and these are of {accounts[0].code}, {accounts[1].code} "
                "or more. Choose one."
            )
        wanted = kwargs.get("export_fields")
        columns = tuple(
            column
            for column in standard_columns(connections)
            if not wanted or {str(column.target), column.target.field.name, column.target.field.numbered(1)} & {*wanted}
        )
        layout = Layout(STANDARD, columns)
        dataset = Dataset(headers=layout.header)
        for account in accounts:
            for _, rows in export_rows(account, connections, layout):
                dataset.extend(rows)
        self.after_export(chosen, dataset, **kwargs)
        return dataset


def _may_be_ordered(chosen: Any) -> bool:
    """Whether it is a queryset that is not cut already."""
    return isinstance(chosen, QuerySet) and not chosen.query.is_sliced


def _find_base_error(run: Run) -> FileRejected | None:
    """Why nothing of the file stands as a whole, or only once a person lets it; none where customers were judged."""
    if not run.message or run.status not in (Run.Status.REJECTED, Run.Status.HELD, Run.Status.FAILED):
        return None
    if run.status == Run.Status.HELD:
        return FileRejected(run.held_for, f"The file is held for a person to look at. {run.message}")
    first = run.issues.filter(severity=Issue.Severity.ERROR).order_by("id").first()
    line = first.line if first else None
    return FileRejected(
        first.code if first else run.status, f"Line {line}: {run.message}" if line else run.message, line
    )


def _as_validation_error(issues: Iterable[Issue]) -> ValidationError:
    """The reasons by field, each with its line."""
    reasons: dict[str, list[str]] = {}
    for issue in issues:
        place = f"Line {issue.line}: " if issue.line else ""
        reasons.setdefault(issue.field or NON_FIELD_ERRORS, []).append(f"{place}{issue.message}")
    return ValidationError(reasons)


def _collect_failed_rows(result: ConnectionResult, dataset: Dataset, rows: Rows) -> None:
    """Every row that is to blame, with why; also those beyond the rows that the result shows."""
    result.add_dataset_headers(list(dataset.headers or [""] * dataset.width))
    if result.run is None:
        return
    for issue in result.run.issues.filter(severity=Issue.Severity.ERROR, line__in=rows).order_by("line", "id"):
        result.append_failed_row(rows[issue.line or 0][1], Error(issue.message))


def _raise_first(result: ConnectionResult) -> None:
    for error in result.base_errors:
        raise error.error
    for row in result.rows:
        if row.validation_error or row.errors:
            error = row.validation_error or row.errors[0].error
            raise RowsRefused(error, number=row.number, row=row.row_values)

"""`onboard_format`: from a sample of an ERP's file to the draft of a format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.core.management.base import CommandError

from accounts.management.arguments import add_account_argument, find_account
from accounts.management.base import BaseCommand
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.formats.documents import read_mark, read_quote
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.policies import FormatError, RowMark
from imports.management.arguments import check_readable
from imports.onboarding.corrections import Corrections
from imports.runs.rehearsing import propose_and_rehearse
from imports.runs.sampling import keep_sample
from imports.template import find_target
from imports.versioning import save_draft

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.onboarding.proposals import Proposal, ProposedMarks
    from imports.onboarding.rehearsal import Rehearsal
    from imports.template import Target

WIDEST = 34
"""Characters of a header or a reason in the table."""


class Command(BaseCommand):
    help = "Proposes how a sample of an ERP's customer file is to be read, with the evidence for it."

    imports_files = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sample", type=Path, help="a file as the ERP writes it")
        add_account_argument(parser)
        parser.add_argument("--name", help="what the format is to be called")
        parser.add_argument("--save", action="store_true", help="make the proposal the draft of the format")
        parser.add_argument(
            "--constant",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="the same value for every row, such as price_type_currency=EUR; may be repeated",
        )
        _add_corrections(parser)
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print one JSON object and nothing else"
        )

    def handle(
        self, *, sample: Path, account: str, name: str | None, save: bool, as_json: bool, **options: Any
    ) -> None:
        owner = find_account(account)
        if save and not name:
            raise CommandError("--save needs --name: what the format is to be called.", returncode=2)
        corrections = _read_corrections(options)
        check_readable(sample)
        try:
            proposal = propose_and_rehearse(sample, owner, corrections)
            draft = (
                save_draft(owner, name, proposal.to_draft(), proposal=proposal.describe()) if save and name else None
            )
            if draft is not None:
                with sample.open("rb") as file:
                    keep_sample(draft.format, File(file, name=sample.name))
        except FileRejected as error:
            line = f", line {error.line}" if error.line else ""
            raise CommandError(f"{sample}{line}: {error.message}") from None
        except (FormatError, SettingsWrong) as error:
            raise CommandError(str(error), returncode=2) from None
        except TryAgainLater as error:
            raise CommandError(str(error)) from None
        if as_json:
            answer = proposal.describe() | {"draft": str(draft) if draft else None}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        self._print(proposal)
        if draft is not None:
            self.stdout.write(f"\nSaved as {draft} (draft).")
            self.stdout.write(
                f"See it with export_format {draft}, change it and load_format it, or edit it in the admin."
            )
            try:
                draft.to_spec()
            except FormatError as error:
                self.stdout.write(f"It is not complete yet, and cannot be tested: {error}")

    def _print(self, proposal: Proposal) -> None:
        dialect = proposal.dialect
        header = f"header on line {proposal.header_line}" if dialect.has_header else "no header"
        quote = f"quote {dialect.quotechar}" if dialect.quotechar else "no quote"
        footer = f", footer {dialect.footer}" if dialect.footer else ""
        ignored = f", lines to ignore {' and '.join(dialect.ignore_lines)}" if dialect.ignore_lines else ""
        self.stdout.write(f"{dialect.encoding}, delimiter {dialect.delimiter!r}, {quote}, {header}{footer}{ignored}")
        for reading in proposal.readings[1:]:
            words = zip(proposal.readings[0].words, reading.words, strict=True)
            mine, other = next(pair for pair in words if pair[0] != pair[1])
            self.stdout.write(
                f"It may be {reading.encoding} as well (--encoding {reading.encoding}): "
                f"is a word {mine!r}, or {other!r}?"
            )
        continues = ", rows without a code continue the one above" if proposal.continues else ""
        differ = ", the first of differing values counts" if proposal.names_differ else ""
        self.stdout.write(f"{proposal.layout}{continues}{differ}; {proposal.rows} rows looked at\n\n")
        self.stdout.write(f"{'':>3} {'column':<{WIDEST}} {'field':<26} {'sure':>5}  evidence")
        for column in proposal.columns:
            target = str(column.target or "–")
            sure = f"{column.confidence:.0%}" if column.target else ""
            source = _short(column.template or column.source or f"column {column.position}")
            self.stdout.write(
                f"{column.position:>3} {source:<{WIDEST}} {target:<26} {sure:>5}  {'; '.join(column.evidence)}"
            )
            self._print_values(column)
        for needed in proposal.derived:
            origin = _short(str(needed.source or needed.value))
            self.stdout.write(f"    {origin:<{WIDEST}} {needed.target!s:<26} {'':>5}  {needed.reason}")
        for field, value in proposal.decided.items():
            self.stdout.write(f"    {_short(repr(value)):<{WIDEST}} {field!s:<26} {'':>5}  a constant, as decided")
        self._print_needs(proposal)

    def _print_values(self, column: Any) -> None:
        if column.samples:
            self.stdout.write(f"{'':>4}{' · '.join(map(_short, column.samples))}")
        if column.value_map:
            pairs = [f"{cell} → {value or 'blank'}" for cell, value in list(column.value_map.items())[:8]]
            self.stdout.write(f"{'':>4}{', '.join(pairs)}{', …' if len(column.value_map) > 8 else ''}")
        if column.unmapped:
            wrong = ", ".join(map(repr, column.unmapped[:8]))
            self.stdout.write(f"{'':>4}not understood: {wrong} (--blank {column.position} reads them as blank)")

    def _print_needs(self, proposal: Proposal) -> None:
        if proposal.unsure:
            self.stdout.write("\nToo unsure to be mapped without a person:")
        for column in proposal.unsure:
            self.stdout.write(f"  {column.label} may be {column.target} (--map {column.position}={column.target})")
        if proposal.constants:
            self.stdout.write("\nStill to decide (--constant FIELD=VALUE, or a column of the next sample):")
        for needed in proposal.constants:
            suggestion = f", perhaps {needed.suggestion}" if needed.suggestion else ""
            self.stdout.write(f"  {needed.target}{suggestion}: {needed.reason}")
        if proposal.defaults:
            self.stdout.write("\nBlank cells of what is needed (--default FIELD=VALUE says what they stand for):")
        for needed in proposal.defaults:
            suggestion = f", perhaps {needed.suggestion}" if needed.suggestion else ""
            self.stdout.write(f"  {needed.target}{suggestion}: {needed.reason}")
        for marks in proposal.marks:
            self._print_marks(marks)
        if proposal.missing:
            self.stdout.write("\nMissing for the file to be workable:")
        for what in proposal.missing:
            self.stdout.write(f"  {what}")
        if proposal.rehearsal is not None:
            self._print_rehearsal(proposal.rehearsal)

    def _print_marks(self, marks: ProposedMarks) -> None:
        found = ", ".join(f"{value!r} on {rows} row{'s' * (rows != 1)}" for value, rows in marks.rows.items())
        self.stdout.write(f"\nRows that seem to be marked as deleted or inactive in {marks.name!r}: {found}.")
        value = next(iter(marks.rows))
        self.stdout.write(
            f'  --leave-out "{marks.name}={value}" leaves such rows out, --take "{marks.name}={value}" takes'
        )
        self.stdout.write("  them like others; either may be repeated.")

    def _print_rehearsal(self, rehearsal: Rehearsal) -> None:
        came = f"{rehearsal.customers} customers with {rehearsal.addresses} addresses, {rehearsal.doors} doors"
        self.stdout.write(f"\nA dry run of the sample: {rehearsal.rows} rows, {came}, {rehearsal.buyers} buyers.")
        if rehearsal.assumed:
            taken = ", ".join(f"{field}={value}" for field, value in rehearsal.assumed.items())
            self.stdout.write(f"  Taken for what is still to decide: {taken}")
        if rehearsal.is_workable:
            self.stdout.write("  No customer is rejected.")
            return
        if rehearsal.held:
            self.stdout.write(f"  {rehearsal.held}")
        if rehearsal.rejected or rehearsal.rows_rejected:
            self.stdout.write(
                f"  {rehearsal.rejected} customers are rejected, and {rehearsal.rows_rejected} rows that name none:"
            )
        for reason in rehearsal.reasons:
            line = f"line {reason.line}: " if reason.line else ""
            self.stdout.write(f"  {reason.customers:>5} × {reason.code} {reason.field}: {line}{reason.message}")


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _add_corrections(parser: ArgumentParser) -> None:
    """What a person decides; the rest is proposed again around it."""
    parser.add_argument(
        "--map", action="append", default=[], metavar="COLUMN=FIELD",
        help="a column, by its header or position, is this field; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--unmap", action="append", default=[], metavar="COLUMN", help="a column is left out; may be repeated"
    )
    parser.add_argument(
        "--default", action="append", default=[], metavar="FIELD=VALUE",
        help="what blank cells of the field's column become; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--blank", action="append", default=[], metavar="COLUMN",
        help="the values of a column that its field cannot have become blank; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="COLUMN=VALUE",
        help="rows with this value in a column are no customers, such as LOEVM=X; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--take", action="append", default=[], metavar="COLUMN=VALUE",
        help="rows with this value in a column are customers like others; may be repeated",
    )  # fmt: skip
    parser.add_argument("--header-line", type=int, metavar="N", help="the line of the header, 0 where there is none")
    parser.add_argument("--delimiter", default="", help="one character, or comma, pipe, semicolon, tab, space")
    parser.add_argument("--quote", default="", help="what stands around cells: one character, or none")
    parser.add_argument("--encoding", default="", help="such as cp1252")


def _read_corrections(options: dict[str, Any]) -> Corrections:
    fields: dict[str, Target | None] = dict(_read_field("--map", text) for text in options["map"])
    fields |= dict.fromkeys(options["unmap"])
    try:
        delimiter = read_mark(options["delimiter"])
    except FormatError as error:
        raise CommandError(f"--delimiter {options['delimiter']}: {error}", returncode=2) from None
    try:
        quote = read_quote(options["quote"])
    except FormatError as error:
        raise CommandError(f"--quote {options['quote']}: {error}", returncode=2) from None
    try:
        encoding = find_encoding(options["encoding"]) if options["encoding"] else ""
    except UnknownEncoding as error:
        raise CommandError(f"--encoding {options['encoding']}: {error}", returncode=2) from None
    return Corrections(
        constants=dict(_read_value("--constant", text) for text in options["constant"]),
        defaults=dict(_read_value("--default", text) for text in options["default"]),
        fields=fields,
        row_marks=_read_marks(options),
        blanked=options["blank"],
        encoding=encoding,
        delimiter=delimiter,
        quotechar=quote,
        header_line=options["header_line"],
    )


def _read_marks(options: dict[str, Any]) -> dict[str, dict[str, RowMark]]:
    row_marks: dict[str, dict[str, RowMark]] = {}
    for option, meaning in (("leave_out", RowMark.LEAVE_OUT), ("take", RowMark.TAKE)):
        for text in options[option]:
            column, equals, value = text.rpartition("=")
            if not equals or not column.strip():
                raise CommandError(f"--{option.replace('_', '-')} {text}: give COLUMN=VALUE.", returncode=2)
            row_marks.setdefault(column.strip(), {})[value.strip()] = meaning
    return row_marks


def _read_value(option: str, text: str) -> tuple[Target, str]:
    name, _, value = text.partition("=")
    target = find_target(name)
    if target is None or not value.strip():
        raise CommandError(f"{option} {text}: give FIELD=VALUE with a field of the template.", returncode=2)
    return target, value.strip()


def _read_field(option: str, text: str) -> tuple[str, Target]:
    column, _, name = text.rpartition("=")
    target = find_target(name)
    if target is None or not column.strip():
        raise CommandError(f"{option} {text}: give COLUMN=FIELD with a field of the template.", returncode=2)
    return column.strip(), target

"""`onboard_format`: from a sample of an ERP's file to the draft of a format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.core.management.base import CommandError

from accounts.counting import counted
from accounts.management.arguments import add_account_argument, add_json_argument, find_account
from accounts.management.base import BaseCommand
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.formats.policies import FormatError
from imports.management.arguments import check_readable
from imports.management.corrections import add_corrections, read_corrections
from imports.runs.rehearsing import propose_and_rehearse
from imports.runs.sampling import keep_sample
from imports.versioning import save_draft

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from imports.onboarding.proposals import Proposal, ProposedMarks
    from imports.onboarding.rehearsal import Rehearsal

WIDEST = 34
"""Characters of a header or a reason in the table."""
FEW_ROWS = 10
"""Below so many rows a sample says little about its values."""


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
        add_corrections(parser)
        add_json_argument(parser)

    def handle(
        self, *, sample: Path, account: str, name: str | None, save: bool, as_json: bool, **options: Any
    ) -> None:
        owner = find_account(account)
        if save and not name:
            raise CommandError("--save needs --name: what the format is to be called.", returncode=2)
        corrections = read_corrections(options)
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
        if draft is None:
            self._print_next(proposal)
        else:
            self.stdout.write(f"\nSaved as {draft} (draft).")
            self.stdout.write(
                f"See it with export_format {draft}, change it and load_format it, or edit it in the admin."
            )
            try:
                draft.to_spec()
            except FormatError as error:
                self.stdout.write(f"It is not complete yet, and cannot be tested: {error}")
            else:
                self._print_test(proposal, f"promote_format {name} --account {account} --to testing")

    def _print_test(self, proposal: Proposal, command: str) -> None:
        if asked := [*proposal.constants, *proposal.defaults]:
            self.stdout.write(f"What is still to decide comes first: save it again with an answer, or {command}")
            self.stdout.write(f"  {' '.join(f'--without {needed.target}' for needed in asked)} does without.")
        else:
            self.stdout.write(f"Test it with {command}.")

    def _print_next(self, proposal: Proposal) -> None:
        """How the proposal becomes a draft: options behind those that were given, with what was suggested."""
        answers = [
            f'--{option} "{needed.target}={needed.suggestion or "…"}"'
            for option, asked in (("constant", proposal.constants), ("default", proposal.defaults))
            for needed in asked
        ]
        self.stdout.write(f"\nTo save it, add: {' '.join(['--name NAME --save', *answers])}")
        if answers:
            self.stdout.write("  The values are suggestions; what is not answered is asked again before a test.")

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
        self.stdout.write(f"{proposal.layout}{continues}{differ}; {_count(proposal.rows, 'row')} looked at\n")
        if proposal.rows < FEW_ROWS:
            self.stdout.write("So few rows say little about the values: give a larger sample where you can.\n")
        self.stdout.write("\n")
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
            why = f": {column.evidence[-1]}" if column.evidence else ""
            self.stdout.write(f"  {column.label} may be {column.target} (--map {column.position}={column.target}){why}")
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
        came = f"{_count(rehearsal.customers, 'customer')} with {_count(rehearsal.addresses, 'address')}"
        with_it = f"{_count(rehearsal.doors, 'door')}, {_count(rehearsal.buyers, 'buyer')}"
        self.stdout.write(f"\nA dry run of the sample: {_count(rehearsal.rows, 'row')}, {came}, {with_it}.")
        if rehearsal.assumed:
            taken = ", ".join(f"{field}={value}" for field, value in rehearsal.assumed.items())
            self.stdout.write(f"  Taken for what is still to decide: {taken}")
        if rehearsal.is_workable:
            self.stdout.write("  No customer is rejected.")
            return
        if rehearsal.held:
            self.stdout.write(f"  {rehearsal.held}")
        if rehearsal.rejected or rehearsal.rows_rejected:
            customers = counted(rehearsal.rejected, "customer is,customers are")
            rows = counted(rehearsal.rows_rejected, "row that names,rows that name")
            self.stdout.write(f"  {customers} rejected, and {rows} none:")
        for reason in rehearsal.reasons:
            line = f"line {reason.line}: " if reason.line else ""
            self.stdout.write(f"  {reason.customers:>5} × {reason.code} {reason.field}: {line}{reason.message}")


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{number} {what}{plural if number != 1 else ''}"


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"

"""Onboarding reads as a table of contents: sample → table → columns → candidates → assignment → proposal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imports.formats.spec import BadValue
from imports.models import LearnedHeader
from imports.onboarding.assigning import assign
from imports.onboarding.columns import Column, read_columns
from imports.onboarding.corrections import Corrections, settle_needs
from imports.onboarding.dialects import Table, find_table
from imports.onboarding.entries import Entries, load_entries
from imports.onboarding.footers import count_footer
from imports.onboarding.headers import find_language
from imports.onboarding.joining import Joiner, settle_last_name
from imports.onboarding.marking import find_marks
from imports.onboarding.matching import match_columns
from imports.onboarding.misfits import count_alone, find_untaken
from imports.onboarding.needing import find_needs
from imports.onboarding.proposals import Proposal, ProposedColumn
from imports.onboarding.sampling import take_sample
from imports.template import ADDRESSES, Group, Kind, Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from accounts.models import Account
    from imports.formats.spec import Dialect

NEARLY = 0.15
"""How close a rival's confidence must come for a column to be in doubt, and the confidence that is left then."""
DOUBTED = 0.85
REQUIRED_FIRST = ("customer_code", "profile_name")
NOTHING_DECIDED = Corrections()
NO_ENTRIES = Entries()
MOST_SAMPLES = 3
"""How many values are shown beside a column."""
UNTAKEN, UNTAKEN_OFTEN = 0.85, 0.45
"""As sure as a column can be of whose values the field does not take one, or one in five."""


def propose_format(path: Path, account: Account, corrections: Corrections = NOTHING_DECIDED) -> Proposal:
    """Propose a format for a sample of the account's ERP, around what a person has decided, by what it has learned.

    Raises FileRejected for a file that is no table of text, FormatError for a decision about a column it has not,
    SettingsWrong where what the installation was taught cannot be read.
    """
    corrections = replace(corrections, learned=LearnedHeader.objects.recall(account))
    proposal = onboard(path, load_entries(account.production), corrections)
    settle_needs(proposal, corrections)
    return proposal


def onboard(path: Path, entries: Entries = NO_ENTRIES, corrections: Corrections = NOTHING_DECIDED) -> Proposal:
    """Propose how a sample is to be read; `entries` are of the account's lists.

    Raises FileRejected for a file that is no table of text, FormatError for a decision about a column it has not.
    """
    sample = take_sample(path, corrections.encoding)
    table = find_table(sample, corrections.delimiter, corrections.header_line, corrections.quotechar)
    columns = read_columns(table)
    match_columns(columns, corrections, entries)
    proposal = _Proposer(table, columns, entries.price_types, corrections.find_blanked(columns)).propose()
    proposal.readings = sample.readings
    return proposal


def _claims(column: Column, target: Target) -> float:
    """How surely a column could be a field."""
    candidate = column.candidates.get(target)
    return candidate.confidence if candidate else 0.0


def _block(target: Target) -> tuple[Group, int]:
    return target.field.group, target.number


class _Proposer:
    def __init__(
        self, table: Table, columns: list[Column], price_types: Sequence[tuple[str, str]], blanked: set[int]
    ) -> None:
        self.table = table
        self.columns = columns
        self.price_types = price_types
        self.blanked = blanked
        self.chosen: dict[int, Target] = {}
        self.columns_of: dict[Target, Column] = {}
        self.templates: dict[int, str] = {}
        self.notes: dict[int, str] = {}

    def propose(self) -> Proposal:
        settle_last_name(self.columns)
        self._assign()
        self._name_by_alias()
        Joiner(self.columns, self.chosen, self.templates, self.notes).join()
        self._drop_nameless_buyers()
        self._drop_lonely_parts()
        self._doubt_rivals()
        table = self.table
        self.columns_of = {target: self.columns[index] for index, target in self.chosen.items()}
        described = [self._describe(column) for column in self.columns]
        mapped = {index: target for index, target in self.chosen.items() if described[index].is_mapped}
        needs = find_needs(self.columns, mapped, self.price_types, self.templates)
        return Proposal(
            dialect=self._dialect(),
            header=table.header,
            header_line=table.header_line,
            footer_lines=table.footer_lines,
            trailing_delimiter=table.trailing_delimiter,
            short_rows=table.short_rows,
            continues=table.continues,
            layout=self._layout(),
            columns=described,
            constants=needs.constants,
            defaults=needs.defaults,
            derived=needs.derived,
            missing=needs.missing,
            names_differ=needs.names_differ,
            rows=len(table.rows),
            languages=self._languages(),
            blanks_words=self._blanks_words(),
            marks=[*find_marks(self.columns, mapped.keys() | self.templates.keys())],
        )

    def _dialect(self) -> Dialect:
        """The dialect, its footer counting what it counts."""
        table = self.table
        code = self.columns_of.get(Target("customer_code"))
        if (
            not table.records
            or not table.footer
            or not (table.dialect.footer or table.dialect.delimiter not in table.footer)
        ):
            return table.dialect
        counts = {"rows": table.records} | ({"customers": code.profile.distinct} if code else {})
        mask = count_footer(table.footer, counts, table.dialect.delimiter)
        return replace(table.dialect, footer=mask) if mask else table.dialect

    def _blanks_words(self) -> bool:
        """Whether cells hold words for nothing; in what is required one may be a name, such as None."""
        taken = ((self.chosen.get(column.index), column.profile) for column in self.columns)
        return any(profile.says_nothing and not (target and target.field.required) for target, profile in taken)

    def _languages(self) -> list[str]:
        """The languages in which the file names countries, beside English."""
        preferred = find_language([column.header for column in self.columns])
        found = [
            language
            for column in self.columns
            if (target := self.chosen.get(column.index)) and target.field.kind is Kind.COUNTRY
            for language in column.profile.languages(preferred)
        ]
        return list(dict.fromkeys(found))

    def _assign(self) -> None:
        """Give every column its field, all together; a required field is worth more than an optional one."""
        weights = {
            column.index: {
                target: candidate.confidence**2 + (0.6 if target.name in REQUIRED_FIRST else 0)
                for target, candidate in column.candidates.items()
            }
            for column in self.columns
        }
        self.chosen = assign(weights)

    def _name_by_alias(self) -> None:
        """Where no column names the customer, the only other name that all rows have is its name: "Trading Name"."""
        if Target("profile_name") in self.chosen.values():
            return
        target = Target("profile_name")
        others = ("customer_alias", "alternate_name")
        for index, alias in list(self.chosen.items()):
            column = self.columns[index]
            if alias.name in others and column.profile.fill == 1 and not column.is_decided:
                column.propose(target, min(_claims(column, alias), DOUBTED), "no other column names the customer")
                self.chosen[index] = target
                return

    def _drop_nameless_buyers(self) -> None:
        """A buyer is known by e-mail: a name without one would reject its customer."""
        emails = {target.number for target in self.chosen.values() if target.name == "buyer_email"}
        for index, target in list(self.chosen.items()):
            if target.name == "buyer_name" and target.number not in emails:
                del self.chosen[index]
                self.templates.pop(index, None)
                self.notes[index] = (
                    "a contact's name, but no column has the contact's e-mail, without which there is no buyer"
                )

    def _drop_lonely_parts(self) -> None:
        """A part of an address alone, such as a phone, is no address; nor is a country beside an address with more."""
        groups: dict[tuple[Group, int], set[str]] = {}
        for target in self.chosen.values():
            groups.setdefault((target.field.group, target.number), set()).add(target.field.part)
        needed = {"code", "address_1", "city", "zip"}
        if not any(parts & needed for (group, _), parts in groups.items() if group in ADDRESSES):
            needed.add("country")
        whole = [block for block, parts in groups.items() if block[0] in ADDRESSES and parts & needed]
        for index, target in list(self.chosen.items()):
            if target.field.group not in ADDRESSES or groups[_block(target)] & needed:
                continue
            del self.chosen[index]
            self.notes[index] = f"it could be {target}, but the file has no such address"
            part = target.field.part
            if len(whole) == 1 and part in ("country", "state") and part not in groups[whole[0]]:
                self._move_to(index, target, *whole[0])

    def _move_to(self, index: int, target: Target, group: Group, number: int) -> None:
        """Give a part that stands alone to the only address there is."""
        moved = Target(f"{group.value}_{target.field.part}", number)
        confidence = min(self.columns[index].candidates[target].confidence, DOUBTED)
        self.columns[index].propose(moved, confidence, "it belongs to the only address there is")
        self.chosen[index] = moved

    def _doubt_rivals(self) -> None:
        """Where another column could be the field nearly as well, or the column another field, nothing is sure."""
        blocks = {_block(target) for target in self.chosen.values()}
        for index, target in self.chosen.items():
            chosen = self.columns[index].candidates[target]
            rivals = [
                repr(column.header or column.index + 1)
                for column in self.columns
                if column.index not in self.chosen and _claims(column, target) > chosen.confidence - NEARLY
            ]
            others = [
                str(other.target)
                for other in self.columns[index].candidates.values()
                if other.target not in self.chosen.values()
                and other.confidence > chosen.confidence - NEARLY
                and (other.target.field.group not in ADDRESSES or _block(other.target) in blocks)
            ]
            if rivals or others:
                chosen.confidence = min(chosen.confidence, DOUBTED)
            if rivals:
                chosen.evidence.append(f"{' and '.join(rivals)} could be it as well")
            if others:
                chosen.evidence.append(f"it could be {' or '.join(others)} as well")

    # -- what is proposed

    def _describe(self, column: Column) -> ProposedColumn:
        target = self.chosen.get(column.index)
        others = sorted(column.candidates.values(), key=lambda candidate: -candidate.confidence)
        alternatives = [(other.target, other.confidence) for other in others if other.target != target][:3]
        if target is None:
            evidence = [self.notes.get(column.index) or column.known_as_nothing or "nothing known says what it is"]
            confidence = 0.0
        else:
            candidate = column.candidates[target]
            evidence, confidence = candidate.evidence, candidate.confidence
        value_map = column.profile.value_map(target.field.kind) if target else {}
        if target and target.name in REQUIRED_FIRST:
            value_map = {}  # a name may be None
        if target and target.name == "address_type":
            value_map = {cell: kind for cell, kind in column.kinds.items() if cell != kind} or value_map
        unmapped = find_untaken(column.profile, target, value_map) if target else []
        if column.index in self.blanked:
            value_map, unmapped = value_map | dict.fromkeys(unmapped, ""), []
        bad_value = BadValue.REJECT
        if target and (without := count_alone(column, target, self.columns_of)):
            if target.name == "buyer_name":
                bad_value = BadValue.LEAVE_OUT
                evidence = [*evidence, f"no e-mail stands beside it on {_rows(without)}, and it is left out there"]
            else:
                confidence = min(confidence, UNTAKEN_OFTEN)
                evidence = [*evidence, f"it stands without an address on {_rows(without)}"]
        if target and unmapped:
            rows = sum(column.profile.counts[cell] for cell in unmapped)
            limit = UNTAKEN_OFTEN if rows > column.profile.filled / 5 else UNTAKEN
            confidence = min(confidence, limit)
            evidence = [*evidence, f"the field does not take {rows} of its {column.profile.filled} values"]
        return ProposedColumn(
            position=column.index + 1,
            source=column.header or None,
            target=target,
            confidence=confidence,
            evidence=evidence,
            alternatives=alternatives,
            value_map={} if target and target.name == "customer_code" else value_map,
            template=self.templates.get(column.index, ""),
            is_decided=column.is_decided,
            unmapped=unmapped[:20],
            samples=list(column.profile.counts)[:MOST_SAMPLES],
            bad_value=bad_value,
        )

    def _repeats(self, code_column: int) -> bool:
        return self.columns[code_column].profile.uniqueness < 0.95

    def _layout(self) -> str:
        groups = {
            (target.field.group, target.number) for target in self.chosen.values() if target.field.group in ADDRESSES
        }
        code = next((index for index, target in self.chosen.items() if target.name == "customer_code"), None)
        if code is not None and self._repeats(code):
            kinds = {group for group, _ in groups}
            if {Group.BILLING, Group.SHIPPING} <= kinds:
                return "one row per shipping address, billing repeated on each"
            return "one row per address"
        if len(groups) > 1:
            return "one row per customer, with several addresses"
        return "one row per customer"


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"

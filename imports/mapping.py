"""Mapping: the columns of a draft's sample beside the fields that they go to, and what a person makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from imports.errors import SettingsWrong
from imports.models import FormatColumn
from imports.template import ADDRESSES, Target, find_target, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imports.models import FormatVersion

SURE = 0.9
"""Below this confidence a column deserves a look."""
LOOK_FIRST, CUSTOMER, LEFT_OUT = "Look at these first", "The customer", "Left out"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of the sample: what was proposed, with the evidence, and the field that it goes to in the draft."""

    position: int
    label: str
    samples: list[str]
    target: str
    """In the draft; "" where it is left out."""
    also: list[str]
    """Further fields of the draft that the column serves."""
    proposed: str
    percent: int
    evidence: list[str]
    alternatives: list[str]
    unmapped: list[str]

    @property
    def section(self) -> str:
        """Where the column stands on the page; the parts of one address stand together."""
        is_open = self.percent < SURE * 100 and bool(self.proposed or self.alternatives)
        if self.unmapped or (is_open and self.target in ("", self.proposed)):
            return LOOK_FIRST
        return self.block or (CUSTOMER if self.target else LEFT_OUT)

    @property
    def block(self) -> str:
        """The address that the column is part of, "Shipping address 2"; "" for none."""
        target = find_target(self.target or self.proposed)
        if target is None or target.field.group not in ADDRESSES or not self.target:
            return ""
        name = "Address" if target.field.group == "address" else f"{target.field.group.capitalize()} address"
        return f"{name} {target.number}" if target.number > 1 else name


def list_columns(version: FormatVersion) -> list[MappedColumn]:
    """The columns of the sample that a version was proposed of, as the file has them."""
    drafted = list(version.columns.all())
    return [_describe(column, drafted) for column in (version.proposal or {}).get("columns", [])]


def list_sections(version: FormatVersion) -> list[tuple[str, list[MappedColumn]]]:
    """The same in sections: what is unsure first, then the customer, its addresses, and what is left out."""
    sections: dict[str, list[MappedColumn]] = {LOOK_FIRST: [], CUSTOMER: []}
    for column in list_columns(version):
        sections.setdefault(column.section, []).append(column)
    sections[LEFT_OUT] = sections.pop(LEFT_OUT, [])
    return [(name, columns) for name, columns in sections.items() if columns]


def map_columns(version: FormatVersion, wanted: Mapping[int, str]) -> int:
    """Let columns of the sample, by position, go to fields, "" leaving one out; how many changed.

    What else a draft says of a column stays, except for values that were mapped for another field. A constant gives way
    to a column. The caller holds the draft. Raises SettingsWrong for what cannot be.
    """
    changes = list(_find_changes(version, wanted))
    drafted = {column.target: column for column in version.columns.all()}
    leaving = {change.before for change in changes}
    taken: dict[str, str] = {}
    for change in changes:
        after, label = change.after, change.column.label
        holder = drafted.get(after)
        if after and (after in taken or (holder and after not in leaving and not holder.constant)):
            other = taken.get(after) or (holder.origin if holder else "")
            raise SettingsWrong(f"{after} cannot be both {other} and {label}: leave one of them out.")
        taken[after] = label
    version.columns.filter(target__in=[*filter(None, leaving), *filter(None, taken)]).delete()
    for change in changes:
        if change.after:
            _save(version, change, drafted.get(change.before))
    return len(changes)


@dataclass(frozen=True, slots=True)
class _Change:
    column: MappedColumn
    proposed: Mapping[str, Any]
    before: str
    after: str


def _find_changes(version: FormatVersion, wanted: Mapping[int, str]) -> Iterator[_Change]:
    proposed = (version.proposal or {}).get("columns", [])
    for column, data in zip(list_columns(version), proposed, strict=True):
        name = wanted.get(column.position, column.target).strip()
        target = find_target(name)
        if name and target is None:
            raise SettingsWrong(f"{column.label}: {name!r} is no field of the template. Choose one of the list.")
        after = str(target) if target else ""
        if after != column.target:
            yield _Change(column, data, column.target, after)


def _save(version: FormatVersion, change: _Change, before: FormatColumn | None) -> None:
    column = before or _new_column(version, change)
    column.pk, column.target = None, change.after
    column._state.adding = True
    column.value_map = dict(change.proposed["value_map"]) if change.after == change.column.proposed else {}
    try:
        column.full_clean()
    except ValidationError as error:
        raise SettingsWrong(f"{change.column.label}: {' '.join(error.messages)}") from None
    column.save()


def _new_column(version: FormatVersion, change: _Change) -> FormatColumn:
    column = FormatColumn(version=version, order=version.next_order())
    if change.proposed.get("template") and change.after == change.column.proposed:
        column.source = change.proposed["template"]
    else:
        column.source, column.position = find_origin(version, change.column.position)
    return column


def find_origin(version: FormatVersion, position: int) -> tuple[str, int | None]:
    """How a column of the sample is found again: by its header where it stands once, else by its position."""
    columns = (version.proposal or {}).get("columns", [])
    headers = [normalize(column["source"] or "") for column in columns]
    header = next(column["source"] or "" for column in columns if column["position"] == position)
    is_alone = header and headers.count(normalize(header)) == 1 and not set("{}") & set(header)
    return (header, None) if is_alone and version.has_header else ("", position)


def is_read_from(drafted: FormatColumn, column: Mapping[str, Any]) -> bool:
    """Whether a column of a draft is the proposed one, or begins with it."""
    if drafted.position is not None or not drafted.source:
        return bool(drafted.position == column["position"])
    source = column["source"] or ""
    return drafted.source == column.get("template") or (bool(source) and normalize(drafted.source) == normalize(source))


def say_column(column: Mapping[str, Any]) -> str:
    """A proposed column as people find it: its header or position, with two of its values."""
    named = column["source"] or f"column {column['position']}"
    return f"{named} ({', '.join(column['samples'][:2])})" if column.get("samples") else str(named)


def _describe(column: Mapping[str, Any], drafted: list[FormatColumn]) -> MappedColumn:
    source, template, proposed = column["source"] or "", column.get("template") or "", column["target"] or ""
    targets = [found.target for found in drafted if is_read_from(found, column)]
    targets.sort(key=lambda target: target != proposed)  # it may serve as another field's as well
    return MappedColumn(
        position=column["position"],
        label=template or source or f"column {column['position']}",
        samples=column.get("samples", [])[:3],
        target=targets[0] if targets else "",
        also=targets[1:],
        proposed=proposed,
        percent=round(column["confidence"] * 100) if proposed else 0,
        evidence=column["evidence"],
        alternatives=[other["target"] for other in column["alternatives"]],
        unmapped=column.get("unmapped", []),
    )


def describe_field(target: Target) -> str:
    """A field as a list offers it: what it is called, what it holds and how much of it."""
    field = target.field
    limit = f", at most {field.max_length}" if field.max_length else ""
    return f"{field.label}: {field.kind}{limit}. {field.description}"

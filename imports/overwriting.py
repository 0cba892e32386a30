"""Overwriting: what the files of an account do to the fields of its customers, by the formats they are read with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from connections.history.provenance import Writing
from connections.stored import ADDRESS_FIELDS, GIVEN_OF_CONNECTION
from imports.formats.spec import STANDARD
from imports.models import Feed, FormatColumn, FormatVersion, Run
from imports.template import ASSIGNMENTS, FIELDS, Group, find_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import Account
    from imports.template import TemplateField

Place = tuple[str, str]
"""A kind of record (of addresses with theirs, "address:S") and a field of it."""
_OWN = {
    part: field.name
    for field in GIVEN_OF_CONNECTION
    for part in ((f"{field.name}_code", f"{field.name}_name") if field.list_name else (field.name,))
}
"""The fields of a connection by the parts that give them."""
_KINDS = {Group.SHIPPING: ("S",), Group.BILLING: ("B",), Group.ADDRESS: ("S", "B")}


def find_written(account: Account) -> dict[Place, Writing]:
    """What the live formats of the account's enabled feeds, and that of its last run, write; what is not named, nobody.

    The standard template writes whatever its file has a column for, so it is taken to write everything.
    """
    feeds = set(Feed.objects.filter(account=account, enabled=True).values_list("format", flat=True))
    runs = Run.objects.filter(account=account, undoes=None).applied().order_by("-pk")
    last = runs.values_list("format_version", "format_version__format", "format_name").first()
    version, format_, name = last or (None, None, "")
    if None in feeds or name == STANDARD.name:
        return {place: Writing.OVERWRITES for field in FIELDS.values() for place in _places(field)}
    live = Q(version__format__in=feeds | {format_} - {None}, version__status=FormatVersion.Status.LIVE)
    tried = Q(version=version) & ~Q(version__status=FormatVersion.Status.RETIRED)
    columns = FormatColumn.objects.filter(live | tried).exclude(ownership=FormatColumn.Ownership.NEVER)
    written: dict[Place, Writing] = {}
    for target, ownership in columns.values_list("target", "ownership"):
        fills = ownership == FormatColumn.Ownership.IF_BLANK
        field = find_target(target)
        for place in _places(field.field) if field else ():
            if not fills or place not in written:
                written[place] = Writing.FILLS if fills else Writing.OVERWRITES
    return written


def _places(field: TemplateField) -> Iterator[Place]:
    """The fields of records that a field of the template ends in."""
    if field.group is Group.CONNECTION and field.part in _OWN:
        yield "connection", _OWN[field.part]
    elif field.group in ASSIGNMENTS:
        yield "connection", field.group.value
    elif field.part in ADDRESS_FIELDS:
        yield from ((f"address:{kind}", field.part) for kind in _KINDS.get(field.group, ()))
    elif field.name == "create_doors":
        yield "door", "name"
    if field.group is Group.BUYERS and field.part == "name":
        yield "buyer", "name"

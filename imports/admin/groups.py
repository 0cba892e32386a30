"""Issues of a run in groups: how many customers have each, an example, what ends it, and what a click does about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.counting import counted
from imports.admin.entries import find_present
from imports.models import Issue, Run
from imports.pipeline.issues import MOST_GROUPED, group_issues
from imports.remedies import MAPPED, find_remedy, say_extent
from imports.runs.awaiting import MOST_LOOKED_AT, Awaited, find_awaited, find_entry
from imports.runs.replaying import may_be_replayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

MOST_SHOWN = 40
OF_COLUMNS = ("missing_column", "renamed_column", "doubled_column")
"""Codes of what is wrong with a header: each column is an issue, and all have one cause."""
MOST_OFFERED = 6
"""How many entries that lists lack are offered, each with its step."""


@dataclass
class Group:
    """Issues of one severity, code and field. `steps` are (what it does, its page)."""

    found: dict[str, Any]
    run: Run
    steps: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.found["code"]).replace("_", " ")

    @property
    def who(self) -> str:
        return say_extent(self.found)

    @property
    def remedy(self) -> str:
        return find_remedy(self.found["code"], self.found["severity"])

    @property
    def example_page(self) -> str:
        return reverse("admin:imports_issue_change", args=[self.found["issue"]])

    @property
    def list_page(self) -> str:
        asked = {
            "run__id__exact": self.run.pk,
            "severity__exact": self.found["severity"],
            "code": self.found["code"],
            "field": self.found["field"],
        }
        given = {name: value for name, value in asked.items() if value}
        return f"{reverse('admin:imports_issue_changelist')}?{urlencode(given)}"


def find_groups(run: Run, user: User) -> dict[str, Any] | None:
    """What the page shows of the issues; nothing where there are none."""
    stored = run.issue_groups
    found = _join_columns(group_issues(run, most=MOST_GROUPED) if stored is None else stored)
    if not found:
        return None
    groups = [Group(group, run) for group in found[:MOST_SHOWN]]
    awaited = None
    if user.may_edit(run.account_id):
        awaited = _offer_entries(run, groups)
        if run.format_version and user.may_edit(run.format_version.format.account_id):
            _offer_mapping(run, groups)
    looked_at = sum(group["issues"] for group in found)
    return {
        "groups": groups,
        "awaited": awaited,
        "more": len(found) - len(groups),
        "only_first": MOST_GROUPED if stored is None and looked_at >= MOST_GROUPED else 0,
        "list": f"{reverse('admin:imports_issue_changelist')}?run__id__exact={run.pk}",
    }


def _join_columns(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same groups, where those of a header that is not the approved one are one for each thing that is wrong."""
    joined: dict[Any, dict[str, Any]] = {}
    for number, group in enumerate(found):
        key = group["code"] if group["code"] in OF_COLUMNS else number
        if first := joined.get(key):
            joined[key] = first | {"field": "", "issues": first["issues"] + group["issues"]}
        else:
            joined[key] = group
    return list(joined.values())


def _offer_entries(run: Run, groups: list[Group]) -> tuple[str, str] | None:
    """What customers wait for, on the group of its list; returns the step that helps most of them."""
    lacking = [group for group in groups if group.found["code"] == "unknown_lookup" and _is_error(group)]
    if not lacking:
        return None
    groups_of = {find_entry(group.found["field"]): group for group in reversed(lacking)}
    awaited = find_awaited(run.account, [run.pk], most=MOST_LOOKED_AT)
    offered = [entry for entry in awaited if (entry.list_name, entry.is_code) in groups_of][:MOST_OFFERED]
    present = find_present(run.account, offered)
    steps = []
    for entry in offered:
        steps += (own := list(_offer(run, entry, is_there=entry in present)))
        groups_of[entry.list_name, entry.is_code].steps += own
    return steps[0] if steps else None


def _offer(run: Run, entry: Awaited, *, is_there: bool) -> Iterator[tuple[str, str]]:
    asked = {"list": entry.list_name, "value": entry.value}
    name = f"{entry.list_name.replace('_', ' ')} {entry.value}"
    count = counted(entry.customers, "customer")
    count = f"at least {count}" if entry.is_least else count
    url = f"{reverse('admin:imports_run_add_entry', args=[run.pk])}?{urlencode(asked)}"
    if may_be_replayed(run):
        yield f"{'Replay' if is_there else 'Add and replay'}: {name} ({count})", url
    elif not is_there:
        yield f"Add: {name} ({count})", url


def _offer_mapping(run: Run, groups: list[Group]) -> None:
    """Let the next version of the format say what a value means."""
    for group in groups:
        if group.found["code"] in MAPPED and group.found["value"]:
            page = reverse("admin:imports_run_map_value", args=[run.pk])
            said = f"Say what {group.found['value']!r} means, in the next version of the format"
            group.steps.append((said, f"{page}?issue={group.found['issue']}"))


def _is_error(group: Group) -> bool:
    return bool(group.found["severity"] == Issue.Severity.ERROR)

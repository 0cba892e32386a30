"""Omit: what lies in a feed's folder and is not taken is counted, named, and told to the contacts after some days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone

from accounts.times import iso_utc
from imports.feeds.settling import LONE_MARKER, MARKER
from imports.filesystems.masks import TEMPORARY, Mask
from imports.messages.telling import tell_of_feed
from imports.models import Feed
from imports.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.filesystems import RemoteFile

LONG = timedelta(days=3)
"""After so long, what lies there has been forgotten rather than put there for somebody else."""
TOLD_AGAIN = timedelta(days=7)
"""No sooner are the contacts told of further files."""
NAMED = 3
"""Files that a pull names."""
TOLD = 20
"""Files that the contacts are told of."""
REMEMBERED = 200
"""Files of which a feed knows since when they lie there."""


class Omitted(NamedTuple):
    """A file that is not taken, and why."""

    file: RemoteFile
    reason: str


def explain_omission(mask: Mask, file: RemoteFile) -> str:
    """Why a file of the folder is not taken, whatever its turn; "" where it is."""
    return file.oddity if file.oddity in (MARKER, LONE_MARKER) else mask.explain(file.name) or file.oddity


def list_omitted(feed: Feed, files: Iterable[RemoteFile]) -> list[Omitted]:
    """What somebody may miss: hidden files are nobody's, and some are another feed's of the same folder."""
    mask = Mask.parse(feed.mask)
    seen = (file for file in files if file.oddity != MARKER and not file.name.startswith("."))
    reasons = ((file, explain_omission(mask, file)) for file in sorted(seen, key=lambda file: file.name))
    omitted = [Omitted(file, reason) for file, reason in reasons if reason]
    others = [Mask.parse(other.mask) for other in _others_of_folder(feed)] if omitted else []
    return [one for one in omitted if not any(other.matches(one.file.name) for other in others)]


def _others_of_folder(feed: Feed) -> Iterable[Feed]:
    same = {name: getattr(feed, name) for name in ("account", "protocol", "host", "port", "user", "url", "folder")}
    return Feed.objects.filter(**same, enabled=True).exclude(pk=feed.pk).only("mask")


def note_omitted(feed: Feed, omitted: list[Omitted]) -> list[Omitted]:
    """Remember since when each file lies there, and tell the contacts of those that do so for long, once of each.

    Returns those to be named: a name that says that its file is still being written is normal for a while.
    """
    now, known = timezone.now(), feed.omitted or {}
    seen = {one.file.name: known.get(one.file.name, {"since": iso_utc(now)}) for one in omitted[:REMEMBERED]}
    old = [one for one in omitted if one.file.name in seen and _age(seen[one.file.name], now) > LONG]
    new = [one for one in old if "told" not in seen[one.file.name]]
    changes: dict[str, Any] = {}
    if new and (feed.omission_told_at is None or now - feed.omission_told_at > TOLD_AGAIN):
        named = [{"file": one_line(one.file.name), "reason": one.reason} for one in new[:TOLD]]
        tell_of_feed(feed, "feed.omits", now, {"files": named, "count": len(new), "days": LONG.days})
        seen |= {one.file.name: {**seen[one.file.name], "told": iso_utc(now)} for one in new}
        changes["omission_told_at"] = now
    if seen != known:
        Feed.objects.filter(pk=feed.pk).update(omitted=seen or None, **changes)
    return [one for one in omitted if not TEMPORARY.fullmatch(one.file.name) or one in old]


def _age(noted: dict[str, str], now: datetime) -> timedelta:
    return now - datetime.fromisoformat(noted["since"])


def say_omitted(omitted: list[Omitted]) -> str:
    """For the pull: how many, and the first of them; "" for none."""
    if not omitted:
        return ""
    named = ", ".join(f"{one_line(one.file.name)} ({one.reason})" for one in omitted[:NAMED])
    more = f", and {len(omitted) - NAMED:,} more, which check_feed lists" if len(omitted) > NAMED else ""
    return f"Not taken: {named}{more}."

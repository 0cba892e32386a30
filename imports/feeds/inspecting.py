"""Inspect: what a feed's server presents of itself, and what would be pulled from it and why not the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from accounts.suspending import is_suspended
from accounts.times import iso_utc
from imports.choosing import find_version_of_feed
from imports.errors import SettingsWrong, TryAgainLater
from imports.feeds.fetching import Step, list_candidates, list_folder
from imports.feeds.omitting import explain_omission
from imports.feeds.probing import probe_feed
from imports.filesystems import open_server, read_identities
from imports.filesystems.masks import Mask
from imports.models import Feed

if TYPE_CHECKING:
    from imports.feeds.probing import Trial
    from imports.filesystems import Identity, RemoteFile


class ListedFile(NamedTuple):
    """A file in the feed's folder: whether the next pull takes it, and why or why not."""

    file: RemoteFile
    taken: bool
    reason: str


@dataclass
class Inspection:
    """What was found; `problem` says why no more was, and what to do."""

    where: str
    identities: list[Identity] = field(default_factory=list)
    files: list[ListedFile] = field(default_factory=list)
    format: str = ""
    problem: str = ""
    tried: list[Trial] = field(default_factory=list)

    @property
    def identity(self) -> Identity | None:
        """The one that is trusted, else the one to be."""
        return self.identities[0] if self.identities else None

    @property
    def is_well(self) -> bool:
        """Whether a pull would find nothing in its way."""
        return not self.problem and not any(trial.problem and trial.needed for trial in self.tried)


def inspect_feed(feed: Feed, *, probe: bool = True) -> Inspection:
    """Connect, log in and list; nothing is downloaded, imported or recorded. What goes wrong is part of the answer.

    What pulls do to the server is tried too, unless `probe` is false or the system is suspended: folders are made; a
    file is written, renamed and removed.
    """
    found = Inspection(feed.server_name)
    try:
        settings = feed.server
        found.where = settings.where
        found.identities = read_identities(settings)
        version = find_version_of_feed(feed)
        found.format = str(version or "standard template")
        with open_server(settings) as server:
            found.files = _explain(feed, list_folder(server, feed))
            found.tried = probe_feed(server, feed) if probe and not is_suspended() else []
    except (SettingsWrong, TryAgainLater, ImproperlyConfigured) as error:
        found.problem = str(error)
    return found


def describe_presented_key(feed: Feed) -> tuple[str, str]:
    """All that a server presents of itself, for people to compare, and what pins the best of it; or why not."""
    try:
        identities = read_identities(feed.server)
    except (SettingsWrong, TryAgainLater, ImproperlyConfigured) as error:
        return str(error), ""
    if not identities:
        return "", ""
    presented = ", ".join(f"{identity.details} {identity.fingerprint}" for identity in identities)
    return f"{feed.server.where} presents {presented}.", identities[0].pin


def _explain(feed: Feed, files: list[RemoteFile]) -> list[ListedFile]:
    """The mask's files in the order of their turns, then the others by name."""
    waits = feed.while_held == Feed.WhileHeld.WAIT and feed.runs.blocking().exists()
    listed = []
    for file, _, step, reason, _ in list_candidates(feed, files):
        taken = step == Step.TAKE
        if step == Step.COMPARE:
            reason = f"{reason}; its content is compared, and taken where it is another"
        if file.size > feed.most_bytes:
            taken, reason = False, f"it has {file.size:,} bytes, more than the feed's limit of {feed.most_bytes:,}"
        elif taken and waits:
            taken, reason = False, f"{reason}, but it waits until somebody has decided about the held file"
        listed.append(ListedFile(file, taken, reason))
    mask = Mask.parse(feed.mask)
    omitted = ((file, explain_omission(mask, file)) for file in sorted(files, key=lambda file: file.name))
    return listed + [ListedFile(file, False, reason) for file, reason in omitted if reason]


def describe_inspection(found: Inspection) -> dict[str, Any]:
    """The inspection as `--json` prints it."""
    return {
        "server": found.where,
        "identity": found.identity and found.identity._asdict(),
        "identities": [identity._asdict() for identity in found.identities],
        "format": found.format,
        "problem": found.problem,
        "files": [
            {
                "path": file.path,
                "size": file.size,
                "modified_at": file.modified_at and iso_utc(file.modified_at),
                "pull": taken,
                "reason": reason,
            }
            for file, taken, reason in found.files
        ],
        "tried": [trial._asdict() for trial in found.tried],
    }

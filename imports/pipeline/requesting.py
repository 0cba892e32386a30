"""Request: which file is imported, where it is from and how, settled before anything begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from imports.choosing import check_entry, read_spec
from imports.formats.spec import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set
    from datetime import datetime
    from pathlib import Path

    from accounts.models import Account, User
    from imports.formats.spec import FormatSpec
    from imports.models import Feed, FormatVersion, Run
    from imports.pipeline.ending import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a file came from, where that is not its path: its name there, and what the feed's server said of it."""

    file_name: str
    feed: Feed | None = None
    remote_path: str = ""
    remote_size: int | None = None
    remote_modified_at: datetime | None = None
    sha256: str = ""


class Replay(NamedTuple):
    """An earlier run, the codes of those of its customers to import again, and of others why they are not."""

    run: Run
    codes: Set[str]
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """One file that is to be imported into an account.

    It is read as `version` or `spec` says, else as the standard template. A dry run does all of it and rolls the merge
    back; of any other a copy of the file is kept, unless `keep` is false. With `rejects`, the rows of rejected
    customers are written there. `queued` is a run that waits for this import already, and knows itself who began it
    and whether it is dry. With `release`, the file is that of a held run: limits and a missing footer hold it no more,
    and the decision is recorded with the merge. With `replay`, it is the kept file of an earlier run, of which some
    customers alone are imported; limits hold them no more either. Who is `patient` waits a minute for another run of
    the account.

    Raises ValueError where it contradicts itself.
    """

    account: Account
    path: Path
    spec: FormatSpec | None = None
    version: FormatVersion | None = None
    origin: Origin | None = None
    release: Release | None = None
    replay: Replay | None = None
    queued: Run | None = None
    started_by: User | None = None
    reason: str = ""
    dry_run: bool = False
    keep: bool = True
    rejects: Path | None = None
    patient: bool = True

    def __post_init__(self) -> None:
        if contradiction := next(self._contradictions(), None):
            raise ValueError(f"This import contradicts itself: {contradiction}.")

    def _contradictions(self) -> Iterator[str]:
        if self.spec is not None and self.version is not None:
            yield "a version and a spec each say how the file is read"
        if self.queued is not None and (self.origin or self.release or self.started_by or self.dry_run):
            yield "a queued run says itself where its file is from, who began it and whether it is dry"
        if self.release is not None and self.dry_run:
            yield "a release is recorded with the merge, which a dry run takes back"
        if self.release is not None and self.replay is not None:
            yield "a release takes the whole file, and a replay some customers of it"
        if self.rejects is not None and self.rejects == self.path:
            yield "the rejects would overwrite the file"
        feed = self.origin.feed if self.origin else None
        held, replayed = self.release and self.release.held, self.replay and self.replay.run
        for what, owned in (("queued", self.queued), ("release", held), ("replay", replayed), ("feed", feed)):
            if owned is not None and owned.account_id != self.account.pk:
                yield f"what is given as {what} belongs to another account"

    @property
    def keeps_copy(self) -> bool:
        return self.keep and not (self.queued or self).dry_run

    def find_spec(self) -> FormatSpec:
        """How the file is read. Raises SettingsWrong where the version may not read files into the account."""
        if self.version is None:
            return self.spec or STANDARD
        check_entry(self.version, self.account)
        return read_spec(self.version)

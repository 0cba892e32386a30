"""Choose: the version of a format that files are read with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from imports.errors import SettingsWrong
from imports.formats.policies import FormatError
from imports.formats.spec import STANDARD
from imports.models import Feed, Format, FormatVersion

if TYPE_CHECKING:
    from accounts.models import Account
    from imports.formats.spec import FormatSpec
    from imports.models import Run

STANDARD_NAME = "standard"


def find_version(account: Account, name: str | None) -> FormatVersion | None:
    """The version that a file of the account is read with; none means the standard template.

    `name` is NAME or NAME@VERSION, or "standard"; without one it is the account's live format. A production account
    takes live versions only, a sandbox takes any, NAME alone meaning its newest. Raises SettingsWrong where there is
    none.
    """
    if name == STANDARD_NAME:
        return None
    versions = FormatVersion.objects.of_account(account).select_related("format")
    if not name:
        live = list(versions.live()[:2])
        if len(live) > 1:
            raise SettingsWrong(f"{account.code} has several live formats; say which one with --format.")
        return live[0] if live else None
    version = find_named(account, name, prefer_live=account.sandbox_of is None)
    check_entry(version, account)
    return version


def find_version_of(run: Run) -> FormatVersion | None:
    """The version that a run was read with, or is to be; none means the standard template.

    Raises SettingsWrong where it was deleted: nothing else can stand in for it.
    """
    if run.format_version is None and run.format_name != STANDARD.name:
        raise SettingsWrong(
            f"The format {run.format_name}, which {run} belongs to, was deleted, so nobody knows how to read it. "
            "Import the file anew with a format of its own."
        )
    return run.format_version


def find_present_version(run: Run) -> FormatVersion | None:
    """The version that files of the run's format are read with now; none means the standard template.

    Raises SettingsWrong where it is gone, or there is none that may read files into the account.
    """
    version = find_version_of(run)
    return find_version(run.account, version.format.name if version else STANDARD_NAME)


def find_version_of_feed(feed: Feed) -> FormatVersion | None:
    """The version that a feed's files are read with now; a feed without a format takes the standard template."""
    return find_version(feed.account, feed.format.name if feed.format else STANDARD_NAME)


def find_named(account: Account, name: str, *, prefer_live: bool = False) -> FormatVersion:
    """The version called NAME@VERSION, or the newest of NAME (the live one, where there is one and it is preferred)."""
    format_name, _, number = name.partition("@")
    versions = FormatVersion.objects.of_account(account).filter(format__name=format_name).select_related("format")
    newest = versions.order_by("-number").first()
    if newest is None:
        known = ", ".join(Format.objects.filter(account=account.production).values_list("name", flat=True)[:10])
        known = known or "none yet: onboard a sample first"
        raise SettingsWrong(f"{account.production.code} has no format {format_name!r}; it has {known}.")
    if not number:
        return (versions.live().first() if prefer_live else None) or newest
    version = versions.filter(number=number).first() if number.isascii() and number.isdigit() else None
    if version is None:
        raise SettingsWrong(f"{format_name} has no version {number!r}; its newest is {newest.number}.")
    return version


def find_predecessor(version: FormatVersion) -> FormatVersion:
    """The version to compare one with: the live one, or the one before. Raises SettingsWrong where it is the first."""
    others = version.format.versions.exclude(pk=version.pk).select_related("format")
    before = others.live().filter(number__lt=version.number).first() or others.filter(number__lt=version.number).first()
    if before is None:
        raise SettingsWrong(f"{version} is the first of its format; there is nothing to compare it with.")
    return before


def find_other_specs(account: Account, spec: FormatSpec) -> list[FormatSpec]:
    """The account's other formats, each as it is live, or else as its newest version."""
    specs = []
    for format_ in Format.objects.filter(account=account.production).exclude(name=spec.name.partition("@")[0]):
        version = format_.live or format_.newest
        with contextlib.suppress(SettingsWrong):
            specs += [read_spec(version)] if version else []
    return specs


def read_spec(version: FormatVersion) -> FormatSpec:
    """The version as the pipeline takes it. Raises SettingsWrong where it is not complete yet."""
    try:
        return version.to_spec()
    except FormatError as error:
        raise SettingsWrong(f"{version} is not complete: {error}") from None


def check_entry(version: FormatVersion, account: Account) -> None:
    """Raise SettingsWrong where the version may not read files into the account."""
    if version.format.account_id != account.production.pk:
        raise SettingsWrong(f"{version} is no format of {account.production.code}.")
    if account.sandbox_of is None and version.status != FormatVersion.Status.LIVE:
        raise SettingsWrong(
            f"{version} is {version.status}, and {account.code} is a production account, which takes live versions "
            f"only. Test it in {name_sandboxes(version)}, then promote it."
        )


def name_sandboxes(version: FormatVersion) -> str:
    """Where the version may be tested, for messages."""
    codes = version.format.account.sandboxes.values_list("code", flat=True)
    return " or ".join(codes) or "a sandbox (its account has a button that makes one)"


class FeedReading(NamedTuple):
    """What a feed of the account reads its files with, and whether it is the version that goes live."""

    feed: str
    format: str | None
    uses_it: bool


def list_feeds(version: FormatVersion) -> list[FeedReading]:
    """The feeds of the version's account, and what each reads with: going live changes no feed's format."""
    feeds = Feed.objects.filter(account=version.format.account).select_related("format").order_by("name")
    return [
        FeedReading(feed.name, feed.format.name if feed.format else None, feed.format == version.format)
        for feed in feeds
    ]


def describe_feeds(version: FormatVersion) -> list[str]:
    """The same in sentences."""
    feeds = list_feeds(version)
    using = [feed.feed for feed in feeds if feed.uses_it]
    said = [f"Feeds that read with {version} once it is live: {', '.join(using) or 'none'}."]
    staying = [f"{feed.feed} ({feed.format or 'standard template'})" for feed in feeds if not feed.uses_it]
    if staying:
        said.append(f"Feeds that stay as they are: {', '.join(staying)}.")
    return said

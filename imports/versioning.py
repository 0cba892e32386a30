"""The life of a format: draft → testing → live → retired.

A draft may be edited. Testing freezes it, for the account's sandbox alone. An approval after an accepted run in the
sandbox makes it live and retires the version that was live; from then on a change starts the next draft.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.timesince import timesince

from imports.asking import WITHOUT, do_without, say_open_questions
from imports.errors import SettingsWrong
from imports.formats.policies import FormatError
from imports.formats.spec import STANDARD, FormatDraft, FormatSpec
from imports.models import Feed, Format, FormatVersion, LearnedHeader, Run

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import Account, User

Status = FormatVersion.Status

STANDARD_NAME = "standard"
RECOMMENDED_TEST = timedelta(days=14)
"""The source document recommends two weeks of testing."""


class PromotionRefused(SettingsWrong):
    """A version cannot take the step; the message says what is needed first."""


def save_draft(
    account: Account, name: str, spec: FormatSpec | FormatDraft, *, proposal: dict[str, Any] | None = None
) -> FormatVersion:
    """Make the draft of a format what the spec says: of a new format, of its next version, or the draft it has.

    It need not be complete: what is missing is asked for when its test starts.

    Raises SettingsWrong for a name that is none.
    """
    format_ = Format(account=account.production, name=name)
    try:
        format_.clean_fields(exclude=["account"])
    except ValidationError:
        raise SettingsWrong(
            f"{name!r} cannot name a format: give letters, digits, hyphens and underscores, at most 60."
        ) from None
    if name == STANDARD_NAME:
        raise SettingsWrong(f"{name!r} names the standard template; give another name.")
    with transaction.atomic():
        format_, _ = Format.objects.get_or_create(account=account.production, name=name)
        draft = _lock(format_).versions.filter(status=Status.DRAFT).first() or _next_version(format_)
        if proposal:
            take_proposal(draft, proposal)
        draft.take_spec(spec)
    return draft


def take_proposal(draft: FormatVersion, proposal: dict[str, Any]) -> None:
    """Another proposal takes the place of a draft's; what the draft is to do without stays decided."""
    without = (draft.proposal or {}).get(WITHOUT, [])
    draft.proposal = proposal | ({WITHOUT: without} if without else {})


def start_draft(format_: Format) -> FormatVersion:
    """The format's draft; where it has none, a copy of its newest version becomes it."""
    with transaction.atomic():
        versions = _lock(format_).versions
        draft = versions.filter(status=Status.DRAFT).first()
        if draft is None:
            newest = versions.latest("number")
            draft = _next_version(format_)
            draft.take_spec(newest.to_spec())
    return draft


def map_value(format_: Format, places: Collection[str], cell: str, value: str) -> FormatVersion:
    """Let a column of the format's draft take a cell for a value; `places` are its field or its header.

    Raises SettingsWrong where the format has no such column, or its field cannot have the value.
    """
    with transaction.atomic():
        draft = start_draft(format_)
        column = draft.columns.filter(Q(target__in=places) | (Q(source__in=places) & ~Q(source=""))).first()
        if column is None:
            raise SettingsWrong(
                f"{draft} has no column {' or '.join(filter(None, places))}. Map the value by hand there."
            )
        column.value_map = {**column.value_map, cell: value}
        try:
            column.full_clean()
        except ValidationError as error:
            raise SettingsWrong(" ".join(error.messages)) from None
        column.save(update_fields=["value_map"])
    return draft


def lock_draft(version: FormatVersion) -> FormatVersion:
    """The draft as it is now, which nobody else changes or tests until the caller's transaction ends.

    Raises PromotionRefused where it is a draft no more.
    """
    locked = _locked(version)
    if locked.status != Status.DRAFT:
        raise PromotionRefused(
            f"{version} is {locked.status} by now, and only a draft may be edited. Nothing was saved; start the next "
            "draft and edit that."
        )
    return locked


def start_testing(version: FormatVersion, *, without: Collection[str] = ()) -> FormatVersion:
    """Freeze a draft, so that what is tested is what may be approved. An older version in testing is retired.

    What was changed of its proposal by then is learned. `without` are fields that its sample does not give and that it
    is to do without. Raises PromotionRefused where other such fields are left open.
    """
    with transaction.atomic():
        version = _locked(version)
        if version.status != Status.DRAFT:
            raise PromotionRefused(f"{version} is {version.status} already; only a draft can go to testing.")
        for field in without:
            do_without(version, field)
        if said := say_open_questions(version):
            raise PromotionRefused(said)
        read_spec(version)
        if not version.format.account.sandboxes.exists():
            code = version.format.account.code
            raise PromotionRefused(
                f"{code} has no sandbox to test in. Make one with the button of its account, "
                f"or create_account {code}-sandbox --sandbox-of {code}."
            )
        _retire(version.format, Status.TESTING)
        LearnedHeader.objects.learn(version)
        version.status, version.testing_at = Status.TESTING, timezone.now()
        version.save(update_fields=["status", "testing_at"])
    return version


def approve(version: FormatVersion, approver: str, *, user: User | None = None, reason: str = "") -> FormatVersion:
    """Make a tested version live, in the approver's name, and retire the one that was.

    Raises PromotionRefused without an accepted sandbox run of exactly this version, without an approver, and
    without a reason where it was tested for less than two weeks.
    """
    if not approver.strip():
        raise PromotionRefused(f"{version} needs a named approver to go live.")
    if user is not None and not user.may_edit(version.format.account_id):
        raise PromotionRefused(
            f"{user.get_username()} is no editor of {version.format.account.code}, whose format it is."
        )
    with transaction.atomic():
        version = _locked(version)
        if version.status == Status.LIVE:
            raise PromotionRefused(f"{version} is live already, approved by {version.approver}.")
        if version.status != Status.TESTING:
            raise PromotionRefused(f"{version} is {version.status}; only a version in testing can go live.")
        if not Run.objects.accepted_tests(version).exists():
            raise PromotionRefused(
                f"{version} has no accepted run in a sandbox yet. Import a file of the ERP into "
                f"{_sandbox_codes(version)} with --format {version}; it must take at least one customer."
            )
        tested = timezone.now() - (version.testing_at or version.created_at)
        if tested < RECOMMENDED_TEST and not reason.strip():
            raise PromotionRefused(
                f"{version} has been tested for {describe_test(version)}; two weeks are recommended. "
                "Give the reason for going live earlier."
            )
        _retire(version.format, Status.LIVE)
        version.status, version.live_at = Status.LIVE, timezone.now()
        version.approver, version.approved_by, version.reason = approver.strip(), user, reason.strip()
        version.save(update_fields=["status", "live_at", "approver", "approved_by", "reason"])
    return version


def describe_test(version: FormatVersion) -> str:
    """How long a version has been in testing, as people say it."""
    if version.testing_at is None:
        return "no time"
    return timesince(version.testing_at, version.live_at or timezone.now()).replace("\xa0", " ")


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


def check_entry(version: FormatVersion, account: Account) -> None:
    """Raise SettingsWrong where the version may not read files into the account."""
    if version.format.account_id != account.production.pk:
        raise SettingsWrong(f"{version} is no format of {account.production.code}.")
    if account.sandbox_of is None and version.status != Status.LIVE:
        raise SettingsWrong(
            f"{version} is {version.status}, and {account.code} is a production account, which takes live versions "
            f"only. Test it in {_sandbox_codes(version)}, then promote it."
        )


def read_spec(version: FormatVersion) -> FormatSpec:
    """The version as the pipeline takes it. Raises SettingsWrong where it is not complete yet."""
    try:
        return version.to_spec()
    except FormatError as error:
        raise SettingsWrong(f"{version} is not complete: {error}") from None


def find_other_specs(account: Account, spec: FormatSpec) -> list[FormatSpec]:
    """The account's other formats, each as it is live, or else as its newest version."""
    specs = []
    for format_ in Format.objects.filter(account=account.production).exclude(name=spec.name.partition("@")[0]):
        version = format_.live or format_.newest
        with contextlib.suppress(SettingsWrong):
            specs += [read_spec(version)] if version else []
    return specs


def _sandbox_codes(version: FormatVersion) -> str:
    codes = version.format.account.sandboxes.values_list("code", flat=True)
    return " or ".join(codes) or "a sandbox (its account has a button that makes one)"


def _lock(format_: Format) -> Format:
    """Of two people who change a format at once, the second waits here."""
    return Format.objects.select_for_update().get(pk=format_.pk)


def _locked(version: FormatVersion) -> FormatVersion:
    _lock(version.format)
    return FormatVersion.objects.select_related("format__account").get(pk=version.pk)


def _next_version(format_: Format) -> FormatVersion:
    newest = format_.newest
    if newest is None:
        return FormatVersion(format=format_, number=1)
    return FormatVersion(format=format_, number=newest.number + 1, proposal=newest.proposal)


def _retire(format_: Format, status: Status) -> None:
    format_.versions.filter(status=status).update(status=Status.RETIRED, retired_at=timezone.now())

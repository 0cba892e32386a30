"""The life of a format: draft → testing → live → retired.

A draft may be edited. Testing freezes it, for the account's sandbox alone. An approval after an accepted run in the
sandbox makes it live and retires the version that was live; from then on a change starts the next draft.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.timesince import timesince

from imports.asking import WITHOUT, do_without, say_open_questions
from imports.choosing import STANDARD_NAME, name_sandboxes, read_spec
from imports.errors import SettingsWrong
from imports.models import Format, FormatVersion, LearnedHeader, Run

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import Account, User
    from imports.formats.spec import FormatDraft, FormatSpec

Status = FormatVersion.Status

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
                f"{name_sandboxes(version)} with --format {version}; it must take at least one customer."
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

"""Samples: the file that a format was proposed of is kept with it, tried as its draft says, and sent to a sandbox."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from imports.asking import DEFAULT, MISSING, find_questions
from imports.copies import drafting, fetched, release
from imports.errors import SettingsWrong
from imports.formats.policies import FormatError, RowMark, UnknownLookup
from imports.formats.spec import Column
from imports.onboarding.cutting import read_records
from imports.onboarding.sampling import take_sample
from imports.runs.rehearsing import assume, rehearse_spec
from imports.runs.uploading import store_upload
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import Account, User
    from imports.formats.spec import FormatSpec
    from imports.models import Format, FormatVersion, Run
    from imports.onboarding.rehearsal import Rehearsal

MOST_CARDS = 6
"""How many customers of a sample are shown."""
MOST_RECORDS = 12
"""How many records are shown as they are read."""
ALL_ROWS = 1_000_000


def keep_sample(format_: Format, file: File[bytes]) -> None:
    """Keep a copy of the sample in place of the one before, as long as files of the account are kept.

    Raises StorageUnreachable, and StorageRefused where there is no room for it.
    """
    if not settings.KEEP_FILES_DAYS:
        return
    before = format_.sample_file_id
    name = Path(file.name or "sample").name[-100:] or "sample"
    file.open()
    source: Any = file  # which reads as binary files do
    with drafting(format_.account_id, lambda: nullcontext(source), name) as draft, transaction.atomic():
        format_.sample_file, format_.sample_name, format_.sample_at = draft.keep(), name, timezone.now()
        format_.save(update_fields=["sample_file", "sample_name", "sample_at"])
        release([before])


def has_sample(format_: Format) -> bool:
    """Whether a copy of a sample is kept."""
    return format_.sample_file_id is not None


@contextmanager
def fetching_sample(format_: Format) -> Iterator[Path]:
    """The copy of the sample. Raises SettingsWrong where it is kept no more, and StorageUnreachable."""
    if not has_sample(format_):
        raise SettingsWrong(
            f"No copy of a sample of {format_} is kept: samples go after {settings.KEEP_FILES_DAYS} days. "
            "Propose the format anew from a sample of the same name."
        )
    with fetched(format_.sample_file, format_.sample_name) as path:
        yield path


def read_first_records(
    version: FormatVersion, encoding: str, delimiter: str, quotechar: str | None
) -> list[tuple[int, list[str]]]:
    """The first records of the sample with their lines, as these settings cut them.

    Raises SettingsWrong where it is kept no more, FileRejected where it is no text.
    """
    with fetching_sample(version.format) as path:
        sample = take_sample(path, encoding)
    spaced, around = version.allow_spaced_delimiter, version.spaces_around_quotes
    records = read_records(sample.lines, delimiter, quotechar, spaced=spaced, around=around)
    return [(line + 1, cells or ["(its quotes are wrong)"]) for line, cells in islice(records, MOST_RECORDS)]


def try_sample(version: FormatVersion) -> Rehearsal:
    """What comes of the sample as the version stands, taken back again; of a large one, of its first megabyte.

    What is still to be decided is taken as suggested. Raises SettingsWrong where the version is not complete beyond
    that or no sample is kept, FileRejected where it is no table of text, TryAgainLater when the database gives up.
    """
    with fetching_sample(version.format) as path:
        spec, said = _assume(version)
        return rehearse_spec(path, spec, said, most_rows=ALL_ROWS, most_cards=MOST_CARDS)


def find_lacking(version: FormatVersion, rehearsal: Rehearsal) -> dict[str, list[dict[str, str]]]:
    """What the lists of the account lack of what the sample names, where the version rejects whoever names it."""
    lacking = {}
    for name, entries in rehearsal.entries.items():
        if version.unknown_lookup.get(name, UnknownLookup.REJECT) != UnknownLookup.REJECT:
            continue
        of_account: Any = LISTS[name]._default_manager.filter(account=version.format.account_id)
        if name == "price_types":
            known = set(of_account.values_list("currency", "label"))
            missing = [entry for entry in entries if (entry["currency"], entry["label"]) not in known]
        else:
            said = {text for entry in entries for text in entry.values() if text}
            named = of_account.filter(Q(code__in=said) | Q(name__in=said))
            found = {text for pair in named.values_list("code", "name") for text in pair}
            missing = [entry for entry in entries if not found & {entry["code"], entry["name"] or entry["code"]}]
        if missing:
            lacking[name] = missing
    return lacking


def _assume(version: FormatVersion) -> tuple[FormatSpec, dict[str, str]]:
    """The version with what is still to be decided as suggested, and that. Raises SettingsWrong as above."""
    questions = [question for question in find_questions(version) if question.kind != MISSING]
    assumed = {
        question.target: question.suggestion or assume(question.target) for question in questions if question.target
    }
    defaults = {question.target for question in questions if question.kind == DEFAULT}
    marked = [question for question in questions if question.target is None]
    try:
        draft = version.to_draft()
        columns = [
            replace(column, default=assumed[column.target]) if column.target in defaults else column
            for column in draft.columns
        ]
        columns += [Column(target, constant=value) for target, value in assumed.items() if target not in defaults]
        row_marks = dict(draft.policies.row_marks)
        for question in marked:
            left_out = dict.fromkeys(question.values, RowMark.LEAVE_OUT)
            row_marks[question.column] = {**left_out, **row_marks.get(question.column, {})}
        policies = replace(draft.policies, row_marks=row_marks)
        spec = replace(draft, columns=tuple(columns), policies=policies).complete("rehearsal")
    except FormatError as error:
        raise SettingsWrong(f"{version} is not complete: {error}") from None
    said = {str(target): value for target, value in assumed.items()}
    return spec, said | {
        f"rows with {', '.join(question.values)} in {question.column}": "left out" for question in marked
    }


def send_sample(version: FormatVersion, sandbox: Account, user: User) -> Run:
    """A queued run of the sample in a sandbox. Raises SettingsWrong where none is kept or may be read there."""
    with fetching_sample(version.format) as path, path.open("rb") as sample:
        file = File(sample, name=version.format.sample_name)
        return store_upload(sandbox, file, user, format_name=str(version))

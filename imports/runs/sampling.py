"""Samples: the file that a format was proposed of is kept with it, tried as its draft says, and sent to a sandbox."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.db import transaction

from imports.asking import DEFAULT, MISSING, find_questions
from imports.errors import SettingsWrong
from imports.formats.policies import FormatError
from imports.formats.spec import Column
from imports.onboarding.cutting import read_records
from imports.onboarding.sampling import take_sample
from imports.runs.rehearsing import assume, rehearse_spec
from imports.runs.uploading import store_upload

if TYPE_CHECKING:
    from accounts.models import Account, User
    from imports.models import Format, FormatVersion, Run
    from imports.onboarding.rehearsal import Rehearsal

MOST_CARDS = 6
"""How many customers of a sample are shown."""
MOST_RECORDS = 12
"""How many records are shown as they are read."""
ALL_ROWS = 1_000_000


def keep_sample(format_: Format, file: File[bytes]) -> None:
    """Keep a copy of the sample in place of the one before, as long as files of the account are kept.

    Raises SettingsWrong where there is no room for it.
    """
    if not settings.KEEP_FILES_DAYS:
        return
    before, storage = format_.sample.name, format_.sample.storage
    name = Path(file.name or "sample").name[-100:] or "sample"
    try:
        format_.sample.save(name, file)
    except (OSError, SuspiciousFileOperation) as error:
        raise SettingsWrong(f"No copy of {name} can be kept in DATA_DIR: {error}.") from None
    if before:
        transaction.on_commit(partial(storage.delete, before))


def find_sample(format_: Format) -> Path | None:
    """The copy of the sample; none where it is kept no more."""
    path = Path(format_.sample.path) if format_.sample else None
    return path if path and path.is_file() else None


def open_sample(format_: Format) -> Path:
    """The copy of the sample. Raises SettingsWrong where it is kept no more."""
    path = find_sample(format_)
    if path is None:
        raise SettingsWrong(
            f"No copy of a sample of {format_} is kept: samples go after {settings.KEEP_FILES_DAYS} days. "
            "Propose the format anew from a sample of the same name."
        )
    return path


def read_first_records(
    version: FormatVersion, encoding: str, delimiter: str, quotechar: str | None
) -> list[tuple[int, list[str]]]:
    """The first records of the sample with their lines, as these settings cut them.

    Raises SettingsWrong where it is kept no more, FileRejected where it is no text.
    """
    sample = take_sample(open_sample(version.format), encoding)
    spaced, around = version.allow_spaced_delimiter, version.spaces_around_quotes
    records = read_records(sample.lines, delimiter, quotechar, spaced=spaced, around=around)
    return [(line + 1, cells or ["(its quotes are wrong)"]) for line, cells in islice(records, MOST_RECORDS)]


def try_sample(version: FormatVersion) -> Rehearsal:
    """What comes of the sample as the version stands, taken back again; of a large one, of its first megabyte.

    What is still to be decided is taken as suggested. Raises SettingsWrong where the version is not complete beyond
    that or no sample is kept, FileRejected where it is no table of text, TryAgainLater when the database gives up.
    """
    path = open_sample(version.format)
    questions = [question for question in find_questions(version) if question.kind != MISSING]
    assumed = {question.target: question.suggestion or assume(question.target) for question in questions}
    defaults = {question.target for question in questions if question.kind == DEFAULT}
    try:
        draft = version.to_draft()
        columns = [
            replace(column, default=assumed[column.target]) if column.target in defaults else column
            for column in draft.columns
        ]
        columns += [Column(target, constant=value) for target, value in assumed.items() if target not in defaults]
        spec = replace(draft, columns=tuple(columns)).complete("rehearsal")
    except FormatError as error:
        raise SettingsWrong(f"{version} is not complete: {error}") from None
    said = {str(target): value for target, value in assumed.items()}
    return rehearse_spec(path, spec, said, most_rows=ALL_ROWS, most_cards=MOST_CARDS)


def send_sample(version: FormatVersion, sandbox: Account, user: User) -> Run:
    """A queued run of the sample in a sandbox. Raises SettingsWrong where none is kept or may be read there."""
    path = open_sample(version.format)
    name = path.name.removeprefix(f"sample-{version.format_id}-")
    with path.open("rb") as sample:
        return store_upload(sandbox, File(sample, name=name), user, format_name=str(version))

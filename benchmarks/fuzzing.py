"""Files and formats that nobody would write, and what must hold whatever they are.

A case is known by its seed and number, and comes out the same each time: it takes a file of the samples or invents one,
mutates it, has it onboarded, and imports it with the standard template, with what onboarding proposed, or with a format
made up for its header. What must hold is in `Case`: whoever adds a law adds a method there.
"""

from __future__ import annotations

import contextlib
import csv
import random
import signal
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from imports.errors import FileRejected, SettingsWrong
from imports.files.exporting import export_file
from imports.formats.documents import read_format, write_format
from imports.formats.policies import AssignmentMode, Conflict, FormatError, Policies, UnknownLookup
from imports.formats.spec import STANDARD, Blank, Column, Dialect, FormatSpec, Ownership
from imports.models import Issue, Run
from imports.onboarding.proposing import onboard
from imports.pipeline import ImportRequest, import_file
from imports.template import ASSIGNMENTS, FIELDS, Target
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts.models import Account

SAMPLES = Path(__file__).resolve().parents[1] / "tests" / "samples"
MOST_BYTES = 20_000
"""Of a file: many small ones find more than few large ones."""
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "cp850", "latin-1")
DELIMITERS = ("|", ",", ";", "\t", "~", " ", "^")
PIECES = (
    b'"', b"'", b"\n", b"\r", b"\r\n", b"|", b",", b";", b"\t", b"\0", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\\",
    b"\xef\xbb\xbf", b"{", b"}", b"=", b" ", b"_line|_code|_field|_message", b"\\N", b"\xc2\xa0", b"\xe2\x80\x8b", b"-",
)  # fmt: skip
CELLS = (
    "C1", "C2", "c1", "0001", "1", "\\N", "NULL", "", " ", "FR", "France", "US", "EUR", "USD", "EU Wholesale", "N30",
    "WH1", "Rotterdam", "REP1", "B", "S", "yes", "no", "10", "10 %", "12.5", "a@b.example", "A@B.example",
    "shop.example",
    '6" pipe', "a|b", "a,b", "a;b", "line\nend", "Zoë", "\u200bC1", "1.2E+07", '="0001"', "S1", "B1", "x" * 300, "NY",
)  # fmt: skip


MOST_TIMES_SLOWER = 20
"""So many times longer, byte by byte, may a mutated file take than its original."""


class TooSlow(BaseException):
    """The processor time of a step is used up; nothing may catch it on the way."""


class Broken(Exception):
    """A law does not hold."""


def must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


@dataclass
class Failure:
    """A law that a case broke."""

    case: str
    step: str
    what: str
    data: bytes
    spec: FormatSpec | None

    def __str__(self) -> str:
        return f"{self.case}, {self.step}: {self.what}"


@dataclass
class Fuzzer:
    """Runs cases against an account; each leaves it as it was."""

    account: Account
    folder: Path
    limit: float = 10.0
    noticed: float = 1.0
    """Seconds of the processor from which a step is compared with what it takes for the file before its mutations."""
    cases: int = 0
    failures: list[Failure] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")

    def prepare(self) -> None:
        """Customers that files meet, so that not everything is new."""
        run = import_file(ImportRequest(account=self.account, path=SAMPLES / "standard_layout.txt", keep=False))
        must(run.status == Run.Status.SUCCEEDED, "the customers to begin with were not imported")

    def run(self, seed: int, *, seconds: float | None = None, cases: int | None = None, first: int = 0) -> None:
        """Cases of a seed from a number on, for some seconds or as many as are asked for."""
        started, number = time.monotonic(), first
        while (cases is None or number < first + cases) and (seconds is None or time.monotonic() - started < seconds):
            Case(self, f"{seed}:{number}").run()
            self.cases += 1
            number += 1


class Case:
    """One file and what is done with it."""

    def __init__(self, fuzzer: Fuzzer, name: str) -> None:
        self.fuzzer = fuzzer
        self.name = name
        self.random = random.Random(name)
        self.path = fuzzer.folder / "file.txt"
        self.rejects = fuzzer.folder / "rejects.txt"
        self.original, self.data = make_file(self.random)
        self.spec: FormatSpec | None = None
        self.failed = False

    def run(self) -> None:
        self.path.write_bytes(self.data)
        specs = [STANDARD]
        with self.step("onboard", self.onboard):
            specs += self.onboard()
        specs += invent_formats(self.random, self.data)
        self.spec = self.random.choice(specs)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '60s'")
            for name in ("tell_the_same_of_rejects", "apply", "export"):
                law = partial(getattr(self, name), self.spec)
                with self.step(name, law):
                    law()
                if self.failed:
                    break
            transaction.set_rollback(True)

    # -- what must hold

    def onboard(self) -> list[FormatSpec]:
        """A sample is proposed or refused, and what is proposed survives its document."""
        try:
            spec = onboard(self.path).to_draft().complete("fuzz")
        except (FileRejected, FormatError):
            return []
        must(read_format(write_format(spec)) == spec, "the document of the format is another format")
        return [spec]

    def tell_the_same_of_rejects(self, spec: FormatSpec) -> None:
        """Rejects that are sent again unmended give the same errors for each customer."""
        self.rejects.unlink(missing_ok=True)
        first = self.send(self.path, spec, dry_run=True, rejects=self.rejects)
        if not self.rejects.exists():
            return
        again = self.send(self.rejects, spec, dry_run=True)
        before, after = errors_of(first), errors_of(again)
        must(
            before == after,
            f"{first.status}, then {again.status}: only at first {before - after}, only then {after - before}",
        )

    def apply(self, spec: FormatSpec) -> None:
        """What was applied is unchanged when the same file comes again, unless it made entries that it refers to."""
        self.send(self.path, spec)
        if UnknownLookup.CREATE not in spec.policies.unknown_lookup.values():
            again = self.send(self.path, spec)
            must((again.created, again.updated) == (0, 0), f"the same file again changes: {again.counts}")

    def export(self, spec: FormatSpec) -> None:
        """An export that is imported changes nothing. A format need not have a column for everything that is stored."""
        for each in {STANDARD.name: STANDARD, spec.name: spec}.values():
            exported = self.fuzzer.folder / "export.txt"
            try:
                with exported.open("w", encoding=each.dialect.encoding, newline="") as file:
                    export_file(self.fuzzer.account, file, each)
            except SettingsWrong:
                continue
            run = self.send(exported, each)
            if each is STANDARD:
                must((run.created, run.updated) == (0, 0), f"its export changes: {run.counts}")
                must(run.status == Run.Status.SUCCEEDED, f"its export is {run.status}: {run.message} {say(run)}")

    def send(self, path: Path, spec: FormatSpec, **options: Any) -> Run:
        """Import a file. The run ends as an answer to its sender, and its counts add up."""
        run = import_file(ImportRequest(account=self.fuzzer.account, path=path, spec=spec, keep=False, **options))
        self.fuzzer.statuses[run.status] += 1
        must(run.status not in (Run.Status.FAILED, Run.Status.RUNNING), f"the run ended as {run.status}")
        ended = run.created + run.updated + run.unchanged + run.rejected + run.skipped
        must(run.customers == ended, f"the counts do not add up: {run.counts}")
        if run.rejected or run.rows_rejected or run.status == Run.Status.REJECTED:
            must(run.issues.filter(severity=Issue.Severity.ERROR).exists(), f"{run.status} without an error")
        return run

    # -- how it is found out

    @contextlib.contextmanager
    def step(self, name: str, law: Callable[[], object]) -> Iterator[None]:
        """What goes wrong in the block is a failure of the case; whatever it changed by then is taken back.

        `law` is what the block holds the file to, to be asked of the original too where it took long.
        """
        started = time.process_time()
        try:
            with _bounded(self.fuzzer.limit), transaction.atomic():
                yield
            took = time.process_time() - started
            if took > self.fuzzer.noticed:
                self.compare_with_original(law, took)
        except (Exception, TooSlow) as error:  # noqa: BLE001  (whatever it is, it is what we look for)
            self.failed = True
            self.fuzzer.failures.append(Failure(self.name, name, describe(error), self.data, self.spec))
        took = time.process_time() - started
        self.fuzzer.slowest = max(self.fuzzer.slowest, (took, f"{self.name}, {name}"))

    def compare_with_original(self, law: Callable[[], object], took: float) -> None:
        """A mutation makes a file wrong, not slow: whoever sends it holds up the others."""
        self.path.write_bytes(self.original)
        started = time.process_time()
        with contextlib.suppress(Exception), _bounded(self.fuzzer.limit), transaction.atomic():
            law()
            transaction.set_rollback(True)
        before = time.process_time() - started
        self.path.write_bytes(self.data)
        growth = max(1.0, len(self.data) / max(1, len(self.original)))
        slower = took / before / growth
        must(slower <= MOST_TIMES_SLOWER, f"{took:.1f} s, {slower:.0f} times longer than its original")


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block when it has used so much time of the processor, however busy the machine is."""

    def give_up(*_: object) -> None:
        raise TooSlow(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def errors_of(run: Run) -> Counter[tuple[str, str, str]]:
    """Customer, field and code of the run's errors."""
    errors = run.issues.filter(severity=Issue.Severity.ERROR)
    return Counter(errors.values_list("customer_code", "field", "code"))


def say(run: Run) -> list[str]:
    return [str(issue) for issue in run.issues.filter(severity=Issue.Severity.ERROR)[:3]]


def describe(error: BaseException) -> str:
    """The error, and where it comes from unless it is one of our laws."""
    if isinstance(error, Broken):
        return str(error)[:2000]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:300]} ({Path(frame.filename).name}, line {frame.lineno})"


# -- files


def make_file(rng: random.Random) -> tuple[bytes, bytes]:
    """A file before and after its mutations."""
    original = data = (rng.choice(seeds())() if rng.random() < 0.7 else invent_file(rng))[:MOST_BYTES]
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3, 8))):
        data = mutate(rng, data)
    return original, data[:MOST_BYTES]


def seeds() -> list[Callable[[], bytes]]:
    paths = sorted(path for path in SAMPLES.rglob("*") if path.suffix in (".txt", ".csv", ".tsv"))
    return [lambda path=path: _first_lines(path) for path in paths]  # type: ignore[misc]  # a default of a lambda


def _first_lines(path: Path) -> bytes:
    return b"".join(path.read_bytes()[:MOST_BYTES].splitlines(keepends=True)[:40])


def invent_file(rng: random.Random) -> bytes:
    """Template fields and other words as a header, rows of what might stand below them."""
    names = [FIELDS[name].numbered(rng.choice((1, 1, 2))) for name in rng.sample(sorted(FIELDS), rng.randint(1, 12))]
    header = [*dict.fromkeys([*rng.choice([["customer_code", "profile_name"], []]), *names])]
    header += rng.choice([[], [], ["Fax"], ["Code", "Line"], ["Fax", "Fax"]])
    delimiter, quote = rng.choice(DELIMITERS), rng.choice(['"', '"', "'"])
    lines = [header] if rng.random() < 0.9 else []
    usual = [rng.choice(CELLS) for _ in header]
    for _ in range(rng.randint(0, 15)):
        row = [rng.choice(CELLS) if rng.random() < 0.3 else cell for cell in usual]
        lines.append(row[: rng.randint(0, len(row))] if rng.random() < 0.05 else row + [""] * (rng.random() < 0.05))
    if rng.random() < 0.1:
        lines = [_without_blank_end(line) for line in lines]
    spaces = rng.choice((None, None, None, "", " ", " \t", "\xa0"))
    text = _write(lines, delimiter, quote, spaces, rng.choice(("\n", "\r\n", "\r")))
    return text.encode(rng.choice(ENCODINGS), "replace")


def _without_blank_end(line: list[str]) -> list[str]:
    filled = [index for index, cell in enumerate(line) if cell.strip()]
    return line[: filled[-1] + 1] if filled else line


def _write(lines: list[list[str]], delimiter: str, quote: str, spaces: str | None, end: str) -> str:
    """The lines; with spaces every cell is quoted, and they stand around the quotes."""

    def cell(text: str) -> str:
        needs = spaces is not None or any(mark in text for mark in (delimiter, quote, "\n"))
        around = spaces or ""
        return f"{around}{quote}{text.replace(quote, quote * 2)}{quote}{around}" if needs else text

    return "".join(delimiter.join(map(cell, line)) + end for line in lines)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """One change that a broken program, disk or person might make."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.randint(1, 60))
    lines = data.splitlines(keepends=True)
    row = rng.randrange(len(lines)) if lines else 0
    changes: list[Callable[[], bytes]] = [
        lambda: data[:at] + rng.choice(PIECES) + data[at:],
        lambda: data[:at] + rng.choice(PIECES) * rng.randint(2, 2000) + data[at:],
        lambda: data[:at] + data[end:],
        lambda: data[:at] + data[at:end] * rng.randint(2, 5) + data[end:],
        lambda: data[:at] + bytes([rng.randrange(256)]) + data[end:],
        lambda: data[:at],
        lambda: data.replace(data[at : at + 1] or b"|", rng.choice(PIECES)),
        lambda: b"".join(lines[:row] + [lines[row]] * rng.randint(2, 4) + lines[row + 1 :]) if lines else data,
        lambda: b"".join(lines[:row] + lines[row + 1 :]),
        lambda: b"".join(rng.sample(lines, len(lines))),
        lambda: b"".join(lines[:1] + [line.swapcase() for line in lines[1:]]),
        lambda: data.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace"),
        lambda: _double_column(rng, lines),
    ]
    return rng.choice(changes)()


def _double_column(rng: random.Random, lines: list[bytes]) -> bytes:
    """A column that stands twice, under one name."""
    mark = rng.choice(DELIMITERS).encode()
    number = rng.randrange(5)

    def double(line: bytes) -> bytes:
        cells = line.rstrip(b"\r\n").split(mark)
        return mark.join([*cells, cells[number % len(cells)]]) + b"\n"

    return b"".join(map(double, lines))


# -- formats


def invent_formats(rng: random.Random, data: bytes) -> list[FormatSpec]:
    """A format that reads some of the file's columns into some fields, where one can be made."""
    try:
        dialect = Dialect(
            encoding=rng.choice(ENCODINGS) if rng.random() < 0.3 else "utf-8",
            delimiter=rng.choice(DELIMITERS),
            quotechar=rng.choice(['"', '"', "'", None]),
            escapechar=rng.choice([None, None, "\\"]),
            has_header=rng.random() < 0.8,
            skip_lines=rng.choice((0, 0, 0, 1, 2)),
            footer=rng.choice(("", "", "", "TRAILER*")),
            allow_spaced_delimiter=rng.random() < 0.1,
            spaces_around_quotes=rng.random() < 0.3,
        )
        text = data.decode(dialect.encoding, "replace")
        line = next(iter(text.splitlines()[dialect.skip_lines :]), "")
        header = next(csv.reader([line], delimiter=dialect.delimiter), [])[:30]
        return [
            FormatSpec(
                "fuzz", dialect, _invent_columns(rng, header, dialect), _invent_policies(rng), _approved(rng, header)
            )
        ]
    except (FormatError, csv.Error):
        return []


def _approved(rng: random.Random, header: list[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in header) if rng.random() < 0.5 else ()


def _invent_columns(rng: random.Random, header: list[str], dialect: Dialect) -> tuple[Column, ...]:
    width = max(len(header), 1)

    def source() -> str | int:
        index = rng.randrange(width)
        name = header[index].strip() if index < len(header) else ""
        usable = dialect.has_header and name and "{" not in name and header.count(header[index]) == 1
        return name if usable and rng.random() < 0.7 else index + 1

    columns = [Column(Target("customer_code"), source()), Column(Target("profile_name"), source())]
    columns += [
        Column(Target("price_type_currency"), constant="EUR"),
        Column(Target("price_type_name"), constant="EU Wholesale"),
    ]
    for name in rng.sample(sorted(FIELDS), rng.randint(0, 10)):
        target = Target(name, rng.choice((1, 1, 2)) if FIELDS[name].repeats else 1)
        if any(column.target == target for column in columns):
            continue
        with contextlib.suppress(FormatError):
            columns.append(
                Column(
                    target,
                    source(),
                    value_map={"NULL": ""} if rng.random() < 0.3 else {},
                    default=rng.choice(("", "", "FR", "1")),
                    blank=rng.choice((Blank.KEEP, Blank.KEEP, Blank.CLEAR)),
                    ownership=rng.choice((Ownership.ALWAYS, Ownership.ALWAYS, Ownership.IF_BLANK, Ownership.NEVER)),
                )
            )
    return tuple(columns)


def _invent_policies(rng: random.Random) -> Policies:
    lists = [name for name in LISTS if name != "sales_reps"]
    return replace(
        Policies(),
        clear_token=rng.choice(("", "", "\\N")),
        assignments={kind: rng.choice(list(AssignmentMode)) for kind in rng.sample(ASSIGNMENTS, rng.randint(0, 2))},
        unknown_lookup={name: rng.choice(list(UnknownLookup)) for name in rng.sample(lists, rng.randint(0, 4))},
        allow_trailing_delimiter=rng.random() < 0.3,
        allow_short_rows=rng.random() < 0.3,
        conflict=rng.choice(list(Conflict)),
    )

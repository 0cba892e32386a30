"""Rejects are a file of the same format: sent again unmended, the same rows are wrong for the same reasons."""

import errno
import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from imports.errors import SettingsWrong
from imports.files.records import RecordReader
from imports.formats.policies import BlankCode, Policies
from imports.formats.spec import Blank, Dialect, FormatSpec
from imports.formats.writing import Unwritable, write_record
from imports.models import Run
from tests.imports.customer_files import NEW
from tests.imports.formats.test_spec import column

MARKS = st.sampled_from(
    [
        ("|", '"', None),
        (",", '"', None),
        (";", "'", "\\"),
        ("\t", None, None),
        (",", None, "\\"),
        (" ", '"', None),
        ("\x1f", '"', None),
        ("¦", '"', "\\"),
    ]
)
SPACES = st.sampled_from(["", " ", "\t", "  ", "\xa0"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "cp500", "shift_jis"])


@st.composite
def dialects(draw):
    delimiter, quote, escape = draw(MARKS)
    has_header = draw(st.booleans())
    return Dialect(
        encoding=draw(ENCODINGS if delimiter.isascii() else ENCODINGS.filter(lambda name: name != "shift_jis")),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        has_header=has_header,
        skip_lines=draw(st.sampled_from([0, 0, 2])),
        footer=draw(st.sampled_from(["", "", "C2*" if quote else "END*", "END {rows}", "{customers} END*"])),
        ignore_lines=draw(st.sampled_from([(), (), ("--*",), ("*x", "*cells*")])),
        allow_spaced_delimiter=draw(st.booleans()) if delimiter != " " else False,
        width=0 if has_header else 4,
        spaces_around_quotes=draw(st.booleans()),
    )


def cells(dialect):
    """Cells of all kinds, sound and not, as bytes of the file may have them: D is a delimiter, Q a quote."""
    marks = ["", "", "x", "?", "shop.example", "\\N", "D", "D ", "\0", "\x0b", "\x85", "\u2028", "\x1c", "Q", "\\", "é"]
    text = st.lists(st.sampled_from(marks), max_size=3).map("".join)
    lines = st.sampled_from(["", "", "\n", "\r"])
    quoted = st.builds(lambda before, line, after: f"Q{before}{line}{after}Q", text, lines, text)
    spaced = st.builds(lambda before, cell, after: f"{before}{cell}{after}", SPACES, quoted, SPACES)
    wrong = [quoted.map(lambda cell: f"{cell}x"), text.map(lambda cell: f"Q{cell}"), text.map(lambda cell: f" Q{cell}")]
    return st.one_of(text, text, quoted, spaced, *wrong)


FOOTERS = {"C2*": "C2 rows", "END*": "END", "END {rows}": "END 07", "{customers} END*": "1 END"}


@st.composite
def files(draw):
    dialect = draw(dialects())
    codes = st.sampled_from(["C1", "C2", "C3", "C22", "NULL", "\\N", "", " C1 ", "QC1Q", " QC1Q", "QC1Q ", "C\x004"])
    row = st.builds(
        lambda code, name, rest: [code, name, *rest],
        codes,
        st.one_of(st.sampled_from(["A", "B", "QAQ"]), cells(dialect)),
        st.lists(cells(dialect), min_size=0, max_size=4),
    )
    whole = st.builds(lambda code, name, cell: [code, name, "", cell], codes, st.sampled_from("AB"), cells(dialect))
    rows = draw(st.lists(st.one_of(whole, row), min_size=1, max_size=6))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    header = [["customer_code", "profile_name", "customer_alias", "website"]] if dialect.has_header else []
    doubled = draw(st.sampled_from(["", "", "_code", "Code", "website "])) if dialect.has_header else ""
    if doubled:
        header[0].append(doubled)
        rows = [[*cells, "z"] if len(cells) == 4 else cells for cells in rows]
    again = st.sampled_from([[], [], header, [["-- Q"]], [["", "", "x", ""]], [["Total: 2"]]])
    rows = [other for row in rows for other in (row, *draw(again))]
    lines = [dialect.delimiter.join(cells) for cells in [*header, *rows]]
    lines = ["of today", "Q"][: dialect.skip_lines] + lines + [FOOTERS.get(dialect.footer, "")] * bool(dialect.footer)
    text = newline.join(lines) + newline
    text = text.replace("D", dialect.delimiter).replace("Q", dialect.quotechar or '"')
    sources = [1, 2, 3, 4] if not dialect.has_header or doubled else [None] * 4
    names = ["customer_code", "profile_name", "customer_alias", "website"]
    columns = [column(name, source) for name, source in zip(names, sources, strict=True)]
    columns[0] = column("customer_code", sources[0], value_map={"NULL": ""})
    columns[2] = column("customer_alias", sources[2], blank=Blank.CLEAR)
    prices = [column("price_type_currency", constant="EUR"), column("price_type_name", constant="EU Wholesale")]
    policies = Policies(
        clear_token="\\N", allow_trailing_delimiter=draw(st.booleans()), blank_code=draw(st.sampled_from(BlankCode))
    )
    approved = tuple(text.strip() for text in header[0]) if doubled else ()
    spec = FormatSpec("test", dialect, (*columns, *prices), policies, approved)
    return text.encode(dialect.encoding, "replace"), spec


def errors_of(run):
    """How often each code and field was found wrong, by customer."""
    issues = run.issues.filter(severity="error").values_list("customer_code", "code", "field")
    return Counter(issues)


def count_right(send, data, spec):
    """The file with a footer that counts what is in it."""
    for issue in send.bytes(data, spec, dry_run=True).issues.filter(code="wrong_count"):
        wrong, came = re.findall(r"\d+", issue.message)[0], re.findall(r"the file has (\d+)", issue.message)[0]
        footer = issue.value.replace(wrong, came.zfill(len(wrong)))
        data = data.decode(spec.dialect.encoding).replace(issue.value, footer).encode(spec.dialect.encoding)
    return data


HEADLESS = FormatSpec(
    "test",
    Dialect(has_header=False, escapechar="\\", width=4),
    (*(column(name, place) for place, name in enumerate(("customer_code", "profile_name"), 1)),),
)
FOOTED = FormatSpec(
    "test",
    Dialect(footer="C2*"),
    (
        *(column(name, name) for name in ("customer_code", "profile_name", "website")),
        *(column("price_type_currency", constant="EUR"), column("price_type_name", constant="EU Wholesale")),
    ),
    header=("customer_code", "profile_name", "website"),
)
NAMES = b"customer_code|profile_name|website\n"


@example((NAMES + b'C1|A|"\nC2|"\nC3|B|\nC2 rows\n', FOOTED))
@example((NAMES + b'C2|"x" y|\nC3|B|\nC2 rows\n', FOOTED))
@example((b'C1|A||x|x\r\nC1|A||"x|\\\r\nC2"|B|\\\r\n', HEADLESS))
@settings(max_examples=35, suppress_health_check=list(HealthCheck))
@given(files())
def test_unmended_rejects_are_rejected_again_for_the_same_reasons(send, file):
    data, spec = file
    data = count_right(send, data, spec)
    rejects = send.folder / "rejects.txt"
    rejects.unlink(missing_ok=True)
    run = send.bytes(data, spec, rejects=rejects, dry_run=True)
    assert run.status != Run.Status.FAILED
    if not run.rejected + run.rows_rejected:
        assert not rejects.exists()
        return
    again = rejects.read_bytes()
    for _ in range(2):
        rerun = send.bytes(again, spec, rejects=rejects, dry_run=True)
        assert errors_of(rerun) == errors_of(run), (data, again)
        assert (rerun.rejected, rerun.rows_rejected) == (run.rejected, run.rows_rejected), (data, again)
        assert rerun.customers == run.rejected, (data, again)
        again = rejects.read_bytes()


def test_a_faulty_line_that_ends_before_the_code_gets_no_reason_for_its_code(send, tmp_path):
    spec = FormatSpec(
        "erp", Dialect(delimiter=","), (column("customer_code", 3), column("profile_name", 1)), header=("A", "B", "Nr")
    )
    rejects = tmp_path / "rejects.txt"
    file = 'A,B,Nr\nHarbor Row,"x" y\nElm Street,x,2\n'
    for _ in range(3):
        run = send.text(file, spec, dry_run=True, rejects=rejects)
        errors = run.issues.filter(severity="error").values_list("customer_code", "code")
        assert ("", "malformed_quote") in errors
        assert {customer for customer, _ in errors} == {"", "2"}
        file = rejects.read_text()


@settings(max_examples=60)
@given(dialects(), st.lists(st.text(st.sampled_from("ab\0 |,;¦\"'\\\r\n\t\x1f\x0b\u2028\x85"), max_size=6), min_size=1))
def test_what_is_written_reads_back_as_the_same_cells(dialect, cells):
    file = StringIO(newline="")
    try:
        write_record(file, dialect, cells)
    except Unwritable:
        assert dialect.quotechar is None
        assert dialect.escapechar is None
        return
    rows = list(RecordReader(dialect, 0, file.getvalue().encode().splitlines(keepends=True), 1))
    unquoted = dialect.quotechar is None and (cells == [""] or any("\0" in cell for cell in cells))
    assert unquoted or [(row.cells, row.fault) for row in rows] == [(cells, "")]


@pytest.mark.django_db(transaction=True)
def test_rejects_that_cannot_be_put_in_their_place_leave_no_draft(send, settings, monkeypatch):
    replace_file = Path.replace

    def refuse(self, target):
        if self.name.endswith(".part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SettingsWrong, match="No space left on device"):
        send(NEW, NEW | {"customer_code": "C2", "price_type_currency": "Euros"})
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.part"))
    assert not send.account.connections.exists()

"""Formats as YAML documents."""

import json
import unicodedata
from itertools import pairwise

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imports.formats.documents import describe_format, read_document, read_format, write_format
from imports.formats.policies import (
    AssignmentMode,
    BlankCode,
    Conflict,
    EncodedTwice,
    FormatError,
    Policies,
    RowMark,
    Swallowed,
    UnknownLookup,
    WordsForNothing,
)
from imports.formats.spec import BadValue, Blank, Column, Dialect, FormatSpec, Ownership
from imports.template import ASSIGNMENTS, Group, Target

DOCUMENT = r"""
name: northwind
dialect: {encoding: cp1252, delimiter: ";", quotechar: none, has_header: true, skip_lines: 2, footer: "Total*"}
header: [Kunde, First, Last, Land, Active, Mail, Extra]
columns:
  - {source: Kunde, target: customer_code}
  - {source: "{First} {Last}", target: buyer_name_1}
  - {source: 6, target: buyer_email}
  - {source: Land, target: shipping_country_1, value_map: {Norwegen: NO, Niederlande: NL, 049: DE}}
  - {constant: USD, target: price_type_currency_1}
  - {source: Active, target: create_doors, value_map: {J: true, N: false}, default: false, ownership: if_blank}
policies:
  clear_token: '\N'
  assignments: {payment_terms: add}
  unknown_lookup: {warehouses: skip, customer_groups: create}
  max_error_percent: 10
  max_change_percent: 12.5
  conflict: last
"""


def test_the_document_says_it_all():
    spec = read_format(DOCUMENT)
    assert spec == FormatSpec(
        "northwind",
        Dialect("cp1252", ";", None, skip_lines=2, footer="Total*"),
        (
            Column(Target("customer_code"), "Kunde"),
            Column(Target("buyer_name"), "{First} {Last}"),
            Column(Target("buyer_email"), 6),
            Column(Target("shipping_country"), "Land", value_map={"Norwegen": "NO", "Niederlande": "NL", "049": "DE"}),
            Column(Target("price_type_currency"), constant="USD"),
            Column(
                Target("create_doors"),
                "Active",
                value_map={"J": "true", "N": "false"},
                default="false",
                ownership=Ownership.IF_BLANK,
            ),
        ),
        Policies(
            clear_token=r"\N",
            assignments={Group.PAYMENT_TERMS: AssignmentMode.ADD},
            unknown_lookup={"warehouses": UnknownLookup.SKIP, "customer_groups": UnknownLookup.CREATE},
            max_error_percent=10,
            max_change_percent=12.5,
            conflict=Conflict.LAST,
        ),
        ("Kunde", "First", "Last", "Land", "Active", "Mail", "Extra"),
    )
    assert read_format(write_format(spec)) == spec


@pytest.mark.parametrize(("word", "mark"), [("tab", "\t"), ("space", " "), ("pipe", "|"), ('"\\t"', "\t"), ("~", None)])
def test_a_delimiter_may_be_named(word, mark):
    document = f"name: x\ndialect: {{delimiter: {word}}}\ncolumns: [{{source: a, target: customer_code}}]"
    if mark is None:
        with pytest.raises(FormatError, match="delimiter must be one character"):
            read_format(document)
    else:
        assert read_format(document).dialect.delimiter == mark


_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
_headers = _texts.filter(lambda text: not {"{", "}"} & set(text))
_cells = _texts.filter(lambda text: text.strip() == text)
_names = st.sampled_from(["alternate_name", "customer_alias", "profile_name", "shipping_name", "billing_city"])
_marks = st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])


def _trimmed(texts):
    return texts.map(str.strip)


def _differs_in_more_than_case(value_map):
    return len({unicodedata.normalize("NFC", cell).casefold() for cell in value_map}) == len(value_map)


@st.composite
def _columns(draw):
    columns = [Column(Target("customer_code"), draw(st.integers(1, 9) | _headers))]
    for name in draw(st.lists(_names, unique=True)):
        mapped = st.dictionaries(_cells, _trimmed(st.text("abc019NO\x85\n ~", max_size=5)), max_size=3)
        value_map = draw(mapped.filter(_differs_in_more_than_case))
        is_needed = Target(name).field.required or Target(name).field.is_key
        columns.append(
            Column(
                Target(name),
                draw(st.integers(1, 999) | _headers),
                value_map=value_map,
                default=draw(_trimmed(st.text("aå1\x85\u2028\t", max_size=3))),
                blank=Blank.KEEP if name == "profile_name" else draw(st.sampled_from(Blank)),
                ownership=draw(st.sampled_from([Ownership.ALWAYS, Ownership.IF_BLANK])),
                bad_value=BadValue.REJECT if is_needed else draw(st.sampled_from(BadValue)),
            )
        )
    columns.append(Column(Target("price_type_name"), constant=draw(_cells.filter(lambda text: len(text) < 100))))
    return tuple(columns)


@st.composite
def _dialects(draw):
    has_header = draw(st.booleans())
    delimiter, quotechar, escapechar = draw(st.lists(_marks, min_size=3, max_size=3, unique=True))
    return Dialect(
        draw(st.sampled_from(["utf-8", "cp1252", "utf-16"])),
        delimiter,
        draw(st.sampled_from([quotechar, None])),
        draw(st.sampled_from([escapechar, None])),
        has_header=has_header,
        width=0 if has_header else draw(st.integers(0, 2000)),
        skip_lines=draw(st.integers(0, 1000)),
        footer=draw(_texts.filter(lambda text: text.strip("*? ") and "{" not in text)),
        allow_spaced_delimiter=delimiter != " " and draw(st.booleans()),
        spaces_around_quotes=draw(st.booleans()),
        ignore_lines=tuple(draw(st.lists(_texts.map(lambda text: f"--- {text.replace('{', '')}"), max_size=2))),
    )


_policies = st.builds(
    Policies,
    clear_token=st.just("") | _texts,
    assignments=st.dictionaries(st.sampled_from(ASSIGNMENTS), st.sampled_from(AssignmentMode)),
    unknown_lookup=st.dictionaries(st.sampled_from(["warehouses", "price_types"]), st.sampled_from(UnknownLookup)),
    max_error_percent=st.none() | st.integers(0, 100) | st.floats(0, 100),
    allow_trailing_delimiter=st.booleans(),
    conflict=st.sampled_from(Conflict),
    swallowed_lines=st.sampled_from(Swallowed),
    encoded_twice=st.sampled_from(EncodedTwice),
    words_for_nothing=st.sampled_from(WordsForNothing),
    blank_code=st.sampled_from(BlankCode),
    allow_short_rows=st.booleans(),
    max_near_key_percent=st.none() | st.integers(0, 100) | st.floats(0, 100),
    languages=st.lists(st.sampled_from(["de", "fr", "pt"]), unique=True).map(tuple),
    row_marks=st.dictionaries(st.just("1"), st.just({"X": RowMark.LEAVE_OUT, "": RowMark.TAKE})),
)


@given(columns=_columns(), dialect=_dialects(), policies=_policies, header=st.lists(_texts, max_size=3))
def test_reading_what_was_written_gives_an_equal_format(columns, dialect, policies, header):
    try:
        spec = FormatSpec("x", dialect, columns, policies, tuple(header))
    except FormatError:  # the header has a mapped column twice
        return
    text = write_format(spec)
    assert read_format(text) == spec
    assert write_format(read_format(text)) == text
    assert read_document(json.loads(json.dumps(describe_format(spec)))) == spec


def test_a_next_line_character_survives_the_document():
    column = Column(Target("profile_name"), constant="Harbor\x85Row")
    spec = FormatSpec("x", columns=(Column(Target("customer_code"), "Nr"), column))
    assert read_format(write_format(spec)) == spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: northwind", "nme: northwind", "the document: nme is none of columns, dialect, header, name, policies"),
        ("{source: Kunde,", "{source: [Kunde],", "column 1: source must be a text"),
        ("target: customer_code}", "target: customer_cod}", "column 1: 'customer_cod' is no field of the template"),
        ("has_header: true", "has_header: maybe", "dialect: has_header must be true or false, not 'maybe'"),
        ("skip_lines: 2", "skip_lines: -2", "dialect: skip_lines must be a whole number, not '-2'"),
        ("ownership: if_blank", "ownership: sometimes", "must be one of always, if_blank, never, not 'sometimes'"),
        ("{warehouses: skip", "{warehouse: skip", "unknown_lookup: warehouse is none of"),
        ("{payment_terms: add}", "{buyers: add}", "assignments: buyers is none of"),
        ("049: DE", "049: D", "'D' is not a country"),
        ("constant: USD", "constant: Dollar", "price_type_currency_1, constant: 'Dollar' must be a currency"),
        ("max_error_percent: 10", "max_error_percent: 101", "from 0 to 100"),
        ("conflict: last", "conflict: last\n  conflict: first", "line 19: the key 'conflict' is given twice"),
        ("columns:", "columns: [", "not YAML"),
        ("encoding: cp1252", "encoding: klingon", "'klingon' is no encoding that files are read in"),
        ('footer: "Total*"', 'footer: "*"', "matches every line"),
        ("target: buyer_name_1", "target: discount_2", "'discount_2' is no field"),
        ("First, Last, Land", "First, Last, land, Land", "has 'Land' more than once; give the position"),
    ],
)
def test_a_mistake_is_named_with_its_place(old, new, message):
    assert old in DOCUMENT
    with pytest.raises(FormatError) as raised:
        read_format(DOCUMENT.replace(old, new))
    assert message in str(raised.value)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{letter}: &{letter} [{', '.join([f'*{before}'] * 9)}]\n" for before, letter in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "line 1: anchors and aliases"),
        (f"{BOMB}? *i\n: x\n", "line 1: anchors and aliases"),
        ("name: x\n? [a, b]\n: y\n", "line 2: the key is no text"),
        ("name: !!python/name:os.system x\n", "line 1: tags are not read"),
        ("name: " + "[" * 5000 + "]" * 5000, "nested more than 10 deep"),
        ("[" * 100_000, "nested more than 10 deep"),
        ("name: x\n---\nname: y\n", "line 2: a second document"),
        ("name: x\nname: y\n", "line 2: the key 'name' is given twice"),
        (DOCUMENT.replace("049: DE", "049: DE, ' 049': DE"), "differs in spaces around it only"),
        (DOCUMENT.replace("source: Kunde", 'source: "Kun\\0de"'), "which is no character of a text"),
    ],
)
def test_what_a_format_does_not_need_of_yaml_is_refused_at_once(text, message):
    with pytest.raises(FormatError) as raised:
        read_format(text)
    assert message in str(raised.value)


def test_a_deep_json_document_is_refused():
    document: list[object] = []
    for _ in range(500):
        document = [document]
    with pytest.raises(FormatError, match="nested more than 10 deep"):
        read_document(document)


def test_a_long_value_map_is_read_in_time():
    """A check of every key against all others would take hours."""
    values = "".join(f"'k{number}': FR, " for number in range(60_000))
    document = DOCUMENT.replace("049: DE", values.rstrip(", "))
    assert len(document) > 800_000
    columns = read_format(document).columns or ()
    assert len(columns[3].value_map) == 60_002


@pytest.mark.parametrize("text", ["", "just text", "- a list", "\0", "x" * 2_000_000])
def test_what_is_no_format_is_refused(text):
    with pytest.raises(FormatError):
        read_format(text)


def test_what_is_written_is_plain_yaml():
    document = yaml.safe_load(write_format(read_format(DOCUMENT)))
    assert document["columns"][3]["value_map"] == {"Norwegen": "NO", "Niederlande": "NL", "049": "DE"}
    assert document["policies"]["max_change_percent"] == 12.5

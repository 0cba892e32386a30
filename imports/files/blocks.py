"""Blocks: the columns of one group and number, and what the cells of a row make of them.

A block's cells that came before are not cleaned again: most rows of a customer repeat the same connection fields, and
most customers share few terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from connections.nothing import WORDS_AS_WRITTEN
from imports.errors import CellError
from imports.formats.encodings import find_meant
from imports.formats.policies import EncodedTwice, WordsForNothing
from imports.formats.spec import BadValue, Blank, Column, FormatSpec, Ownership, fold_value_map
from imports.template import ADDRESSES, Group, Kind, Target, TemplateField
from lookups.texts import WHITE_SPACE, find_controls, is_plain, name_controls, read_key, read_text, space_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEMORY = 8192
"""How many different rows of cells a block remembers."""

ANY_TEXT = (Kind.TEXT, Kind.CODE)


class Clear:
    """The value of a cell that empties what is stored."""

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR = Clear()


class Keep:
    """The value of a bad cell that is left out where a blank one would clear: what is stored stays."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP = Keep()


class WordMeans(Enum):
    """What a field makes of a word for nothing where the format does not say that it is blank."""

    TEXT = auto()
    """It is text: optional fields take any, so it is kept, with a warning."""
    BLANK = auto()
    """It is no value that is needed, nor one of its kind, so it is read as a blank cell, with a warning."""
    VALUE = auto()
    """It may be a value: a code or an entry that is known, or what nobody could guess (no discount at all, or none to
    tell of)."""


def word_means(field: TemplateField) -> WordMeans:
    if field.kind in (Kind.CODE, Kind.INTEGER, Kind.BOOLEAN, Kind.ADDRESS_TYPE) or field.names_entry:
        return WordMeans.VALUE
    is_optional = not field.required and not field.is_key and field.part != "state"
    return WordMeans.TEXT if is_optional and field.kind is Kind.TEXT else WordMeans.BLANK


class CellProblem(NamedTuple):
    """What is wrong with a cell, by the names of `Problem`."""

    column: str
    field: str
    code: str
    message: str
    value: str
    severity: str = "error"


class Cleaned(NamedTuple):
    """A block of a row: values by part of the group (blank ones left out), and what was wrong."""

    values: dict[str, Any]
    problems: tuple[CellProblem, ...]


NOTHING = Cleaned({}, ())


@dataclass(slots=True)
class BoundColumn:
    """A column of the format at its place in the file."""

    column: Column
    label: str
    indexes: tuple[int, ...]
    clean: Callable[[str], Any]
    pieces: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        return self.column.target

    def compose(self, cells: Sequence[str]) -> str:
        """The cell; for a template of headers its text, blank where all its cells are."""
        if not self.pieces:
            return cells[0]  # a column of one cell
        texts = [read_text(cell) for cell in cells]
        if not any(texts):
            return ""
        text = self.pieces[0]
        for part, piece in zip(texts, self.pieces[1:], strict=True):
            text += part + piece
        return " ".join(text.split())


class Block:
    """The columns of one group and number."""

    def __init__(
        self, group: Group, number: int, columns: list[BoundColumn], constants: dict[str, Any], spec: FormatSpec
    ) -> None:
        self.group = group
        self.number = number
        self.columns = columns
        self.constants = constants
        self.spec = spec
        self.clear_token = spec.policies.clear_token
        self.looks_at_encoding = spec.policies.encoded_twice is not EncodedTwice.IGNORE
        self.cells = cells_at([index for column in columns for index in column.indexes])
        parts = {column.target.field.part: column.column for column in columns}
        self.clear_parts = frozenset(part for part, column in parts.items() if column.blank is Blank.CLEAR)
        self.fill_parts = frozenset(part for part, column in parts.items() if column.ownership is Ownership.IF_BLANK)
        self.needs_cell = group in ADDRESSES or group is Group.BUYERS
        # By column: part of the group, length up to which any text will do, widget, the column with its value map
        # where it has more to say (a value map or a default), whether the field is a text, and whether a free one.
        self.plan = [
            (
                bound.target.field.part,
                (bound.target.field.max_length or 0) if bound.target.field.kind in ANY_TEXT else 0,
                bound.clean,
                (bound.column, fold_value_map(bound.column.value_map))
                if bound.column.value_map or bound.column.default
                else None,
                bound.target.field.kind is Kind.TEXT,
                bound.target.field.is_free_text,
            )
            for bound in columns
        ]
        self.memory: dict[tuple[str, ...], Cleaned] = {}

    def clean(self, row: Sequence[str]) -> Cleaned:
        """The block's values of a row; the same object for the same cells."""
        cells = self.cells(row)
        cleaned = self.memory.get(cells)
        if cleaned is None:
            if len(self.memory) >= MEMORY:
                self.memory.clear()
            cleaned = self.memory[cells] = self._clean(cells)
        return cleaned

    def _clean(self, cells: tuple[str, ...]) -> Cleaned:
        values: dict[str, Any] = {}
        problems: list[CellProblem] = []
        blank = True
        token = self.clear_token
        composed = self._compose(cells)
        is_all_plain = is_plain("".join(cells))
        texts = [raw.strip() for raw in composed] if is_all_plain else composed
        has_words = not (is_all_plain and WORDS_AS_WRITTEN.isdisjoint(texts))
        for place, (text, (part, fits, clean, more, is_text, is_free)) in enumerate(zip(texts, self.plan, strict=True)):
            if not text and more is None:
                continue
            if not is_all_plain:
                read = self._read(text, part, problems, is_text=is_text, is_free=is_free)
                if read is None:
                    blank = False
                    self._leave_out(part, problems, values)
                    continue
                text = read
            is_word = has_words and text in WORDS_AS_WRITTEN
            if more is not None:
                column, mapped = more
                known = mapped[text] if text in mapped else mapped.get(text.casefold())
                if known is not None:
                    text, is_word = known, False
            if is_word and text != token:
                text = self._read_word(part, text, composed[place], problems)
            elif text and text != token:
                blank = False  # a record needs more than cells that clear or say nothing
            if more is not None:
                text = read_text(text or column.default)
            if not text:
                continue
            if text == token:
                values[part] = CLEAR
            elif len(text) <= fits and (is_text or ("E" not in text and "e" not in text)):
                values[part] = text  # a code without an E is no number that a spreadsheet shortened
            else:
                try:
                    values[part] = clean(text)
                except CellError as error:
                    problems.append(self._problem(part, error, composed[place]))
                    self._leave_out(part, problems, values)
        if blank and self.needs_cell:
            return NOTHING
        if self.constants and (values or problems or not self.columns):
            values = self.constants | values
        return Cleaned(values, tuple(problems)) if values or problems else NOTHING

    def _read(self, raw: str, part: str, problems: list[CellProblem], *, is_text: bool, is_free: bool) -> str | None:
        """What a cell says that is more than plain ASCII; none where it holds what no value may, which is noted."""
        if is_plain(raw):
            return raw.strip()
        text: str | None = read_text(raw) if is_free else read_key(raw)
        if text and (controls := find_controls(text, is_key=not is_text)):
            text = space_controls(text) if is_free else None
            remedy = "Each is stored as a space." if is_free else "Send the value without."
            why = f"holds {name_controls(controls)}. {remedy}{_explain_controls(controls)}"
            error = CellError("control_character", why)
            problems.append(self._problem(part, error, raw, "warning" if is_free else "error"))
        if self.looks_at_encoding and text and not text.isascii() and (meant := find_meant(text)):
            error = CellError("encoded_twice", f"looks encoded twice; {meant!r} may be meant. Encode texts once.")
            problems.append(self._problem(part, error, raw, "warning"))
        return text

    def _compose(self, cells: tuple[str, ...]) -> Sequence[str]:
        """A text for each column: its cell, or what its template of headers makes of its cells."""
        if len(cells) == len(self.columns):
            return cells
        texts, start = [], 0
        for bound in self.columns:
            end = start + len(bound.indexes)
            texts.append(bound.compose(cells[start:end]))
            start = end
        return texts

    def _leave_out(self, part: str, problems: list[CellProblem], values: dict[str, Any]) -> None:
        """Where a bad cell is left out: no blank one is it, which would clear."""
        if problems[-1].severity == "warning" and part in self.clear_parts:
            values[part] = KEEP

    def _read_word(self, part: str, word: str, raw: str, problems: list[CellProblem]) -> str:
        """What a cell says with a word for nothing: "" where the format or the field reads it as blank."""
        if self.spec.policies.words_for_nothing is WordsForNothing.BLANK:
            return ""
        means = word_means(self._bound(part).target.field)
        if means is WordMeans.VALUE:
            return word
        if means is WordMeans.BLANK:
            said = "is a word for nothing; it is read as a blank cell."
        else:
            remedy = ", or let the format read them as blank (words_for_nothing)" if self.spec.columns else ""
            said = f"is a word for nothing; it is kept as it is. Leave such cells blank{remedy}."
        problems.append(self._problem(part, CellError("word_for_nothing", said), raw, "warning"))
        return word if means is WordMeans.TEXT else ""

    def _bound(self, part: str) -> BoundColumn:
        return next(bound for bound in self.columns if bound.target.field.part == part)

    def _problem(self, part: str, error: CellError, value: str, severity: str = "error") -> CellProblem:
        """What is wrong with a cell; only a warning where the column leaves out what the field cannot have."""
        bound = self._bound(part)
        shown = "has" if error.code == "too_long" else repr(value.strip(WHITE_SPACE)[:100])
        message = f"{bound.target} {shown} {error}"
        if severity == "error" and error.code != "control_character":
            message += self._name_map(bound)
        if severity == "error" and bound.column.bad_value is BadValue.LEAVE_OUT:
            severity = "warning"
            message += " It is left out, and the field stays as it is."
        return CellProblem(bound.label, str(bound.target), error.code, message, value, severity)

    def _name_map(self, bound: BoundColumn) -> str:
        """Who else can mend a cell: where the format translates cells, whoever keeps it."""
        is_named = bound.target.field.kind is Kind.COUNTRY and self.spec.policies.languages
        if not bound.column.value_map and not is_named:
            return ""
        return (
            f" The value map of the column {bound.label!r} in the format {self.spec.name} has nothing for it: "
            "correct the cell, or have whoever keeps the format add it."
        )


def _explain_controls(controls: list[str]) -> str:
    """Where characters of the second set of controls come from, which no text has on purpose."""
    hint = " Such characters come of text in cp1252 that is read in another encoding."
    return hint if any(letter >= "\x80" for letter in controls) else ""


def cells_at(indexes: list[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A function that takes these cells of a row, always as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda row: tuple(row[index] for index in indexes)

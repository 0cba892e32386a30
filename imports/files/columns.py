"""Columns: each column of a format at its place in the file, and what is said of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from connections.nothing import NO_NAME, WORDS_AS_WRITTEN
from connections.rules import country_names
from imports.errors import CellError
from imports.formats.countries import find_namesakes
from imports.formats.policies import WordsForNothing
from imports.formats.spec import BadValue, Column, FormatSpec
from imports.template import Kind, Target, TemplateField, names_of, spell_name
from lookups.texts import WHITE_SPACE, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


NAMES = ("profile_name", "customer_alias", "alternate_name", "name")
"""Parts of a group that are names of businesses and people."""


class CellProblem(NamedTuple):
    """What is wrong with a cell, by the names of `Problem`."""

    column: str
    field: str
    code: str
    message: str
    value: str
    severity: str = "error"


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


@dataclass(slots=True)
class BoundColumn:
    """A column of the format at its place in the file: a cell, or several that a template of headers puts together."""

    column: Column
    spec: FormatSpec
    label: str
    indexes: tuple[int, ...]
    clean: Callable[[str], Any]
    """Makes the field's value of a trimmed cell that is not blank; raises CellError."""
    pieces: tuple[str, ...] = ()
    """What the template of headers has before, between and behind its cells; none for a column of one cell."""

    @property
    def target(self) -> Target:
        return self.column.target

    def compose(self, cells: Sequence[str]) -> str:
        """The cell; for a template of headers its text, of which words for nothing are no part.

        Where nothing else is said it is blank, or clears where a cell does.
        """
        if not self.pieces:
            return cells[0]
        clear_token = self.spec.policies.clear_token
        texts = [read_text(cell) for cell in cells]
        parts = ["" if text == clear_token or text in WORDS_AS_WRITTEN else text for text in texts]
        if not any(parts):
            return clear_token if clear_token in texts else ""
        text = self.pieces[0]
        for part, piece in zip(parts, self.pieces[1:], strict=True):
            text += part + piece
        return " ".join(text.split())

    def read_word(self, word: str, cell: str) -> tuple[str, CellProblem | None]:
        """What a cell says with a word for nothing, "" where it is read as blank; and what is to be said of it."""
        if self.spec.policies.words_for_nothing is WordsForNothing.BLANK:
            return "", None
        means = word_means(self.target.field)
        if means is WordMeans.VALUE:
            return word, None
        if means is WordMeans.BLANK:
            said = "is a word for nothing; it is read as a blank cell."
        else:
            remedy = ", or let the format read them as blank (words_for_nothing)" if self.spec.columns else ""
            said = f"is a word for nothing; it is kept as it is. Leave such cells blank{remedy}."
        warning = self.warning(CellError("word_for_nothing", said), cell)
        return word if means is WordMeans.TEXT else "", warning

    def find_doubted(self) -> dict[str, CellError]:
        """Whole cells that the field takes and that seem to say something else, each with what is to be said of it."""
        field = self.target.field
        if field.kind is Kind.COUNTRY:
            names = country_names()
            said = "is what two countries are called; it is read as {0}. Send its code, or {1} for {2}."
            return {
                text: CellError("doubtful_country", said.format(code, other, names[other]))
                for text, (code, other) in find_namesakes(self.spec.policies.languages).items()
            }
        if not field.is_free_text:
            return {}
        is_header = CellError("placeholder", "is what the column is called; it is kept. Send the value itself.")
        headers = {text for header in (self.label, *names_of(field)) for text in spell_name(header)}
        doubted = {text: is_header for text in headers if len(text) > 2 and not text.isdigit()}
        if field.part not in NAMES:
            return doubted
        return dict.fromkeys(NO_NAME, CellError("placeholder", "seems to stand for a name that nobody gave.")) | doubted

    def warning(self, error: CellError, cell: str) -> CellProblem:
        """What seems wrong with a cell whose value stands."""
        return CellProblem(self.label, str(self.target), error.code, self._say(error, cell), cell, "warning")

    def problem(self, error: CellError, cell: str) -> CellProblem:
        """What is wrong with a cell; only a warning where the column leaves out what the field cannot have."""
        message = self._say(error, cell)
        if error.code != "control_character":
            message += self._name_map()
        severity = "error"
        if self.column.bad_value is BadValue.LEAVE_OUT:
            severity = "warning"
            message += " It is left out, and the field stays as it is."
        return CellProblem(self.label, str(self.target), error.code, message, cell, severity)

    def _say(self, error: CellError, cell: str) -> str:
        shown = "has" if error.code == "too_long" else repr(cell.strip(WHITE_SPACE)[:100])
        return f"{self.target} {shown} {error}"

    def _name_map(self) -> str:
        """Who else can mend a cell: where the format translates cells, whoever keeps it."""
        is_named = self.target.field.kind is Kind.COUNTRY and self.spec.policies.languages
        if not self.column.value_map and not is_named:
            return ""
        return (
            f" The value map of the column {self.label!r} in the format {self.spec.name} has nothing for it: "
            "correct the cell, or have whoever keeps the format add it."
        )


def cells_at(indexes: list[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A function that takes these cells of a row, always as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda row: tuple(row[index] for index in indexes)

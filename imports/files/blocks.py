"""Blocks: the columns of one group and number, and what the cells of a row make of them.

A block's cells that the row before had are not cleaned again: most rows of a customer repeat what is not theirs alone.
Of terms and the like, which most customers share, all that came before are remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connections.nothing import WORDS_AS_WRITTEN
from imports.errors import CellError
from imports.files.columns import cells_at
from imports.formats.mangling import (
    FORMULA,
    PHONE_DIGITS,
    SHORT,
    find_damage,
    find_mangled,
    find_mangled_figure,
    find_utf_7,
    is_amount,
    is_formula,
    may_be_mangled,
)
from imports.formats.policies import EncodedTwice
from imports.formats.spec import Blank, FormatSpec, Ownership, fold_value_map
from imports.template import ADDRESSES, ASSIGNMENTS, Group, Kind
from lookups.texts import find_controls, is_plain, name_controls, read_key, read_text, space_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.files.columns import BoundColumn, CellProblem

MEMORY = 8192
"""How many different rows of cells a block remembers."""

SHARED = (Group.ROW, *ASSIGNMENTS)
"""Groups of which few different cells are to be expected; the others are every customer's own."""

ANY_TEXT = (Kind.TEXT, Kind.CODE)
LONGEST_CELL = 1000
"""Characters, far more than any value has. Nobody looks at what a longer cell says: that might take hours."""
FIGURES = ("zip", "phone")
"""Parts of an address that are texts of digits, which spreadsheets take for numbers."""


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


class Cleaned(NamedTuple):
    """A block of a row: values by part of the group (blank ones left out), and what was wrong."""

    values: dict[str, Any]
    problems: tuple[CellProblem, ...]


NOTHING = Cleaned({}, ())


class Block:
    """The columns of one group and number."""

    def __init__(
        self, group: Group, number: int, columns: list[BoundColumn], constants: dict[str, Any], spec: FormatSpec
    ) -> None:
        self.group = group
        self.number = number
        self.columns = columns
        self.constants = constants
        self.clear_token = spec.policies.clear_token
        self.looks_at_encoding = spec.policies.encoded_twice is not EncodedTwice.IGNORE
        indexes = [index for column in columns for index in column.indexes]
        self.cells = cells_at(indexes)
        self.composes = any(column.pieces for column in columns)
        parts = {column.target.field.part: column.column for column in columns}
        self.clear_parts = frozenset(part for part, column in parts.items() if column.blank is Blank.CLEAR)
        self.fill_parts = frozenset(part for part, column in parts.items() if column.ownership is Ownership.IF_BLANK)
        self.needs_cell = group in ADDRESSES or group is Group.BUYERS
        self.silent = frozenset({"", self.clear_token})
        self.maps = [
            (place, {cell: read_text(value) for cell, value in fold_value_map(bound.column.value_map).items()})
            for place, bound in enumerate(columns)
            if bound.column.value_map
        ]
        self.defaults = [
            (place, read_text(bound.column.default)) for place, bound in enumerate(columns) if bound.column.default
        ]
        # By column: its place, part of the group, length up to which any text will do, whether any will, and widget.
        self.plan = [
            (
                place,
                bound.target.field.part,
                (bound.target.field.max_length or 0) if bound.target.field.kind in ANY_TEXT else 0,
                bound.target.field.kind is Kind.TEXT,
                bound.clean,
            )
            for place, bound in enumerate(columns)
        ]
        self.remembers = group in SHARED
        self.doubted = [bound.find_doubted() for bound in columns]
        self.doubted_texts = frozenset(text for doubted in self.doubted for text in doubted)
        # What spreadsheets mangle: in texts of people's own, above all postal codes and phones, which are no amounts.
        texts = enumerate(columns) if group is not Group.BUYERS else ()
        self.free = [place for place, bound in texts if bound.target.field.is_free_text]
        self.figures = [place for place in self.free if columns[place].target.field.part in FIGURES]
        self.phones = frozenset(place for place in self.figures if columns[place].target.field.part == "phone")
        self.memory: dict[tuple[str, ...], Cleaned] = {}
        self.last_cells: tuple[str, ...] | None = None
        self.last = NOTHING

    def clean(self, row: Sequence[str]) -> Cleaned:
        """The block's values of a row; the same object for the cells of the row before."""
        cells = self.cells(row)
        if self.needs_cell and not any(cells):
            return NOTHING
        if cells != self.last_cells:
            self.last = self._recall(cells) if self.remembers else self._clean(cells)
            self.last_cells = cells
        return self.last

    def _recall(self, cells: tuple[str, ...]) -> Cleaned:
        cleaned = self.memory.get(cells)
        if cleaned is None:
            if len(self.memory) >= MEMORY:
                self.memory.clear()
            cleaned = self.memory[cells] = self._clean(cells)
        return cleaned

    def _clean(self, cells: tuple[str, ...]) -> Cleaned:
        values: dict[str, Any] = {}
        problems: list[CellProblem] = []
        sent = self._compose(cells) if self.composes else cells
        joined = f"|{'|'.join(cells)}|"
        if is_plain(joined) and len(joined) <= LONGEST_CELL:
            is_trimmed = "| " not in joined and " |" not in joined
            texts: list[str | None] = [*sent] if is_trimmed else [*map(str.strip, sent)]
        else:
            texts = [self._read(place, cell, values, problems) for place, cell in enumerate(sent)]
            joined = f"|{'|'.join(text or '' for text in texts)}|"
        mapped = self._translate(texts) if self.maps else frozenset()
        if WORDS_AS_WRITTEN.isdisjoint(texts):
            says_anything = not self.silent.issuperset(texts)
        else:
            says_anything = self._read_words(texts, mapped, sent, problems)
        if self.needs_cell and not says_anything:
            return NOTHING  # a record needs more than cells that clear or say nothing
        if not self.doubted_texts.isdisjoint(texts):
            for place, doubted in enumerate(self.doubted):
                if place not in mapped and (error := doubted.get(texts[place] or "")):
                    problems.append(self.columns[place].warning(error, sent[place]))
        if self.free and may_be_mangled(joined):
            self._find_mangled(texts, mapped, sent, values, problems)
        for place in self.figures:
            text = texts[place]
            if not text or (text.isdigit() and len(text) <= PHONE_DIGITS) or place in mapped:
                continue
            if what := find_mangled_figure(text, place in self.phones):
                problems.append(self.columns[place].warning(CellError("mangled_value", what), sent[place]))
        for place, default in self.defaults:
            if texts[place] == "":
                texts[place] = default
        for text, (place, part, fits, is_text, clean) in zip(texts, self.plan, strict=True):
            if not text:
                continue
            if text == self.clear_token:
                values[part] = CLEAR
            elif len(text) <= fits and (is_text or ("E" not in text and "e" not in text)):
                values[part] = text  # a code without an E is no number that a spreadsheet shortened
            else:
                try:
                    values[part] = clean(text)
                except CellError as error:
                    self._refuse(place, error, sent[place], values, problems)
        if self.constants and (values or problems or not self.columns):
            values = self.constants | values
        return Cleaned(values, tuple(problems)) if values or problems else NOTHING

    def _read(self, place: int, raw: str, values: dict[str, Any], problems: list[CellProblem]) -> str | None:
        """What a cell says; none where it holds what no value may, which is noted."""
        field = self.columns[place].target.field
        plain = is_plain(raw)
        is_text = field.is_free_text and field.part not in FIGURES
        text = raw.strip() if plain else read_text(raw) if is_text else read_key(raw)
        if len(text) > LONGEST_CELL:
            at_most = field.max_length or LONGEST_CELL
            error = CellError("too_long", f"{len(text)} characters; at most {at_most} are allowed.")
            self._refuse(place, error, raw, values, problems)
            return None
        if plain:
            return text
        if text and (controls := find_controls(text, is_key=field.kind not in (Kind.TEXT, Kind.EMAIL))):
            remedy = "Each is stored as a space." if field.is_free_text else "Send the value without."
            why = f"holds {name_controls(controls)}. {remedy}{_explain_controls(controls)}"
            error = CellError("control_character", why)
            if not field.is_free_text:
                self._refuse(place, error, raw, values, problems)
                return None
            text = space_controls(text)
            problems.append(self.columns[place].warning(error, raw))
        if field.kind not in ANY_TEXT:
            return text
        if is_formula(text):
            error = CellError("mangled_code" if field.kind is Kind.CODE else "mangled_value", FORMULA)
            if field.kind is Kind.CODE:
                self._refuse(place, error, raw, values, problems)
                return None
            problems.append(self.columns[place].warning(error, raw))
        elif said := find_damage(text, looks_at_encoding=self.looks_at_encoding):
            problems.append(self.columns[place].warning(said, raw))
        return text

    def _find_mangled(
        self,
        texts: list[str | None],
        mapped: frozenset[int],
        sent: Sequence[str],
        values: dict[str, Any],
        problems: list[CellProblem],
    ) -> None:
        """Say which texts a spreadsheet took for numbers or dates, and refuse figures whose digits are lost."""
        for place in self.free:
            text = texts[place]
            if not text or place in mapped or (place in self.figures and is_amount(text)):
                continue  # the latter is told below
            what = find_mangled(text)
            if what == SHORT and place in self.figures:
                self._refuse(place, CellError("mangled_value", what), sent[place], values, problems)
                texts[place] = None
            elif what:
                problems.append(self.columns[place].warning(CellError("mangled_value", what), sent[place]))
            elif self.looks_at_encoding and place not in self.figures and (said := find_utf_7(text)):
                problems.append(self.columns[place].warning(said, sent[place]))

    def _translate(self, texts: list[str | None]) -> frozenset[int]:
        """Put what the value maps say in the place of texts; returns the places."""
        found = set()
        for place, mapped in self.maps:
            text = texts[place]
            if text is None:
                continue
            known = mapped[text] if text in mapped else mapped.get(text.casefold())
            if known is not None:
                texts[place] = known
                found.add(place)
        return frozenset(found)

    def _compose(self, cells: tuple[str, ...]) -> Sequence[str]:
        """A text for each column: its cell, or what its template of headers makes of its cells."""
        texts, start = [], 0
        for bound in self.columns:
            end = start + len(bound.indexes)
            texts.append(bound.compose(cells[start:end]))
            start = end
        return texts

    def _read_words(
        self, texts: list[str | None], mapped: frozenset[int], sent: Sequence[str], problems: list[CellProblem]
    ) -> bool:
        """Read the words for nothing that no value map gave; returns whether anything else is said."""
        says_anything = False
        for place, text in enumerate(texts):
            if text in self.silent:
                continue
            if text in WORDS_AS_WRITTEN and place not in mapped:
                texts[place], warning = self.columns[place].read_word(text, sent[place])
                if warning:
                    problems.append(warning)
            else:
                says_anything = True
        return says_anything

    def _refuse(
        self, place: int, error: CellError, raw: str, values: dict[str, Any], problems: list[CellProblem]
    ) -> None:
        """Note what is wrong with a cell. Where it is left out, it is no blank one, which would clear."""
        problem = self.columns[place].problem(error, raw)
        problems.append(problem)
        part = self.columns[place].target.field.part
        if problem.severity == "warning" and part in self.clear_parts:
            values[part] = KEEP


def _explain_controls(controls: list[str]) -> str:
    """Where characters of the second set of controls come from, which no text has on purpose."""
    hint = " Such characters come of text in cp1252 that is read in another encoding."
    return hint if any(letter >= "\x80" for letter in controls) else ""

"""Totals: rows that sum up a file or end it and name no customer, recognised by their words in many languages."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from imports.formats.mangling import (
    AMOUNT,
    APOSTROPHE,
    DATE,
    FORMULA,
    find_mangled,
    has_apostrophe,
    is_formula,
    may_be_mangled,
)
from imports.template import find_target, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

TOTALS_ROW = "totals_row"
SUMS_UP = "the row seems to sum up or end the file"
LEAVE_OUT = "leave it out, or let the format name it as the footer or among the lines to ignore"

_TOTALS = """
total totals subtotal subtotals sum sums count
summe summen gesamt gesamtsumme gesamttotal endsumme zwischensumme teilsumme insgesamt anzahl gesamtanzahl gesamtzahl
totaux somme nombre
totale totali subtotale somma complessivo conteggio
totales subtotales suma sumas sumatoria recuento
totaal totalen subtotaal som eindtotaal aantal
totais subtotais soma contagem
summa totalt antal delsumma delsum yhteensä summat välisumma
razem ogółem łącznie liczba końcowa
počet celková celkem součet mezisoučet spolu súčet összesen toplam ukupno skupaj viso kopā kokku
итого всего сумма разом усього общо σύνολο
合計 小計 総計 合计 小计 总计 總計 총계 합계 소계
"""
_ENDS = """
eof end ende affected selected returned exported dateiende listenende fin fine einde fim slut konec koniec
"""
_BESIDE = """
sub sous grand general général générale generale geral overall number no nr of the for in on per and report file list
page data de des du la le les el los las di del della dei der die das van het een do da dos das all alle tous todos und
et e y en customer client account record row line entry kunde debitor datensatz zeile satz ligne cliente riga registro
fila klant regel linha fichier fichero archivo bericht liste datei seite rapport
eur usd gbp chf cad aud jpy sek nok dkk pln
"""
_COUNTED = """
customers clients accounts records rows lines entries items
kunden debitoren datensätze zeilen sätze positionen enregistrements lignes clienti righe registri
clientes registros filas líneas klanten regels linhas kunder rader rekordów wierszy klientów záznamů řádků zákazníků
"""
_NOT_YET = """
new neu nouveau nuovo nuevo nieuw novo tbd tba tbc todo xx xxx xxxx test dummy temp
true false infinity wahr falsch vrai faux vero falso verdadero
unknown unbekannt inconnu sconosciuto desconocido onbekend desconhecido various diverse divers
0 00 000 0000 00000 000000 0000000 00000000 99999 999999 9999999 99999999
"""
_SAMPLES = """
example examples sample beispiel muster mustermann exemple exemples échantillon ejemplo ejemplos muestra esempio esempi
voorbeeld exemplo exemplos exempel eksempel przykład příklad esimerkki örnek пример 例
"""
_SUCH_AS = re.compile(
    r"(?:e\.? ?g|z\.? ?b|p\.? ?ex|par ex|ex|por ej|bijv|i\.e|ad es|p\. ?es|t\.ex|f\.eks)(?:\.:?|:)(?: \S|[0-9])"
)
_DESCRIBED = re.compile(
    r"(?:n?var)?char2?(?: ?\(.*)?|(?:text|string|integer|number|numeric|alphanumeric|alpha|decimal|nvarchar) ?\(.*\)"
    r"|(?:max\.?|maximum|up to) ?[0-9]+(?: ?(?:chars?|characters?))?|[0-9]+ ?(?:chars?|characters?)"
    r"|required|mandatory|optional|obligatoire|facultatif|pflichtfeld|obligatorio|obligatorisch|verplicht|obbligatorio"
    r"|string|varchar|alphanumeric|alphanumerisch|alphanumérique"
)
_USUAL = re.compile(r"[A-Za-z]{1,5}-?[0-9]{5,}")
_NO_CODE = f"If it is none, {LEAVE_OUT}."
_QUOTES = re.compile(
    r"(['\"`\u2018\u201a\u201b\u201c\u201e\u201f\u00ab\u2039\u300c]).+['\"`\u00b4\u2018\u2019\u201c\u201d\u00bb\u203a\u300d]"
)
_SEPARATORS = re.compile(r"[\s:=()\[\]*#/_\-]+")
_THOUSANDS = re.compile(
    r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:,[0-9]{2})+,[0-9]{3})(?:\.0+)?|[1-9][0-9]{0,2}(?:['\u2019][0-9]{3})+"
)
_NUMBER = re.compile(r"[+$€£¥]?\d[\d.,'’%+]*")
_PLAIN = str.maketrans("łøđı", "lodi")


def _fold(text: str) -> str:
    """The text in small letters without accents, full-width forms as their plain ones."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return unicodedata.normalize("NFC", "".join(letter for letter in text if not unicodedata.combining(letter)))


_TOTAL_WORDS = frozenset(_fold(f"{_TOTALS} {_ENDS}").split())
_PLACEHOLDERS = frozenset(_NOT_YET.split())
UNCHANGED = r"(?![0-9]{1,4}-|[A-Za-z]{3,9}-(?:[0-9]{2}|[0-9]{4})(?:\n|$))[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*"
"""A pattern of lines with codes that `find_change` finds nothing in, as most are."""
_SAMPLE_WORDS = frozenset(_fold(_SAMPLES).split())
_COUNTED_WORDS = frozenset(_fold(_COUNTED).split())
_WORDS = _TOTAL_WORDS | _COUNTED_WORDS | frozenset(_fold(_BESIDE).split())


def says_total(text: str) -> bool:
    """Whether a cell says a total or the end, and no more: "Total: 2", "Gesamtsumme (Kunden)", "19 records", "EOF"."""
    if text.isascii() and text.isalnum():
        return text.lower() in _TOTAL_WORDS  # what most codes are like
    words = [word.strip(".,;") for word in _SEPARATORS.split(_fold(text).replace("(s)", "s"))]
    named = [word for word in words if word and not _NUMBER.fullmatch(word)]
    if not named or not _WORDS.issuperset(named):
        return False
    counts = any(map(_NUMBER.fullmatch, words)) and not _COUNTED_WORDS.isdisjoint(named)
    return counts or not _TOTAL_WORDS.isdisjoint(named)


def is_rule(text: str) -> bool:
    """Whether a cell is a line that is drawn: three marks or more and nothing else."""
    return len(text) > 2 and not text.strip("-–—−‐_.=~*+#")


def names_column(code: str, label: str) -> bool:
    """Whether a code is the name of a column: that of its own, or of a field whose name is no usual word."""
    if any(map(str.isdigit, code)):
        return False  # what most codes are like
    target = find_target(code)
    return normalize(code) == normalize(label) or (target is not None and "_" in target.name)


class Doubt(NamedTuple):
    """Why a new code may be none: the code of an issue, and words for what it is like and what to do.

    `is_error` says that no customer has such a code.
    """

    issue: str
    what: str
    remedy: str
    is_error: bool = False


def doubt_code(code: str) -> Doubt | None:
    """Why a new code may be none; nothing for what most codes are like."""
    folded = _fold(code)
    if folded in _PLACEHOLDERS or not (code.isalnum() or any(map(str.isalnum, code)) or is_rule(code)):
        return Doubt("placeholder", "reads like a word for a code that is yet to come", "Send the code itself.")
    if _USUAL.fullmatch(code) or (code.isalnum() and any(map(str.isdigit, code))):
        return None
    if not _SAMPLE_WORDS.isdisjoint(_SEPARATORS.split(folded)) or _SUCH_AS.match(folded):
        return Doubt("placeholder", "reads like the sample row of a template", _NO_CODE)
    if code.endswith(":"):
        return Doubt("placeholder", "reads like a label of what stands beside it", _NO_CODE)
    if _DESCRIBED.fullmatch(folded):
        return Doubt("placeholder", "reads like a row that describes the columns", _NO_CODE)
    return find_change(code)


def find_change(code: str) -> Doubt | None:
    """Why a code seems to be something else by now than what was written: an amount, formula or date, or in quotes."""
    if _THOUSANDS.fullmatch(code):
        what, remedy = AMOUNT.split(". ", 1)
        return Doubt("mangled_code", f"{what}, and no code", remedy, is_error=True)
    if is_formula(code):
        what, remedy = FORMULA.split(". ", 1)
        return Doubt("mangled_code", what, remedy, is_error=True)
    if _QUOTES.fullmatch(code):
        remedy = "If they are no part of it, leave them out."
        return Doubt("mangled_value", "stands in quotes that the format does not know", remedy)
    if has_apostrophe(code):
        what, remedy = APOSTROPHE.split(". ", 1)
        return Doubt("mangled_value", what, remedy)
    if may_be_mangled(f"|{code}") and (what := find_mangled(code)) == DATE:
        what, remedy = what.split(". ", 1)
        return Doubt("mangled_value", what, remedy)
    return None


def is_totals_row(cells: Iterable[str]) -> bool:
    """Whether a row says a total and has nothing but numbers beside it."""
    words = [cell for cell in cells if any(map(str.isalpha, cell))]
    return bool(words) and all(map(says_total, words))

"""Marks of rows: columns by which an ERP says that a customer is deleted or inactive, and the values that say so.

A header says what kind of column it is, and the kind which values say so: `X` in "Löschkennzeichen", `N` in "Active",
`D` beside `A` in "Status". Words such as `deleted` say so in each. A class "D" is none, for its header is no such one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import normalize as normalize_unicode

from lookups.texts import drop_invisible, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable


class MarkKind(StrEnum):
    """What a column says of its rows: that they are deleted, active or blocked, their status, or what is done."""

    DELETED = "deleted"
    ACTIVE = "active"
    STATUS = "status"
    ACTION = "action"
    BLOCKED = "blocked"


_HEADERS = {
    MarkKind.DELETED: """
        delete deleted deletion del inactive disabled deactivated obsolete archived discontinued terminated defunct
        cancelled canceled void voided closed purged removed loevm loekz lkz löschkz löschkennzeichen löschvermerk
        löschmarkierung löschung gelöscht inaktiv deaktiviert stillgelegt archiviert geschlossen
        supprimé suppression inactif désactivé archivé fermé eliminato cancellato annullato inattivo disattivato chiuso
        cessato eliminado borrado inactivo baja dadodebaja desactivado verwijderd inactief vervallen nonactief
        removido excluído inativo desativado encerrado usunięty nieaktywny slettet inaktivt raderad borttagen poistettu
        zrušený neaktivní törölt silindi удалён неактивен a1msblql
    """,
    MarkKind.ACTIVE: """
        active activeinactive enabled valid inuse aktiv actif attivo activo actief ativo aktywny aktivt
        aktivní aktív aktiivinen etkin активен 有効 有效 启用 활성
    """,
    MarkKind.STATUS: """
        status stat sts state statuscode activestatus activitystatus lifecycle lifecyclestatus statut statuts stato
        estatus estado situação situación kundenstatus debitorenstatus kundestatus klantstatus satzstatus stav stan tila
        durum статус 状态 狀態 状況 ステータス 상태
    """,
    MarkKind.ACTION: """
        action op opcode operation operationtype crud dml dmltype cdc change changetype changeind update updatetype
        transaction transactiontype trans transtype trx trxtype maintenance maint delta deltatype event eventtype mode
        aktion aktionsart änderungsart änderungskennzeichen verarbeitungskennzeichen opération typeopération
        typedopération mouvement typemouvement azione operazione tipooperazione acción operación tipooperación
        tipodeoperación movimiento actie mutatie mutatiesoort bewerking ação operação tipooperação akcja operacja
        更新区分 処理区分 操作 操作类型
    """,
    MarkKind.BLOCKED: """
        blocked block gesperrt sperre bloqué bloccato bloqueado geblokkeerd zablokowany spärrad sperret spærret 凍結
    """,
}
_ANYWHERE = ("削除", "删除", "刪除", "삭제", "無効", "停用", "作废")
"""In scripts without spaces, what says so within a longer header."""
_NOISE = """
is customer cust account acct record rec row entity partner card flag flg ind indicator yn y n code kz kennzeichen
at on date since marked for kunde kunden kd debitor client klant cliente type soort dt time
"""
"""Parts of headers that say nothing of the kind."""
_GONE = """
del dele delete deleted deletion remove removed inactive inact inactivated deactivate deactivated disable disabled
obsolete archived closed cancelled canceled terminated discontinued defunct void voided purge purged dropped
inactivecustomer notactive nonactive outofbusiness donotuse
gelöscht geloescht löschen loeschen inaktiv deaktiviert stillgelegt geschlossen archiviert erloschen
supprimé supprime supprimer suppression inactif désactivé desactive fermé ferme archivé radié
eliminato eliminare cancellato cancellare annullato inattivo disattivato chiuso cessato
eliminado eliminar borrado borrar inactivo baja debaja desactivado cerrado cancelado
verwijderd verwijderen inactief gesloten vervallen opgeheven nonactief
removido remover excluído excluido excluir inativo desativado encerrado fechado
usunięty usuniety nieaktywny zamknięty slettet borttagen raderad nedlagd poistettu zrušený zruseny neaktivní neaktivni
smazaný törölt torolt inaktív silindi pasif удален удалён удалить неактивен неактивный закрыт ликвидирован
ανενεργός διαγραμμένος 削除 削除済 削除済み 無効 停止 廃止 停用 删除 已删除 已停用 注销 作废 삭제 비활성 중지
"""
_YES = """
1 -1 y yes true t x j ja o oui vrai wahr s si sí sì sim v vero verdadero verdadeiro on tak ano ken да 是 有 はい
"""
_NO = """
n no false f nein nee non faux falsch não nao falso off nie ne nej nei ei 0 0.0 нет 否 無 无 いいえ
"""
_ALL = """
all alle tous todos tutti alles wszystkie
"""
"""How Dynamics says that nothing at all is done with a customer any more; it may be blocked for less."""
_LETTERS = {MarkKind.STATUS: ("dix", "adixocnpuh"), MarkKind.ACTION: ("dx", "acdimnrsux")}
"""By kind, the letters that say so, and those beside which they do: `D` beside `B` is one of many classes."""
_PARTS = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s_\-./]+")
_YEAR = re.compile(r"(?<!\d)(?:(\d{4})(?:\d{4})?|\d{1,2}[./-]\d{1,2}[./-](\d{4}))(?!\d)")
FEWEST_OF_DATE = 4
_NEVER = (1901, 2090)
"""Years before and after these are what programs write for no date."""


@lru_cache(maxsize=1024)
def find_mark_kind(header: str) -> MarkKind | None:
    """What kind of marks a column has by its header; none for a header of another meaning."""
    text = normalize_unicode("NFC", drop_invisible(header))
    if any(word in text for word in _ANYWHERE):
        return MarkKind.DELETED
    parts = [part.casefold() for part in _PARTS.findall(_HUMP.sub(" ", text))]
    told = [part for part in parts if part not in _WORDS["noise"]]
    return _KINDS.get(_fold("".join(told))) or _KINDS.get(_fold("".join(parts)))


def find_suspects(kind: MarkKind | None, values: Iterable[str]) -> list[str]:
    """Those of a column's values that seem to say that a customer is deleted or inactive, in their order."""
    given = [(value, folded) for value in values if (folded := fold_mark(value))]
    letters, beside = _LETTERS.get(kind, ("", "")) if kind else ("", "")
    if not all(folded in (*beside,) for _, folded in given if not says_gone(folded)):
        letters = ""
    return [value for value, folded in given if _is_gone(folded, kind, letters)]


def fold_mark(value: str) -> str:
    """A value as marks are compared: trimmed, in any case."""
    return read_text(value).casefold()


def _is_gone(folded: str, kind: MarkKind | None, letters: str) -> bool:
    if folded in (*letters,) or says_gone(folded):
        return True
    if kind is MarkKind.ACTIVE:
        return folded in _WORDS["no"]
    if kind is MarkKind.BLOCKED:
        return folded in _WORDS["all"]
    return kind is MarkKind.DELETED and folded not in _WORDS["no"] and (folded in _WORDS["yes"] or _is_date(folded))


def says_gone(folded: str) -> bool:
    """Whether it is a word for what is deleted or inactive, however its parts are joined: Out of business."""
    return _BETWEEN.sub("", folded) in _WORDS["gone"]


def _is_date(folded: str) -> bool:
    """Whether it may be a date, with or without its time, and none that programs write for no date."""
    if sum(map(str.isdigit, folded)) < FEWEST_OF_DATE or not any(digit in folded for digit in "123456789"):
        return False
    if year := _YEAR.match(folded):
        return _NEVER[0] <= int(year[1] or year[2]) <= _NEVER[1]
    return True


def _fold(word: str) -> str:
    """A word of a header without its accents, and with umlauts as two letters too: Löschkz, Loeschkz."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        word = word.replace(umlaut, letters)
    return "".join(letter for letter in normalize_unicode("NFD", word) if not "\u0300" <= letter <= "\u036f")


_KINDS = {
    _fold(normalize_unicode("NFC", word.casefold())): kind for kind, words in _HEADERS.items() for word in words.split()
}
_WORDS = {
    name: frozenset(words.casefold().split())
    for name, words in {"noise": _NOISE, "gone": _GONE, "yes": _YES, "no": _NO, "all": _ALL}.items()
}

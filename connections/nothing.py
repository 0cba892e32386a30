"""Words for nothing: what people and programs write into a cell that has nothing to say ("-", "N/A", "NULL", "k.A.").

Only whole texts are, in any case. "NA" is none: it is Namibia, and may be a code. Nor are abbreviations that with dots
name a state ("N.D." is North Dakota).
"""

from __future__ import annotations

from itertools import product

_LISTED = {
    "programs": "null|none|nil|n/a|#na|undefined|[object object]|\\n|(blank)|<blank>|(empty)|<empty>",
    # Spreadsheets have their own word for what they did not find, and for what failed, in each language.
    "spreadsheets": "#n/a|#nv|#n/v|#n/d|#n/b|#n/disp|#null!|#ref!|#value!|#name?|#div/0!|#num!|#bezug!|#wert!|#zahl!"
    "|#error!|#spill!|#calc!|#field!|#blocked!|#connect!|#busy!|#unknown!|#python!|#getting_data|loading...|#valeur!|#nom?|#nombre!|#rif!|#valore!|#nome?|#¡ref!|#¡valor!|#¿nombre?|#verw!|#waarde!|#naam?|#getal!|#valor!"
    "|#überlauf!|#nombre!|#nul!|#¡num!|#¡nulo!|#¡div/0!|#nullo!|#núm!|#nulo!|#leeg!|#deel/0!|#saknas!|#referens!|#värdefel!"
    "|#ogiltigt!|#namn?|#division/0!|#i/t|#i/t!|#reference!|#værdi!|#verdi!|#navn?|#nummer!|#puuttuu!|#viittaus!|#arvo!"
    "|#nimi?|#luku!|#jako/0!|#н/д|#ссылка!|#знач!|#имя?|#число!|#пусто!|#дел/0!|#n/d!|#adr!|#arg!|#nazwa?|#liczba!|#zero!"
    "|#dziel/0!|#yok|#başv!|#değer!|#ad?|#sayı!|#boş!|#sayı/0!|#odkaz!|#hodnota!|#název?|#číslo!|#hiányzik|#hiv!|#érték!"
    "|#név?|#szám!",
    "choices": "--none--|-none-|- none -|--select--|-select-|- select -|-- select --|--please select--"
    "|-- please select --|please select|select...",
    "en": "n/a.|n.a.|n.a|n. a.|not available|not applicable|no data|no value",
    "de": "k.a.|k. a.|k.a|k/a|n/v|keine angabe|keine angaben|keine|keiner|keines|nicht vorhanden|nicht zutreffend"
    "|nicht verfügbar|nicht angegeben|entfällt",
    "fr": "n/d|n/c|n/r|s.o.|s/o|aucun|aucune|néant|neant|sans objet|non renseigné|non renseigne|non communiqué"
    "|non communique|non disponible|non applicable",
    "it": "nessuno|nessuna|non disponibile|non applicabile",
    "es": "s/d|ninguno|ninguna|no disponible|no aplica|no aplicable|sin datos|no informado",
    "nl": "n.v.t.|n.v.t|nvt|n/b|geen|niet van toepassing|niet beschikbaar",
    "pt": "n/i|nenhum|nenhuma|não disponível|nao disponivel|não aplicável|nao aplicavel|não informado|nao informado"
    "|sem dados",
    "other": "brak|brak danych|nie dotyczy|neuvedeno|nincs|nincs adat|yok|belirtilmemiş|saknas|uppgift saknas"
    "|ikke oppgitt|нет|нет данных|н/д|отсутствует|не указано|не указан|немає|なし|無し|該当なし|无|無|没有|暂无|없음",
    "pivots": "(leer)|(vide)|(vuoto)|(vuota)|(vacío)|(en blanco)|(leeg)|(vazio)",
    "signs": "…|/|//|-/-|./.|- -|,|;|:|, ,|,,",
}
_BRACKETS = (("(", ")"), ("<", ">"), ("[", "]"), ("{", "}"))
WORDS = frozenset(
    [
        *(word for words in _LISTED.values() for word in words.split("|")),
        *(mark * times for mark in "-–—−‐_." for times in range(1, 6)),
        *("#" * times for times in range(3, 256)),  # of a spreadsheet whose column was too narrow
        *(f"err:{number}" for number in range(501, 541)),  # of LibreOffice
        *(f"{word}{between}{word}" for word in ("null", "none", "undefined", "n/a") for between in (" ", ", ")),
        *(f"{left}{word}{right}" for word in ("null", "none", "nil", "n/a", "na") for left, right in _BRACKETS),
    ]
)
"""All of them, in no case, but for those of `_IN_ONE_CASE`."""
_IN_ONE_CASE = frozenset({"nan", "NaN", "nan nan", "NaN NaN", "[object Object]"})
"""In another case a name, of people and places."""
_SHORT = 6
"""Up to so many letters of a word may be written in capitals one by one."""


def _spellings(word: str) -> set[str]:
    if word.lower() == word.upper():  # signs, hundreds of them long
        return {word}
    cases = [sorted({letter.lower(), letter.upper()}) for letter in word]
    if sum(len(case) - 1 for case in cases) <= _SHORT:
        return {"".join(letters) for letters in product(*cases)}
    words = product(*({part, part.capitalize()} for part in word.split(" ")))
    return {word.upper(), *(" ".join(parts) for parts in words)}


WORDS_AS_WRITTEN = frozenset(spelling for word in WORDS for spelling in _spellings(word)) | _IN_ONE_CASE
"""The same as they are written, for where many cells are looked at."""


_NOT_YET = """
tbd|tba|tbc|t.b.d.|t.b.a.|t.b.c.|to be determined|to be advised|to be announced|to be confirmed|to follow
pending|unknown|unk|unspecified|not known|not provided|not given|not specified|no address|no state|no city
no zip|no phone|placeholder|dummy|xxx|xxxx|xxxxx|zzz|zzzz|unbekannt|folgt|wird nachgereicht|platzhalter|inconnu
inconnue|non connu|à définir|à préciser|sconosciuto|da definire|desconocido|por definir|pendiente|por confirmar
onbekend|nog onbekend|volgt|desconhecido|a definir|ukendt|ukjent|okänd|nieznany|nieznane|neznámý|ismeretlen
bilinmiyor|неизвестно|不明|未定|未知|미정
"""
_OTHER_ADDRESSES = "billing|bill to|bill-to|invoice|shipping|ship to|ship-to|delivery|main|head office|hq"
_ELSEWHERE = """
same|same address|same as above|same as billing|same as billing address|same as bill to|same as shipping|same as main
as above|see above|see billing|see notes|ditto|wie oben|siehe oben|s. oben|s.o|dito|wie rechnungsadresse
wie rechnungsanschrift|idem|idem facturation|même adresse|voir ci-dessus|comme ci-dessus|come sopra|vedi sopra|c.s.
stesso indirizzo|misma|misma dirección|igual|igual que facturación|ver arriba|zie boven|zelfde|zelfde adres
idem dito|mesmo|mesma morada|mesmo endereço|ver acima|samma|som ovan|se ovan|samme|som over|jak wyżej|jw.|j.w.|viz výše
同上|〃|"
"""


def _spelled(words: str) -> frozenset[str]:
    listed = filter(None, words.replace("\n", "|").split("|"))
    return frozenset(spelling for word in listed for spelling in (word, word.upper(), word.capitalize(), word.title()))


NOT_YET = _spelled(_NOT_YET)
"""What people write into a part of an address that nobody knows yet, as it is written. Elsewhere it may be a name."""
ELSEWHERE = _spelled(_ELSEWHERE) | _spelled(
    "|".join(
        f"{like} {other}{behind}"
        for like in ("same as", "see", "as", "as per", "use")
        for other in _OTHER_ADDRESSES.split("|")
        for behind in ("", " address", " addr", " addr.")
    )
)
"""What they write there for what stands in another cell, above or beside it."""
NO_NAME = _spelled(
    "tbd|tba|t.b.d.|t.b.a.|dummy|placeholder|platzhalter|test|test customer|testkunde|new customer|neukunde|asdf"
    "|asdfasdf|qwerty|name|customer name|company name"
) | _spelled("|".join(letter * times for letter in "xz" for times in range(3, 13)))
"""What people type where a name is asked for that they do not have, and what templates say there."""
ZEROS = frozenset({"0", "00", "000"})
"""What programs write into columns of numbers for nothing."""
NO_PLACE = NOT_YET | ELSEWHERE | ZEROS
"""All that stands in a part of an address and names no place."""


def says_nothing(text: str) -> bool:
    """Whether a trimmed text is a word for nothing."""
    return text in WORDS_AS_WRITTEN or text.casefold() in WORDS

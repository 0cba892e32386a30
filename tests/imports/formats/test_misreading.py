"""Text that was read in another encoding than it was written in is told, with what was meant."""

from itertools import product

import pytest

from imports.formats.misreading import find_foreign, find_meant, find_misread, find_written
from lookups.texts import is_plain
from tests.imports.formats.test_mangling import damage_of

MISREAD = [("cp1252", "cp850"), ("cp1252", "mac-roman"), ("mac-roman", "cp1252"), ("cp850", "cp1252")]


@pytest.mark.parametrize(("read", "written"), MISREAD)
def test_text_that_was_read_in_another_encoding(read, written):
    found = {name: find_misread(name.encode(written).decode(read, "replace")) for name in ("Müller", "MÜLLER", "BJÖRN")}
    assert any(found[name] == name for name in found), found
    assert {meant for name, meant in found.items() if meant != name} <= {""}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Москва", "cp1251"), ("Москва", "koi8-r"), ("Санкт-Петербург", "cp1251"), ("ООО Ромашка", "koi8-r"),
        ("Αθήνα", "cp1253"), ("Πειραιάς ΑΕ", "cp1253"), ("Θεσσαλονίκη", "cp1253"),
    ],
)  # fmt: skip
def test_text_of_another_script_that_was_read_as_latin(text, written):
    read = text.encode(written).decode("cp1252")
    assert not is_plain(read)
    assert find_foreign(read) == text
    assert damage_of(read) == "encoded_twice"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("東京", "cp932"), ("東京", "euc_jp"), ("株式会社", "cp932"), ("株式会社", "euc_jp"), ("서울특별시", "cp949"),
        ("北京公司", "gb18030"),
    ],
)  # fmt: skip
def test_text_of_east_asia_that_was_read_as_latin(text, written):
    assert damage_of(text.encode(written).decode("cp1252")) == "encoded_twice"


LATIN = ["Müller", "Muñoz", "Søren", "Café Noir", "São Paulo", "Hermès"]


@pytest.mark.parametrize(
    ("text", "read"), [*product(LATIN, ["cp1251", "cp1253"]), ("Müller", "gbk"), ("Muñoz", "gbk"), ("Søren", "gbk")]
)
def test_latin_text_that_was_read_as_another_script(text, read):
    misread = text.encode("cp1252").decode(read)
    assert not is_plain(misread)
    assert find_foreign(misread) == text


@pytest.mark.parametrize(
    "name", ["Ωmega Ltd", "Σigma", "ΛRTIST", "Δelta & Co", "Φoenix", "Ψychic", "Toys Я Us", "Яandom"]
)
def test_names_that_begin_with_a_greek_capital_in_style_are_no_misread_ones(name):
    assert find_foreign(name) is None


@pytest.mark.parametrize("name", ["Óscar", "Österreich", "Ärzte", "Ørsted", "Île"])
def test_other_words_that_do_are(name):
    assert find_foreign(f"{name}".encode("cp1252").decode("cp1253")) == name


def test_polish_text_that_was_read_as_western():
    assert find_misread("Wroc³aw") == "Wrocław"
    assert find_misread("MŸller") == "Müller"


def test_cyrillic_text_of_windows_that_was_read_as_that_of_dos():
    for name in ("Магазин Одежда", "Торговый дом Север"):
        assert find_foreign(name.encode("cp1251").decode("cp866")) == name
    assert find_foreign("Магазин ═══") is None


def test_western_text_that_was_read_as_that_of_a_mac():
    assert find_misread("CafÈ NoÎl") == "Café Noël"
    assert find_misread("L'ÈtÈ franÁais") == "L'été français"
    assert not any(map(find_misread, ("LaÉcole", "ChezÉlise", "École", "CAFÉ", "SarlÀ")))


OTHER_SCRIPTS = """Кафе Bar|ООО «H&M»|МегаFon|Магазин №5|ΑΒ Βασιλόπουλος ABC|5μm|東京Shop|Tシャツ|A株式会社B|T恤店|Ñandú
|ÉTÉ|CAFÉ|créée|Øåsen|«Été…»|€€€€|Đường|ŁÓDŹ|Şişli|Kőrös|Þór|œuvré…|Їжак|Άγιος""".replace("\n", "").split("|")


def test_scripts_beside_each_other_are_not_told():
    assert {text: found for text in OTHER_SCRIPTS if (found := damage_of(text))} == {}


@pytest.mark.parametrize("read", ["cp850", "cp437", "cp1251", "mac-roman", "cp1252"])
def test_text_that_was_encoded_twice_by_other_encodings(read):
    assert find_meant("Müller Söhne".encode().decode(read)) == "Müller Söhne"


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("C1|Café Noir|x", "cp1252", "; in cp1252 it is part of 'Café'"),
        ("Müller", "cp850", "; in cp850 it is part of 'Müller'"),
        ("Café", "mac-roman", "; in mac-roman it is part of 'Café'"),
        ("À|ÉTÉ", "cp1252", "; in cp1252 it is part of 'À'"),
        ("Москва", "cp1251", ""), ("Łódź", "cp1250", ""),
    ],
)  # fmt: skip
def test_a_byte_that_is_not_utf_8_is_shown_in_the_encoding_it_seems_to_be_of(text, encoding, said):
    line = text.encode(encoding)
    assert find_written(line, next(place for place, byte in enumerate(line) if byte >= 0x80)) == said

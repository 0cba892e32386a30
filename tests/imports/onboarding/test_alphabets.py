"""Which encoding the words of a file are in."""

import pytest

from imports.onboarding.alphabets import READABLE, read_pairs, read_words

WORDS = {
    "German": "Müller;Größe;Käthe;Jörg Weiß;Straße;Nürnberg;Österreich",
    "French": "Père Noël;Garçonne;Côté;Forêt;Étoffes;Zoé Lefèvre;Où;Hôtel",
    "Spanish": "Señora Núñez;Almacén;Cádiz;León;Muñoz;Martínez",
    "Portuguese": "São João;Calções;Praça;Lisboa é;Três;Pública",
    "Danish": "Søndergade;Ærø;Åbenrå;Køb;Strøget",
    "Swedish": "Björkhagen;Åsa;Götgatan;Malmö;Västerås",
    "Polish": "Świętojańska;Łódź;Kraków;Źródło;Gęś;żółty;Wrocław",
    "Czech": "Dvořáková;Černý;Růže;Plzeň;Žižkov;Město;Tomáš",
    "Hungarian": "Győr;Székesfehérvár;Fűszer;Őrség;Cipő",
    "Romanian": "Bucureşti;Braşov;Iaşi;Timişoara;Bună;Piaţa",
    "Turkish": "Ayşe Yılmaz;İstanbul;Şahin;Güneş;Mağaza;Çelik;Öztürk",
    "Bulgarian": "Модна къща;София;Варна;Търговска;Ръкавици",
    "Greek": "Αθήνα;Κατάστημα;Πάτρα;Ένδυση;Ρούχα",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *((language, "cp1252") for language in ("German", "French", "Spanish", "Portuguese", "Danish", "Swedish")),
        *((language, "mac-roman") for language in ("German", "French", "Spanish", "Danish")),
        *((language, "cp850") for language in ("German", "French", "Swedish")),
        *((language, "cp1250") for language in ("Polish", "Czech", "Hungarian", "Romanian")),
        *((language, "cp852") for language in ("Polish", "Czech", "Hungarian")),
        ("Czech", "iso8859-2"),
        ("Polish", "iso8859-2"),
        ("Turkish", "cp1254"),
        ("Bulgarian", "cp1251"),
        ("Greek", "cp1253"),
    ],
)
def test_the_encoding_is_the_one_that_makes_words(language, encoding):
    best, *_ = read_words(WORDS[language].encode(encoding))
    assert best.encoding == encoding
    assert best.share > 0.9


def test_of_encodings_that_read_alike_the_usual_one_is_taken():
    best, *_ = read_words("Müller;Jörg Weiß;Österreich".encode("cp1254"))
    assert best.encoding == "cp1252"


def test_customers_of_several_countries_are_read_together():
    words = ";".join(WORDS[language] for language in ("German", "French", "Spanish", "Danish"))
    assert read_words(words.encode("cp1252"))[0].encoding == "cp1252"


def test_what_stays_open_is_said_with_the_words_that_differ():
    best, *rivals = read_words("Père;Mère;Frère".encode("cp1252"))
    assert best.encoding == "cp1252"
    assert {rival.encoding: rival.words[0] for rival in rivals}["cp1250"] == "Pčre"


def test_plain_text_is_no_question():
    assert [reading.encoding for reading in read_words(b"plain text")] == ["cp1252"]


PAIRS = {
    "Japanese": "得意先コード,得意先名称,郵便番号,住所\n"
    "0001,株式会社みどり,150-0001,東京都渋谷区\n0002,ブティック花,530-0001,大阪市\n",
    "Korean": "거래처코드,상호,우편번호,주소,담당자\n"
    "0001,한빛상사,04524,서울특별시 중구\n0002,푸른의류,48058,부산광역시\n",
    "simplified Chinese": "客户编码,客户名称,邮政编码,地址\n"
    "0001,上海服装有限公司,200000,上海市南京路\n0002,北京商店,100000,北京市\n",
    "traditional Chinese": "客戶編號,客戶名稱,郵遞區號,地址\n"
    "0001,台北服飾有限公司,100,台北市中正區\n0002,高雄商店,800,高雄市\n",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("Japanese", "cp932"),
        ("Japanese", "euc_jp"),
        ("Korean", "cp949"),
        ("simplified Chinese", "gb18030"),
        ("traditional Chinese", "big5"),
    ],
)
def test_encodings_of_two_bytes_are_found(language, encoding):
    data = PAIRS[language].encode(encoding)
    assert read_words(data)[0].share < READABLE
    found = read_pairs(data)
    assert found is not None
    assert found.encoding == encoding


@pytest.mark.parametrize("language", WORDS)
def test_words_of_one_byte_need_no_encoding_of_two(language):
    encodings = {"Polish": "cp1250", "Czech": "cp1250", "Hungarian": "cp1250", "Romanian": "cp1250"}
    encodings |= {"Turkish": "cp1254", "Bulgarian": "cp1251", "Greek": "cp1253"}
    assert read_words(WORDS[language].encode(encodings.get(language, "cp1252")))[0].share >= READABLE

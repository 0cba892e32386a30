"""What onboarding concludes where no word is known: from how headers are made, from values and from rows."""

import pytest

from imports.onboarding.headers import read_header
from imports.onboarding.proposing import onboard


@pytest.fixture
def propose(tmp_path):
    def propose(*lines):
        path = tmp_path / "sample.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return onboard(path)

    return propose


def targets(proposal):
    return [str(column.target or "") for column in proposal.columns]


ROWS = [
    "K1,Harbor Row,1 Pier St,Boston,02110,US,9 Dock Rd,Salem,01970,US",
    "K2,Blue Finch,7 Main St,Austin,78701,US,7 Main St,Austin,78701,US",
    "K3,Old Mill,9 Mill Rd,Dover,03820,US,3 Lake Ave,Keene,03431,US",
    "K4,North Loop,8 Lake St,Aurora,60505,US,5 Canal St,Elgin,60120,US",
]
BLOCKS = [
    "billing_address_1_1", "billing_city_1", "billing_zip_1", "billing_country_1",
    "shipping_address_1_1", "shipping_city_1", "shipping_zip_1", "shipping_country_1",
]  # fmt: skip
PARTS = ("Street", "City", "Zip", "Country")


@pytest.mark.parametrize(
    "headers",
    [
        [f"{name} : {part}" for name in ("Billing", "Shipping") for part in PARTS],
        [f"Place: {name} {part}" for name in ("Billing", "Shipping") for part in PARTS],
        [f"{name} - {part}" for name in ("Bill-to", "Ship-to") for part in PARTS],
        ["Bill-to Street", "- City", "- Zip", "- Country", "Ship-to Street", "- City", "- Zip", "- Country"],
        [f"{name} / {part}" for name in ("Zentrum Nord", "Zentrum Süd") for part in PARTS],
        [f"{name}.{part}" for name in ("qzx", "wvy") for part in PARTS],
        [f"{name}. {part}" for name in ("Fakt", "Dod") for part in PARTS],
        [*PARTS, *(f"Qzx. {part}" for part in PARTS)],
        [*PARTS, *PARTS],
    ],
    ids=[
        "colon",
        "kind behind a name",
        "dash",
        "dash before",
        "unknown names",
        "unknown words",
        "short names",
        "one without a name",
        "doubled",
    ],
)
def test_two_blocks_of_address_are_found_however_headers_are_made(propose, headers):
    proposal = propose(",".join(["Customer No", "Customer Name", *headers]), *ROWS)
    assert targets(proposal)[2:] == BLOCKS


def test_the_address_that_a_customers_rows_have_alike_is_for_billing(propose):
    header = "Customer No,Customer Name,Street,City,Zip,Country,Street,City,Zip,Country"
    more = [
        "K1,Harbor Row,2 Pier St,Lowell,01850,US,9 Dock Rd,Salem,01970,US",
        "K2,Blue Finch,4 Oak St,Waco,76701,US,7 Main St,Austin,78701,US",
        "K3,Old Mill,6 Elm St,Concord,03301,US,3 Lake Ave,Keene,03431,US",
    ]
    assert targets(propose(header, *ROWS, *more))[2:] == [*BLOCKS[4:], *BLOCKS[:4]]


def test_the_name_of_an_address_goes_with_its_other_parts(propose):
    header = ",".join(["Customer No", "Customer Name", *PARTS, *(f"Qzx. {part}" for part in ("Company", *PARTS))])
    rows = [",".join([*row.split(",")[:6], f"Depot {row[:2]}", *row.split(",")[6:]]) for row in ROWS]
    assert targets(propose(header, *rows))[1:] == ["profile_name", *BLOCKS[:4], "shipping_name_1", *BLOCKS[4:]]


def test_a_country_alone_is_no_second_address(propose):
    rows = [f"K{n},Shop {n},{n} Pier St,Elgin,6012{n},US,Volksbank,DE" for n in range(8)]
    found = targets(propose("Customer No,Customer Name,Street,City,Zip,Country,Bank Name 1,Country Code 1", *rows))
    assert (found[5], found[7]) == ("address_country_1", "")


@pytest.mark.parametrize(
    ("codes", "target"),
    [(range(20, 30), "customer_code"), ([1, 2] * 5, "company_number_code")],
    ids=["differ", "repeat"],
)
def test_a_companys_code_is_the_customers_where_no_two_are_the_same(propose, codes, target):
    rows = [f"Shop {n},NU{code},Lyon,FR" for n, code in enumerate(codes)]
    assert targets(propose("Company Name,Company Code,City,Country", *rows))[:2] == ["profile_name", target]


@pytest.mark.parametrize(
    ("header", "names", "source"),
    [
        ("Customer,City,Country", ["Harbor Row", "Blue Finch", "Old Mill", "North Loop"], "Customer"),
        ("Customer,City,Country", ["Harbor Row", "Blue Finch", "blue finch", "North Loop"], None),
        ("Customer,City,Country", ["Harbor Row", "", "Old Mill", "North Loop"], None),
        ("First Name,Last Name,Country", ["Ann", "Bea", "Carl", "Dee"], None),
    ],
    ids=["differ", "differ in case", "blank", "first names"],
)
def test_names_serve_as_codes_where_there_are_none_and_all_differ(propose, header, names, source):
    proposal = propose(header, *(f"{name},Salem,US" for name in names))
    derived = {str(needed.target): needed.source for needed in proposal.derived}
    assert derived.get("customer_code") == source
    assert any(what.startswith("customer_code") for what in proposal.missing) is (source is None)


TECHNICAL = {
    "CODICE": "customer_code", "DESCRI": "profile_name", "DESCR2": "alternate_name", "INDIRI": "address_address_1_1",
    "___CAP": "address_zip_1", "LOCALI": "address_city_1", "NAZION": "address_country_1", "TELEFO": "address_phone_1",
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["AN", "QX", "ZZQ", ""])
def test_names_of_a_few_letters_are_beginnings_of_words(propose, prefix):
    row = "C{0},Moda {0},di Rossi,Via Roma {0},4712{0},Forli,IT,0543 3456{0}"
    proposal = propose(",".join(f"{prefix}{name}" for name in TECHNICAL), *(row.format(number) for number in range(9)))
    assert targets(proposal) == list(TECHNICAL.values())


@pytest.mark.parametrize(
    ("header", "second"), [("Customer No,Customer Name,Store,Store Name,Street,City,Country", "shipping_code_1")]
)
def test_a_number_of_a_store_beside_its_name_is_the_code_of_the_address(propose, header, second):
    rows = [f"K{n // 3},Shop {'ABCD'[n // 3]},00{n % 3},Store {n},{n} Pier St,Elgin,US" for n in range(12)]
    assert targets(propose(header, *rows))[2].endswith("_code_1")


@pytest.mark.parametrize("header", [None, "QA,QB,QC,QD,QE,QF,QG,QH"], ids=["headerless", "unknown headers"])
def test_what_some_addresses_have_behind_the_street_is_its_second_line(propose, header):
    rows = [
        f"C{n},{name} Shop,{n} Pier Street,{'Ste 200' if n == 12 else ''},6012{n % 10},Elgin,US,FR1234567890{n % 10}"
        for n, name in enumerate(["Ash", "Oak", "Elm", "Fir", "Yew", "Bay"], 10)
    ]
    found = targets(propose(*filter(None, [header]), *rows))
    assert (found[2], found[3], found[7]) == ("address_address_1_1", "address_address_2_1", "")


def test_what_begins_with_the_customers_name_and_differs_by_row_names_the_address(propose):
    rows = [
        f"4000{n // 2},{name},{name} {'AP' if n % 2 else f'Store {n}'},{n} Pier St,Elgin,6012{n % 10},US"
        for n, name in enumerate([name for name in ("Ash Co", "Oak Co", "Elm Co", "Fir Co", "Yew Co") for _ in "12"])
    ]
    found = targets(propose(*rows))
    assert found[:4] == ["customer_code", "profile_name", "address_name_1", "address_address_1_1"]


@pytest.mark.parametrize("terms", ["30 gg FM", "2/10 N 30", "60 / 90"])
def test_terms_may_be_mostly_numbers(propose, terms):
    rows = [f"K{n},Shop {n},Lyon,FR,{terms}" for n in range(8)]
    column = propose("Customer No,Customer Name,City,Country,Pagamento", *rows).columns[4]
    assert column.is_mapped
    assert str(column.target).startswith("payment_terms")


@pytest.mark.parametrize("name", ["SoldToAddr{}", "Ship To Address {}", "addr{}"])
def test_further_lines_of_an_address_are_what_has_no_column_of_its_own(propose, name):
    header = ",".join(["Customer No", "Customer Name", *map(name.format, range(1, 6)), "Zip"])
    places = [("Boston", "MA"), ("Salem", "OR"), ("Austin", "TX"), ("Dover", "NH")]
    rows = [f"K{n},Shop {n},{n} Pier St,,{','.join(places[n % 4])},USA,0211{n}" for n in range(8)]
    found = [target.partition("_")[2] for target in targets(propose(header, *rows))[2:7]]
    assert found == ["address_1_1", "address_2_1", "city_1", "state_1", "country_1"]


def test_a_word_for_a_list_is_an_address_where_a_street_and_a_city_are_called_so(propose):
    parts = ["ID", "Name", "Address Line 1", "City", "Postal Code", "Country"]
    header = ",".join(["Customer ID", "Customer Name", *(f"Location {part}" for part in parts), "Warehouse"])
    rows = [f"K{n // 2},Shop {n // 2},L{n % 2},Depot {n},{n} Dock Rd,Salem,0197{n},US,WEST" for n in range(10)]
    assert targets(propose(header, *rows))[2:] == [
        "shipping_code_1", "shipping_name_1", "shipping_address_1_1", "shipping_city_1", "shipping_zip_1",
        "shipping_country_1", "warehouse_code_1",
    ]  # fmt: skip


def test_parts_with_a_number_and_parts_without_are_one_address_where_they_complete_each_other(propose):
    rows = [f"K{n},Shop {n},Hafenstr. {n},{'Tor 3' if n % 2 else ''},2045{n},Bonn,DE" for n in range(8)]
    found = targets(propose("PARTNER,NAME1,STREET,STREET_SUPPL1,POST_CODE1,CITY1,COUNTRY", *rows))
    assert found[2:] == [f"address_{part}" for part in ("address_1_1", "address_2_1", "zip_1", "city_1", "country_1")]


def test_a_country_alone_is_of_the_only_address_there_is(propose):
    rows = [f"K{n},Shop {n},{n} Dock Rd,Salem,0197{n},US" for n in range(8)]
    found = targets(propose("Customer No,Customer Name,Bill-to Street,Bill-to City,Bill-to Zip,Country", *rows))
    assert found[5] == "billing_country_1"


def test_names_on_a_row_for_each_kind_of_address_serve_as_codes(propose):
    rows = [
        f"{name},{kind},{n} {kind[:4]} Rd,Salem,US"
        for n, name in enumerate(["Ash", "Oak", "Elm", "Fir"])
        for kind in ("Billing", "Shipping")[: 1 + n % 2]
    ]
    proposal = propose("Name,AddressType,AddressLine1,City,Country", *rows)
    derived = {str(needed.target): needed.source for needed in proposal.derived}
    assert derived == {"customer_code": "Name", "address_code_1": "AddressType"}


def test_what_all_rows_have_alike_is_neither_a_code_nor_a_name(propose):
    rows = [f"b2b_de,a{n}@shop.example,Shop {n},{n} Dock Rd,Salem,US" for n in range(10)]
    proposal = propose("_store,email,_address_company,_address_street,_address_city,_address_country", *rows)
    assert targets(proposal)[:3] == ["", "buyer_email_1", "profile_name"]


@pytest.mark.parametrize(
    ("header", "target"), [("ship_via", "shipping_terms_1"), ("Billing Currency", "price_type_currency_1")]
)
def test_a_header_that_is_known_as_a_whole_is_of_no_address(propose, header, target):
    values = ["UPS Ground", "Best Way"] if header == "ship_via" else ["USD", "EUR"]
    rows = [f"K{n},Shop {n},{n} Pier St,Elgin,US,{n} Dock Rd,Salem,US,{values[n % 2]}" for n in range(8)]
    parts = [f"{name}_{part}" for name in ("bill", "ship") for part in ("street", "city", "country")]
    assert targets(propose(",".join(["Customer No", "Customer Name", *parts, header]), *rows))[8] == target


@pytest.mark.parametrize("prefix", ["child_ids/", "Member: ", "kontakt."])
def test_a_name_beside_an_e_mail_behind_the_same_word_is_a_persons(propose, prefix):
    rows = [f"K{n},Shop {n},Ann Lee,a{n}@shop.example,Lyon,FR" for n in range(8)]
    found = targets(propose(f"ref,name,{prefix}name,{prefix}email,City,Country", *rows))
    assert found[:4] == ["customer_code", "profile_name", "buyer_name_1", "buyer_email_1"]


@pytest.mark.parametrize("header", ["Mobile / Tel.", "Tel / Mobile", "Fax | Phone"])
def test_of_two_things_that_a_header_says_the_one_that_is_a_field_is_taken(propose, header):
    rows = [f"K{n},Shop {n},{n} Pier St,Elgin,6012{n},US,+1 617 555 010{n}" for n in range(8)]
    assert (
        targets(propose(f"Customer No,Customer Name,Street,City,Zip,Country,{header}", *rows))[6] == "address_phone_1"
    )


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("{name}/{part}", ("S1", "S2", "B")), ("{name}.{part}", ("B", "S1", "S2")),
        ("{name}_{part}", ("ST1", "ST2", "BT")), ("{part}_{name}", ("sh1", "sh2", "bt")),
        ("{name} {part}", ("S1", "S2", "B")), ("{name}-{part}", ("L1", "L2", "R")),
        ("{name}({part})", ("S1", "S2", "B1")),
        ("{part} {name}", ("S1", "S2", "B")), ("{part} ({name})", ("S 1", "S 2", "B")),
        ("{name}: {part}", ("LIV1", "LIV2", "FAC")), ("{name} | {part}", ("DLV1", "DLV2", "BILL")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("parts", "by_part"),
    [(("Code", "Name", "City", "Country"), True), (("Code", "Name", "Street", "City", "Zip", "Country"), False)],
    ids=["a part at a time", "a block at a time"],
)
def test_numbered_short_names_are_blocks_of_their_kind(propose, header, names, parts, by_part):
    values = {
        "Code": "{0}-{1}",
        "Name": "{2} {1}",
        "Street": "1 {1} St",
        "City": "{3}",
        "Zip": "02110",
        "Country": "US",
    }
    pairs = [(name, part) for name in names for part in parts]
    if by_part:
        pairs = [(name, part) for part in parts for name in names]
    titles = ",".join(["No", "Name", *(header.format(name=name, part=part) for name, part in pairs)])
    rows = [
        ",".join([code, name, *(values[part].format(code, of, name, city) for of, part in pairs)])
        for code, name, city in [("K101", "Harbor Row", "Boston"), ("K102", "Blue Finch", "Austin"),
                                 ("K103", "Old Mill", "Dover"), ("K104", "North Loop", "Aurora")]
    ]  # fmt: skip
    numbers = iter("12")
    kinds = {name: "billing_{}_1" if name[0] in "BRFb" else f"shipping_{{}}_{next(numbers)}" for name in names}
    fields = {"Street": "address_1"}
    found = targets(propose(titles, *rows))
    expected = [kinds[name].format(fields.get(part, part.lower())) for name, part in pairs]
    assert found == ["customer_code", "profile_name", *expected]


@pytest.mark.parametrize("name", ["E", "S", "L"])
def test_a_letter_before_parts_is_no_kind_where_no_other_one_is_of_the_other_kind(propose, name):
    header = ",".join(
        ["Customer No", "Customer Name", *(f"{name}-{part}" for part in ("Mail", "City")), "Zip", "Country"]
    )
    found = targets(
        propose(header, "K1,Harbor Row,a@harbor.example,Boston,02110,US", "K2,Old Mill,b@m.example,Dover,03820,US")
    )
    assert not any(target.startswith(("billing", "shipping")) for target in found)


def test_numbered_addresses_keep_their_numbers(propose):
    header = ",".join(["Customer No", "Customer Name", *(f"{part} {number}" for number in "12" for part in PARTS)])
    found = targets(propose(header, *ROWS))[2:]
    assert found[:4] == ["address_address_1_1", "address_city_1", "address_zip_1", "address_country_1"]
    assert found[4:] == ["address_address_1_2", "address_city_2", "address_zip_2", "address_country_2"]


VALUES = [
    ["D44001", "Harbor Row", "1 Pier St", "02110", "Boston", "US", "617 555 0110", "a@harbor.example", "USD", "J"],
    ["D44002", "Blue Finch", "7 Main St", "78701", "Austin", "US", "512 555 0177", "b@finch.example", "USD", "J"],
    ["D44003", "Old Mill", "9 Mill Rd", "03820", "Dover", "US", "603 555 0109", "c@mill.example", "EUR", "J"],
    ["D44004", "North Loop", "8 Lake St", "60505", "Aurora", "US", "312 555 0166", "d@loop.example", "USD", "J"],
    ["D44005", "Two Rivers", "31 Bank St", "55401", "Duluth", "CA", "612 555 0190", "e@rivers.example", "USD", "J"],
]
MEANT = [
    "customer_code",
    "profile_name",
    "address_1_1",
    "zip_1",
    "city_1",
    "country_1",
    "phone_1",
    "email_1",
    "currency_1",
    "",
]


@pytest.mark.parametrize("header", [None, "F{:02d}", "ZZQX{}", "x_{}_"], ids=["none", "F01", "letters", "underscores"])
def test_values_speak_where_headers_say_nothing(propose, header):
    names = [",".join(header.format(number) for number in range(1, 11))] if header else []
    proposal = propose(*names, *(",".join(row) for row in VALUES))
    assert proposal.dialect.has_header is bool(header)
    for found, meant in zip(targets(proposal), MEANT, strict=True):
        assert found.endswith(meant) and bool(found) is bool(meant)
    assert all(column.confidence < 0.9 for column in proposal.columns)


def test_a_column_of_one_letter_or_of_metals_is_no_field(propose):
    rows = [f"{9000 + n},Shop {n},Y,D,{['XAU', 'XAG'][n % 2]},OR,Lyon,FR" for n in range(9)]
    found = targets(propose("Customer No,Customer Name,QA,QB,QC,QD,City,Country", *rows))
    assert found[2:6] == ["", "", "", ""]


KINDS = [
    (code, kind, f"{code}{suffix}", name)
    for code, name in [("70010", "Harbor Row"), ("70020", "Blue Finch"), ("70030", "Old Mill"), ("70040", "North Loop")]
    for kind, suffix in [("{bill}", ""), ("{ship}", "-1"), *([("{ship}", "-2")] if code > "70020" else [])]
]


@pytest.mark.parametrize(("bill", "ship"), [("B", "S"), ("BT", "ST"), ("BILL_TO", "SHIP_TO"), ("10", "20"), ("X", "Q")])
@pytest.mark.parametrize("header", [None, "ACCT_NO,REC,LOC_NO,NAME,STREET,ZIP,CITY,CTRY"], ids=["headerless", "header"])
def test_the_kind_that_each_customer_has_once_is_the_bill_to(propose, bill, ship, header):
    rows = [
        f"{code},{kind.format(bill=bill, ship=ship)},{number},{name},{place} Pier St,{60100 + place},Elgin,US"
        for place, (code, kind, number, name) in enumerate(KINDS)
    ]
    proposal = propose(*filter(None, [header]), *rows)
    assert targets(proposal)[:4] == ["customer_code", "address_type", "address_code_1", "profile_name"]
    mapped = {"B": "B", "S": "S"} | proposal.columns[1].value_map
    assert (mapped[bill], mapped[ship]) == ("B", "S")


def test_codes_that_look_like_postal_codes_are_codes_beside_them(propose):
    rows = [
        f"{10001 + n // 2},Shop {n // 2},{10001 + n // 2}-{n % 2},{n} Pier St,Elgin,{60120 + n},US" for n in range(10)
    ]
    header = "StoreCode,StoreName,Ship-to Code,Ship-to Street,Ship-to City,Ship-to Postal,Ship-to Country"
    found = targets(propose(header, *rows))
    assert (found[0], found[2], found[5]) == ("customer_code", "shipping_code_1", "shipping_zip_1")


@pytest.mark.parametrize(
    ("marks", "header_line"),
    [([], 0), (["H|20261126|CUSTOMERS|ERP", "T|9"], 1)],
    ids=["alone", "between head and foot"],
)
def test_rows_that_begin_with_a_letter_for_their_type_are_read_by_their_values(propose, marks, header_line):
    places = ["Salem", "Bend", "Portland"]
    rows = [f"D|1000{n}|Store No {n}|{n} Main St|{places[n % 3]}|OR|9720{n}|US|b{n}@shop.example" for n in range(1, 10)]
    proposal = propose(*marks[:1], *rows, *marks[1:])
    assert (proposal.dialect.skip_lines, proposal.dialect.footer) == (header_line, "T|{rows}" if marks else "")
    assert targets(proposal) == [
        "", "customer_code", "profile_name", "address_address_1_1", "address_city_1", "address_state_1",
        "address_zip_1", "address_country_1", "buyer_email_1",
    ]  # fmt: skip


def test_padded_cells_in_capitals_are_read_without_a_header(propose):
    rows = [f'"1000{n} ","STORE NO {n}   ","{n} MAIN ST ","PARIS ","6900{n}","FR",".00","Y"' for n in range(1, 8)]
    found = targets(propose(*rows))
    assert found[:3] == ["customer_code", "profile_name", "address_address_1_1"]
    assert found[4:] == ["address_zip_1", "address_country_1", "", ""]


def test_headers_over_two_lines_are_read_as_one(propose):
    header = '"Customer\nNo.","Customer\nName","Ship-to\nCity","Ship-to\nCountry","Ship-to\nCode"'
    proposal = propose(header, *(f"1000{n},Store No {n},Nice,FR,1000{n}-1" for n in range(1, 8)))
    assert targets(proposal) == [
        "customer_code", "profile_name", "shipping_city_1", "shipping_country_1", "shipping_code_1"
    ]  # fmt: skip


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_line_that_names_the_delimiter_is_no_header(propose, mark):
    lines = ["Customer No,Customer Name,Street,City,Zip,Country", *(row[:40] for row in ROWS)]
    proposal = propose(f"sep={mark}", *(line.replace(",", mark) for line in lines))
    assert (proposal.dialect.delimiter, proposal.header_line) == (mark, 2)


@pytest.mark.parametrize(
    ("last", "mask"),
    [
        ("Total customers: 4", "Total customers: {customers}"),
        ("printed Thursday, November 26, 2026", "printed *"),
        ("5 Kunden am 26. November 2026", "* Kunden am *"),
        ("26. November 2026, 4 Kunden", "*, {customers} Kunden*"),
        ("*** end ***", "* end *"),
        ("Thursday", ""),
    ],
)
def test_a_footer_mask_names_no_day_and_matches_no_row(propose, last, mask):
    proposal = propose("Customer No,Customer Name,Street,City,Zip,Country", *(row[:40] for row in ROWS), last)
    assert proposal.dialect.footer == mask


def test_a_mask_that_rows_would_match_is_not_proposed(propose):
    rows = [f'"K{n}","Shop {n}","Lyon","FR"' for n in range(8)]
    assert propose('"Customer No","Customer Name","City","Country"', *rows, '"8 rows"').dialect.footer != '"*'


@pytest.mark.parametrize("mark", ["CM", "KD", "NE", "ALL"])
@pytest.mark.parametrize("place", [0, 1])
def test_the_mark_of_a_record_is_no_country_state_or_currency(propose, mark, place):
    rows = []
    for n in range(9):
        cells = [f"5001{n}", f"Store No {n}", f"{n} Harbor Blvd", "Salem", "OR", f"9720{n}", "US" if n % 3 else "CA"]
        rows.append("|".join([*cells[:place], mark, *cells[place:]]))
    found = targets(propose(*rows))
    assert found.pop(place) == ""
    assert (found[0], found[2], found[6]) == ("customer_code", "address_address_1_1", "address_country_1")


@pytest.mark.parametrize("country", ["US", "FR"])
def test_a_country_that_all_rows_have_is_one_behind_the_street(propose, country):
    rows = [f"5001{n}|Store No {n}|{n} Harbor Blvd|Salem|9720{n}|{country}" for n in range(9)]
    assert targets(propose(*rows))[5] == "address_country_1"


@pytest.mark.parametrize("header", ["Auftragsnummer", "Belegnr.", "N° commande", "Numero ordine", "Order No"])
def test_the_number_of_an_order_is_no_code_of_an_address(propose, header):
    rows = [f"AB-{n},K{n // 2},Shop {n // 2},{n} Pier St,Elgin,6012{n},US" for n in range(9)]
    assert targets(propose(f"{header},Customer No,Customer Name,Street,City,Zip,Country", *rows))[0] == ""


@pytest.mark.parametrize("header", ["Lev.sted nr.", "Lev. nr."])
def test_a_code_is_of_the_address_whose_headers_begin_alike(propose, header):
    names = ["Adresse", "Postnr.", "By", "Land"]
    rows = [
        f"K{n // 2},Shop {n // 2},{n // 2} Pier St,6012,Elgin,DK,{n % 2 + 1},{n} Oak St,601{n}1,Koge,DK"
        for n in range(12)
    ]
    found = targets(propose(",".join(["Kundenr.", "Navn", *names, header, *(f"Lev. {name}" for name in names)]), *rows))
    assert found[6] == "shipping_code_1"


@pytest.mark.parametrize("name", ["DIRCLI{}", "DIREC{}", "Straße{}"])
def test_streets_with_numbers_are_lines_of_one_where_nothing_else_is_numbered(propose, name):
    rows = [f"K{n},Shop {n},{n} Pier St,{'Unit 4' if n % 2 else ''},Elgin,6012{n},US" for n in range(9)]
    header = ",".join(["Customer No", "Customer Name", name.format(1), name.format(2), "City", "Zip", "Country"])
    assert targets(propose(header, *rows))[2:4] == ["address_address_1_1", "address_address_2_1"]


@pytest.mark.parametrize("codes", [("TL", "EUR"), ("€", "$"), ("USD", "CAD")])
def test_currencies_under_an_unknown_header_are_a_hint(propose, codes):
    rows = [f"K{n},Shop {n},{n} Pier St,Elgin,6012{n},US,{codes[n % 2]}" for n in range(9)]
    column = propose("Customer No,Customer Name,Street,City,Zip,Country,Qzxwv", *rows).columns[6]
    assert str(column.target) == "price_type_currency_1"
    assert column.confidence < 0.9


@pytest.mark.parametrize("header", ["NOMCLI,NOMFISCAL", "Name,Legal Name", "Nazwa,Nazwa pełna", "Nom,Nom complet"])
def test_of_two_names_the_legal_one_is_the_second(propose, header):
    rows = [f"K{n},Shop {n},SHOP {n} LTD,{n} Pier St,Elgin,6012{n},US" for n in range(9)]
    found = targets(propose(f"Customer No,{header},Street,City,Zip,Country", *rows))
    assert found[1:3] == ["profile_name", "alternate_name"]


GROUPED = "No;Name;Street;City;Zip;Country;{}Street;City;Zip;Country;Name;Mail"
GROUPED_ROW = "K{0};Shop {0};{0} Elm St;Lyon;6900{1};FR;{2}{0} Dock St;Paris;7500{1};FR;Ann Lee;a{0}@example.com"


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        ("Customer;;Billing;;;;Shipping;;;;;Contact;", "Name;"),
        (";;Rechnungsadresse;;;;Lieferadresse (falls abw.);;;;Ansprechpartner;", ""),
        ("Anagrafica;;Sede legale;;;;Destinazione merce;;;;;Referente;", "Name;"),
    ],
)
def test_a_line_of_groups_above_the_header_says_whose_the_columns_are(propose, groups, named):
    rows = [GROUPED_ROW.format(n, n % 10, f"Store {n};" if named else "") for n in range(10, 19)]
    proposal = propose("Customers 2026", groups, GROUPED.format(named), *rows)
    found = [str(column.target) for column in proposal.columns]
    street = ["address_1_1", "city_1", "zip_1", "country_1"]
    store = ["shipping_name_1"] if named else []
    billing, shipping = ([f"{kind}_{part}" for part in street] for kind in ("billing", "shipping"))
    people = ["buyer_name_1", "buyer_email_1"]
    assert found == ["customer_code", "profile_name", *billing, *store, *shipping, *people]
    assert proposal.header_line == 3


def test_a_group_ends_where_a_header_says_another_owner(propose):
    groups = ";;Rechnungsadresse;;;;Lieferadresse;;;;;"
    rows = [GROUPED_ROW.format(n, n % 10, "") for n in range(10, 19)]
    proposal = propose(groups, GROUPED.format("").replace("Country;Name", "Country;Buyer"), *rows)
    assert [str(column.target) for column in proposal.columns[-2:]] == ["buyer_name_1", "buyer_email_1"]


@pytest.mark.parametrize(
    "heads", ["Terms;Label;Depot;Label;Class;Label", "Règlement;Libellé;Dépôt;Libellé;Famille;Libellé"]
)
def test_a_name_behind_the_code_of_a_list_is_of_that_list(propose, heads):
    lists = ("30N;30 days;D1;Depot Lyon;RET;Retail", "COD;Cash;D2;Depot Lille;WHO;Wholesale")
    rows = [f"K{n};Shop {n};{lists[n % 2]}" for n in range(10, 22)]
    found = [str(column.target) for column in propose(f"Code;{heads.split(';')[1]};{heads}", *rows).columns]
    entries = ["payment_terms_code_1", "payment_terms_1", "warehouse_code_1", "warehouse_name_1"]
    assert found == ["customer_code", "profile_name", *entries, "customer_group_code", "customer_group_name"]


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("F. pago", "payment_terms_1"),
        ("Cond. pag.", "payment_terms_1"),
        ("Ag.", "sales_rep_code"),
        ("Listin.", "price_type_name_1"),
        ("Repr.", "sales_rep_code"),
    ],
)
def test_words_with_points_are_beginnings_of_known_ones(propose, header, target):
    rows = [f"K{n};Shop {n};{'ABC'[n % 3]}{n % 3}" for n in range(10, 22)]
    found = targets(propose(f"Customer No;Customer Name;{header}", *rows))
    assert found[2].startswith(target.removesuffix("_1"))


@pytest.mark.parametrize("header", ["C.", "Co.", "X. y."])
def test_what_may_be_short_for_several_things_is_none(propose, header):
    rows = [f"K{n};Shop {n};{'ABC'[n % 3]}{n % 3}" for n in range(10, 22)]
    assert targets(propose(f"Customer No;Customer Name;{header}", *rows))[2] == ""


@pytest.mark.parametrize("header", ["Odbiorca", "Spedire a", "Xyz"])
def test_a_name_before_a_ship_to_is_its_name(propose, header):
    head = f"Customer No;Name;Street;City;Zip;Country;{header};Ship Street;Ship City;Ship Zip;Ship Country"
    rows = [
        f"K{n};Shop{n} Ltd;{n} Elm St;Lyon;69001;FR;Shop{n} depot;{n} Dock St;Paris;75001;FR" for n in range(10, 19)
    ]
    found = targets(propose(head, *rows))
    assert (found[1], found[6]) == ("profile_name", "shipping_name_1")


def test_a_trading_name_names_the_customer_where_nothing_else_does(propose):
    rows = [f"K{n};Shop {n};Lyon;FR" for n in range(10, 19)]
    assert targets(propose("Customer No;Trading Name;City;Country", *rows))[1] == "profile_name"


def test_one_column_names_customers_and_their_addresses_where_the_bill_to_comes_first(propose):
    rows = [
        f"K{n}|{kind}|K{n}-{kind}|{name} {n}|{n} Elm St|69001|Lyon|FR"
        for n in range(10, 17)
        for kind, name in (("B", "Shop"), ("S", "Depot"))
    ]
    header = "Customer No|Type|Code|Name|Street|Zip|City|Country"
    proposal = propose(header, *rows)
    assert ("address_name_1", "Name") in [(str(needed.target), needed.source) for needed in proposal.derived]
    assert proposal.to_draft().policies.conflict == "first"
    assert propose(header, *reversed(rows)).to_draft().policies.conflict == "reject"


@pytest.mark.parametrize(
    ("blocks", "places"),
    [
        ([*(f"Odbiorca {part}" for part in ("nazwa", "ulica", "kod pocztowy", "miasto")),
          "Ulica", "Kod pocztowy", "Miasto"],
         ["shipping_name_1", "shipping_address_1_1", "shipping_zip_1", "shipping_city_1",
          "billing_address_1_1", "billing_zip_1", "billing_city_1"]),
        (["Address1_Line1", "Address1_Line2", "Address1_City", "Address2_Line1", "Address2_City", "Address2_Zip",
          "State"],
         ["address_address_1_1", "address_address_2_1", "address_city_1",
          "address_address_1_2", "address_city_2", "address_zip_2", None]),
        (["ST#", "ST Addr1", "ST City", "ST Zip", "BT Addr1", "BT City", "BT Zip"],
         ["shipping_code_1", "shipping_address_1_1", "shipping_city_1", "shipping_zip_1",
          "billing_address_1_1", "billing_city_1", "billing_zip_1"]),
        (["Fac_Mor", "Fac_Local", "Fac_Cp", "Entrega Nome", "Entrega Morada", "Entrega Cidade", "Entrega CP"],
         ["billing_address_1_1", "billing_city_1", "billing_zip_1",
          "shipping_name_1", "shipping_address_1_1", "shipping_city_1", "shipping_zip_1"]),
        (["收货地址", "收货城市", "收货邮编", "地址", "城市", "邮编", "电话"],
         ["shipping_address_1_1", "shipping_city_1", "shipping_zip_1",
          "billing_address_1_1", "billing_city_1", "billing_zip_1", None]),
    ],
    ids=["named by a word", "numbered names", "with a number sign", "an abbreviation", "an address alone"],
)  # fmt: skip
def test_addresses_are_told_apart_by_how_their_columns_are_called(propose, blocks, places):
    cells = {"name": "Shop {n} Depot", "code": "S{n}", "address_1": "{n} Pier Road", "address_2": "Floor {n}",
             "city": "Elgin", "zip": "6012{n}", None: "IL"}  # fmt: skip
    parts = [place and place.partition("_")[2].rpartition("_")[0] for place in places]
    rows = [",".join([f"K{n}", f"Shop {n}", *(cells[part].format(n=n) for part in parts)]) for n in range(9)]
    found = targets(propose(",".join(["Customer No", "Name", *blocks]), *rows))[2:]
    wanted = [(place, target) for place, target in zip(places, found, strict=True) if place]
    assert [target for _, target in wanted] == [place for place, _ in wanted]


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Cód. Dirección", ("address", "code")),
        ("Sevk Adres Kodu", ("shipping", "code")),
        ("Code repr.", ("sales_rep", "code")),
        ("Cod. condizioni pagam.", ("payment_terms", "code")),
        ("Code dev.", ("", "currency")),
        ("納入先名", ("shipping", "name")),
        ("納入先国", ("shipping", "country")),
        ("Adresse", ("", "address_1")),
        ("Cód. condiciones envío", ("shipping_terms", "code")),
        ("Cód. términos pago", ("payment_terms", "code")),
        ("Plazos de pago del cliente", ("payment_terms", "")),
        ("Levercond", ("shipping_terms", "")),
        ("Lande-/regionskode", ("", "country")),
        ("Verbandsnr", ("company_number", "code")),
        ("CustPrGr", ("price_type", "name")),
        ("CustDiscGr", ("", "none")),
        ("SØGENAVN", ("", "alias")),
        ("FATURA ÜLKESİ", ("billing", "country")),
        ("Kısa Ad", ("", "alias")),
    ],
)
def test_what_a_header_says_whose_words_are_short_or_say_address(header, meaning):
    best = read_header(header)[0]
    assert (best.owner, best.part) == meaning


@pytest.mark.parametrize(
    ("header", "cells", "target"),
    [
        ("Default Billing Address", ["True"], ""),
        ("Default Shipping Address", ["T", "F"], ""),
        ("Is Ship To", ["1"], ""),
        ("BillTo/ShipTo", ["BillTo", "ShipTo"], "address_type"),
        ("Code magasin", ["MAIN", "WEST"], "warehouse_code_1"),
        ("Bet. xyz", ["30 days net", "60 days net"], "payment_terms_1"),
        ("Staat", ["DE", "AT", "CH"], "address_country_1"),
        ("Страна", ["Россия"], "address_country_1"),
        ("국가", ["대한민국"], "address_country_1"),
        ("省份", ["广东省", "北京"], "address_state_1"),
    ],
)
def test_values_decide_what_a_header_leaves_open(propose, header, cells, target):
    rows = [f"K{n},Shop {n},{n} Pier St,Elgin,6012{n},{cells[n % len(cells)]}" for n in range(9)]
    assert targets(propose(f"Customer No,Customer Name,Street,City,Zip,{header}", *rows))[5] == target


def test_who_is_billed_is_the_customer_where_no_other_column_has_its_code(propose):
    places = [f"{kind} {part}" for kind in ("Sold-To", "Ship-To") for part in PARTS]
    assert targets(propose(",".join(["Sold-To Number", "Sold-To Name", *places]), *ROWS)) == [
        "customer_code",
        "profile_name",
        *BLOCKS,
    ]


def test_what_a_column_has_in_one_is_said_and_asked_for_and_never_stored_as_a_part(propose):
    rows = [f"K{n},Shop {n},Elm St {n},5067{n} {city},DE" for n, city in enumerate(["Köln", "Bad Homburg", "Ulm"] * 3)]
    proposal = propose("Kundennr,Name,Straße/Hausnr.,PLZ/Ort,Land", *rows)
    assert targets(proposal) == ["customer_code", "profile_name", "address_address_1_1", "", "address_country_1"]
    assert any(what.startswith("address_zip_1: 'PLZ/Ort' has postal code and city") for what in proposal.missing)
    dutch = [f"K{n},Shop {n},Elm St {n},101{n} JS,Ede,NL" for n in range(9)]
    assert targets(propose("Debiteur,Naam,Straat,Postcode,Plaats,Land", *dutch))[3] == "address_zip_1"


def test_a_key_of_the_system_is_the_code_rather_than_names_that_change(propose):
    rows = [f"{10400 + n},Shop {n},{n} Elm St,6012{n},Elgin,US" for n in range(9)]
    assert targets(propose("external_id,company_name,street,zip,city,country", *rows))[0] == "customer_code"


def test_a_few_rows_with_one_mark_are_no_customer(propose):
    rows = [f"{mark},10{n},Shop {n},{n} Elm St,Lyon,FR,VIP" for n, mark in enumerate(["A1", "A1", "B2", "B2", "X3"])]
    assert targets(propose("ID externo,Referencia,Nombre,Calle,Ciudad,País,Etiquetas", *rows))[1] == "customer_code"


def test_columns_of_a_known_system_may_be_counted_from_zero(propose):
    rows = [f"K{n},Shop {n},SHOP,1,{n} Elm St,69001,Lyon,FR,M{n}" for n in range(9)]
    header = "BPCNUM_0,BPCNAM_0,BPCSHO_0,BPAADD_0,BPAADDLIG_0,POSCOD_0,CTY_0,CRY_0,STOFCY_0"
    assert targets(propose(header, *rows))[:3] == ["customer_code", "profile_name", "customer_alias"]
    assert targets(propose(header, *rows))[4] == "address_address_1_1"

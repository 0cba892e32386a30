"""Columns that make one field together."""

import pytest

from imports.onboarding.proposing import onboard


@pytest.fixture
def propose(tmp_path):
    def propose(*lines):
        path = tmp_path / "sample.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return onboard(path)

    return propose


def sources(proposal):
    return {str(column.target): column.source for column in proposal.to_draft().columns}


@pytest.mark.parametrize(
    ("streets", "houses", "source"),
    [
        (["Kerkstraat", "Dorpsweg"], ["10", "8a", "12-14", "3 B"], "{Street} {No}"),
        (["Kerkstraat 1", "Dorpsweg 8a"], ["10", "11", "12", "13"], "Street"),
        (["Kerkstraat", "Dorpsweg"], ["Hoek", "Achter", "Links", "Rechts"], "Street"),
        (["Kerkstraat", "Dorpsweg"], ["", "", "", ""], "Street"),
    ],
    ids=["apart", "in the street", "no numbers", "blank"],
)
def test_a_street_is_joined_with_the_number_of_the_house(propose, streets, houses, source):
    rows = [f"K{n},Shop {n},{streets[n % 2]},{houses[n % 4]},101{n} AB,Haarlem,NL" for n in range(8)]
    proposal = propose("Customer No,Customer Name,Street,No,Zip,City,Country", *rows)
    assert sources(proposal)["address_address_1_1"] == source


def test_a_blank_first_name_joins_nothing(propose):
    rows = [f"K{n},Shop {n} AG,,Bahnhofstr. {n},800{n},Bern,CH,Shop {n} Filiale,a{n}@shop.example" for n in range(8)]
    found = sources(propose("Nr,Name,Vorname,Strasse,PLZ,Ort,Land,Lieferadresse_Name,E-Mail", *rows))
    assert found["profile_name"] == "Name"
    assert "buyer_name_1" not in found

"""Countries that are called like states of the US, and states that are none."""

import pytest

from imports.formats.states import find_state_meant, is_no_state


@pytest.mark.parametrize(
    ("country", "state", "code", "meant"),
    [
        ("GE", "GA", "30303", "Georgia"), ("GE", "Georgia", "30303-0001", "Georgia"), ("GA", "GA", "30303", "Georgia"),
        ("CA", "CA", "90210", "California"), ("CA", "", "90210", "California"), ("IN", "", "46204", "Indiana"),
        ("DE", "DE", "19801", "Delaware"), ("CO", "", "80202-1234", "Colorado"), ("MA", "ma", "02110", "Massachusetts"),
        ("NC", "North Carolina", "27601", "North Carolina"), ("PA", "Pennsylvania", "", "Pennsylvania"),
        ("GE", "GA", "", "Georgia"),
    ],
)  # fmt: skip
def test_a_country_is_doubted_where_state_and_postal_code_are_american(country, state, code, meant):
    assert find_state_meant(country, state, code) == meant


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("GE", "", "0105"), ("GE", "Georgia", ""), ("GE", "", ""), ("CA", "ON", "M5V 2T6"), ("IN", "MH", "400001"),
        ("IN", "IN", ""), ("CO", "CUN", "110111"), ("DE", "BE", "10115"), ("DE", "DE", "10115"), ("DE", "", "19801"),
        ("MA", "", "20000"), ("IL", "", "6100000"), ("AR", "C", "C1420"), ("MD", "", "MD-2001"), ("FR", "CA", "90210"),
        ("US", "GA", "30303"), ("", "", ""),
    ],
)  # fmt: skip
def test_others_are_believed(country, state, code):
    assert find_state_meant(country, state, code) == ""


def test_codes_that_are_no_state():
    for state, country in [
        ("XX", "US"),
        ("zz", "US"),
        ("US", "US"),
        ("00", "US"),
        ("97205", "CA"),
        ("??", "US"),
        ("NY", "CA"),
        ("Oregon", "CA"),
        ("Ontario", "US"),
        ("OR", "AU"),
        ("2000", "AU"),
        ("CA", "JP"),
        ("Tasmania", "JP"),
        ("USA", "US"),
        ("New Jersy", "US"),
        ("TRUE", "US"),
        ("Newark", "US"),
    ]:
        assert is_no_state(state, country), state
    for state, country in [("or", "US"), ("DC", "US"), ("AE", "US"), ("Oregon", "US"), ("Ore.", "US"), ("US-OR", "US"),
                           ("PQ", "CA"), ("Québec", "CA"), ("13", "JP"), ("08", "ES"), ("", "US"),
                           ("Vic", "AU"), ("N.S.W.", "AU"), ("Queensland", "AU"), ("東京都", "JP"), ("Tokyo", "JP"),
                           ("N.J.", "US"), ("Calif.", "US"), ("NJ - New Jersey", "US"), ("So. Carolina", "US"),
                           ("(NJ)", "US"), ("Puerto Rico", "US"), ("Washington D.C.", "US"), ("W. Va.", "US"),
                           ("Mie", "JP")]:  # fmt: skip
        assert not is_no_state(state, country), state

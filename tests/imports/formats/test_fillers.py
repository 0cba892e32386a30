"""What is typed where a value is asked for and none is known."""

import pytest

from imports.formats.fillers import is_nobodys_email, may_be_filler


@pytest.mark.parametrize("text", ["00000", "99999", "0000", "00-000", "000-000-0000", "(555) 555-5555", "1111111"])
def test_one_digit_all_along_fills_a_cell(text):
    assert may_be_filler(text)


@pytest.mark.parametrize("text", ["", "0", "22222", "8888", "10001", "+33 1 11 11 11 11", "AD000", "none"])
def test_others_do_not(text):
    assert not may_be_filler(text)


@pytest.mark.parametrize(
    "address",
    [
        "none@none.com", "NA@na.com", "no-reply@shop.example", "do_not_reply@shop.example", "10018@noemail.com",
        "x@x.com", "xxx@xxx.com", "test@test.com", "no.email@none.com", "kein@email.de", "kein-email@shop.de",
        "pasdemail@pasdemail.fr", "sin.correo@tienda.es", "unknown@shop.example", "abc@abc.com", "123@123.com",
    ],
)  # fmt: skip
def test_addresses_that_are_nobodys(address):
    assert is_nobodys_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "eve@none.example", "noreen@shop.example", "noemi@email.it", "na@shop.example", "info@test.de",
        "nonna@nonna.it", "hello@hello.com", "info@info.de", "jane@123.com", "bo@bo.dk", "abc@shop.de",
        "eve@unknown.example",
        "mail@email.de", "x@shop.example", "noe.mail@shop.ie", "info@fake.example", "name@example.com",
    ],
)  # fmt: skip
def test_addresses_of_somebody(address):
    assert not is_nobodys_email(address)

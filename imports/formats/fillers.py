"""Fillers: what is typed where a value is asked for and none is known: 00000, (000) 000-0000, none@none.com."""

from __future__ import annotations

import re

FEWEST_FILLED, FEWEST_OF_PHONE = 4, 7
"""Fewer digits may all be the same, in a postal code only zeros and nines are not."""

_NO_DIGITS = re.compile(r"[^0-9]+")
_MARKS = re.compile(r"[._+\-]+")
_NO_ADDRESS = """
noreply donotreply nomail nomails noemail noemails noemailaddress noaddress noemailavailable noemailprovided
noemailgiven noemailonfile donthaveemail notavailable notprovided notapplicable notknown keinemail keineemail
keinemailadresse keineemailadresse keinemailvorhanden keineemailvorhanden nichtvorhanden pasdemail pasdadresse
sansmail sansemail aucunmail nonrenseigne sinmail sinemail sincorreo notienecorreo notieneemail senzamail senzaemail
nessunamail nessunaemail nondisponibile geenmail geenemail semmail sememail naotememail ingenmail ingenemail
"""
"""Mailboxes, and hosts without their endings, that say that there is no address, without marks between their parts."""
_NOBODY = "none nobody null undefined invalid unknown unbekannt inconnu onbekend"
"""Mailboxes that are nobody's; as hosts they may be names."""
_TYPED = """
no na nil not non noone mail email test testing tester dummy fake abc abcd abcde asdf asd qwe qwerty 123 1234 12345 xyz
xy blank empty vide leer kein keine brak pasde sin senza geen ningun aucun nessuno nessuna whatever
"""
"""What is typed on both sides of the @, or before that of a host that says no more, where an address is no one's."""
_HOSTS = "test none no na nil null domain nowhere unknown fake"
_NO = "no not non do dont none kein keine nicht pas sans aucun sin senza nessuna geen sem nao ingen"
"""How what says so begins where marks part its words."""
_MAIL = "mail email"
"""Names of hosts at which people have addresses too."""
_WORDS = {
    name: frozenset(words.split())
    for name, words in {
        "no address": _NO_ADDRESS,
        "mailbox": f"{_NO_ADDRESS} {_NOBODY}",
        "typed": _TYPED,
        "host": f"{_HOSTS} {_MAIL}",
        "mail": _MAIL,
        "no": _NO,
    }.items()
}


def may_be_filler(text: str) -> bool:
    """Whether a postal code or a phone is filled with one digit: 00000, 99999, (000) 000-0000, 1111111."""
    digits = _NO_DIGITS.sub("", text)
    if len({*digits}) != 1 or len(digits) < FEWEST_FILLED:
        return False
    is_phone = len(digits) >= FEWEST_OF_PHONE
    return (is_phone or digits[0] in "09") and not any(map(str.isalpha, text))


def is_nobodys_email(address: str) -> bool:
    """Whether an address is made up or of a mailbox that nobody reads: none@none.com, x@x.com, no-reply@oak.example."""
    name, _, host = address.lower().rpartition("@")
    mailbox, domain = _MARKS.sub("", name), _MARKS.sub("", host.partition(".")[0])
    if mailbox != name and _MARKS.split(name)[0] not in _WORDS["no"]:
        return False  # noe.mail is somebody
    if mailbox in _WORDS["mailbox"] or domain in _WORDS["no address"]:
        return True
    if mailbox == domain:
        return mailbox in _WORDS["typed"] or len({*mailbox}) == 1
    return mailbox in _WORDS["typed"] - _WORDS["mail"] and domain in _WORDS["host"]

"""Fillers: what is typed where a value is asked for and none is known: 00000, (000) 000-0000, none@none.com."""

from __future__ import annotations

import re

FEWEST_FILLED, FEWEST_OF_PHONE = 4, 7
"""Fewer digits may all be the same, in a postal code only zeros and nines are not."""

_FILLED = re.compile(r"[^0-9]*([0-9])(?:[^0-9]*\1)*[^0-9]*")
_MARKS = re.compile(r"[._+\-]+")
_NO_MARKS = str.maketrans("", "", "._+-")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_ADDRESS = _words("""
noreply donotreply nomail nomails noemail noemails noemailaddress noaddress noemailavailable noemailprovided
noemailgiven noemailonfile donthaveemail notavailable notprovided notapplicable notknown keinemail keineemail
keinemailadresse keineemailadresse keinemailvorhanden keineemailvorhanden nichtvorhanden pasdemail pasdadresse
sansmail sansemail aucunmail nonrenseigne sinmail sinemail sincorreo notienecorreo notieneemail senzamail senzaemail
nessunamail nessunaemail nondisponibile geenmail geenemail semmail sememail naotememail ingenmail ingenemail
""")
"""Mailboxes, and hosts without their endings, that say that there is no address, without marks between their parts."""
_NOBODY = _words("none nobody null undefined invalid unknown unbekannt inconnu onbekend")
"""Mailboxes that are nobody's; as hosts they may be names."""
_NOT_READ = _NO_ADDRESS | _NOBODY
_MAIL = _words("mail email")
"""Names of hosts at which people have addresses too."""
_TYPED = _words("""
no na nil not non noone test testing tester dummy fake abc abcd abcde asdf asd qwe qwerty 123 1234 12345 xyz
xy blank empty vide leer kein keine brak pasde sin senza geen ningun aucun nessuno nessuna whatever
""")
"""What is typed on both sides of the @, or before that of a host that says no more, where an address is no one's."""
_HOSTS = _MAIL | _words("test none no na nil null domain nowhere unknown fake")
_NO = _words("no not non do dont none kein keine nicht pas sans aucun sin senza nessuna geen sem nao ingen")
"""How what says so begins where marks part its words."""


def may_be_filler(text: str) -> bool:
    """Whether a postal code or a phone is filled with one digit: 00000, 99999, (000) 000-0000, 1111111."""
    if "0" <= text[-1:] <= "9" and text.count(text[-1]) < FEWEST_FILLED:
        return False  # as nearly all are; the rest costs twice as much
    if (filled := _FILLED.fullmatch(text)) is None:
        return False
    digit, count = filled[1], text.count(filled[1])
    is_long_enough = count >= FEWEST_OF_PHONE or (count >= FEWEST_FILLED and digit in "09")
    return is_long_enough and not any(map(str.isalpha, text))


def unfilled(name: str) -> str:
    """A pattern of where a line begins that is not filled with one digit, with a group of that name."""
    return rf"(?![^0-9\n]*(?P<{name}>[0-9])(?:[^0-9\n]*(?P={name}))*[^0-9\n]*(?:\n|$))"


def is_nobodys_email(address: str) -> bool:
    """Whether an address is made up or of a mailbox that nobody reads: none@none.com, x@x.com, no-reply@oak.example."""
    name, _, host = address.lower().rpartition("@")
    if not name.isalnum():
        first, *others = _MARKS.split(name, 1)
        if others and first not in _NO:
            return False  # noe.mail is somebody
    mailbox, domain = name.translate(_NO_MARKS), host.partition(".")[0]
    if not domain.isalnum():
        domain = domain.translate(_NO_MARKS)
    if mailbox in _NOT_READ or domain in _NO_ADDRESS:
        return True
    if mailbox == domain:
        return mailbox in _TYPED or mailbox in _MAIL or len({*mailbox}) == 1
    return mailbox in _TYPED and domain in _HOSTS

"""Logins: made with a feed, verified for a session, given another password."""

from __future__ import annotations

import logging
import secrets
from functools import cache

from django.contrib.auth.hashers import check_password, make_password

from accounts.attempts import count_failure, forget_failures, is_locked_out
from dropbox.models import Login, Session
from imports.models import Feed

log = logging.getLogger(__name__)


def make_login(feed_id: int) -> tuple[Login, str]:
    """The first login of a feed, named after account and feed, and its password, which is kept as a hash alone."""
    feed = Feed.objects.select_related("account").get(pk=feed_id)
    wanted = name = f"{feed.account.code}-{feed.name}"
    number = 1
    while Login.objects.filter(user_name=name).exists():
        number += 1
        name = f"{wanted}-{number}"
    login = Login(feed=feed, user_name=name)
    return login, set_new_password(login)


def set_new_password(login: Login) -> str:
    """Give a login a password that nobody has to think of; it is returned and never to be had again."""
    password = secrets.token_urlsafe(18)
    login.password = make_password(password)
    login.save()
    return password


def find_login(user_name: str) -> Login | None:
    """The login that may come in by this name now."""
    found: Login | None = Login.objects.open().select_related("feed__account").filter(user_name=user_name).first()
    return found


def verify_password(user_name: str, password: str, address: str) -> Login | None:
    """The login whose password it is; a failure counts, and after too many of them none is looked at."""
    if "\0" in user_name or is_refused(user_name, address):  # no database holds such a name
        return None
    login = find_login(user_name)
    has_one = login is not None and bool(login.password)
    matches = check_password(password, login.password if login and has_one else _make_decoy())
    if not (has_one and matches):
        count_refusal(user_name, address)
        return None
    admit(user_name, address)
    return login


@cache
def _make_decoy() -> str:
    """A hash for names without a password, which take as long as those with one."""
    return make_password(secrets.token_urlsafe(18))


def is_key_of(user_name: str, algorithm_and_key: str) -> bool:
    """Whether a login has this public key, as OpenSSH writes it without a comment."""
    from dropbox.keys import read_public_keys  # loads the library of SSH, which takes time

    login = find_login(user_name)
    if login is None:
        return False
    own = (key.export_public_key().decode() for key in read_public_keys(login.public_keys))
    return any(key.split()[:2] == algorithm_and_key.split()[:2] for key in own)


def is_refused(user_name: str, address: str) -> bool:
    """Whether too many attempts of the name or the address failed lately.

    Whoever came in from an address before is not kept out by what others try from elsewhere.
    """
    refused = is_locked_out(_counted(user_name), address)
    if refused and Session.objects.filter(login__user_name=user_name, address=address).exists():
        refused = is_locked_out(_counted(user_name), address, minds_others=False)
    if refused:
        log.warning("Login to the drop box refused: too many failed attempts of %r from %s.", user_name, address)
    return refused


def count_refusal(user_name: str, address: str) -> None:
    log.warning("Login to the drop box failed for %r from %s.", user_name, address)
    count_failure(_counted(user_name), address)


def admit(user_name: str, address: str) -> None:
    forget_failures(_counted(user_name), address)


def _counted(user_name: str) -> str:
    """Apart from users of the site, who may have the same name."""
    return f"drop box: {user_name}"

"""Trust in SFTP servers: whichever key is pinned, and however, is asked for, and no other one is trusted."""

from dataclasses import replace

import asyncssh
import pytest

from imports.filesystems import (
    IdentityWrong,
    LoginRefused,
    NoFileTransfer,
    ServerUnreachable,
    open_server,
    read_identities,
)
from tests.servers import NotStarted, run_ftp, run_openssh, run_sftp

KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-rsa")


@pytest.fixture(scope="module")
def keys():
    return {kind: asyncssh.generate_private_key(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def server(keys, tmp_path_factory):
    with run_sftp(tmp_path_factory.mktemp("served"), host_keys=list(keys.values())) as running:
        yield running


def public(key):
    return key.export_public_key().decode().strip()


def opens(settings):
    with open_server(settings) as session:
        return session.list_files("") == []


@pytest.mark.parametrize("kind", KINDS)
def test_whichever_key_is_pinned_is_asked_for(server, keys, kind):
    assert opens(replace(server.settings, host_key=keys[kind].get_fingerprint()))
    assert opens(replace(server.settings, host_key=public(keys[kind])))


@pytest.mark.parametrize("kind", KINDS)
def test_all_keys_of_a_server_are_shown_and_the_pinned_one_first(server, keys, kind):
    assert [identity.details for identity in read_identities(replace(server.settings, host_key=""))] == list(KINDS)
    for pin in (keys[kind].get_fingerprint(), public(keys[kind])):
        first, *others = read_identities(replace(server.settings, host_key=pin))
        assert (first.matches, first.pin) == (True, public(keys[kind]))
        assert [identity.matches for identity in others] == [False] * 3


def test_a_key_that_is_being_changed_is_one_of_two_pins(server, keys):
    other = asyncssh.generate_private_key("ssh-ed25519")
    for second in (public(keys["ssh-rsa"]), keys["ssh-rsa"].get_fingerprint()):
        for first in (public(other), other.get_fingerprint()):
            assert opens(replace(server.settings, host_key=f"{first}\n{second}"))


def test_no_other_key_is_ever_trusted(server, keys):
    other = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(IdentityWrong) as raised:
        opens(replace(server.settings, host_key=other.get_fingerprint()))
    assert all(key.get_fingerprint() in str(raised.value) for key in keys.values())
    with pytest.raises(IdentityWrong):
        opens(replace(server.settings, host_key=public(other)))


def test_of_openssh_any_of_its_keys_may_be_pinned_by_its_fingerprint(tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "served").mkdir()
    kinds = ("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519")
    try:
        with run_openssh(tmp_path / "served", tmp_path / "place", kinds) as running:
            found = read_identities(running.settings)
            assert {identity.details for identity in found} == set(kinds)
            assert all(opens(replace(running.settings, host_key=identity.fingerprint)) for identity in found)
    except NotStarted as reason:
        pytest.skip(str(reason))


# -- who lets one in, and then does not speak of files


@pytest.mark.parametrize("greeting", ["refused", "This account is currently not available.\n", "\0\0\0\1\2", "\0\0"])
def test_a_server_without_sftp_is_an_answer(tmp_path, greeting):
    with run_sftp(tmp_path, greeting=greeting) as running, pytest.raises(NoFileTransfer, match="offers no SFTP"):
        opens(running.settings)


def test_openssh_with_bad_modes_of_its_chroot_is_an_answer(tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "served").mkdir(mode=0o777)
    (tmp_path / "served").chmod(0o777)
    try:
        with (
            run_openssh(tmp_path, tmp_path / "place", options=f"ChrootDirectory {tmp_path}/served\n") as running,
            pytest.raises(NoFileTransfer, match="ChrootDirectory"),
        ):
            opens(running.settings)
    except NotStarted as reason:
        pytest.skip(str(reason))


# -- who comes at a bad time


@pytest.mark.parametrize(
    "reply",
    [
        "530 Sorry, the maximum number of clients (3) for this user are already connected.",
        "530 Too many users logged in",
        "530 Please try again later.",
        "530 Zu viele Verbindungen",
        "530 Zbyt wiele połączeń",
        "530 Das Limit gleichzeitiger Sitzungen ist erreicht",
        "530 Server is full",
        "532 User limit reached",
        "530 Sorry, no more connections allowed from your IP",
        "530 User cannot log in: account is limited to 2 sessions",
        "530 User erp has reached the login limit",
        "530 Connection limit for this host exceeded",
        "530 This account is already in use",
        "530 Concurrent sessions quota exceeded",
        "500 Temporarily not possible",
    ],
)
def test_a_login_at_a_bad_time_is_tried_again(tmp_path, reply):
    with run_ftp(tmp_path) as running:
        running.replies["PASS"] = reply
        with pytest.raises(ServerUnreachable, match=r"lets nobody else in for now: 5.."):
            opens(running.settings)


@pytest.mark.parametrize("command", ["USER", "PASS", "PWD"])
def test_a_server_that_says_goodbye_is_tried_again(tmp_path, command):
    with run_ftp(tmp_path) as running:
        running.replies[command] = "421 Too many connections from this address."
        with pytest.raises(ServerUnreachable, match="421 Too many connections"):
            opens(running.settings)


@pytest.mark.parametrize(
    "reply",
    [
        "530 Login incorrect, please try again.",
        "530 Not logged in.",
        "530 Wrong password",
        "530 Too many failed attempts: the account is locked",
        "530 Password has expired",
        "530 Maximum password age exceeded",
        "530 Login limit of failed attempts reached",
    ],
)
def test_a_wrong_password_is_no_bad_time(tmp_path, reply):
    with run_ftp(tmp_path) as running:
        running.replies["PASS"] = reply
        with pytest.raises(LoginRefused):
            opens(running.settings)


# -- what nobody thought of


@pytest.mark.parametrize("reply", ["227 Entering passive mode (1,2,3)", "227 ok", "227 (1,2,3,4,999,999)"])
def test_nonsense_that_a_library_stumbles_over_is_named(tmp_path, reply):
    with run_ftp(tmp_path) as running:
        running.replies.update({"PASV": reply, "EPSV": reply})
        with pytest.raises(ServerUnreachable):
            opens(running.settings)


def test_an_error_of_a_library_is_named_with_the_server(tmp_path, monkeypatch):
    with run_sftp(tmp_path) as running, open_server(running.settings) as session:
        entries: dict[str, object] = {}
        monkeypatch.setattr(asyncssh.SFTPClient, "scandir", lambda self, path: entries["missing"])
        with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1.*missing"):
            session.list_files("")

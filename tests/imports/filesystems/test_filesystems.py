"""Servers of every kind: what they hold, what they refuse, and what becomes of a session that breaks."""

import ast
import contextlib
import io
import os
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest

from imports import filesystems
from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems import (
    FileTooLarge,
    FileVanished,
    FolderMissing,
    IdentityWrong,
    LoginRefused,
    PermissionRefused,
    ServerSettings,
    ServerUnreachable,
    TargetTaken,
    find_pin_problems,
    open_server,
    read_fingerprint,
    read_identities,
)
from imports.filesystems.sftp_logins import read_private_keys
from tests.drippers import serving
from tests.processes import free_port, wait_until
from tests.servers import PASSWORD, NotStarted, make_authority, run_ftp, run_openssh, run_sftp, run_vsftpd

CONTENT = b"customer_code|profile_name\n" * 2000
ODD_NAMES = ["with spaces.txt", "ünï.txt", ".hidden.txt", "semi;colon.txt", "-dash.txt", "a'b\"c.txt", "東.txt"]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return make_authority(folder, "ours"), make_authority(folder, "theirs")


STARTERS = {
    "ftp": lambda folder, authority: run_ftp(folder),
    "ftp without MLSD": lambda folder, authority: run_ftp(folder, "no MLSD"),
    "ftps": lambda folder, authority: run_ftp(folder, authority=authority),
    "ftps-implicit": lambda folder, authority: run_ftp(folder, "implicit", authority),
    "sftp": lambda folder, authority: run_sftp(folder),
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "served"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "sub.txt").mkdir()
    (folder / "in" / "customers.txt").write_bytes(CONTENT)
    return folder


@pytest.fixture(params=STARTERS)
def server(request, folder, authorities):
    with STARTERS[request.param](folder, authorities[0]) as running:
        yield running


@pytest.fixture(params=["ftps", "ftps-implicit", "sftp"])
def secured(request, folder, authorities):
    with STARTERS[request.param](folder, authorities[0]) as running:
        yield running


def fetch(settings, path="in/customers.txt", most_bytes=10**9):
    out = io.BytesIO()
    with open_server(settings) as session:
        count = session.download(path, out, most_bytes)
    assert count == len(out.getvalue())
    return out.getvalue()


def size_of(session, path="in/customers.txt"):
    file = session.look_at(path)
    assert file is not None
    return file.size


def presented(settings):
    return read_identities(settings)[0]


# -- what a session does


def test_the_files_of_a_folder_are_listed_with_size_and_time(server, folder):
    with open_server(server.settings) as session:
        (file,) = session.list_files("in")
    assert (file.path, file.name, file.size) == ("in/customers.txt", "customers.txt", len(CONTENT))
    modified = datetime.fromtimestamp((folder / "in" / "customers.txt").stat().st_mtime, UTC)
    assert file.modified_at is not None
    assert abs(file.modified_at - modified) <= timedelta(seconds=1)


def test_a_listing_is_never_an_old_one(server, folder):
    with open_server(server.settings) as session:
        session.list_files("in")
        (folder / "in" / "second.txt").write_text("x")
        (folder / "in" / "customers.txt").write_text("shorter")
        assert sorted((file.name, file.size) for file in session.list_files("in")) == [
            ("customers.txt", 7),
            ("second.txt", 1),
        ]


def test_names_that_are_no_utf_8_are_listed_fetched_and_renamed(folder):
    (folder / "in" / "ünï.txt").write_bytes(b"odd")
    with run_ftp(folder, "Latin-1") as running, open_server(running.settings) as session:
        assert sorted(file.name for file in session.list_files("in")) == ["customers.txt", "ünï.txt"]
        assert session.download("in/ünï.txt", io.BytesIO(), 100) == 3
        session.rename("in/ünï.txt", "in/ü.txt")
    assert (folder / "in" / "ü.txt").exists()


def test_a_password_is_sent_in_utf_8(folder):
    with run_ftp(folder, password="pässword-€") as running, open_server(running.settings) as session:
        assert session.list_files("in")


def test_a_listing_in_the_style_of_dos_is_read(folder):
    (folder / "in" / "with spaces.txt").write_bytes(b"x")
    with run_ftp(folder, "DOS") as running, open_server(running.settings) as session:
        files = {file.name: file for file in session.list_files("in")}
    assert {name: file.size for name, file in files.items()} == {"customers.txt": len(CONTENT), "with spaces.txt": 1}
    assert all(file.modified_at is not None for file in files.values())


def test_a_file_is_looked_at_as_it_is_now(server, folder):
    with open_server(server.settings) as session:
        assert size_of(session) == len(CONTENT)
        (folder / "in" / "customers.txt").write_text("shorter")
        assert size_of(session) == 7
        assert session.look_at("in/nothing.txt") is None
        assert session.look_at("nowhere/nothing.txt") is None


def test_a_file_is_fetched_whole(server):
    assert fetch(server.settings) == CONTENT


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_listed_fetched_and_renamed(server, folder, name):
    (folder / "in" / name).write_bytes(b"odd")
    with open_server(server.settings) as session:
        assert name in [file.name for file in session.list_files("in")]
        out = io.BytesIO()
        assert session.download(f"in/{name}", out, 100) == 3
        session.rename(f"in/{name}", f"in/moved {name}")
    assert (folder / "in" / f"moved {name}").read_bytes() == b"odd"


def test_a_file_is_renamed_into_a_folder_that_is_made(server, folder):
    with open_server(server.settings) as session:
        session.make_folder("in/processed")
        session.make_folder("in/processed")
        session.rename("in/customers.txt", "in/processed/7-customers.txt")
    assert (folder / "in/processed/7-customers.txt").read_bytes() == CONTENT
    assert not (folder / "in/customers.txt").exists()


def test_a_rename_never_overwrites(server, folder):
    (folder / "in" / "taken.txt").write_text("mine")
    with open_server(server.settings) as session, pytest.raises(TargetTaken):
        session.rename("in/customers.txt", "in/taken.txt")
    assert (folder / "in" / "taken.txt").read_text() == "mine"
    assert (folder / "in" / "customers.txt").exists()


def test_a_file_is_written_under_another_name_first(server, folder):
    with open_server(server.settings) as session:
        session.write_file("in/receipt.txt", b"thanks")
    assert (folder / "in" / "receipt.txt").read_bytes() == b"thanks"
    assert not list(folder.glob("in/*.part"))


def test_the_session_is_closed(server):
    fetch(server.settings)
    with pytest.raises(FolderMissing), open_server(server.settings) as session:
        session.list_files("nowhere")
    wait_until(lambda: not server.sessions)


# -- what is refused


def test_a_wrong_password_is_the_settings_fault_and_never_told(server, caplog):
    with pytest.raises(LoginRefused) as raised, open_server(replace(server.settings, password="wr0ng-one")):
        pass
    assert "'brand'" in str(raised.value)
    assert (
        "wr0ng-one"
        not in f"{raised.value!r} {raised.getrepr(chain=True)} {caplog.text}".replace("password=", "")[-500:]
    )


def test_settings_do_not_show_their_secrets(server):
    shown = repr(replace(server.settings, private_key="PRIVATE", options={"secret": "HIDDEN"}))
    assert not any(secret in shown for secret in (PASSWORD, "PRIVATE", "HIDDEN"))


def test_a_folder_that_is_missing_is_named(server):
    with pytest.raises(FolderMissing, match="nowhere"), open_server(server.settings) as session:
        session.list_files("nowhere")


def test_a_file_that_is_gone_is_told(server):
    with pytest.raises(FileVanished, match=r"gone\.txt"):
        fetch(server.settings, "in/gone.txt")
    with pytest.raises(FileVanished), open_server(server.settings) as session:
        session.rename("in/gone.txt", "in/other.txt")


def test_a_file_that_is_too_large_is_not_fetched(server):
    with pytest.raises(FileTooLarge, match="1,000 bytes"):
        fetch(server.settings, most_bytes=1000)


@pytest.mark.parametrize("start", [lambda f: run_ftp(f, permissions="elr"), lambda f: run_sftp(f, read_only=True)])
def test_what_the_user_may_not_do_is_told(folder, start):
    with start(folder) as running:
        assert fetch(running.settings) == CONTENT
        for request, work in (
            ("rename|RNFR", lambda session: session.rename("in/customers.txt", "in/other.txt")),
            ("mkdir|MKD", lambda session: session.make_folder("in/processed")),
            ("put|STOR", lambda session: session.write_file("in/receipt.txt", b"")),
        ):
            with (
                pytest.raises(PermissionRefused, match=rf"'brand' .*\(({request})\)"),
                open_server(running.settings) as session,
            ):
                work(session)
    assert (folder / "in" / "customers.txt").exists()


# -- whose server it is


def test_what_a_server_presents_is_read_and_can_be_pinned(secured):
    name = "host_key" if secured.settings.protocol == "sftp" else "certificate_fingerprint"
    unpinned = replace(secured.settings, host_key="", ca_bundle="")
    identity = presented(unpinned)
    assert identity.matches is None
    pinned = replace(unpinned, **{name: identity.pin})
    assert presented(pinned).matches is True
    assert fetch(pinned) == CONTENT
    if name == "host_key":
        assert fetch(replace(unpinned, host_key=identity.fingerprint)) == CONTENT


def test_another_server_is_never_logged_in_to(secured, authorities):
    foreign = asyncssh.generate_private_key("ssh-ed25519")
    wrong = [
        {"certificate_fingerprint": authorities[1].fingerprint, "host_key": foreign.export_public_key().decode()},
        {"ca_bundle": authorities[1].ca, "host_key": foreign.get_fingerprint()},
        {"ca_bundle": "", "host_key": "SHA256:" + "A" * 43},
    ]
    for pins in wrong:
        settings = replace(secured.settings, **pins)
        with pytest.raises(IdentityWrong, match="operator"), open_server(settings):
            pass
    assert presented(replace(secured.settings, **wrong[0])).matches is False


def test_without_a_pinned_key_there_is_no_sftp(folder):
    with run_sftp(folder) as running, pytest.raises(SettingsWrong, match="pinned"):
        fetch(replace(running.settings, host_key=""))
    with pytest.raises(SettingsWrong, match="is no host key"):
        fetch(replace(running.settings, host_key="ssh-ed25519 nonsense"))


def test_a_private_key_logs_in_with_its_passphrase(folder):
    key = asyncssh.generate_private_key("ssh-ed25519")
    text = key.export_private_key(passphrase="open sesame", rounds=50).decode()
    with run_sftp(folder, client_key=key.export_public_key().decode()) as running:
        settings = replace(running.settings, private_key=text, password="open sesame")
        assert fetch(settings) == CONTENT
        with pytest.raises(SettingsWrong, match="passphrase") as raised:
            fetch(replace(settings, password="wrong"))
        assert text[50:90] not in str(raised.value)
        other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
        with pytest.raises(LoginRefused):
            fetch(replace(settings, private_key=other, password=""))


@pytest.mark.parametrize("format_name", ["openssh", "pkcs1-pem", "pkcs8-pem"])
@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp256"])
def test_a_private_key_is_read_in_any_format_and_however_it_was_pasted(folder, kind, format_name):
    key = asyncssh.generate_private_key(kind)
    text = key.export_private_key(format_name).decode()
    pasted = "\ufeff\n" + "\r\n".join(f"  {line}\t" for line in text.splitlines())
    with run_sftp(folder, client_key=key.export_public_key().decode()) as running:
        for written in (text, text.strip(), pasted):
            assert fetch(replace(running.settings, private_key=written, password="")) == CONTENT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "PuTTYgen"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHE me", "public key"),
        ("no key", "OpenSSH or PEM format"),
    ],
)
def test_what_is_no_private_key_is_refused_with_what_is_right(text, said):
    with pytest.raises(SettingsWrong, match=said):
        read_private_keys(ServerSettings(protocol="sftp", host="h", private_key=text))


@pytest.mark.parametrize(
    "questions",
    [
        [("Password: ", False)],
        [("Passwort: ", False)],
        [("Mot de passe : ", False)],
        [("PASSCODE", False)],
        [("User: ", True), ("Password: ", False)],
        [],
    ],
)
def test_a_server_that_asks_is_answered(folder, questions):
    with run_sftp(folder, questions=questions) as running:
        assert fetch(running.settings) == CONTENT


def test_a_question_without_an_answer_is_named_and_the_password_is_tried_once(folder):
    two = [("Password: ", False), ("Verification code: ", False)]
    with run_sftp(folder, questions=two) as running, pytest.raises(LoginRefused, match="'Verification code:' too"):
        fetch(running.settings)
    with run_sftp(folder, questions=two[:1]) as running, pytest.raises(LoginRefused):
        fetch(replace(running.settings, password="wrong"))


def test_a_password_that_has_expired_is_said(folder):
    with run_sftp(folder) as running:
        running.misbehaviour.add("password expired")
        with pytest.raises(LoginRefused, match="The password has expired: have a new one set"):
            fetch(running.settings)


@pytest.mark.parametrize("said", [b"", b"Exceeded MaxStartups\r\n", b"220 FTP ready\r\n"])
def test_who_ends_before_there_is_a_key_may_be_no_sftp_server(said):
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with serving(lambda session: session.sendall(said)) as port:
        settings = ServerSettings(protocol="sftp", host="127.0.0.1", port=port, user="x", host_key=key, timeout=60)
        with pytest.raises(ServerUnreachable, match=r"before it showed a key: .* serves no SFTP at this port"):
            fetch(settings)


def test_an_old_server_with_signatures_of_sha1_is_read(folder):
    keys = [asyncssh.generate_private_key("ssh-rsa", key_size=2048)]
    with run_sftp(folder, host_keys=keys, signature_algs=["ssh-rsa"], mac_algs=["hmac-sha1"]) as running:
        assert fetch(running.settings) == CONTENT


def test_a_server_that_encrypts_like_nobody_any_more_is_no_other_server():
    def name_list(text):
        return len(text).to_bytes(4, "big") + text

    offers = [b"curve25519-sha256", b"ssh-ed25519", *[b"3des-cbc"] * 2, *[b"hmac-sha1"] * 2, *[b"none"] * 2, b"", b""]
    payload = bytes([20]) + bytes(16) + b"".join(map(name_list, offers)) + bytes(5)
    padding = 16 - (len(payload) + 5) % 8

    def answer(listening):
        opened, _ = listening.accept()
        with opened:
            opened.sendall(b"SSH-2.0-Old\r\n" + (len(payload) + padding + 1).to_bytes(4, "big"))
            opened.sendall(bytes([padding]) + payload + bytes(padding))
            while opened.recv(4096):
                """Until the client has had enough."""

    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=[listening])
        thread.start()
        port = listening.getsockname()[1]
        with pytest.raises(SettingsWrong, match=r"not safe any more.*3des-cbc.*newer") as raised:
            fetch(ServerSettings(protocol="sftp", host="127.0.0.1", port=port, user="x", host_key=key, timeout=5))
        thread.join(60)
    assert not isinstance(raised.value, IdentityWrong)


# -- sessions that break


@pytest.mark.parametrize(
    ("misbehaviour", "work"),
    [
        ("drop listing", lambda session: session.list_files("in")),
        ("drop transfer", lambda session: session.download("in/customers.txt", io.BytesIO(), 10**9)),
        ("drop before rename", lambda session: session.rename("in/customers.txt", "in/moved.txt")),
        ("drop after rename", lambda session: session.rename("in/customers.txt", "in/moved.txt")),
    ],
)
def test_a_session_that_breaks_is_tried_again_later(server, folder, misbehaviour, work):
    server.misbehaviour.add(misbehaviour)
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1"), open_server(server.settings) as session:
        work(session)
    assert (folder / "in" / "moved.txt").exists() == (misbehaviour == "drop after rename")
    server.misbehaviour.clear()
    with open_server(server.settings) as session:
        assert len(session.list_files("in")) == 1


def test_half_a_file_is_never_taken_for_a_whole_one(server):
    server.misbehaviour.add("half a transfer")
    out = io.BytesIO()
    with open_server(server.settings) as session:
        listed = size_of(session)
        assert session.download("in/customers.txt", out, 10**9) < listed


def test_a_busy_server_is_tried_again_later(folder):
    with run_ftp(folder) as running:
        running.misbehaviour.add("busy")
        with pytest.raises(ServerUnreachable, match="450"):
            fetch(running.settings)


@pytest.mark.parametrize("protocol", ["ftp", "ftps", "ftps-implicit", "sftp"])
def test_nobody_listens(protocol):
    port = free_port()
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    settings = ServerSettings(protocol=protocol, host="127.0.0.1", port=port, host_key=key, timeout=1)
    with pytest.raises(TryAgainLater, match="cannot be reached"), open_server(settings):
        pass


@pytest.mark.parametrize("protocol", ["ftp", "ftps", "ftps-implicit", "sftp"])
def test_a_server_that_says_nothing_is_given_up(protocol):
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = ServerSettings(
            protocol=protocol, host="127.0.0.1", port=silent.getsockname()[1], host_key=key, timeout=0.5
        )
        with pytest.raises(TryAgainLater), open_server(settings):
            pass


# -- servers that others wrote


@pytest.fixture(params=["OpenSSH", "vsftpd"])
def foreign(request, folder, authorities, tmp_path):
    place = tmp_path / "settings"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        try:
            if request.param == "OpenSSH":
                yield stack.enter_context(run_openssh(folder, place))
            else:
                yield stack.enter_context(run_vsftpd(folder, place, authorities[0]))
        except NotStarted as reason:
            pytest.skip(str(reason))


def test_servers_that_others_wrote_do_all_of_it(foreign, folder):
    with open_server(foreign.settings) as session:
        (file,) = session.list_files("in")
        assert (file.name, file.size) == ("customers.txt", len(CONTENT))
        assert file.modified_at is not None
        assert size_of(session) == len(CONTENT)
        assert session.look_at("in/nothing.txt") is None
        out = io.BytesIO()
        assert session.download("in/customers.txt", out, 10**9) == len(CONTENT)
        assert out.getvalue() == CONTENT
        session.make_folder("in/processed")
        session.make_folder("in/processed")
        session.write_file("in/receipt.txt", b"thanks")
        with pytest.raises(TargetTaken):
            session.rename("in/customers.txt", "in/receipt.txt")
        session.rename("in/customers.txt", "in/processed/7 customers.txt")
        with pytest.raises(FileVanished):
            session.download("in/customers.txt", out, 10**9)
        with pytest.raises(FolderMissing):
            session.list_files("nowhere")
    assert (folder / "in/processed/7 customers.txt").read_bytes() == CONTENT
    assert (folder / "in/receipt.txt").read_bytes() == b"thanks"


def test_servers_that_others_wrote_are_verified(foreign, authorities):
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with (
        pytest.raises(IdentityWrong),
        open_server(replace(foreign.settings, host_key=key, ca_bundle=authorities[1].ca)),
    ):
        pass
    identity = presented(foreign.settings)
    pins = {"host_key": identity.fingerprint, "certificate_fingerprint": identity.pin, "ca_bundle": ""}
    assert fetch(replace(foreign.settings, **pins)) == CONTENT


# -- folders of this machine, and URLs


@pytest.fixture
def local(folder):
    return ServerSettings(protocol="file", root=folder)


def test_a_folder_of_this_machine_is_a_server_too(local, folder):
    with open_server(local) as session:
        assert [file.name for file in session.list_files("in")] == ["customers.txt"]
        assert session.look_at("in/nothing.txt") is None
        session.make_folder("in/processed")
        session.rename("in/customers.txt", "in/processed/customers.txt")
        session.write_file("in/receipt.txt", b"thanks")
        with pytest.raises(TargetTaken):
            session.rename("in/receipt.txt", "in/processed/customers.txt")
        with pytest.raises(FileVanished):
            session.rename("in/nothing.txt", "in/other.txt")
    assert (folder / "in/processed/customers.txt").read_bytes() == CONTENT
    assert fetch(local, "in/processed/customers.txt") == CONTENT


@pytest.mark.parametrize("kind", ["sftp", "file"])
def test_links_are_followed_to_files_and_named_where_they_lead_to_none(local, folder, kind):
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "in" / "today.txt").symlink_to("customers.txt")
    (folder / "in" / "archive").symlink_to("sub.txt")
    (folder / "in" / "lost.txt").symlink_to("nowhere.txt")
    if kind == "file":
        (folder / "in" / "outside.txt").symlink_to(folder.parent / "secret.txt")
    os.mkfifo(folder / "in" / "pipe")
    with contextlib.ExitStack() as stack:
        settings = local if kind == "file" else stack.enter_context(run_sftp(folder)).settings
        with open_server(settings) as session:
            found = {file.name: file for file in session.list_files("in")}
            assert size_of(session, "in/today.txt") == len(CONTENT)
            assert session.look_at("in/lost.txt") is None
    assert found["today.txt"].size == len(CONTENT)
    assert found["today.txt"].modified_at is not None
    assert found.pop("outside.txt", found["lost.txt"]).oddity == "it is a link that leads to no file"
    assert {name: file.oddity for name, file in found.items()} == {
        "customers.txt": "",
        "today.txt": "",
        "archive": "it is a link to a folder",
        "lost.txt": "it is a link that leads to no file",
        "pipe": "it is neither a file nor a folder",
    }


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "in/../../secret.txt", "link/secret.txt", "a\0b"])
def test_the_folder_is_never_left(local, folder, path):
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link").symlink_to(folder.parent)
    with open_server(local) as session:
        for work in (
            lambda: session.look_at(path),
            lambda: session.download(path, io.BytesIO(), 100),
            lambda: session.rename(path, "in/mine.txt"),
            lambda: session.rename("in/customers.txt", path),
            lambda: session.write_file(path, b"x"),
        ):
            with pytest.raises(PermissionRefused):
                work()
    assert (folder.parent / "secret.txt").read_text() == "secret"


def test_any_url_of_fsspec_is_a_server():
    settings = ServerSettings(protocol="url", url="memory://bucket", schemes=("memory",))
    with open_server(settings) as session:
        session.make_folder("in")
        session.write_file("in/a.txt", b"content")
        assert [(file.name, file.size, file.oddity) for file in session.list_files("in")] == [("a.txt", 7, "")]
        session.rename("in/a.txt", "in/b.txt")
        assert session.look_at("in/a.txt") is None
        with pytest.raises(FolderMissing):
            session.list_files("nowhere")
    assert fetch(settings, "in/b.txt") == b"content"


def test_a_url_that_fsspec_does_not_know_is_the_settings_fault():
    with pytest.raises(SettingsWrong), open_server(ServerSettings(protocol="url", url="nonsense://bucket")):
        pass
    with pytest.raises(SettingsWrong, match="s3"), open_server(ServerSettings(protocol="url", url="s3://bucket")):
        pass


# -- pins that are none


@pytest.mark.parametrize("pin", ["zzz", "-", ":::", "AB:CD", "0" * 63, "SHA256:" + "g" * 64])
def test_a_fingerprint_that_is_none_is_refused_instead_of_trusting_everybody(folder, authorities, pin):
    with run_ftp(folder, authority=authorities[0]) as server:
        settings = replace(server.settings, certificate_fingerprint=pin, ca_bundle="")
        with pytest.raises(IdentityWrong, match="64 hexadecimal digits"), open_server(settings):
            pass
    assert "certificate_fingerprint" in find_pin_problems(settings)


@pytest.mark.parametrize("written", ["{}", "SHA256 Fingerprint={}", "sha-256: {}", " {} "])
def test_a_fingerprint_is_read_however_people_write_it(written):
    digits = "0123456789abcdef" * 4
    pairs = ":".join(digits[index : index + 2] for index in range(0, 64, 2)).upper()
    assert read_fingerprint(written.format(pairs)) == digits


def test_pins_are_checked_before_a_server_is_asked():
    def problems(protocol, **pins):
        return set(find_pin_problems(ServerSettings(protocol=protocol, **pins)))

    assert problems("sftp", host_key="AAAA") == {"host_key"}
    assert problems("sftp", host_key="SHA256:" + "A" * 43) == set()
    assert problems("ftps", ca_bundle="nothing", certificate_fingerprint="x") == {
        "ca_bundle",
        "certificate_fingerprint",
    }
    assert problems("ftp", ca_bundle="nothing") == set()


def test_names_in_other_encodings_are_listed_fetched_and_moved_over_sftp(folder):
    name = "clients_\xe9t\xe9.txt"
    (folder / "odd").mkdir()
    Path(os.fsdecode(os.fsencode(folder / "odd") + b"/" + name.encode("latin-1"))).write_bytes(b"content")
    with run_sftp(folder) as running, open_server(running.settings) as server:
        (file,) = server.list_files("odd")
        assert file.name == name
        out = io.BytesIO()
        assert server.download(file.path, out, 100) == 7
        server.rename(file.path, "odd/moved.txt")
    assert (folder / "odd" / "moved.txt").read_bytes() == b"content"


def test_one_name_in_another_encoding_leaves_the_others_as_they_are(folder):
    (folder / "odd").mkdir()
    for name in ("clients_\xe9t\xe9.txt".encode("latin-1"), "b\xe9b\xe9.txt".encode()):
        Path(os.fsdecode(os.fsencode(folder / "odd") + b"/" + name)).write_bytes(name)
    with run_sftp(folder) as running, open_server(running.settings) as server:
        files = sorted(server.list_files("odd"), key=lambda file: file.name)
        assert [file.name for file in files] == ["b\xe9b\xe9.txt", "clients_\xe9t\xe9.txt"]
        for file in files:
            assert (seen := server.look_at(file.path)) and seen.size == file.size
            server.rename(file.path, f"odd/done-{file.name}")
    assert {os.fsencode(path.name) for path in (folder / "odd").iterdir()} == {
        "done-b\xe9b\xe9.txt".encode(), "done-clients_\xe9t\xe9.txt".encode(),
    }  # fmt: skip


@pytest.mark.parametrize("protocol", ["sftp", "ftps", "ftp"])
@pytest.mark.parametrize(("host", "port"), [("a..b", 22), ("127.0.0.1", 70_000)])
def test_a_host_or_port_that_can_be_none_is_a_server_that_cannot_be_reached(protocol, host, port):
    settings = ServerSettings(protocol=protocol, host=host, port=port, host_key="SHA256:" + "A" * 43, timeout=2)
    with pytest.raises(ServerUnreachable), open_server(settings):
        pass
    if protocol != "ftp":
        with pytest.raises(ServerUnreachable):
            read_identities(settings)


def test_libraries_are_used_by_what_they_promise():
    """Nothing with an underscore that is not our own: it may go with any release of the library."""
    hidden = [
        f"{path.name}: {ast.unparse(node)}"
        for path in sorted(Path(filesystems.__file__).parent.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]
    assert not hidden


@pytest.mark.parametrize("start", [run_sftp, run_ftp])
def test_what_is_said_to_be_missing_is_gone_when_it_is_not_listed_either(tmp_path, start):
    """What lies there and cannot be had is told at once; taken for gone, it would be tried for ever."""
    (tmp_path / "a.txt").write_text("x")
    with start(tmp_path) as running, open_server(running.settings) as session:
        running.replies["RETR"] = "550 No such file."
        running.errors["read"] = asyncssh.SFTPNoSuchFile("No such file")
        with pytest.raises(PermissionRefused, match=r"with a\.txt.*No such file"):
            session.download("a.txt", io.BytesIO(), 10)
        (tmp_path / "a.txt").unlink()
        with pytest.raises(FileVanished):
            session.download("a.txt", io.BytesIO(), 10)

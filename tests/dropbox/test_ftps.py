"""The drop box over FTPS, by the clients that senders use."""

import contextlib
import ftplib
import hashlib
import io
import os
import shutil
import signal
import socket
import ssl
import subprocess

import psutil
import pytest

from dropbox import ftps
from dropbox.models import Session, StoredFile
from dropbox.storing import store_file
from dropbox.strangers import MOST
from imports.feeds.pulling import pull_feed
from imports.models import Feed
from tests.builders import PASSWORD
from tests.dropbox.visitors import FTPSClient, make_box, start_dropbox
from tests.feeds import customers
from tests.processes import wait_until
from tests.servers import make_authority


def make_context():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture
def client(dropbox, box):
    client = FTPSClient(context=make_context(), timeout=60)
    client.connect("127.0.0.1", dropbox.ports["FTPS"])
    client.login(box.login.user_name, PASSWORD)
    client.prot_p()
    yield client
    client.close()


def answer_of(opened):
    """All that is said until it ends."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while more := opened.recv(1000):
            said += more
    return said


def put(client, path, content, command="STOR", rest=None):
    return client.storbinary(f"{command} {path}", io.BytesIO(content), rest=rest)


def test_upload_list_rename_replace_and_fetch(client, box):
    put(client, "in/a.txt", b"one")
    put(client, "in/b.txt", b"other")
    client.rename("in/b.txt", "in/a.txt")
    assert (box.names(), box.content("a.txt"), box.is_queued()) == (["a.txt"], b"other", True)
    client.cwd("in")
    assert client.pwd() == "/in"
    assert [(name, facts["size"], facts["type"]) for name, facts in client.mlsd()] == [("a.txt", "5", "file")]
    assert client.nlst() == ["a.txt"]
    lines: list[str] = []
    client.dir(lines.append)
    assert lines[0].startswith("-rw-------   1 dropbox  dropbox         5 ")
    assert client.size("a.txt") == 5
    client.sendcmd("MFMT 20200101000000 a.txt")
    client.sendcmd("SITE CHMOD 644 a.txt")
    read = io.BytesIO()
    client.retrbinary("RETR a.txt", read.write)
    assert read.getvalue() == b"other"
    client.delete("a.txt")
    client.quit()
    session = box.last_session()
    assert (session.protocol, session.files, session.bytes, session.fetched) == ("FTPS", 2, 8, 1)
    assert session.ended == "the client left"


def test_an_empty_file_and_an_empty_folder(client, box):
    assert client.nlst("in") == []
    assert list(client.mlsd("in")) == []
    put(client, "in/empty.txt", b"")
    assert box.content("empty.txt") == b""


def test_what_was_uploaded_is_imported_and_answered(client, box):
    put(client, "in/customers.txt", customers("C1").encode())
    assert pull_feed(box.feed).imported == 1
    assert client.nlst("in") == []
    assert [name.rpartition("-")[2] for name in client.nlst("processed")] == ["customers.txt"]
    assert len(client.nlst("out")) == 1


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (lambda client: put(client, "a.txt", b"x"), "in the folder in alone"),
        (lambda client: put(client, "processed/a.txt", b"x"), "in the folder in alone"),
        (lambda client: put(client, "in/../../a.txt", b"x"), "in the folder in alone"),
        (lambda client: put(client, "in/c:\\a.txt", b"x"), "no backslash"),
        (lambda client: put(client, "in/\x1b.txt", b"x"), "no control characters"),
        (lambda client: client.mkd("in/new"), "no others can be made"),
        (lambda client: client.rmd("out"), "no others can be made"),
        (lambda client: client.cwd("/etc"), "There is no etc"),
        (lambda client: client.retrbinary("RETR /etc/passwd", print), "There is no etc/passwd"),
        (lambda client: client.delete("processed/a.txt"), "Files in processed stay"),
        (lambda client: client.rename("processed/a.txt", "in/a.txt"), "Files in processed keep their names"),
        (lambda client: client.storbinary("STOU", io.BytesIO(b"x")), "Give the file a name"),
    ],
)
def test_what_is_not_taken_is_refused_with_the_reason(client, box, does, said):
    store_file(box.feed.pk, "processed", "a.txt", io.BytesIO(b"x"))
    with pytest.raises(ftplib.Error, match=said):
        does(client)
    assert list(StoredFile.objects.values_list("folder", "name")) == [("processed", "a.txt")]


def test_nobody_logs_in_or_sends_without_tls(dropbox, box):
    with ftplib.FTP() as plain:  # noqa: S321  (which is refused)
        plain.connect("127.0.0.1", dropbox.ports["FTPS"])
        with pytest.raises(ftplib.error_perm, match="SSL/TLS required"):
            plain.login(box.login.user_name, PASSWORD)
    with FTPSClient(context=make_context()) as client:
        client.connect("127.0.0.1", dropbox.ports["FTPS"])
        client.login(box.login.user_name, PASSWORD)
        with pytest.raises(ftplib.error_perm, match="SSL/TLS required on the data channel"):
            client.storbinary("STOR in/a.txt", io.BytesIO(b"x"))


def test_the_certificate_is_the_one_that_senders_are_told(dropbox, client):
    presented = hashlib.sha256(client.sock.getpeercert(binary_form=True)).hexdigest().upper()
    assert presented == dropbox.fingerprints["certificate"].replace(":", "")


def test_wrong_passwords_are_refused_and_counted(dropbox, box):
    def log_in(password):
        with FTPSClient(context=make_context()) as client:
            client.connect("127.0.0.1", dropbox.ports["FTPS"])
            client.login(box.login.user_name, password)

    with pytest.raises(ftplib.error_perm, match="530 The user or the password is wrong"):
        log_in("wrong")
    from accounts.attempts import count_failure

    for _ in range(4):
        count_failure(f"drop box: {box.login.user_name}", "127.0.0.1")
    with pytest.raises(ftplib.error_perm, match="too many attempts failed"):
        log_in(PASSWORD)


def test_nobody_has_a_name_with_a_nul(dropbox):
    with FTPSClient(context=make_context()) as client:
        client.connect("127.0.0.1", dropbox.ports["FTPS"])
        with pytest.raises(ftplib.error_perm, match="530 The user or the password is wrong"):
            client.login("a\0b", PASSWORD)


def test_what_others_try_keeps_no_known_sender_out(dropbox, box, client):
    from accounts.attempts import LIMITS, count_failure

    client.quit()
    for number in range(LIMITS["username",]):
        count_failure(f"drop box: {box.login.user_name}", f"192.0.2.{number}")
    with FTPSClient(context=make_context()) as again:
        again.connect("127.0.0.1", dropbox.ports["FTPS"])
        assert again.login(box.login.user_name, PASSWORD).startswith("230")
        box.login.sessions.update(address="192.0.2.1")
    with FTPSClient(context=make_context()) as stranger, pytest.raises(ftplib.error_perm, match="too many attempts"):
        stranger.connect("127.0.0.1", dropbox.ports["FTPS"])
        stranger.login(box.login.user_name, PASSWORD)


def test_an_address_has_so_many_connections_without_a_login_and_no_more(dropbox, box, client):
    """Those that are logged in are no strangers, and whoever leaves makes room."""
    with contextlib.ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", dropbox.ports[kind]), 60))
            for kind in ("FTPS", "SFTP")
            for _ in range(MOST // 2)
        ]
        for one in held:
            assert one.recv(1) in (b"2", b"S")
        for kind, said in (("FTPS", b"421 Too many connections from the same IP"), ("SFTP", b"")):
            with socket.create_connection(("127.0.0.1", dropbox.ports[kind]), 60) as more:
                assert answer_of(more).startswith(said)
        put(client, "in/a.txt", b"x")

    def is_let_in():
        with socket.create_connection(("127.0.0.1", dropbox.ports["FTPS"]), 60) as one:
            return one.recv(3) == b"220"

    wait_until(is_let_in)


def test_a_name_that_is_no_utf_8_is_refused_and_the_session_goes_on(client, box):
    client.encoding = "latin-1"
    with pytest.raises(ftplib.error_perm, match="501 Names are in UTF-8 here"):
        put(client, "in/Zürich.txt", b"x")
    client.encoding = "utf-8"
    put(client, "in/Zürich\u00a0Süd.txt", b"x")
    client.quit()
    assert box.names() == ["Zürich\u00a0Süd.txt"]
    assert "UTF-8" in box.last_session().refusal


# -- whole files only


def test_a_client_that_is_killed_in_the_middle_leaves_a_file_to_be_resumed(dropbox, box, client, tmp_path):
    curl = shutil.which("curl") or pytest.skip("curl is not installed")
    whole = os.urandom(3_000_000)
    (tmp_path / "a.bin").write_bytes(whole)
    address = f"ftp://127.0.0.1:{dropbox.ports['FTPS']}/in/a.bin"
    login = ["--ssl-reqd", "-k", "-s", "-u", f"{box.login.user_name}:{PASSWORD}"]
    process = subprocess.Popen([curl, *login, "--limit-rate", "100k", "-T", str(tmp_path / "a.bin"), address])
    wait_until(lambda: has_read(process.pid, tmp_path / "a.bin") > 100_000)  # what it read before, it has sent
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: box.files(whole=False).exists())
    assert (box.names(), box.is_queued()) == ([], False)
    size = box.files(whole=False).get().size
    assert 0 < size < len(whole)
    assert client.size("in/a.bin") == size
    subprocess.run([curl, *login, "-C", "-", "-T", str(tmp_path / "a.bin"), address], check=True, timeout=60)
    assert box.content("a.bin") == whole
    assert not box.files(whole=False).exists()


def has_read(process, path):
    """How much a process has read of a file that it has open."""
    opened = psutil.Process(process).open_files()
    return max((file.position for file in opened if file.path == str(path)), default=0)


def test_who_ends_without_saying_so_but_stays_is_believed(client, box):
    client.polite = False
    assert put(client, "in/a.txt", b"whole").startswith("226")
    assert box.content("a.txt") == b"whole"


def test_who_is_gone_without_having_said_so_is_not(client, box):
    client.polite = False
    opened, _ = client.ntransfercmd("STOR in/a.txt")
    opened.sendall(b"half")
    for one in (client.sock, opened):
        one.shutdown(2)
        one.close()
    assert box.last_session().ended == "the connection was lost"
    assert (box.names(), box.is_queued()) == ([], False)


def test_an_upload_is_resumed_by_appending_and_by_restarting(client, box):
    put(client, "in/a.txt", b"one ")
    put(client, "in/a.txt", b"two", "APPE")
    put(client, "in/b.txt", b"what was here before")
    put(client, "in/b.txt", b"replaced", rest=5)
    assert (box.content("a.txt"), box.content("b.txt")) == (b"one two", b"what replaced")


def test_more_than_is_allowed_is_refused_with_the_reason(client, box):
    Feed.objects.update(most_bytes=100_000)
    with pytest.raises((ftplib.Error, OSError)) as refused:
        put(client, "in/a.txt", b"x" * 3_000_000)
    if isinstance(refused.value, ftplib.Error):
        assert "A file may have 100,000 bytes" in str(refused.value)
    wait_until(lambda: Session.objects.exclude(refusal="").exists())
    assert "A file may have 100,000 bytes" in Session.objects.get().refusal
    assert not StoredFile.objects.exists()


def test_a_login_sees_nothing_of_another_one(client, box, tmp_path):
    other = make_box(box.feed.account, tmp_path, "other")
    store_file(other.feed.pk, "in", "secret.txt", io.BytesIO(b"x"))
    assert client.nlst("in") == []
    with pytest.raises(ftplib.error_perm):
        client.size("in/secret.txt")


def test_pausing_the_feed_ends_the_session(client, box):
    client.voidcmd("NOOP")
    Feed.objects.update(enabled=False)
    wait_until(lambda: Session.objects.exclude(ended_at=None).exists())
    assert "paused" in Session.objects.get().ended
    with pytest.raises((ftplib.Error, EOFError, OSError)):
        for _ in range(3):
            client.voidcmd("NOOP")


# -- the programs themselves


def test_a_session_that_ended_leaves_no_thread_and_no_file_open(dropbox, box):
    process = psutil.Process(dropbox.process.pid)

    def come_and_go(times):
        for number in range(times):
            client = FTPSClient(context=make_context(), timeout=60)
            client.connect("127.0.0.1", dropbox.ports["FTPS"])
            client.login(box.login.user_name, PASSWORD)
            client.prot_p()
            client.nlst("in")
            if number % 2:
                client.quit()
            client.close()

    come_and_go(10)  # the threads of the jobs stay
    wait_until(lambda: not Session.objects.filter(ended_at=None).exists())
    before = process.num_threads(), process.num_fds()
    come_and_go(20)
    wait_until(lambda: process.num_threads() <= before[0] and process.num_fds() <= before[1] + 2)


def test_whoever_does_not_log_in_has_to_leave(monkeypatch, tmp_path):
    monkeypatch.setattr(ftps, "LOGIN_SECONDS", 0.5)
    listener = ftps.Listener("127.0.0.1", 0, make_authority(tmp_path, "box").certificate.read_bytes())
    try:
        for said in (b"", b"AUTH TLS\r\n"):
            with socket.create_connection(("127.0.0.1", listener.port), 60) as silent:
                silent.sendall(said)
                while silent.recv(1000):
                    """Until it ends."""
    finally:
        listener.close()


def test_lftp_uploads_and_resumes(dropbox, box, tmp_path):
    lftp = shutil.which("lftp") or pytest.skip("lftp is not installed")
    text = customers("C1", "C2")
    (tmp_path / "a.txt").write_text(text)
    store_file(box.feed.pk, "in", "b.txt", io.BytesIO(text[:20].encode()), whole=False)
    (tmp_path / "b.txt").write_text(text)
    commands = (
        f"set ssl:verify-certificate no; set ftp:ssl-force true; set net:max-retries 1; "
        f"open -u '{box.login.user_name},{PASSWORD}' -p {dropbox.ports['FTPS']} 127.0.0.1; "
        "put -O in a.txt; put -c -O in b.txt; mv in/a.txt in/c.txt; cls -l in; quit"
    )
    done = subprocess.run(
        [lftp, "-c", commands], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert box.names() == ["b.txt", "c.txt"]
    assert box.content("b.txt") == box.content("c.txt") == text.encode()
    assert "c.txt" in done.stdout


def test_a_server_that_is_killed_in_the_middle_of_an_upload_leaves_no_half(box):
    running = start_dropbox()
    with FTPSClient(context=make_context(), timeout=60) as client:
        client.connect("127.0.0.1", running.ports["FTPS"])
        client.login(box.login.user_name, PASSWORD)
        client.prot_p()
        opened, _ = client.ntransfercmd("STOR in/a.txt")
        opened.sendall(b"x" * 100_000)
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.communicate()
        opened.close()
    assert not StoredFile.objects.exists()


def test_plain_ftp_is_spoken_where_the_operator_says_so(box):
    running = start_dropbox(DROPBOX_PLAIN_FTP="on")
    try:
        with ftplib.FTP() as plain:  # noqa: S321  (allowed here)
            plain.connect("127.0.0.1", running.ports["FTPS"])
            plain.login(box.login.user_name, PASSWORD)
            plain.storbinary("STOR in/a.txt", io.BytesIO(b"whole"))
            plain.quit()
        assert box.content("a.txt") == b"whole"
        assert box.last_session().protocol == "FTP"
    finally:
        os.killpg(running.process.pid, signal.SIGTERM)
        running.process.communicate(timeout=60)

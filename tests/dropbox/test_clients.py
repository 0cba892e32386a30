"""Libraries that programs of senders are written with: what they ask for beside what the command lines do."""

from __future__ import annotations

import contextlib
import stat

import paramiko
import pytest

from tests.builders import PASSWORD


class Trusting(paramiko.MissingHostKeyPolicy):
    """Of what the server was said to present."""

    def __init__(self, fingerprints):
        self.fingerprints = fingerprints

    def missing_host_key(self, client, hostname, key):
        assert key.fingerprint in self.fingerprints


@contextlib.contextmanager
def log_in(dropbox, box, **options):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(Trusting(dropbox.fingerprints.values()))
    options = {"username": box.login.user_name, "allow_agent": False, "look_for_keys": False, **options}
    with client:
        client.connect("127.0.0.1", dropbox.ports["SFTP"], timeout=60, **options)
        with client.open_sftp() as files:
            yield files


def test_paramiko_uploads_as_it_always_does(dropbox, box, tmp_path):
    """`put` looks at what it wrote, and fails where the size is another; `putfo` pipelines its writes."""
    content = b"0123456789" * 100_000
    (tmp_path / "a.txt").write_bytes(content)
    with log_in(dropbox, box, password=PASSWORD) as files:
        assert sorted(files.listdir()) == ["failed", "in", "out", "processed"]
        assert files.put(str(tmp_path / "a.txt"), "in/a.txt").st_size == len(content)
        files.chdir("in")
        assert files.getcwd() == "/in"
        (listed,) = files.listdir_attr()
        assert (listed.filename, listed.st_size, stat.S_ISREG(listed.st_mode)) == ("a.txt", len(content), True)
        files.get("a.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_bytes() == content
    session = box.last_session()
    assert (session.files, session.bytes, session.fetched) == (1, len(content), 1)


def test_paramiko_renames_overwrites_appends_and_sets_what_means_nothing(dropbox, box):
    with log_in(dropbox, box, key_filename=str(box.key)) as files:
        with files.open("in/a.txt.filepart", "w") as file:
            file.write(b"one ")
        assert not box.is_queued(), "an unfinished name is no file yet"
        files.chmod("in/a.txt.filepart", 0o644)
        files.utime("in/a.txt.filepart", (1_000_000_000, 1_000_000_000))
        files.rename("in/a.txt.filepart", "in/a.txt")
        assert box.is_queued()
        with files.open("in/a.txt", "a") as file:
            file.write(b"two ")
        assert box.content("a.txt") == b"one two "
        with files.open("in/a.txt", "r+") as file:
            file.seek(0, file.SEEK_END)
            file.write(b"three")
        assert box.content("a.txt") == b"one two three"
        with files.open("in/b.txt", "w") as file:
            file.write(b"another")
        with pytest.raises(OSError, match=r"There is a file in/a\.txt already"):
            files.rename("in/b.txt", "in/a.txt")
        files.posix_rename("in/b.txt", "in/a.txt")
        assert (files.stat("in/a.txt").st_size, files.listdir("in")) == (7, ["a.txt"])
        with files.open("in/a.txt", "w") as file:
            file.write(b"replaced")
        with pytest.raises(OSError, match=r"There is a file in/a\.txt already"):
            files.open("in/a.txt", "wx")
        with pytest.raises(FileNotFoundError):
            files.stat("in/missing.txt")
        files.remove("in/a.txt")
    assert box.names() == []


def test_paramiko_is_told_that_it_may_not(dropbox, box):
    for wrong in ({"password": "wrong"}, {"pkey": paramiko.RSAKey.generate(2048)}):
        with pytest.raises(paramiko.AuthenticationException), log_in(dropbox, box, **wrong):
            pass
    with log_in(dropbox, box, password=PASSWORD) as files:
        with pytest.raises(PermissionError, match="no others can be made"):
            files.mkdir("in/new")
        with pytest.raises(PermissionError, match="in the folder in alone"):
            files.open("a.txt", "w")
        with pytest.raises(FileNotFoundError, match="There is no file in/a"):
            files.open("in/a.txt", "r")

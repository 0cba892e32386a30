"""The guide for senders: what they are told works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

import pytest

from dropbox.guide import WIDTH, find_example, write_guide
from tests.builders import PASSWORD
from tests.feeds import customers


@pytest.fixture
def guide(dropbox, box, settings):
    settings.DROPBOX_HOST = "127.0.0.1"
    settings.DROPBOX_SFTP_PORT, settings.DROPBOX_FTPS_PORT = dropbox.ports["SFTP"], dropbox.ports["FTPS"]
    return write_guide(box.login)


def command_of(guide, program):
    """A program's line, which nobody has to answer anything."""
    (line,) = [line.strip() for line in guide.splitlines() if f"    {program} " in line]
    return line


def run(line, folder):
    home = {**os.environ, "HOME": str(folder)}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=home, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("program", ["curl", "lftp", "echo"])
def test_a_command_uploads_as_it_stands_there(guide, box, tmp_path, program):
    if shutil.which(needed := "sftp" if program == "echo" else program) is None:
        pytest.skip(f"{needed} is not installed")
    (tmp_path / "customers.txt").write_text(customers("C1"))
    trusting = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -F none"
    login = f"-u {box.login.user_name}"
    given = f"{login}{',' if program == 'lftp' else ':'}{shlex.quote(PASSWORD)}"
    line = command_of(guide, program).replace(login, given).replace("-i KEY", f"-i {box.key}")
    done = run(line.replace("| sftp ", f"| sftp {trusting} "), tmp_path)
    assert done.returncode == 0, done.stderr
    assert box.content("customers.txt") == customers("C1").encode()


def test_curl_sends_nothing_to_a_server_with_another_key(guide, box, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "customers.txt").write_text(customers("C1"))
    other = re.sub(r"sha256//\S{43}", "sha256//" + "A" * 43, command_of(guide, "curl"))
    assert "public key" in run(f"{other}  --no-progress-meter < /dev/null", tmp_path).stderr
    assert box.names() == []


def test_lines_fit_into_a_mail_and_numbers_are_read_with_ease(guide):
    assert all(len(line) <= WIDTH for line in guide.splitlines() if not line.startswith("    "))
    assert "A file may have 500,000,000 bytes, what waits in the folder 2,000,000,000 together" in guide


@pytest.mark.parametrize(
    ("mask", "name"),
    [("", ""), ("*.txt", ""), ("customers_*.csv", "customers_.csv"), ("c?[0-9].txt", "c10.txt"), ("[!a]*.txt", "")],
)
def test_an_example_is_a_name_that_the_mask_takes(mask, name):
    assert find_example(mask) == name
    assert find_example("customers_{%Y%m%d}*.txt").startswith("customers_20")

"""Settings as a fresh process reads them."""

from __future__ import annotations

import base64
import json
import os
import runpy
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from customersync.configuration import Environment, check_names

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("manage.py", *arguments, data_dir=data_dir, **environment)


def run(*arguments: str, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**keep, "DATA_DIR": str(data_dir), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def production(**changes: str) -> dict[str, str]:
    settings = {
        "DEBUG": "off",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "sync.example.com",
        "DATABASE_URL": "postgres://sync@localhost/sync",
    }
    return {name: value for name, value in (settings | changes).items() if value}


def test_production_settings_pass_every_deployment_check(tmp_path):
    result = manage("check", "--deploy", "--fail-level", "WARNING", data_dir=tmp_path, **production())
    assert result.returncode == 0, result.stderr


def test_a_database_that_vanishes_is_given_up_and_its_url_may_say_when(tmp_path):
    told = "import json; from customersync.settings import DATABASES; print(json.dumps(DATABASES))"
    urls = {"DATABASE_URL": f"{production()['DATABASE_URL']}?tcp_user_timeout=5", "REPLICA_URL": "postgres://a@b/c"}
    found = json.loads(run("-c", told, data_dir=tmp_path, **production(**urls)).stdout)
    network = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 9, "tcp_user_timeout": 120_000}
    assert found["default"]["OPTIONS"] == network | {"connect_timeout": 10, "tcp_user_timeout": 5}
    assert found["replica"]["OPTIONS"] == network | {"connect_timeout": 2}


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL"])
def test_production_without_a_required_setting_is_refused_by_name(tmp_path, name):
    result = manage("check", data_dir=tmp_path, **production(**{name: ""}))
    assert result.returncode != 0
    assert name in result.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir()), "production never makes keys by itself"


@pytest.mark.parametrize(
    ("missing", "code", "said"),
    [
        ("SECRET_KEY", 3, "Error: SECRET_KEY must be set in the environment when DEBUG is off."),
        ("", 0, "static. Run manage.py collectstatic --noinput, as after every update, and start again."),
    ],
)
def test_a_web_server_that_cannot_answer_pages_says_why(tmp_path, missing, code, said):
    result = run("-W", "ignore", "-c", "import customersync.wsgi", data_dir=tmp_path, **production(**{missing: ""}))
    assert (result.returncode, "Traceback" in result.stderr) == (code, False)
    assert result.stderr.splitlines()[-1].endswith(said)


def test_local_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    read = "-c", "from customersync import settings"
    assert run(*read, data_dir=tmp_path).returncode == 0
    keys = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(keys) == {"secret.key", "encryption.key"}
    assert len(base64.urlsafe_b64decode(keys["encryption.key"])) == 32
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}
    assert run(*read, data_dir=tmp_path).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == keys


def test_a_data_folder_that_cannot_be_used_is_named_without_a_traceback(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = manage("check", data_dir=tmp_path / "file")
    assert result.returncode == 2
    assert result.stderr == (
        f"Error: SECRET_KEY cannot be kept in {tmp_path}/file/secret.key ({tmp_path}/file: File exists). "
        "Mend that, or set DATA_DIR to another folder.\n"
    )


def test_a_log_of_an_unknown_form_is_refused_without_a_traceback(tmp_path):
    result = manage("check", data_dir=tmp_path, LOG_FORMAT="xml")
    assert (result.returncode, result.stderr) == (2, "Error: LOG_FORMAT is 'xml'; take text or json.\n")


def test_a_database_of_ones_own_means_production(tmp_path):
    result = manage("check", data_dir=tmp_path, DATABASE_URL="postgres://sync@localhost/sync")
    assert result.returncode != 0
    assert "SECRET_KEY" in result.stderr


@pytest.mark.parametrize(("given", "expected"), [({}, "False False"), ({"SECURE_HSTS_PRELOAD": "on"}, "False True")])
def test_hsts_reaches_beyond_the_site_only_where_the_operator_says_so(tmp_path, given, expected):
    code = "from customersync import settings as s; print(s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD)"
    result = run("-c", code, data_dir=tmp_path, **production(**given))
    assert result.stdout.strip() == expected, result.stderr


def test_a_name_in_the_file_that_is_no_setting_is_warned_of(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# KEEP=1\nKEEP_FILE_DAYS=3\nexport Q_WORKERS=4\nCOLOUR=blue\n")
    found = check_names(file)
    assert [(warning.msg, warning.hint) for warning in found] == [
        (f"KEEP_FILE_DAYS in {file} is no setting.", "Do you mean KEEP_FILES_DAYS?"),
        (f"COLOUR in {file} is no setting.", "Take it away."),
    ]


@pytest.fixture
def read_settings(tmp_path, monkeypatch):
    def read(**variables):
        for name, value in {"DEBUG": "on", "DATA_DIR": str(tmp_path), "DATABASE_URL": "", **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "customersync/settings.py"))

    return read


WANTED_URL = "is no URL of a PostgreSQL, such as postgres://user:password@host:5432/name;"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Q_WORKERS", "many", "is 'many': give a whole number from 0."),
        ("UPLOAD_LIMIT", "1GB", "is '1GB': give a whole number from 1."),
        ("KEEP_FILES_DAYS", "-1", "is '-1': give a whole number from 0 to 36,500."),
        ("PRUNE_PULLS_AFTER_DAYS", "99999999999", "from 0 to 36,500."),
        ("DROPBOX_SFTP_PORT", "65536", "is '65536': give a whole number from 0 to 65,535."),
        ("FEED_TIMEOUT", "3x0", "is '3x0': give a number from 1 to 3,600."),
        ("FEED_TIMEOUT", "nan", "give a number"),
        ("FEED_TIMEOUT", "inf", "give a number"),
        ("BEHIND_PROXY", "yess", "is 'yess': give on or off."),
        ("DATABASE_URL", "nonsense", WANTED_URL),
        ("DATABASE_URL", "mysql://user:Zq@host/name", WANTED_URL),
        ("DATABASE_URL", "postgres://user:Zq@host:65536/name", WANTED_URL),
        ("DATABASE_URL", "postgres://user:Zq/Zq@host/name", WANTED_URL),
        ("DATABASE_URL", "postgres://user:Zq@host", WANTED_URL),
        ("REPLICA_URL", "nonsense", WANTED_URL),
        ("EMAIL_URL", "pigeon://user:Zq@host", "is no URL of a mail server, such as smtp+tls://"),
        ("EMAIL_URL", "smtp://user:Zq/Zq@host", "is no URL of a mail server, such as smtp+tls://"),
        ("SITE_URL", "sync.example.com", "give an address such as https://sync.example.com."),
        ("SITE_URL", "https://[sync", "give an address such as https://sync.example.com."),
        ("TIME_ZONE", "Mars/Base", "is 'Mars/Base': give the name of a time zone, such as Europe/Paris."),
        ("TIME_ZONE", "../zone", "give the name of a time zone"),
        ("DROPBOX_PASSIVE_PORTS", "50100-50000", "is '50100-50000': give ports such as 50000-50100."),
        ("DROPBOX_PASSIVE_PORTS", "65535-65536", "give ports such as"),
        ("DROPBOX_PASSIVE_ADDRESS", "example.com", "give an IPv4 address such as 203.0.113.7."),
        ("PRIVATE_NETWORKS", "10.1.2.0/99", "is not understood: '10.1.2.0/99' does not appear to be an IPv4 or IPv6"),
    ],
)
def test_a_value_that_is_not_understood_is_refused_and_no_secret_told(read_settings, name, value, said):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_settings(**{name: value})
    assert str(refusal.value).startswith(f"{name} is ")
    assert said in str(refusal.value)
    assert "Zq" not in str(refusal.value)


def test_a_blank_value_counts_as_none(read_settings):
    names = [
        "TIME_ZONE", "DROPBOX_BIND", "DROPBOX_SFTP_PORT", "FEED_TIMEOUT", "SITE_URL", "EMAIL_URL", "LOG_DETAILS",
        "PRIVATE_NETWORKS", "ALLOWED_HOSTS",
    ]  # fmt: skip
    unset, blank = read_settings(), read_settings(**dict.fromkeys(names, " "))
    assert {name: blank.get(name) for name in names} == {name: unset.get(name) for name in names}


def test_a_value_is_taken_as_it_stands(read_settings):
    read = read_settings(SECRET_KEY="$a#b", ALLOWED_HOSTS="a.example.com, b.example.com ,")
    assert read["SECRET_KEY"] == "$a#b"
    assert read["ALLOWED_HOSTS"] == ["a.example.com", "b.example.com"]


def test_a_file_of_settings_that_cannot_be_read_is_not_passed_over(tmp_path):
    with pytest.raises(
        ImproperlyConfigured, match=r"cannot be read: Is a directory\. It takes the user whom it belongs"
    ):
        Environment().read_file(tmp_path)
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff")
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read: it is no text in UTF-8\."):
        Environment().read_file(tmp_path / ".env")


def test_a_setting_that_nobody_described_cannot_be_read():
    with pytest.raises(KeyError, match="COLOUR is not described in"):
        Environment().str("COLOUR", default="blue")

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def _kept_files(tmp_path_factory):
    """Copies of files go to a folder of the test session."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("data") / "files"


@pytest.fixture(scope="session", autouse=True)
def _own_servers():
    """Those of the tests are on loopback."""
    settings.PRIVATE_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1")]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords():
    """Hashing a password well takes longer than most tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

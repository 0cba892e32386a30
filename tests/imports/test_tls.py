"""Why TLS fails is told by its kind, whatever is spoken through it: real servers on loopback."""

import socket
import ssl
import warnings

import pytest

from imports.tls import explain_tls, is_lasting, make_client_context
from tests.drippers import serving
from tests.servers import make_authority


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    made = {name: make_authority(folder, name, days_ago=9 * (name == "old")) for name in ("partner", "stranger", "old")}
    return {name: one.certificate for name, one in made.items()}, made["partner"].ca + made["old"].ca


def speak_tls(certificate, newest=ssl.TLSVersion.TLSv1_3, ciphers="DEFAULT", *, asks=""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    context.set_ciphers(ciphers)
    if asks:
        context.load_verify_locations(cadata=asks)
        context.verify_mode = ssl.CERT_REQUIRED

    def handle(session):
        with context.wrap_socket(session, server_side=True) as secure:
            secure.recv(100)

    return handle


def answer_with(answer):
    def handle(session):
        session.recv(1000)
        session.sendall(answer)

    return handle


def why_it_fails(handle, authorities, name="127.0.0.1"):
    context = make_client_context(authorities)
    context.set_ciphers("ECDHE+AESGCM")
    with serving(handle) as port, pytest.raises(ssl.SSLError) as told:
        plain = socket.create_connection(("127.0.0.1", port), 60)
        with plain, context.wrap_socket(plain, server_hostname=name) as secure:
            secure.sendall(b"POST")
            secure.recv(100)
    return explain_tls(told.value), is_lasting(told.value)


@pytest.mark.parametrize(
    ("certificate", "name", "said"),
    [
        ("stranger", "127.0.0.1", "is signed by an authority that is not trusted here, or is sent without"),
        ("old", "127.0.0.1", "has expired"),
        ("partner", "127.0.0.2", "is for another address"),
        ("partner", "sync.example.com", "is for another name"),
    ],
)
def test_why_a_certificate_cannot_be_verified_is_told(certificates, certificate, name, said):
    made, authorities = certificates
    told, lasts = why_it_fails(speak_tls(made[certificate]), authorities, name)
    assert told.startswith(f"its certificate {said}")
    assert lasts


def test_what_else_is_wrong_with_tls_is_not_laid_to_the_certificate(certificates):
    made, authorities = certificates
    own = made["partner"]
    old, newer = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
    cases = [
        (speak_tls(own, old, "ALL:@SECLEVEL=0"), "1.2 or newer is needed", True),
        (speak_tls(own, newer, "ECDHE-ECDSA-AES256-SHA"), "no way of encrypting", True),
        (speak_tls(own, newer, asks=authorities), "no way of encrypting", True),
        (answer_with(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak TLS at this port", False),
        (answer_with(b"220 ready\r\n"), "does not speak TLS at this port", False),
        (answer_with(b"\x15\x03\x03\x00\x02\x02\x70"), "does not know the name", True),
        (answer_with(b"\x15\x03\x03\x00\x02\x02\x74"), "wants a certificate of whoever comes", True),
        (answer_with(b"\x15\x03\x03\x00\x02\x02\x50"), "TLS failed (TLSV1_ALERT_INTERNAL_ERROR)", False),
        (answer_with(b""), "in the middle of TLS", False),
    ]
    for handle, said, lasts in cases:
        assert said in (told := why_it_fails(handle, authorities))[0]
        assert told[1] == lasts

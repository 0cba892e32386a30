"""TLS with the servers of others: what is safe, and why it could not be begun, told apart by who can mend it."""

from __future__ import annotations

import ssl

_CERTIFICATES = {
    9: "is not valid yet, by this machine's clock",
    10: "has expired",
    18: "is signed by itself, and by no authority",
    19: "is signed by an authority that is not trusted here",
    20: "is signed by an authority that is not trusted here, or is sent without the certificates between",
    21: "is signed by an authority that is not trusted here, or is sent without the certificates between",
    23: "was revoked",
    62: "is for another name",
    64: "is for another address",
}
"""By OpenSSL's number."""
_NO_TLS = "it does not speak TLS at this port"
_OLD = "it speaks no version of TLS that is still safe; 1.2 or newer is needed"
_NOTHING_IN_COMMON = "there is no way of encrypting that both sides hold safe"
_WANTS_CERTIFICATE = "it wants a certificate of whoever comes, and there is none"
_LASTING = {
    **dict.fromkeys(["UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION"], _OLD),
    **dict.fromkeys(["VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE"], _OLD),
    **dict.fromkeys(["SSLV3_ALERT_HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE"], _NOTHING_IN_COMMON),
    **dict.fromkeys(["TLSV1_ALERT_INSUFFICIENT_SECURITY", "DH_KEY_TOO_SMALL", "WRONG_CURVE"], _NOTHING_IN_COMMON),
    **dict.fromkeys(["UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "WRONG_SIGNATURE_TYPE"], _NOTHING_IN_COMMON),
    **dict.fromkeys(["TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE"], _WANTS_CERTIFICATE),
    **dict.fromkeys(["TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"], _WANTS_CERTIFICATE),
    "TLSV1_UNRECOGNIZED_NAME": "it does not know the name that it was asked for",
}
"""By OpenSSL's names for what no patience mends."""
_OTHERS = {
    **dict.fromkeys(["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"], _NO_TLS),
    **dict.fromkeys(["PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE"], _NO_TLS),
}
"""A server that has no room says that without TLS, too."""


def make_client_context(authorities: str = "") -> ssl.SSLContext:
    """Verifies by authorities in PEM, else by the system's, whatever Python was built with and OpenSSL is set to.

    Raises ssl.SSLError and ValueError for what is no list of certificates.
    """
    context = ssl.create_default_context(cadata=authorities or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def explain_tls(error: ssl.SSLError) -> str:
    """What is wrong, in words of ours, about "it"."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {_CERTIFICATES.get(error.verify_code, f'cannot be verified ({error.verify_message})')}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "it ended the session in the middle of TLS"
    said = _LASTING.get(error.reason) or _OTHERS.get(error.reason)
    return said or f"TLS failed ({error.reason or 'for a reason that is not told'})"


def is_lasting(error: ssl.SSLError) -> bool:
    """Whether somebody must change something before it can work."""
    return isinstance(error, ssl.SSLCertVerificationError) or error.reason in _LASTING

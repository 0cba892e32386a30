"""Network: which hosts may be reached, and how long an exchange with them may last.

Feeds and webhooks are set up by people who are not the operator, so neither may be a way into the operator's own
network; and whoever answers may not keep a worker for as long as it likes.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings

from imports.errors import SettingsWrong
from imports.filesystems.base import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PATIENCE = 4
"""How many times as long as a server may stay silent a whole exchange may last: a login, a listing, a rename."""
LEAST_RATE = 50_000
"""Bytes a second that a transfer must bring on average, beyond what any exchange may last."""
LONGEST_TRANSFER = 20 * 60
"""Seconds of the longest transfer, at whatever rate."""
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
_BLOCKED = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # for protocols; Python's older releases take some of it for global
        "192.88.99.0/24",  # relays from IPv6 to IPv4
        "2001::/23",  # for protocols, with Teredo, which holds IPv4 addresses
        "2002::/16",  # holds IPv4 addresses
        "3fff::/20",  # for documentation
    )
]


class HostRefused(SettingsWrong):
    """The host is in a network that the operator has not opened."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is in a private network. Give a public host, or have the operator add its network to "
            "PRIVATE_NETWORKS."
        )


def may_reach(address: Address) -> bool:
    """Whether feeds and webhooks may go to an address: a public one, or one of PRIVATE_NETWORKS."""
    if is_private(address):
        return True
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.version == 6 and address not in _PUBLIC_IPV6:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _BLOCKED)


def is_private(address: Address) -> bool:
    """Whether an address that may be reached is one of PRIVATE_NETWORKS."""
    return any((getattr(address, "ipv4_mapped", None) or address) in network for network in settings.PRIVATE_NETWORKS)


def find_addresses(host: str, port: int) -> list[tuple[Any, Address]]:
    """What a host's name means now, as far as it may be reached: addresses for a socket, and as such.

    Raises HostRefused where none of them may be reached, and OSError, UnicodeError or OverflowError where there is
    none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [(place, ipaddress.ip_address(str(place[0]).partition("%")[0])) for *_, place in found]
    allowed = [pair for pair in addresses if may_reach(pair[1])]
    if not allowed:
        raise HostRefused(host)
    return allowed


def find_host_problem(host: str) -> str:
    """Why an address may not be reached; what a name means is seen when it is connected to."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return ""
    return "" if may_reach(address) else str(HostRefused(host))


def explain_host(host: str) -> str:
    """What is wrong with a host's name or address; nothing is asked of anybody."""
    if not host:
        return "Give the server's host name."
    try:
        host.encode("idna")
    except UnicodeError:
        return f"{host} is no host name. Check it for doubled dots and parts that are too long."
    return find_host_problem(host)


def open_socket(host: str, port: int, timeout: float) -> socket.socket:
    """Connect to a host that may be reached: to the very address that was looked at, whatever its name means later.

    `timeout` is for all its addresses together, and afterwards for every silence. Raises HostRefused, and OSError.
    """
    ends, problem = time.monotonic() + timeout, OSError("no address answered in time")
    for place, address in find_addresses(host, port):
        left = ends - time.monotonic()
        if left <= 0:
            break
        opened = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        try:
            opened.settimeout(left)
            opened.connect(place)
        except OSError as error:
            opened.close()
            problem = error
        else:
            opened.settimeout(timeout)
            return opened
    raise problem


class TLSSocket(ssl.SSLSocket):
    """Is closed where the other side has ended when TLS is begun; the library's own stays open then, and nobody's.

    Says goodbye without needing to hear it: many servers just end, and whether all came is told by other means. One
    that was lost is an error: of that alone the library tells no sooner.
    """

    def unwrap(self) -> socket.socket:
        try:
            return super().unwrap()
        except OSError as error:
            if error.errno and not isinstance(error, ssl.SSLError):
                raise
            return self

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None


def begin_tls(
    context: ssl.SSLContext, plain: socket.socket, host: str, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """TLS in the place of a socket, which is closed where that fails. Raises OSError."""
    context.sslsocket_class = TLSSocket
    with plain:
        return context.wrap_socket(plain, server_hostname=host, session=session)


class TimeLimit:
    """Ends an exchange that lasts longer than it may, however steadily the other side drips, by ending its sockets.

    Timeouts of sockets are for every silence alone. The block sees a session that ends, half an answer perhaps, and
    whatever it makes of that, ServerUnreachable is raised behind it.
    """

    def __init__(self, where: str, seconds: float, sockets: Callable[[], Iterable[socket.socket | None]]) -> None:
        self.where, self.seconds, self.sockets = where, seconds, sockets
        self.expired = False
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._ends = self._began + self.seconds
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._over.set()
        self._watcher.join()
        if self.expired and (kind is None or issubclass(kind, Exception)):
            lasted = time.monotonic() - self._began
            raise ServerUnreachable(
                f"{self.where} was given up after {lasted:,.0f} seconds: it answers so slowly that nothing comes to an "
                "end."
            ) from None

    def extend(self, count: int) -> None:
        """So many bytes were transferred, which earns them their time."""
        self._ends = min(self._ends + count / LEAST_RATE, self._began + LONGEST_TRANSFER)

    def _watch(self) -> None:
        while (left := self._ends - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        self.expired = True
        while not self._over.is_set():
            for opened in filter(None, self.sockets()):
                with contextlib.suppress(OSError):  # it is closed already
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)  # not TLS's own, which would wait for an answer
            self._over.wait(0.2)  # for a socket that is being opened meanwhile

"""What can be set: `settings` reads nothing that configuration.yaml does not describe.

docs/configuration.md and `.env.example` are generated from it, by `bin/generate-docs`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from difflib import get_close_matches
from io import StringIO
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
import yaml
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from ipaddress import IPv4Network, IPv6Network

    from django.core.checks import CheckMessage


class Setting(NamedTuple):
    """A variable of the environment: default and meaning in Markdown, an example of its value, a number's range."""

    default: str
    meaning: str
    example: str = ""
    required: bool = False
    least: float = 0
    most: float = math.inf
    """Of a number."""


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as quick where it is there; every command waits for it."""
_DESCRIBED = Path(__file__).with_suffix(".yaml").read_bytes()
SETTINGS: dict[str, dict[str, Setting]] = {
    title: {name: Setting(**described) for name, described in settings.items()}
    for title, settings in _LOADER(_DESCRIBED).get_single_data().items()
}
"""By section and name."""
KNOWN = {name: setting for settings in SETTINGS.values() for name, setting in settings.items()}


class Environment(environ.Env):
    """The environment; what it does not say, a file of lines NAME=VALUE may say after `read_file`.

    A blank value counts as none. One that is not understood raises ImproperlyConfigured, which says what is right.
    """

    def read_file(self, path: Path) -> None:
        """Raises ImproperlyConfigured where it cannot be read: without it, all would be set otherwise."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            reason = f"{error.strerror}. It takes the user whom it belongs to"
            raise ImproperlyConfigured(f"{path} cannot be read: {reason}.") from None
        except UnicodeDecodeError:
            raise ImproperlyConfigured(f"{path} cannot be read: it is no text in UTF-8.") from None
        self.read_env(StringIO(text))

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, *_: Any, **__: Any) -> Any:
        """The value of a setting, read by `cast`, which may raise ValueError, or its default as it is.

        Raises KeyError for one that nobody described.
        """
        if var not in KNOWN:
            raise KeyError(f"{var} is not described in customersync/configuration.yaml.")
        text = self.ENVIRON.get(var, "").strip()
        if not text and default is not self.NOTSET:
            return default
        if not text:
            raise ImproperlyConfigured(f"{var} has to be set.")
        try:
            if cast in NUMBERS:
                return _read_number(text, cast, KNOWN[var])
            return READERS.get(cast, cast)(text)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} {error}.") from None

    def list(self, var: str, *, default: Any = environ.Env.NOTSET) -> Any:
        return self.get_value(var, _read_list, default)


def _read_number(text: str, kind: Callable[[str], float], setting: Setting) -> float:
    most = f" to {setting.most:,.0f}" if setting.most < math.inf else ""
    with suppress(ValueError):
        if setting.least <= (number := kind(text)) <= setting.most and number < math.inf:
            return number
    raise ValueError(f"is {text!r}: give {NUMBERS[kind]} from {setting.least:g}{most}")


def _read_switch(text: str) -> bool:
    if text.lower() not in SWITCH:
        raise ValueError(f"is {text!r}: give on or off")
    return SWITCH[text.lower()]


def _read_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def read_database(url: str) -> dict[str, Any]:
    """The PostgreSQL of a URL, for DATABASES. What is wrong is said without the URL, which may hold a password."""
    with suppress(ValueError):
        if urlsplit(url).scheme in ("postgres", "postgresql") and (found := environ.Env.db_url_config(url))["NAME"]:
            return {**found, "ENGINE": "django.db.backends.postgresql"}
    raise ValueError(
        "is no URL of a PostgreSQL, such as postgres://user:password@host:5432/name; "
        "in a password, signs such as / and @ are written %2F and %40"
    )


def read_email(url: str) -> dict[str, Any]:
    """The way e-mails go, as settings of Django. What is wrong is said without the URL, which may hold a password."""
    with suppress(ValueError, ImproperlyConfigured):
        return dict(environ.Env.email_url_config(url))
    raise ValueError(
        "is no URL of a mail server, such as smtp+tls://user:password@mail.example.com:587; "
        "in a password, signs such as / and @ are written %2F and %40"
    )


def read_site(text: str) -> str:
    """An address of the web, without a slash at its end."""
    with suppress(ValueError):
        if (parts := urlsplit(text)).scheme in ("http", "https") and parts.hostname:
            return text.rstrip("/")
    raise ValueError(f"is {text!r}: give an address such as https://sync.example.com")


def read_zone(text: str) -> str:
    with suppress(ValueError, LookupError, OSError):
        return ZoneInfo(text).key
    raise ValueError(f"is {text!r}: give the name of a time zone, such as Europe/Paris")


def read_networks(text: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(part, strict=False) for part in _read_list(text)]
    except ValueError as error:
        raise ValueError(f"is not understood: {error}") from None


def read_ports(text: str) -> range:
    """Of `low-high`, both included, or of one."""
    low, _, high = text.partition("-")
    with suppress(ValueError):
        if 1 <= int(low) <= int(high or low) <= 65535:
            return range(int(low), int(high or low) + 1)
    raise ValueError(f"is {text!r}: give ports such as 50000-50100")


def read_address(text: str) -> str:
    """An IPv4 address."""
    with suppress(ValueError):
        return str(IPv4Address(text))
    raise ValueError(f"is {text!r}: give an IPv4 address such as 203.0.113.7")


NUMBERS: dict[Callable[[str], float], str] = {int: "a whole number", float: "a number"}
READERS: dict[Any, Callable[[str], Any]] = {None: str, bool: _read_switch}
SWITCH = dict.fromkeys(("on", "true", "yes", "y", "1"), True) | dict.fromkeys(("off", "false", "no", "n", "0"), False)


def check_names(file: Path, **_: object) -> list[CheckMessage]:
    """W001: a line of the file that nothing reads, such as one with a typing error in its name."""
    return [
        CheckWarning(
            f"{name} in {file} is no setting.",
            hint=f"Do you mean {near[0]}?" if (near := get_close_matches(name, KNOWN, 1)) else "Take it away.",
            id="customersync.W001",
        )
        for name in _names_in(file)
        if name not in KNOWN
    ]


def _names_in(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        name, is_given, _ = line.removeprefix("export ").partition("=")
        if is_given and not name.startswith("#"):
            yield name

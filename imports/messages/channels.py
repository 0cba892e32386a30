"""Channels: the ways by which messages get to somebody. Apps bring them in the `channels` of their AppConfig."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from accounts.plugins import load
from imports.errors import SettingsWrong
from imports.filesystems import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from accounts.models import Account
    from imports.models import Feed, Message, Run


@dataclass
class Event:
    """What happened, of which channels may want to tell."""

    name: str
    """Such as run.held."""
    what: str
    """Names this one event, so that it is told once."""
    account: Account
    describe: Callable[[], dict[str, Any]]
    feed: Feed | None = None
    run: Run | None = None
    people: list[str] = field(default_factory=list)
    """E-mail addresses of whoever has to know; nobody where nothing has to be done."""
    details: dict[str, Any] = field(default_factory=dict)
    """What people are told beside what the run and the feed say."""
    repeats: str = ""
    """Names what happens again and again, and of which people are told once."""

    @cached_property
    def described(self) -> dict[str, Any]:
        """The event for programs, as JSON."""
        return self.describe()


class Throttled(ServerUnreachable):
    """Whoever is told wants to be left alone: until a time, where they say so."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class Channel:
    """One way to tell. Its messages are written in the transaction of what they tell of, and delivered afterwards."""

    kind: ClassVar[str]
    """Names the channel in its messages; 20 characters at most."""
    label: ClassVar[str]
    """How people call it."""

    def write(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is to be told of the event: a name for each message, so that it is told once, and its payload."""
        raise NotImplementedError

    def find_place(self, message: Message) -> str:
        """Where a message goes: while nobody is at home there, the others to the same place wait."""
        return self.kind

    def deliver(self, message: Message) -> None:
        """Tell. Raises TryAgainLater, ServerUnreachable where nobody is at home, Throttled, and SettingsWrong to give
        it up.
        """
        raise NotImplementedError


def find_channels() -> dict[str, Channel]:
    """What the installed apps bring, by kind."""
    return {channel.kind: channel() for channel in load("channels")}


class Gone(Channel):
    """In the place of a channel whose app is not installed any more."""

    def __init__(self, kind: str) -> None:
        self.gone = kind

    def find_place(self, message: Message) -> str:
        return self.gone

    def deliver(self, message: Message) -> None:
        raise SettingsWrong(f"No installed app delivers messages by {self.gone}. Install the app that does.")

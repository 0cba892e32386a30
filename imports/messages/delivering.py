"""Deliver: the messages that are due, each by its channel, until it is taken or has been tried for days."""

from __future__ import annotations

import enum
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone

from accounts.tallies import count
from accounts.watching import doing
from imports.errors import SettingsWrong, TryAgainLater
from imports.filesystems import ServerUnreachable
from imports.messages.channels import Gone, Throttled, find_channels
from imports.models import Message

if TYPE_CHECKING:
    from datetime import datetime

    from imports.messages.channels import Channel

logger = logging.getLogger(__name__)

WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60)]
"""After each failed attempt; after the last one the message is given up, two days after it was written."""
LONGEST_DELIVERY = 10 * 60
"""Seconds after which the rest is left to the next task, which follows within a minute."""


class Outcome(enum.StrEnum):
    """Of one attempt to deliver a message."""

    DELIVERED = "delivered"
    AWAY = "away"
    """Nobody is at home; it is tried again."""
    REFUSED = "refused"
    """It was not taken; it is tried again."""
    GIVEN_UP = "given_up"


def deliver_due(most: int = 100) -> int:
    """Deliver what is due, the oldest first; returns how many were taken.

    Where one message finds nobody at home, the others to the same place wait for the next time, uncounted.
    """
    taken, away, started, channels = 0, set[str](), time.monotonic(), find_channels()
    for message in Message.objects.due().select_related("account", "feed", "run").order_by("pk")[:most]:
        if time.monotonic() - started > LONGEST_DELIVERY:
            break
        channel = channels.get(message.kind) or Gone(message.kind)
        place = channel.find_place(message)
        if place in away or not _claim(message):
            continue
        with doing("message", account=message.account.code, feed=message.feed_id, message_id=message.pk):
            outcome = _deliver(channel, message)
        if outcome == Outcome.AWAY:
            away.add(place)
        taken += outcome == Outcome.DELIVERED
        count("deliveries_total", message.kind, outcome)
    return taken


def _deliver(channel: Channel, message: Message) -> Outcome:
    try:
        channel.deliver(message)
    except TryAgainLater as error:
        give_up = message.attempts > len(WAITS)
        _record_failure(message, str(error), give_up=give_up)
        if isinstance(error, Throttled) and error.until is not None:
            _leave_alone(message, error.until)
        if isinstance(error, ServerUnreachable):
            return Outcome.AWAY
        return Outcome.GIVEN_UP if give_up else Outcome.REFUSED
    except (SettingsWrong, ImproperlyConfigured) as error:
        _record_failure(message, str(error), give_up=True)
        return Outcome.GIVEN_UP
    Message.objects.filter(pk=message.pk).update(delivered_at=timezone.now(), problem="")
    return Outcome.DELIVERED


def _claim(message: Message) -> bool:
    """Count the attempt before it is made, which gives it to one process alone, and the next one its time."""
    later: datetime = timezone.now() + WAITS[min(message.attempts, len(WAITS) - 1)]
    due = Message.objects.due().filter(pk=message.pk, attempts=message.attempts)
    claimed = due.update(attempts=F("attempts") + 1, next_attempt_at=later)
    message.attempts += 1
    return bool(claimed)


def _record_failure(message: Message, problem: str, *, give_up: bool) -> None:
    given_up_at = timezone.now() if give_up else None
    Message.objects.filter(pk=message.pk).update(problem=problem, given_up_at=given_up_at)
    logger.warning("%s could not be delivered%s: %s", message, ", and was given up" if give_up else "", problem)


def _leave_alone(message: Message, until: datetime) -> None:
    """Nothing of the account is told in the same way before a time; what is not due by then is left as it is."""
    pending = Message.objects.pending().filter(account=message.account_id, kind=message.kind)
    pending.filter(next_attempt_at__lt=until).update(next_attempt_at=until)


def give_up_pending(why: str) -> int:
    """Give up all that waits to be delivered, in folders of servers too; returns how many messages that were."""
    return Message.objects.pending().update(given_up_at=timezone.now(), problem=why)

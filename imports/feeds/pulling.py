"""Pull: one look into a feed's folder. What lies there is imported, one file after the other, and moved away.

The schedule, the admin, the API and the commands call `pull_feed`, and it alone records how the pull ended and when
the feed's next turn is.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.db import Error
from django.utils import timezone

from accounts.outages import describe_failure
from accounts.tallies import count
from accounts.watching import doing
from imports.errors import AccountBusy, SettingsWrong, TryAgainLater
from imports.feeds.claiming import claim_feed, give_way
from imports.feeds.sessions import Sessions
from imports.feeds.taking import Taker
from imports.feeds.turns import record_failure, record_success
from imports.queueing import enqueue_waiting

if TYPE_CHECKING:
    from imports.models import Feed, Pull
    from imports.pipeline.beating import Progress


def pull_feed(
    feed: Feed,
    *,
    only_due: bool = False,
    patient: bool = True,
    progress: Progress = lambda stage, done, total: None,
    sessions: Sessions | None = None,
) -> Pull:
    """Import what is new in the feed's folder; returns the pull, which says how it ended.

    Raises PulledAlready, NotDue where `only_due` and it is not, AccountBusy where another file goes into the account
    and the caller is not `patient`, HostBusy where its host has no place for one more session, Suspended, and
    TryAgainLater when the database gives up. The `sessions` are those of whoever pulls several feeds in a row.
    """
    with contextlib.closing(Sessions()) as own:
        return _pull(feed, sessions or own, progress, only_due=only_due, patient=patient)


def _pull(feed: Feed, sessions: Sessions, progress: Progress, *, only_due: bool, patient: bool) -> Pull:
    try:
        with (
            claim_feed(feed, sessions, only_due=only_due, patient=patient) as pull,
            doing("pull", account=pull.feed.account.code, feed=feed.pk, pull=pull.pk),
        ):
            taker = Taker(pull, patient, progress, sessions)
            try:
                taker.go()
            except TryAgainLater as error:
                if isinstance(error, AccountBusy) and not patient:
                    record_success(pull, timezone.now(), f"{error} The rest is pulled then.")
                    give_way(feed)
                    enqueue_waiting(feed.account)
                else:
                    record_failure(pull, str(error), passing=True)
            except (SettingsWrong, ImproperlyConfigured) as error:
                record_failure(pull, str(error), passing=False)
            except BaseException as error:
                with contextlib.suppress(Error):
                    record_failure(pull, f"Stopped by {type(error).__name__}.", passing=True)
                raise
            else:
                record_success(pull, taker.again_at, taker.message, asked=pull.asked and taker.goes_on)
            finally:
                count("pulls_total", pull.status)
                count("pull_seconds_total", amount=time.monotonic() - taker.started)
        return pull
    except Error as error:
        raise TryAgainLater(describe_failure(error)) from error

"""Conditions on formats, feeds, runs and messages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, ExpressionWrapper, F, Q
from django.db.models.functions import Coalesce, Lower, Now
from django.utils import timezone

from accounts.models import Suspension
from imports.errors import HeldFor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Account
    from imports.models import (  # noqa: F401  (names used in annotations)
        Feed,
        Format,
        FormatVersion,
        Heartbeat,
        KeptFile,
        Message,
        Run,
    )

LEASE = timedelta(minutes=5)
"""How long a run may give no sign of life before its database session is ended; it gives one every few seconds."""
BIG_FILE = 10_000_000
"""Bytes above which a file has to wait for the workers of big ones, which takes seconds rather than a moment."""

_SUSPENDED = models.Exists(Suspension.objects.all())

CLOCK = "clock."
"""In front of the names of machines."""


class FormatVersionQuerySet(models.QuerySet["FormatVersion"]):
    def live(self) -> Self:
        return self.filter(status="live")

    def of_account(self, account: Account) -> Self:
        """Versions of the account's formats; a sandbox uses those of its production account."""
        return self.filter(format__account=account.production)


class KeptFileQuerySet(models.QuerySet["KeptFile"]):
    def unnamed(self) -> Self:
        """Those that no row of any app names."""
        links: Any = [field for field in self.model._meta.get_fields(include_hidden=True) if field.one_to_many]
        rows = (link.related_model._base_manager.filter(**{link.field.name: models.OuterRef("pk")}) for link in links)
        return self.filter(*(~models.Exists(naming) for naming in rows))


class RunQuerySet(models.QuerySet["Run"]):
    def applied(self) -> Self:
        """Runs that changed the account, or found nothing to change."""
        return self.filter(status__in=["succeeded", "partial"], dry_run=False)

    def accepted_tests(self, version: FormatVersion) -> Self:
        """Runs in a sandbox that took at least one customer, read by the version exactly as it is now."""
        return (
            self.applied()
            .filter(account__sandbox_of__isnull=False, format_version=version, format_digest=version.to_spec().digest)
            .exclude(created=0, updated=0, unchanged=0)
        )

    def with_kept_file(self) -> Self:
        return self.filter(kept_file__isnull=False)

    def replayable(self) -> Self:
        """Runs that rejected something of a file that was applied and is kept; the newest first."""
        rejecting = self.filter(status__in=["partial", "rejected"], dry_run=False, held_for="", undoes=None)
        return rejecting.with_kept_file().order_by("-pk")

    def awaiting_decision(self) -> Self:
        return self.filter(status="held", decision="", dry_run=False)

    def needing(self, formats: Iterable[Format]) -> Self:
        """Runs that are still to be read with one of the formats, or wait for a decision about that."""
        waiting = Q(status__in=["queued", "running"]) | Q(status="held", decision="", dry_run=False)
        return self.filter(waiting, format_version__format__in=formats)

    def blocking(self) -> Self:
        """Held runs behind which later files of their feed wait; a file that fails again and again blocks no other."""
        return self.awaiting_decision().exclude(held_for=HeldFor.FAILURES)

    def for_workers(self) -> Self:
        """Uploaded files to import, and held ones that somebody asked to release."""
        asked = Q(status="held", decision="", dry_run=False, release_asked_at__isnull=False)
        return self.filter(Q(status="queued") | asked)

    def to_queue(self) -> Self:
        """What workers are to do and is not queued."""
        return self.for_workers().filter(queued_at=None)

    def next_in_account(self) -> Self:
        """What is queued, except for uploads behind another one of their account: these go in as they came."""
        earlier = self.model._default_manager.filter(
            account=models.OuterRef("account"), status="queued", pk__lt=models.OuterRef("pk")
        )
        behind = Q(status="queued") & models.Exists(earlier)
        return self.for_workers().filter(queued_at__isnull=False).exclude(behind)

    def big(self) -> Self:
        return self._with_size().filter(size__gt=BIG_FILE)

    def small(self) -> Self:
        return self._with_size().filter(size__lte=BIG_FILE)

    def _with_size(self) -> Self:
        """Each with `size`: the bytes of its file, or of that of the run that it undoes or replays."""
        return self.annotate(size=Coalesce("undoes__file_size", "replays__file_size", "file_size"))

    def silent(self) -> Self:
        """Runs whose process gave no sign of life for so long that it is frozen or gone."""
        return self.filter(status="running", heartbeat_at__lt=timezone.now() - LEASE)

    def latest_of_paths(self, paths: Iterable[str]) -> Self:
        """For each path on the server, the run that took the file there last.

        A release that failed counts for nothing: the run that it was to release is held as before.
        """
        return (
            self.filter(remote_path__in=list(paths))
            .exclude(released_from__isnull=False, status__in=["running", "failed"])
            .order_by("remote_path", "-id")
            .distinct("remote_path")
        )

    def to_archive(self) -> Self:
        """Runs of a feed that are decided, and whose files have not been moved away yet."""
        return self.filter(archived_at=None, status__in=["succeeded", "partial", "rejected", "undone"]).exclude(
            remote_path=""
        )


class FeedQuerySet(models.QuerySet["Feed"]):
    def in_turn(self) -> Self:
        """Feeds whose turn it is."""
        return self.filter(Q(next_pull_at=None) | Q(next_pull_at__lte=Now()), enabled=True)

    def due(self) -> Self:
        """Those of them that are not queued, or only for later."""
        return self.in_turn().filter(Q(queued_at=None) | Q(queued_at__gt=Now()))

    def waiting(self) -> Self:
        """Feeds that are queued, and not for later. One that is being pulled waits until that has come to its end, and
        one whose host has as many sessions as it may have until there is one less. None waits for workers while the
        system is suspended.
        """
        running = self.model._default_manager.filter(pulls__status="running").exclude(host="")
        sessions = running.order_by().values(of=Lower("host")).annotate(count=Count("pk"))
        full = sessions.filter(count__gte=settings.FEED_SESSIONS_PER_HOST).values("of")
        return (
            self.filter(~self._running_pull(), ~_SUSPENDED, queued_at__lte=Now(), enabled=True)
            .annotate(on=Lower("host"))
            .exclude(on__in=full)
        )

    def of_login(self, feed: Feed) -> Self:
        """Feeds that may be pulled in the same session as another one."""
        return self.filter(protocol=feed.protocol, host=feed.host, port=feed.port, user=feed.user)

    def with_fellows(self) -> Self:
        """Each with `has_fellows`: whether others of its host and user wait too."""
        others = self.model._default_manager.filter(host=models.OuterRef("host"), user=models.OuterRef("user"))
        waiting = others.filter(queued_at__lte=Now()).exclude(pk=models.OuterRef("pk")).exclude(host="")
        return self.annotate(has_fellows=models.Exists(waiting))

    def with_work(self) -> Self:
        """Each as a pull finds it: `is_running` where a pull was left so, `has_left_overs` of runs whose files are to
        be moved away, `has_outbox` of what is to be written to its server, `is_suspended` while nothing is to be pulled
        at all, and `clock`, the database's time.
        """
        runs: Any = self.model._meta.get_field("runs").related_model
        messages: Any = self.model._meta.get_field("messages").related_model
        return self.annotate(
            is_running=self._running_pull(),
            has_left_overs=models.Exists(runs.objects.to_archive().filter(feed=models.OuterRef("pk"))),
            has_outbox=models.Exists(messages.objects.for_outbox().filter(feed=models.OuterRef("pk"))),
            is_suspended=_SUSPENDED,
            clock=Now(),
        )

    def _running_pull(self) -> models.Exists:
        pulls: Any = self.model._meta.get_field("pulls").related_model
        return models.Exists(pulls.objects.filter(feed=models.OuterRef("pk"), status="running"))

    def failing(self) -> Self:
        """Enabled feeds whose last pull failed."""
        return self.filter(enabled=True, failures__gt=0)

    def unmoved(self) -> Self:
        """Enabled feeds whose imported files cannot be moved away."""
        return self.filter(enabled=True).exclude(move_problem="")

    def with_state(self) -> Self:
        """Each with `is_held`: whether a file of it waits for a decision."""
        runs: Any = self.model._meta.get_field("runs").related_model
        held = runs.objects.awaiting_decision().filter(feed=models.OuterRef("pk"))
        return self.annotate(is_held=models.Exists(held))

    def silent(self) -> Self:
        """Enabled feeds from which no file came for longer than they say."""
        allowed = ExpressionWrapper(F("silent_after_hours") * timedelta(hours=1), models.DurationField())
        silent_at = ExpressionWrapper(Coalesce("file_at", "created_at") + allowed, models.DateTimeField())
        return (
            self.filter(enabled=True, silent_after_hours__isnull=False)
            .annotate(silent_at=silent_at)
            .filter(silent_at__lt=timezone.now())
        )

    def to_tell_of_silence(self) -> Self:
        """Silent feeds of which nobody was told yet."""
        return self.silent().filter(Q(silence_told_at=None) | Q(silence_told_at__lt=F("silent_at")))


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def clocks(self) -> Self:
        """Of machines, whatever works there."""
        return self.filter(name__startswith=CLOCK)


class MessageQuerySet(models.QuerySet["Message"]):
    def pending(self) -> Self:
        return self.filter(delivered_at=None, given_up_at=None)

    def for_outbox(self) -> Self:
        """What goes into a server's folder, by the next pull."""
        return self.pending().filter(kind="file")

    def due(self) -> Self:
        """Messages to deliver now, none while the system is suspended.

        What goes into a server's folder is written by the next pull.
        """
        return self.pending().exclude(kind="file").filter(~_SUSPENDED, next_attempt_at__lte=timezone.now())

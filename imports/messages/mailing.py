"""E-mails to the contacts of a feed: what happened, and what they can do about it."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from imports.describing import rejects_name
from imports.errors import TryAgainLater
from imports.filesystems import ServerUnreachable
from imports.filesystems.base import quote
from imports.messages.channels import Channel
from imports.messages.smtp import SomeRefused
from imports.models import Feed, Issue
from imports.remedies import find_remedy, say_extent
from imports.tls import explain_tls
from imports.wording import one_line, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.messages.channels import Event
    from imports.models import Message, Run

SUBJECTS = {
    "run.held": "Held: {file}",
    "run.rejected": "Rejected: {file}",
    "run.partial": "Partly imported: {file}",
    "run.failed": "Not imported: {file}",
    "run.release_refused": "Not released: {file}",
    "feed.failing": "The feed {feed} fails",
    "feed.recovered": "The feed {feed} works again",
    "feed.not_moved": "Imported files of the feed {feed} cannot be moved away",
    "feed.omits": "Files of the feed {feed} are not taken",
    "feed.silent": "No file came through the feed {feed}",
    "review.overdue": "New connections wait for review",
}
MAILED_GROUPS = 10
MAILED_CODES = 20
"""How many customers of each kind of error are named."""
BUSY = 421
"""With which a server ends a session, whatever it was asked for."""
REMEDY = "Mend EMAIL_URL, or ask the mail server's operator."
LONGEST_SUBJECT = 300


class EmailChannel(Channel):
    """People are told of what needs somebody."""

    kind = "email"
    label = "e-mail"

    def write(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        if event.people:
            yield event.repeats or event.what, {**event.details, "to": event.people}

    def deliver(self, message: Message) -> None:
        try:
            make_email(message).send()
        except SomeRefused as error:
            message.payload["to"] = [
                person for person in message.payload["to"] if sanitize_address(person, "utf-8") in error.recipients
            ]
            message.save(update_fields=["payload"])  # the others have it, and get it once
            raise TryAgainLater(f"The mail server refuses {_list_refused(error)}.") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise TryAgainLater(f"The mail server refuses {_list_refused(error)}.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise _translate(error) from None


def _list_refused(error: smtplib.SMTPRecipientsRefused) -> str:
    return ", ".join(f"{address} ({code})" for address, (code, _) in error.recipients.items())


def _translate(error: OSError) -> TryAgainLater:
    """What keeps a mail from being sent. Where it is not the mail that is refused, all others wait with it."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return ServerUnreachable(f"The mail server refuses the login with {_answer(error)}. {REMEDY}")
        case smtplib.SMTPSenderRefused(smtp_code=code) if code != BUSY:
            return TryAgainLater(
                f"The mail server refuses the sender {parseaddr(error.sender)[1]} with {_answer(error)}. Have it "
                "allowed, or mend DEFAULT_FROM_EMAIL."
            )
        case smtplib.SMTPDataError(smtp_code=code) if code != BUSY:
            return TryAgainLater(f"The mail server refuses with {_answer(error)}.")
        case smtplib.SMTPResponseException():
            return ServerUnreachable(f"The mail server takes no mails: it answers with {_answer(error)}.")
        case smtplib.SMTPNotSupportedError():
            return ServerUnreachable(f"The mail server does not do what it is asked for: {error} {REMEDY}")
        case ssl.SSLError():
            return ServerUnreachable(f"The mail server cannot be reached: {explain_tls(error)}. {REMEDY}")
        case TimeoutError():
            return ServerUnreachable("The mail server cannot be reached: it gave no answer in time.")
        case _:
            said = error.strerror or quote(error, settings.EMAIL_HOST_PASSWORD)
            return ServerUnreachable(f"The mail server cannot be reached: {said}.")


def _answer(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
    return f"status {error.smtp_code} ({quote(said, settings.EMAIL_HOST_PASSWORD)})"


def make_email(message: Message) -> EmailMultiAlternatives:
    """The message as an e-mail, in plain text and in HTML that says the same; nothing of a file becomes a link."""
    context = describe(message)
    subject = SUBJECTS[message.event].format(file=context["file"], feed=context["feed"])
    context["text"] = render_to_string(f"imports/mail/{message.event.partition('.')[0]}.txt", context).strip()
    email = EmailMultiAlternatives(
        subject=one_line(f"{subject} ({context['account']})")[:LONGEST_SUBJECT],
        body=plain_text(render_to_string("imports/mail/message.txt", context)),
        to=message.payload["to"],
        headers={
            "Message-ID": f"<customersync-{message.pk}-{message.created_at:%Y%m%d%H%M%S}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    email.attach_alternative(plain_text(render_to_string("imports/mail/message.html", context)), "text/html")
    return email


def describe(message: Message) -> dict[str, Any]:
    """What the templates say."""
    run, feed = message.run, message.feed
    groups = [group for group in run.issue_groups or [] if group["severity"] == Issue.Severity.ERROR] if run else []
    times = {name: message.payload[name] for name in ("since", "failing_since") if name in message.payload}
    return {
        **message.payload,
        **{name: datetime.fromisoformat(time) for name, time in times.items()},
        "event": message.event,
        "account": message.account.name,
        "feed": feed.name if feed else "",
        "server": feed.server_name if feed else "",
        "waits": feed is not None and feed.while_held == Feed.WhileHeld.WAIT and not (run and run.has_failed),
        "file": one_line(run.file_name) if run else "",
        "run": run,
        "groups": [_describe_group(run, group) for group in groups[:MAILED_GROUPS]] if run else [],
        "more_groups": max(len(groups) - MAILED_GROUPS, 0),
        "outbox": feed.outbox_folder if feed and run and run.rejects_file_id else "",
        "rejects": rejects_name(run) if run else "",
        "link": _link(message),
        "place": f"run {run.pk}" if run else f"feed {feed}" if feed else "connections to review",
    }


def _describe_group(run: Run, group: dict[str, Any]) -> dict[str, Any]:
    """Errors of one code and field: who has them, what ends them, and the first of them."""
    alike = run.issues.filter(severity=group["severity"], code=group["code"], field=group["field"])
    codes = alike.exclude(customer_code="").order_by("customer_code").values_list("customer_code", flat=True).distinct()
    named = list(codes[:MAILED_CODES])
    return group | {
        "name": group["code"].replace("_", " ").capitalize(),
        "extent": say_extent(group),
        "remedy": find_remedy(group["code"], group["severity"]),
        "codes": named,
        "has_others": group["has_more"] or group["customers"] > len(named),
    }


def _link(message: Message) -> str:
    """To the page of the admin; nothing where the site's address is not set."""
    if not settings.SITE_URL:
        return ""
    if message.run_id:
        page = reverse("admin:imports_run_change", args=[message.run_id])
    elif message.event == "review.overdue":
        asked = urlencode({"due": "overdue", "account__id__exact": str(message.account_id)})
        page = f"{reverse('admin:connections_connection_changelist')}?{asked}"
    else:
        page = reverse("admin:imports_feed_change", args=[message.feed_id])
    return f"{settings.SITE_URL}{page}"


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"

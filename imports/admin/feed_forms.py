"""Forms of feeds and webhooks."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.fields import SecretsForm
from imports.admin.masks import MaskWidget
from imports.feeds.inspecting import describe_presented_key
from imports.filesystems import find_transport, find_transports
from imports.messages.webhooks import check_webhook_url
from imports.models import LONGEST_REASON, Feed, Webhook

ABOUT_THE_SERVER = (
    "host", "port", "user", "password", "host_key", "private_key", "ca_bundle", "certificate_fingerprint", "url",
    "options",
)  # fmt: skip
"""What transports can be told of their server; which of it each one reads, it says itself."""


def find_unread(protocol: str) -> set[str]:
    """Fields of a feed that say nothing with this protocol; none where no installed app speaks it."""
    transport = find_transports().get(protocol)
    return set(ABOUT_THE_SERVER) - set(transport.fields) | set(transport.settled) if transport else set()


class EmailsField(forms.CharField):
    """E-mail addresses, separated by anything that is not part of one."""

    widget = UnfoldAdminTextareaWidget({"rows": 2})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [address for address in re.split(r"[\s,;]+", str(value or "")) if address]

    def run_validators(self, value: Any) -> None:
        for address in value:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"{address} is no e-mail address. Give one per line.") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class FormatField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """What a feed's files are read with: a format, or the standard template."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "empty_label": "the standard template", "blank": False})


class FeedForm(SecretsForm):
    """A feed. Secrets go to no other server than the one that they were typed for."""

    contacts = EmailsField(required=False, help_text="E-mail addresses, one per line; told when something is wrong.")

    class Meta:
        model = Feed
        exclude = ()
        field_classes = {"format": FormatField}
        widgets = {name: UnfoldAdminTextareaWidget({"rows": 3}) for name in ("host_key", "ca_bundle")}
        help_texts = {
            "host_key": "Its SHA256 fingerprint does as well, and one per line. Blank in a new feed: you are shown it.",
            "private_key": "Instead of a password; in OpenSSH or PEM format.",
            "ca_bundle": "The PEM certificates to trust instead of the usual.",
            "certificate_fingerprint": "SHA-256 of the server's own certificate; then it alone is trusted.",
            "options": "What fsspec needs to log in, one name = value per line.",
            "mask": "Of their names: *.csv, customers_{%Y%m%d}*.txt. Blank: *.txt and *.csv.",
            "format": "How its files are read.",
            "last_line": "An empty file always waits for one pull.",
            "ready_when": "settled, or what the file is called that says that another one is whole: {name}.done, "
            "{stem}.ctl rows.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if protocol := self.fields.get("protocol"):
            unread = {name: sorted(find_unread(name)) for name in find_transports()}
            protocol.widget.attrs["data-unread"] = json.dumps(unread)
        if mask := self.fields.get("mask"):
            mask.widget = MaskWidget(self.instance.pk)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk:
            for name in self.instance.find_exposed_secrets(self.changed_data, given=self.changed_data):
                self.add_error(name, "Type it again, or - to remove it: it was given for another server or user.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()
        if not self.errors.keys() & {"account", "protocol", "host", "port"}:
            self._show_presented_key(self.instance)

    def _show_presented_key(self, feed: Feed) -> None:
        """Where the key is missing, once it is certain which server is meant; nobody logs in for that.

        A disabled feed may lack it, and a new one is made disabled: its page shows the keys, to trust one of them.
        """
        pin = find_transport(feed.protocol).pinned_by
        if not pin or getattr(feed, pin).strip():
            return
        is_all = self.errors.keys() <= {pin}
        if is_all and not feed.enabled:
            self.errors.pop(pin, None)
            return
        server = Feed(account=feed.account, protocol=feed.protocol, host=feed.host, port=feed.port)
        said, presented = describe_presented_key(server)
        if is_all and presented and feed._state.adding:
            self.errors.pop(pin, None)
            feed.enabled = False
            return
        advice = f" If the server's operator confirms that, paste: {presented}" if presented else ""
        self.add_error(pin, f"{said}{advice}")


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Webhook
        fields = ["account", "url", "enabled"]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        check_webhook_url(url)
        return url


class ReasonForm(forms.Form):
    """Asked where somebody decides what others will ask about."""

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="Kept with the run, for whoever asks later.",
    )


class ForceForm(ReasonForm):
    """Asked where a release would bring older values back."""

    force = forms.BooleanField(
        label="Release it although a newer file went in",
        widget=UnfoldBooleanWidget,
        help_text="Its customers get the values of this older file.",
        error_messages={"required": "Tick this if that is what you want; go back and reject the file if it is not."},
    )


class DryRunForm(ReasonForm):
    """Asked where much would be written."""

    dry_run = forms.BooleanField(
        label="Only try it",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Count, say what would be left, and change nothing.",
    )

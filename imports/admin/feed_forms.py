"""Forms of feeds and webhooks."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.fields import SecretsForm
from imports.feeds.inspecting import describe_presented_key
from imports.filesystems import find_transport
from imports.messages.webhooks import check_webhook_url
from imports.models import Feed, Webhook


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
        """Where the key is missing, once it is certain which server is meant; nobody logs in for that."""
        pin = find_transport(feed.protocol).pinned_by
        if not pin or getattr(feed, pin).strip():
            return
        server = Feed(account=feed.account, protocol=feed.protocol, host=feed.host, port=feed.port)
        said, presented = describe_presented_key(server)
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


class ForceForm(forms.Form):
    """Asked where a release would bring older values back."""

    force = forms.BooleanField(
        label="Release it although a newer file went in",
        widget=UnfoldBooleanWidget,
        help_text="Its customers get the values of this older file.",
    )


class DryRunForm(forms.Form):
    """Asked where much would be written."""

    dry_run = forms.BooleanField(
        label="Only try it",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Count, say what would be left, and change nothing.",
    )

"""Pages of a format's sample: what comes of it as the draft stands, and the way into a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse

from accounts.users import user_of
from connections.models import Address, Buyer, Door
from imports.admin.answering import AnswerPages
from imports.admin.steps import page_of
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.runs.queued import import_soon
from imports.runs.sampling import find_lacking, send_sample, try_sample
from lookups.directory import LISTS

if TYPE_CHECKING:
    from django.db.models import Model
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from imports.models import FormatVersion
    from imports.onboarding.rehearsal import Rehearsal

_COLLECTIONS: dict[str, type[Model]] = {**LISTS, "addresses": Address, "doors": Door, "buyers": Buyer}
SINGULARS = {name: str(model._meta.verbose_name) for name, model in _COLLECTIONS.items()}


class SamplePages(AnswerPages):
    """Of the admin of versions."""

    def get_urls(self) -> list[Any]:
        pages = {"trial": self.trial_view, "send": self.send_view}
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"imports_formatversion_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def trial_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A dry run of the sample: its first customers, and what would be rejected."""
        version: FormatVersion = self.find_editable(request, object_id)
        context: dict[str, Any] = {"step": "Sample", "version": version}
        try:
            trial = try_sample(version)
        except (FileRejected, SettingsWrong, TryAgainLater) as error:
            context["problem"] = str(error)
        else:
            cards = [_describe_card(customer) for customer in trial.shown]
            context |= {"trial": trial, "lacking": _offer_entries(version, trial), "cards": cards}
        return self.show(request, version, "imports/trial.html", context)

    def send_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The sample goes into one of the account's sandboxes, read with the version."""
        version: FormatVersion = self.find_editable(request, object_id)
        asked = request.GET.get("account", "")
        sandboxes = version.format.account.sandboxes.all()
        sandbox = sandboxes.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
        if sandbox is None:
            raise Http404
        if not user_of(request).may_edit(sandbox.pk):
            raise PermissionDenied

        def take(_: Form | None) -> HttpResponse:
            run = send_sample(version, sandbox, user_of(request))
            import_soon(run)
            return redirect(page_of(run))

        text = [
            f"The sample is imported into {sandbox}, read with {version}. The customers of production stay untouched."
        ]
        return self.confirm(request, version, "Send the sample", text, take)


def _offer_entries(version: FormatVersion, trial: Rehearsal) -> list[tuple[str, list[tuple[str, str]]]]:
    """What lists lack, by list: each entry, and the page that adds it."""
    offered = []
    for name, entries in find_lacking(version, trial).items():
        page = reverse(f"admin:lookups_{LISTS[name]._meta.model_name}_add")
        links = [
            (
                " ".join(dict.fromkeys(filter(None, entry.values()))),
                f"{page}?{urlencode({'account': version.format.account_id, **entry})}",
            )
            for entry in entries
        ]
        offered.append((name.replace("_", " "), links))
    return offered


def _describe_card(customer: dict[str, Any]) -> dict[str, Any]:
    """A customer in lines of name and values; what it has several of is called so only where it has them."""
    lines = []
    for name, value in customer.items():
        if name in ("customer_code", "profile_name", "status") or value in (None, "", []):
            continue
        values = [_say(item) for item in value] if isinstance(value, list) else [_say(value)]
        lines.append(((SINGULARS.get(name, name) if len(values) == 1 else name).replace("_", " "), values))
    return {"code": customer["customer_code"], "name": customer["profile_name"], "lines": lines}


def _say(item: Any) -> str:
    if isinstance(item, dict):
        said = item | {"kind": Address.Kind(item["kind"]).label} if "kind" in item else item
        return ", ".join(str(part) for part in said.values() if part not in (None, ""))
    if isinstance(item, list | tuple):
        return " ".join(map(str, item))
    return {True: "yes", False: "no"}.get(item, str(item)) if isinstance(item, bool) else str(item)

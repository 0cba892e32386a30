"""Junk in the address of a page is answered, and never with an error of ours: every page of the admin is walked."""

import os
from typing import Any

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from connections.models import Connection
from tests.accounts.test_admin import OBJECTS, account, url
from tests.pages import filled_in

__all__ = ["account"]

pytestmark = pytest.mark.django_db

VALUES = ["x", "a\0b", "9" * 30, "-1", "[1,2]", "1,2", "é💥", "True"]
COMMON = ["q", "o", "p", "e", "all", "account", "_popup", "_to_field", "_changelist_filters", "zzz", "zzz__exact"]
"""The first two depend on the model."""
BOTH = ["1", "x"]
"""Read as a list, or as its last."""
THOROUGH = bool(os.environ.get("THOROUGH"))


def parameters_of(model):
    """What a list or a form of the model looks at in an address, and what it might."""
    fields = list(model._meta.fields)
    names = [
        *COMMON,
        *(f"{field.name}__id__exact" if field.is_relation else f"{field.name}__exact" for field in fields),
    ]
    if THOROUGH:
        names += [name for field in fields for name in (field.name, f"{field.name}__isnull")]
    filters: Any = admin.site.get_model_admin(model).list_filter
    for item in filters:
        names.append(getattr(item, "parameter_name", None) or (item[0] if isinstance(item, tuple) else str(item)))
    for related in model._meta.related_objects:
        names.append(f"{related.get_accessor_name()}-page")
    return list(dict.fromkeys(names))


def pages_of(model, instance):
    pages = []
    names: list[tuple[str, tuple[Any, ...]]] = [("changelist", ()), ("add", ()), ("import", ()), ("export", ())]
    names += [(name, (instance.pk,)) for name in ("change", "delete", "history")]
    for pattern in admin.site.get_model_admin(model).get_urls():
        if pattern.name and "<path:object_id>" in str(pattern.pattern):
            names.append((pattern.name, (instance.pk,)))
    for name, args in dict.fromkeys(names):
        for candidate in (lambda: url(model, name, *args), lambda: reverse(f"admin:{name}", args=args)):  # noqa: B023  (called at once)
            try:
                pages.append(candidate())
            except NoReverseMatch:
                continue
    return list(dict.fromkeys(pages))


def test_junk_for_an_entry_that_is_searched_for_is_an_error_of_its_field(client, account):
    client.raise_request_exception = False
    page = url(Connection, "change", account.connections.get().pk)
    data = filled_in(client.get(page))
    for junk in ("a\0b", "💥", "9" * 30):
        for name in ("sales_rep", "connectionpricetype_set-0-lookup"):
            answer = client.post(page, {**data, name: junk})
            assert (answer.status_code, b'id="problems"' in answer.content) == (200, True), (name, junk)


def test_junk_in_the_search_box_is_no_error(client, account):
    client.raise_request_exception = False
    assert [client.get("/admin/search/", {"s": value}).status_code for value in VALUES] == [
        400 if "\0" in value else 200 for value in VALUES
    ]


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_junk_in_the_address_of_a_page_is_no_error(client, account, model):
    client.raise_request_exception = False
    instance = OBJECTS[model](account)
    names = parameters_of(model)
    failed = []
    for page in pages_of(model, instance):
        is_list, is_form = page.endswith(f"/{model._meta.model_name}/"), page.endswith("/add/")
        values = VALUES if THOROUGH else VALUES[1:4] if is_list else VALUES[1:2] if is_form else []
        queries: list[dict[str, Any]] = [dict.fromkeys(names, value) for value in [*values, BOTH]]
        if is_list or THOROUGH:  # one by one, because a list turns back at the first that it cannot understand
            alone = names if THOROUGH or model is Connection else [name for name in names if name not in COMMON[2:]]
            queries += [{name: value} for name in alone for value in (VALUES if THOROUGH else ["x"])]
        for query in queries:
            if (status := client.get(page, query).status_code) >= 500:
                failed.append((page, list(query)[:3], list(query.values())[:1], status))
    assert not failed, "\n".join(map(str, failed))


@pytest.mark.parametrize("object_id", ["x", "9" * 30, "a_00b", "é"])
def test_a_number_that_is_none_is_no_error(client, account, object_id):
    client.raise_request_exception = False
    for model in admin.site._registry:
        for name in ("change", "delete", "history"):
            assert client.get(url(model, name, object_id)).status_code < 500, (model, name)


@pytest.mark.parametrize("value", VALUES)
def test_a_search_for_choices_answers_junk(client, account, value):
    client.raise_request_exception = False
    query = {"app_label": "connections", "model_name": "connection", "field_name": "sales_rep"}
    for name in ("term", "page", "account", *query):
        answer = client.get(reverse("admin:autocomplete"), {"term": "r", **query, name: value})
        assert answer.status_code < 500, name


@pytest.mark.parametrize("chosen", ["x", "9" * 30, "a\0b"])
def test_an_action_on_what_is_none_is_no_error(client, account, chosen):
    client.raise_request_exception = False
    for model in admin.site._registry:
        for action in {"delete_selected", *(admin.site.get_model_admin(model).actions or ())}:
            answer = client.post(url(model, "changelist"), {"action": action, "_selected_action": chosen, "index": "0"})
            assert answer.status_code < 500, (model, action)

"""Pages as a browser understands them: what it would send of a form that nobody has touched, and the text it shows."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class _Form(HTMLParser):
    """Collects the successful controls of the form on the page that is posted (not those of rows yet to be added)."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self.text: list[str] = []
        self._inside = False
        self._select: tuple[str, bool, list[str], list[str]] | None = None
        self._area: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name") or ""
        if tag == "form":
            self._inside = attributes.get("method") == "post" and "logout" not in (attributes.get("id") or "")
        elif tag == "input" and (self._inside or attributes.get("form")):
            self._take_input(name, attributes)
        elif tag == "select" and self._inside:
            self._select = (name, "multiple" in attributes, [], [])
        elif tag == "option" and self._select:
            value = attributes.get("value") or ""
            self._select[2].append(value)
            if "selected" in attributes:
                self._select[3].append(value)
        elif tag == "textarea" and self._inside:
            self._area = (name, [])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select:
            name, multiple, options, chosen = self._select
            if multiple:
                self._put(name, chosen)
            elif chosen or options:
                self._put(name, chosen[-1] if chosen else options[0])
            self._select = None
        elif tag == "textarea" and self._area:
            name, parts = self._area
            self._put(name, "".join(parts).removeprefix("\n").removeprefix("\r\n"))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1].append(data)
        elif data.strip():
            self.text.append(" ".join(data.split()))

    def _take_input(self, name: str, attributes: dict[str, str | None]) -> None:
        kind = attributes.get("type", "text")
        if "disabled" in attributes or kind in ("submit", "button", "file", "image"):
            return
        if kind in ("checkbox", "radio"):
            if "checked" in attributes:
                self._put(name, attributes.get("value") or "on")
            return
        value: Any = attributes.get("value") or ""
        if kind == "hidden" and name in self.data:  # one for each of several that were chosen
            before = self.data[name]
            value = [*before, value] if isinstance(before, list) else [before, value]
        self._put(name, value)

    def _put(self, name: str, value: Any) -> None:
        if name and "__prefix__" not in name and name != "csrfmiddlewaretoken":
            self.data[name] = value


def _read(response: Any) -> _Form:
    """Read once, however often it is asked for."""
    form: _Form | None = getattr(response, "read_by_tests", None)
    if form is None:
        form = response.read_by_tests = _Form()
        form.feed(response.content.decode().replace("<wbr>", ""))
    return form


def filled_in(response: Any) -> dict[str, Any]:
    """What a browser would send of the page's form."""
    return dict(_read(response).data)


def text_of(response: Any) -> str:
    """What the page says, without its markup."""
    return " ".join(_read(response).text)


def errors_of(response: Any) -> str:
    """All messages of a form that was not accepted."""
    found = [str(response.context["adminform"].form.errors)]
    for inline in response.context["inline_admin_formsets"]:
        found += [str(inline.formset.errors), str(inline.formset.non_form_errors())]
    return " ".join(found)


def new_row(data: dict[str, Any], prefix: str, **values: Any) -> None:
    """Press "Add another" below an inline and fill the row."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    data[f"{prefix}-TOTAL_FORMS"] = number + 1
    data.update({f"{prefix}-{number}-{name}": value for name, value in values.items()})

"""Forms of formats: onboarding from a sample, the settings of a draft, its columns, and its next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.formsets import RowsAsPosted
from imports.formats.countries import LANGUAGES
from imports.formats.documents import describe_marks, read_mark, read_marks, read_quote
from imports.formats.encodings import UnknownEncoding, find_encoding
from imports.formats.policies import AssignmentMode, FormatError, UnknownLookup
from imports.formats.sections import NAMED_MARKS
from imports.formats.spec import BadValue, Blank, Ownership
from imports.models import FormatColumn, FormatVersion
from imports.template import ASSIGNMENTS
from lookups.directory import LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class MarkField(forms.CharField):
    """One character, which may be a space or a tab and may be named."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return next((name for name in ("tab", "space") if NAMED_MARKS[name] == value), value)

    def to_python(self, value: Any) -> str:
        try:
            return read_mark(super().to_python(value) or "")
        except FormatError as error:
            raise ValidationError(str(error)) from None


class QuoteField(MarkField):
    """One character or the word none, by which "" comes; None where it is left blank."""

    def to_python(self, value: Any) -> str | None:  # type: ignore[override]  # blank is another answer than none
        try:
            return read_quote(value or "")
        except FormatError as error:
            raise ValidationError(str(error)) from None


class LinesField(forms.CharField):
    """A list of texts, each on a line of its own."""

    widget = UnfoldAdminTextareaWidget({"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list where others have a text
        lines = (super().to_python(value) or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != self.to_python(self.prepare_value(initial))


class MarksField(forms.CharField):
    """What rows with a value in a column are, as lines of "column: value = leave_out"."""

    widget = UnfoldAdminTextareaWidget({"rows": 3, "placeholder": "LOEVM: X = leave_out"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(write_marks(value)) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> dict[str, dict[str, str]]:  # type: ignore[override]  # a mapping, not a text
        marks: dict[str, dict[str, str]] = {}
        for line in filter(str.strip, (super().to_python(value) or "").splitlines()):
            left, _, meaning = line.rpartition("=")
            name, _, mark = left.rpartition(":")
            if not name.strip():
                raise ValidationError(f"{line.strip()!r} is not written as column: value = leave_out.")
            marks.setdefault(name.strip(), {})[mark.strip()] = meaning.strip()
        try:
            return describe_marks(read_marks(marks))
        except FormatError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != self.to_python(self.prepare_value(initial))
        except ValidationError:
            return True


def write_marks(row_marks: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The same lines."""
    return [f"{name}: {mark} = {meaning}" for name, marks in row_marks.items() for mark, meaning in marks.items()]


class DraftForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The settings of a version; what is kept as a mapping is chosen kind by kind."""

    delimiter = MarkField(help_text="One character, or comma, pipe, semicolon, tab, space.")
    quotechar = MarkField(required=False, label="Quote", help_text="Blank for none.")
    escapechar = MarkField(required=False, label="Escape", help_text="Blank for none.")
    ignore_lines = LinesField(
        required=False,
        help_text="Masks of lines that are no rows, wherever they stand, each on a line of its own: ---* or Page *.",
    )

    row_marks = MarksField(
        required=False,
        help_text="Rows that are no customers for a mark in a column, each on a line: LOEVM: X = leave_out. "
        "Those that are customers like others are taken: Blocked: All = take.",
    )
    languages = forms.MultipleChoiceField(
        required=False,
        choices=list(LANGUAGES.items()),
        widget=UnfoldAdminSelectMultipleWidget,
        help_text="In which the file names countries, beside English.",
    )

    class Meta:
        model = FormatVersion
        fields = [
            "encoding",
            "delimiter",
            "quotechar",
            "escapechar",
            "has_header",
            "skip_lines",
            "footer",
            "allow_spaced_delimiter",
            "width",
            "ignore_lines",
            "spaces_around_quotes",
            "clear_token",
            "languages",
            "conflict",
            "swallowed_lines",
            "encoded_twice",
            "words_for_nothing",
            "blank_code",
            "row_marks",
            "max_error_percent",
            "max_change_percent",
            "max_near_key_percent",
            "allow_trailing_delimiter",
            "allow_short_rows",
            "full_files",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.policy_fields():
            mapping, _, kind = name.partition("__")
            if name in self.fields:
                self.fields[name].initial = getattr(self.instance, mapping).get(kind, "")

    @staticmethod
    def policy_fields() -> list[str]:
        """The names of the choices by kind, "unknown_lookup__warehouses"."""
        return [f"assignments__{kind.value}" for kind in ASSIGNMENTS] + [f"unknown_lookup__{name}" for name in LISTS]

    def clean_encoding(self) -> str:
        try:
            return find_encoding(self.cleaned_data["encoding"])
        except UnknownEncoding as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for mapping in ("assignments", "unknown_lookup"):
            names = [name for name in self.policy_fields() if name.startswith(mapping) and cleaned.get(name)]
            setattr(self.instance, mapping, {name.partition("__")[2]: cleaned[name] for name in names})
        return cleaned


def _policy_field(name: str) -> forms.ChoiceField:
    mapping, _, kind = name.partition("__")
    if mapping == "assignments":
        choices = [("", "replace the stored ones"), (AssignmentMode.ADD.value, "join the stored ones")]
        label = f"{kind.replace('_', ' ').capitalize()} of a file"
    else:
        policies = [UnknownLookup.SKIP, *([UnknownLookup.CREATE] if kind != "sales_reps" else [])]
        words = {UnknownLookup.SKIP: "skip the field, with a warning", UnknownLookup.CREATE: "create it"}
        choices = [("", "reject the customer"), *((policy.value, words[policy]) for policy in policies)]
        label = f"Unknown {kind.replace('_', ' ')}"
    return forms.ChoiceField(required=False, choices=choices, label=label, widget=UnfoldAdminSelectWidget)


for _name in DraftForm.policy_fields():
    DraftForm.base_fields[_name] = _policy_field(_name)
    DraftForm.declared_fields[_name] = DraftForm.base_fields[_name]


class ValueMapField(forms.CharField):
    """A value map as lines of "cell = value"."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 1, "cols": 16, "placeholder": "cell = value"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{cell} = {text}" for cell, text in sorted(value.items()))

    def to_python(self, value: Any) -> Any:
        pairs: dict[str, str] = {}
        for line in (super().to_python(value) or "").splitlines():
            cell, equals, text = line.rpartition("=")
            if line.strip() and not equals:
                raise ValidationError(f"{line.strip()!r} is not written as cell = value.")
            if equals:
                pairs[cell.strip()] = text.strip()
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))
        except ValidationError:
            return True


def _short_choice(choices: type[Blank | Ownership | BadValue]) -> forms.ChoiceField:
    """A choice in as few words as a narrow table needs."""
    words = [(choice.value, choice.value.replace("_", " ")) for choice in choices]
    return forms.ChoiceField(choices=words, initial=words[0][0], widget=UnfoldAdminSelectWidget)


class ColumnForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """One column of a draft."""

    value_map = ValueMapField(required=False)
    target = forms.CharField(
        max_length=60,
        label="Field",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "template-fields", "size": 22}),
    )
    order = forms.IntegerField(required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget)
    blank = _short_choice(Blank)
    ownership = _short_choice(Ownership)
    bad_value = _short_choice(BadValue)

    class Meta:
        model = FormatColumn
        fields = [
            "order",
            "source",
            "position",
            "constant",
            "target",
            "value_map",
            "default",
            "blank",
            "ownership",
            "bad_value",
        ]
        widgets: ClassVar = {
            "source": UnfoldAdminTextInputWidget(attrs={"size": 20}),
            "position": UnfoldAdminTextInputWidget(attrs={"size": 2, "inputmode": "numeric"}),
            "constant": UnfoldAdminTextInputWidget(attrs={"size": 12}),
            "default": UnfoldAdminTextInputWidget(attrs={"size": 6}),
        }


class ColumnsInOrder(RowsAsPosted):
    """New columns come last, where nobody has put them elsewhere."""

    def clean(self) -> None:
        super().clean()
        last = max((form.cleaned_data.get("order") or 0 for form in self.forms if form.is_valid()), default=0)
        for form in self.forms:
            if form.is_valid() and form.cleaned_data.get("order") is None and form.has_changed():
                last += 1
                form.instance.order = last


class ApprovalForm(forms.Form):
    """The reason for going live, which less than two weeks of testing ask for."""

    reason = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Needed when the version was tested for less than two weeks; it is kept.",
    )

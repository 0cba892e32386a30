"""Names and codes in narrow columns, which would otherwise break within their words."""

from __future__ import annotations

import re

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

_MARKS = re.compile(r"(?<=[_./@-])(?=.)")


def wrapping(text: object) -> str:
    """The text, whose line may end behind each of its marks: `payment_` and `terms_code`."""
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in _MARKS.split(str(text))))

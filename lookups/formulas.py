"""Text that a spreadsheet would take for a formula: marked in what a browser downloads, and read back as it was."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_MARKED = re.compile(r"'(?='*[=+\-@\t\r\n＝＋－＠])")


def mark_formula(text: str) -> str:
    """With an apostrophe in front, as spreadsheets write text that only looks like a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unmark_formula(text: str) -> str:
    return text[1:] if _MARKED.match(text) else text

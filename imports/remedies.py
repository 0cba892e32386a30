"""Remedies: what ends each kind of issue, and who must do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.counting import counted
from imports.models import Issue

if TYPE_CHECKING:
    from collections.abc import Mapping

_SENDER = "The sender corrects"

REMEDIES = {
    "changed_since": "It was left as it is. Whoever wants the older value enters it on the connection's page.",
    "conflict": "The rows of one customer say different things. The sender makes them agree.",
    "control_character": f"{_SENDER} the text: it holds characters that cannot be seen.",
    "doubled_column": "The sender names each column once, or a version of the format says which of them is meant.",
    "doubtful_country": "The sender corrects the country of the address; if it is right, nothing is to be done.",
    "empty_file": "The sender's export wrote nothing. The sender sends the file again, with its header and customers.",
    "encoded_twice": "The sender's export encodes its text twice, or for another program; it writes plain text, once.",
    "failed_repeatedly": "The operator looks at what failed; released, the file is tried once more.",
    "invalid_boolean": f"{_SENDER} it to yes or no, or a version of the format says what the word means.",
    "invalid_choice": f"{_SENDER} it, or a version of the format says what the word means.",
    "invalid_country": f"{_SENDER} it to a country's name or code, or a version of the format says which one is meant.",
    "invalid_currency": f"{_SENDER} it to an ISO 4217 code, or a version of the format says which one is meant.",
    "invalid_email": f"{_SENDER} the e-mail address.",
    "invalid_integer": f"{_SENDER} the number.",
    "invalid_website": f"{_SENDER} the address of the website.",
    "kept": "Nothing, unless the file is to win: then a version of the format gives it the field, or whoever keeps the "
    "value lets it go.",
    "late_file": "If newer values were overwritten, undo the run or have the newer file sent again; otherwise nothing "
    "is to be done.",
    "left_out": "Nothing: the format leaves such rows out.",
    "line_too_long": "The sender exports the file as text, with an end to each line, and sends it again.",
    "lost_character": "The sender's export lost characters; it is written again, in the agreed encoding.",
    "lost_line_ends": "The sender exports the file again, with an end to each line.",
    "malformed_quote": "The sender doubles quotes within cells, or a version of the format says how they are written.",
    "mangled_code": "A spreadsheet has changed the code. The sender exports it as text and sends the file again.",
    "mangled_value": "A spreadsheet has changed the value. The sender exports it as text and sends the file again.",
    "marked_name": "The sender leaves such customers out, or they are rejected in review; if it is a name, nothing "
    "is to be done.",
    "missing_column": "The sender brings the column back, or a version of the format does without it.",
    "missing_footer": "The file may have been cut. The sender sends it again, whole.",
    "moved_header": "The sender puts the header where it was, or a version of the format says where it stands.",
    "name_differs": "The list's name stays. If the new one is right, load the list with it.",
    "near_address": "If it is the same address, the sender corrects its code; otherwise nothing is to be done.",
    "near_entry": "If it is the same entry, the sender uses the code of the list, and the new one is deleted there.",
    "near_key": "If it is the same customer, the sender corrects its code; otherwise nothing is to be done.",
    "not_replayed": "It was left, because it came again since or cannot be found. The message says where.",
    "not_text": "The sender exports the customers as delimited text (.txt or .csv) and sends that.",
    "nul": "The file is damaged there. The sender exports it again.",
    "open_end": "If the row was cut, the sender sends it again, whole; otherwise the last row ends as all others do.",
    "other_delimiter": "The sender uses the agreed delimiter, or a version of the format names the new one.",
    "other_header": "The sender sends files apart, each with the agreed columns.",
    "placeholder": "The sender sends the value itself, or leaves the cell blank; if it is one, nothing is to be done.",
    "rejected_connection": "It was rejected in review. Approve it there if its files are to count.",
    "renamed_column": "The sender names the column as before, or a version of the format reads the new name.",
    "repeated_address": "The sender may leave the repeated address out; nothing else is to be done.",
    "required": "The sender fills it in, or a version of the format gives a default.",
    "row_mark": "A version of the format says whether such rows are left out or taken, or the sender leaves them out.",
    "short_row": "The sender writes all cells of the row.",
    "slipped_column": "If a column is sorted or moved, undo the run; the sender sends the file as the ERP writes it.",
    "stale_value": "The sender sends it anew, or it is corrected on the customer's page.",
    "swallowed_lines": "A quote is open in the row. The sender closes it or doubles it.",
    "too_long": "The sender shortens it: nothing is cut off here.",
    "totals_row": "The sender leaves the row out, or a version of the format ignores such lines.",
    "unexpected_header": "The sender leaves the header out, or a version of the format reads one.",
    "unknown_column": "It is not read. A version of the format maps it, if it matters.",
    "unknown_lookup": "Add the entry to its list, or the sender uses one that is there.",
    "unknown_state": "The sender corrects the state; if it is right, nothing is to be done.",
    "unread_address": "The sender corrects the kind of the address, or the columns it stands in.",
    "unterminated_quote": "The sender closes the quote, or a version of the format has no quote character.",
    "word_for_nothing": "The sender leaves the cell blank, or a version of the format takes the word for blank.",
    "wrong_count": "Rows are missing or too many. The sender sends the file again, whole.",
    "wrong_encoding": "The sender uses the agreed encoding, or a version of the format names the new one.",
    "wrong_number_of_cells": "The sender writes as many cells as the header has, and quotes those with a delimiter.",
}  # fmt: skip

MAPPED = {"invalid_boolean", "invalid_choice", "invalid_country", "invalid_currency", "unknown_lookup"}
"""Codes of values that a format's value map can turn into right ones."""


def find_remedy(code: str, severity: str) -> str:
    """What ends such issues, in a sentence or two."""
    if code in REMEDIES:
        return REMEDIES[code]
    if severity == Issue.Severity.ERROR:
        return "The sender corrects what the message says and sends the rows again."
    return "Nothing has to be done; the sender may want to know."


def say_extent(group: Mapping[str, Any]) -> str:
    """How many customers and how many issues a group of a run's issues has."""
    issues = counted(group["issues"], "issue")
    if not group["customers"]:
        return issues
    return f"{'at least ' if group['has_more'] else ''}{counted(group['customers'], 'customer')}, {issues}"

"""Formats of files and their versions, feeds that fetch files, and the runs of files through the pipeline."""

from imports.models.columns import FormatColumn
from imports.models.feeds import Feed
from imports.models.formats import Format, FormatVersion
from imports.models.issues import Issue
from imports.models.kept_files import KeptFile
from imports.models.learned import LearnedHeader
from imports.models.messages import Heartbeat, Message, Webhook
from imports.models.pulls import Pull
from imports.models.runs import LONGEST_REASON, Run

__all__ = [
    "LONGEST_REASON",
    "Feed",
    "Format",
    "FormatColumn",
    "FormatVersion",
    "Heartbeat",
    "Issue",
    "KeptFile",
    "LearnedHeader",
    "Message",
    "Pull",
    "Run",
    "Webhook",
]

"""Admin of feeds, formats, runs and messages. The queue's own pages belong to no account, and are left out."""

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from imports.admin.connections import ExchangingConnectionAdmin
from imports.admin.feeds import FeedAdmin, PullAdmin
from imports.admin.formats import FormatAdmin
from imports.admin.issues import IssueAdmin
from imports.admin.messages import MessageAdmin, WebhookAdmin
from imports.admin.runs import RunAdmin
from imports.admin.versions import FormatVersionAdmin

__all__ = [
    "ExchangingConnectionAdmin",
    "FeedAdmin",
    "FormatAdmin",
    "FormatVersionAdmin",
    "IssueAdmin",
    "MessageAdmin",
    "PullAdmin",
    "RunAdmin",
    "WebhookAdmin",
]

for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

from collections.abc import Collection
from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_delete, post_migrate
from django.urls import reverse_lazy

from accounts.plugins import link_to_list
from accounts.tallies import Kind


class ImportsConfig(AppConfig):
    name = "imports"
    default_auto_field = "django.db.models.BigAutoField"

    api_urls = ["imports.api.urls"]
    api_schema = ["imports.api.schema.describe_schema"]
    api_enums = {
        "RunStatus": "imports.models.Run.Status",
        "VersionStatus": "imports.models.FormatVersion.Status",
    }
    shortcuts = [("Upload a file", "admin:imports_run_upload")]
    home_needs = ["imports.admin.home.find_needs"]
    home_panels = ["imports.admin.home.show_awaited", "imports.admin.home.show_runs", "imports.admin.home.show_feeds"]
    search = ["imports.admin.searching.find"]
    list_notices = ["imports.admin.entries.notice_awaited"]
    field_writers = ["imports.overwriting.find_written"]
    run_names = ["imports.describing.name_runs"]
    holdings = [f"imports.holdings.{name}" for name in ("RUNS", "COPIES", "ISSUES", "PULLS", "MESSAGES")]
    prunes = [
        "imports.pruning.files.Copies",
        "imports.pruning.files.Rejects",
        "imports.pruning.files.Samples",
        "imports.pruning.files.Unnamed",
        "imports.pruning.changes.Changes",
        "imports.pruning.rows.Issues",
        "imports.pruning.rows.Messages",
        "imports.pruning.rows.Pulls",
        "imports.pruning.rows.Runs",
        "imports.pruning.rows.QueueResults",
    ]
    health_checks = ["imports.health.find_problems"]
    monitor_checks = ["imports.health.find_problems_of_others"]
    figures = ["imports.figures.find"]
    tallies = {
        "runs_total": Kind("Runs that ended.", ("kind", "status")),
        "run_rows_total": Kind("Data records of files that were imported."),
        "run_customers_total": Kind("Customers in them, by what became of them.", ("outcome",)),
        "run_step_seconds_total": Kind("Seconds of runs, by step.", ("step",)),
        "pulls_total": Kind("Pulls that ended.", ("status",), (("succeeded",), ("failed",))),
        "pull_seconds_total": Kind("Seconds of pulls, with the runs in them."),
        "deliveries_total": Kind("Attempts to deliver messages.", ("channel", "outcome")),
    }
    transports = [
        "imports.filesystems.transports.SFTP",
        "imports.filesystems.transports.FTPS",
        "imports.filesystems.transports.ImplicitFTPS",
        "imports.filesystems.transports.FTP",
        "imports.filesystems.transports.Folder",
        "imports.filesystems.transports.URL",
    ]
    channels = [
        "imports.messages.webhooks.WebhookChannel",
        "imports.messages.mailing.EmailChannel",
        "imports.feeds.outbox.OutboxChannel",
    ]
    navigation = [
        {
            "title": "Imports",
            "items": [
                {"title": "Feeds", "icon": "cloud_download", "link": reverse_lazy("admin:imports_feed_changelist")},
                {"title": "Pulls", "icon": "schedule", "link": reverse_lazy("admin:imports_pull_changelist")},
                {
                    "title": "Formats",
                    "icon": "schema",
                    "link": reverse_lazy("admin:imports_format_changelist"),
                    "beyond": [reverse_lazy("admin:imports_formatversion_changelist")],
                },
                {
                    "title": "Runs",
                    "icon": "upload_file",
                    "link": reverse_lazy("admin:imports_run_changelist"),
                },
                {
                    "title": "To decide",
                    "icon": "gavel",
                    "link": link_to_list("imports_run", "awaits=yes&kind=production"),
                    "badge": "imports.admin.runs.held_badge",
                },
                {"title": "Issues", "icon": "error", "link": reverse_lazy("admin:imports_issue_changelist")},
                {"title": "Messages", "icon": "mail", "link": reverse_lazy("admin:imports_message_changelist")},
                {"title": "Webhooks", "icon": "webhook", "link": reverse_lazy("admin:imports_webhook_changelist")},
            ],
        },
    ]

    def ready(self) -> None:
        from imports import checks
        from imports.copies import delete_bytes, release_of

        for model in ("imports.Run", "imports.Format"):
            post_delete.connect(release_of, sender=model, dispatch_uid=f"release_of_{model}")
        post_delete.connect(delete_bytes, sender="imports.KeptFile", dispatch_uid="delete_bytes")
        register(checks.check_queue, "settings")
        register(checks.check_storage, deploy=True)
        register(checks.check_sessions, Tags.database)
        register(checks.check_database, Tags.database)
        post_migrate.connect(add_schedule, sender=self, dispatch_uid="add_schedule")

    def describe_work(self, accounts: Collection[int]) -> str:
        """What is being written in these accounts now; blank for nothing."""
        from imports.models import Run

        running = Run.objects.filter(account__in=accounts, status=Run.Status.RUNNING).select_related("account")
        run = running.order_by("-id").first()
        if run is None:
            return ""
        if run.undoes_id is not None:
            return f"run {run.undoes_id} is being undone in {run.account.code}"
        return f"the file {run.file_name} is being imported into {run.account.code}"


def add_schedule(**_: Any) -> None:
    """The schedule: what is due is queued every minute, and what was kept long enough goes every hour.

    Every `migrate` makes sure of it.
    """
    from django_q.models import Schedule

    from imports.lanes import Lane

    every_minute = {"schedule_type": Schedule.MINUTES, "minutes": 1, "cluster": Lane.PROMPT}
    every_hour = {"schedule_type": Schedule.HOURLY, "cluster": Lane.BULK}
    for name, when in (("enqueue_due", every_minute), ("prune", every_hour)):
        defaults = {"func": f"imports.tasks.{name}", "repeats": -1, **when}
        Schedule.objects.update_or_create(name=name, defaults=defaults)

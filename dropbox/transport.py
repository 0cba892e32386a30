"""The drop box as a transport: feeds read their files from our own storage."""

from __future__ import annotations

from typing import Any, ClassVar

from imports.filesystems import Server, ServerSettings


class DropBox(Server):
    """Nobody is asked: senders come to us. What is listed was uploaded to its end."""

    protocol = "dropbox"
    label = "drop box: senders bring the files here"
    fields: ClassVar[tuple[str, ...]] = ()
    lists_whole_files = True
    settled: ClassVar[dict[str, Any]] = {
        "folder": "",
        "processed_folder": "processed",
        "failed_folder": "failed",
        "outbox_folder": "out",
        "settle_seconds": 0,
    }
    page = "admin:dropbox_login_guide"

    @classmethod
    def open(cls, settings: ServerSettings) -> Server:
        from dropbox.boxes import BoxServer

        return BoxServer(settings)

    @classmethod
    def prepare(cls, feed: int) -> str:
        from dropbox.guide import write_guide
        from dropbox.logins import make_login
        from dropbox.models import Login

        if Login.objects.filter(feed=feed).exists():
            return ""
        login, password = make_login(feed)
        return write_guide(login, password)

    @classmethod
    def name_server(cls, settings: ServerSettings) -> str:
        return "drop box"

    @classmethod
    def name_in_messages(cls, settings: ServerSettings) -> str:
        return "the drop box"

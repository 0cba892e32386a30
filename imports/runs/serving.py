"""Serve: what is kept of a run, to whoever may see the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import FileResponse, Http404

from imports.copies import open_copy
from imports.storage import CopyGone
from imports.wording import file_name

if TYPE_CHECKING:
    from imports.models import KeptFile


def serve_file(kept: KeptFile | None, name: str) -> FileResponse:
    """The file as a download that no browser shows, streamed.

    Raises Http404 where none is kept any more, StorageUnreachable and StorageRefused.
    """
    try:
        opened = open_copy(kept, name)
    except CopyGone as error:
        raise Http404(str(error)) from None
    return FileResponse(opened, as_attachment=True, filename=file_name(name), content_type="application/octet-stream")

"""Serve: what is kept of a run, to whoever may see the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import FileResponse, Http404

from imports.wording import file_name

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile


def serve_file(file: FieldFile, name: str) -> FileResponse:
    """The file as a download that no browser shows, streamed. Raises Http404 where none is kept any more."""
    if not file:
        raise Http404
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(opened, as_attachment=True, filename=file_name(name), content_type="application/octet-stream")

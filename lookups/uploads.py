"""Files of lists between their preview and the confirmation: in folders of our own, one for each upload.

The form that comes back names its file by a signed text that is good for one person, one list and one day, so nobody
can have another file read or removed.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import BaseStorage

if TYPE_CHECKING:
    from pathlib import Path

    from accounts.models import User

KEPT_SECONDS = 24 * 60 * 60
GONE = "The uploaded file is not here any more. Import it again."


def _folder() -> Path:
    folder: Path = settings.DATA_DIR / "waiting-lists"
    return folder


def remove_old_uploads() -> None:
    """What was never confirmed, of whomever."""
    oldest = time.time() - KEPT_SECONDS
    for folder in _folder().glob("*"):
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


class WaitingList(BaseStorage):
    """A file of its own for each upload; its name comes from here alone."""

    def __init__(self, *, name: str = "", **_: Any) -> None:
        super().__init__(name=name)

    @property
    def path(self) -> Path:
        return _folder() / str(self.name) / "list"

    def save(self, data: bytes) -> None:
        remove_old_uploads()
        self.name = uuid4().hex
        self.path.parent.mkdir(parents=True, mode=0o700)
        self.path.touch(mode=0o600)
        self.path.write_bytes(data)

    def read(self) -> bytes:
        return self.path.read_bytes()

    def remove(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)


class SignedConfirmForm(ConfirmImportForm):
    """The second step: takes nothing but what the first one made, for the same person and list."""

    def __init__(self, *args: Any, user: User, label: str, formats: int, resources: int, **kwargs: Any) -> None:
        self.scope = f"waiting-list:{label}:{user.pk}"
        self.limits = {"format": formats, "resource": resources}
        if name := (kwargs.get("initial") or {}).get("import_file_name"):
            kwargs["initial"] |= {"import_file_name": signing.dumps(name, salt=self.scope)}
        super().__init__(*args, **kwargs)

    def clean_import_file_name(self) -> str:
        try:
            name = str(signing.loads(self.cleaned_data["import_file_name"], salt=self.scope, max_age=KEPT_SECONDS))
        except signing.BadSignature:
            raise ValidationError(GONE) from None
        if not WaitingList(name=name).path.is_file():
            raise ValidationError(GONE)
        return name

    def _clean_number(self, name: str) -> str:
        text = str(self.cleaned_data.get(name) or "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 3 and int(text) < self.limits[name]):
            raise ValidationError("The page did not send what it was given. Import the file again.")
        return text

    def clean_format(self) -> str:
        return self._clean_number("format")

    def clean_resource(self) -> str:
        return self._clean_number("resource")

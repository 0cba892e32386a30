"""What can be wrong with copies in the storage, named after who must act."""

from __future__ import annotations

from imports.errors import SettingsWrong, TryAgainLater


class StorageUnreachable(TryAgainLater):
    """It does not answer, or gave up in the middle."""


class StorageRefused(SettingsWrong):
    """It does not take or give bytes until its operator has changed something."""


class CopyGone(SettingsWrong):
    """The bytes are not there any more, or not as they were."""

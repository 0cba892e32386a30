"""Errors of the pipeline, as the API answers them."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rest_framework.exceptions import APIException

from accounts.api.problems import Conflict, Unavailable
from imports.errors import FileRejected, SettingsWrong, TryAgainLater
from imports.formats.policies import FormatError
from imports.storage import StorageRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)


class Unprocessable(APIException):
    """The file or document can be read and makes no sense."""

    status_code = 422
    default_code = "unprocessable"


@contextmanager
def answering() -> Iterator[None]:
    """Errors named after who must act, as statuses: 409 the caller, 422 who wrote the document, 503 nobody, or whoever
    runs the site, whom the log tells.
    """
    try:
        yield
    except StorageRefused as error:
        logger.error("%s", error)
        raise Unavailable(str(error)) from None
    except SettingsWrong as error:
        raise Conflict(str(error)) from None
    except TryAgainLater as error:
        raise Unavailable(str(error)) from None
    except (FormatError, FileRejected) as error:
        raise Unprocessable(str(error)) from None

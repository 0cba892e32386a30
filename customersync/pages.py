"""The static files of the pages, without which in production no page is answered."""

from __future__ import annotations

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured


def require_collected() -> None:
    """Raise ImproperlyConfigured where `collectstatic` was not run, or not since a release that brought more files."""
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if collected is None:  # in development they come from where the applications have them
        return
    for finder in get_finders():
        for path, source in finder.list(["CVS", ".*", "*~"]):
            name = "/".join(filter(None, (getattr(source, "prefix", None), path.replace("\\", "/"))))
            if name not in collected:
                raise ImproperlyConfigured(
                    f"The pages need {name}, which is not among the collected files in {settings.STATIC_ROOT}. "
                    "Run manage.py collectstatic --noinput, as after every update, and start again."
                )

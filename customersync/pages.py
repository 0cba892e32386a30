"""The static files of the pages, without which in production no page is answered."""

from __future__ import annotations

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage


def describe_uncollected() -> str:
    """What is missing where `collectstatic` was not run, or not since a release that brought more; "" for nothing."""
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if collected is None:  # in development they come from where the applications have them
        return ""
    for finder in get_finders():
        for path, source in finder.list(["CVS", ".*", "*~"]):
            name = "/".join(filter(None, (getattr(source, "prefix", None), path.replace("\\", "/"))))
            if name not in collected:
                return (
                    f"No page is answered before {name} is among the collected files in {settings.STATIC_ROOT}. "
                    "Run manage.py collectstatic --noinput, as after every update, and start again."
                )
    return ""

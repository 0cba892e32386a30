"""The static files of the pages, as `collectstatic` leaves them."""

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import ImproperlyConfigured

from customersync import pages


def test_a_file_that_a_release_brought_is_missed_until_it_is_collected(tmp_path, monkeypatch):
    collected = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    collected.hashed_files = {path: path for finder in get_finders() for path, _ in finder.list([])}
    monkeypatch.setattr(pages, "staticfiles_storage", collected)
    pages.require_collected()
    del collected.hashed_files["console/console.js"]
    with pytest.raises(ImproperlyConfigured, match=r"The pages need console/console\.js, .* collectstatic"):
        pages.require_collected()

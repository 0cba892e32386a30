"""The static files of the pages, as `collectstatic` leaves them."""

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from customersync import pages


def test_a_file_that_a_release_brought_is_missed_until_it_is_collected(tmp_path, monkeypatch):
    collected = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    collected.hashed_files = {path: path for finder in get_finders() for path, _ in finder.list([])}
    monkeypatch.setattr(pages, "staticfiles_storage", collected)
    assert pages.describe_uncollected() == ""
    del collected.hashed_files["console/console.js"]
    assert pages.describe_uncollected().startswith("No page is answered before console/console.js is among")

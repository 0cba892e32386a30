"""The servers and the feeds of benchmarks/feeds: each is pulled from its own folder, with a file or without one."""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

from imports.feeds.pulling import pull_feed
from imports.models import Feed, Run

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "feeds"


@pytest.fixture
def benchmark(monkeypatch):
    loader = importlib.machinery.SourceFileLoader("benchmarks_feeds", str(PATH))
    spec = importlib.util.spec_from_loader("benchmarks_feeds", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmarks_feeds", module)
    loader.exec_module(module)
    return module


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("a_login", "logins"), [(1, 4), (2, 2)])
def test_every_feed_is_pulled_and_some_have_a_file(benchmark, tmp_path, a_login, logins):
    options = argparse.Namespace(feeds=4, share=0.25, rows=2, a_login=a_login, a_host=2)
    with contextlib.ExitStack() as stack:
        hosts = benchmark.start_hosts(stack, tmp_path)
        feeds = benchmark.make_feeds(hosts, options)
        assert benchmark.drop_files(feeds, hosts, options) == 1
        Feed.objects.update(settle_seconds=0)
        assert [pull_feed(feed).imported for feed in feeds] == [1, 0, 0, 0]
    assert len({(feed.protocol, feed.user) for feed in feeds}) == logins
    assert Run.objects.get().created == 2

import pytest


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch):
    """What benchmarks run in processes of their own is no coverage by a test, and counting lines makes it slow."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)

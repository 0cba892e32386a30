import pytest


@pytest.fixture(autouse=True)
def _at_little_cost(monkeypatch, migrated):
    """What benchmarks run in processes of their own is no coverage by a test, and counting its lines makes it slow."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.setenv("DATABASE_TEMPLATE", migrated)

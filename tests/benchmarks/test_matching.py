"""What suggested duplicates are worth, on customers that were labelled before there was anything to judge them."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "matching"


@pytest.fixture(scope="module")
def benchmark():
    loader = SourceFileLoader("benchmark_of_matching", str(PATH))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_suggestions_are_right_and_few_are_missing(benchmark):
    for pairs in benchmark.read_halves():
        judged = [(pair.judge()[0], pair.same) for pair in pairs]
        right = judged.count((True, True))
        assert right / (right + judged.count((True, False))) >= 0.95
        assert right / (right + judged.count((False, True))) >= 0.85
    assert sum(len(pairs) for pairs in benchmark.read_halves()) >= 300


def test_other_pairs_can_be_judged(benchmark):
    elm = {"profile_name": "Elm Street Outfitters", "addresses": [{"kind": "S", "zip": "97205", "country": "US"}]}
    same = benchmark.read_pair({"first": elm, "second": elm, "same": True})
    assert same.judge()[0]
    other = {"profile_name": "Oak Supplies", "buyers": [{"email": "a@oak.example", "name": "Ann"}]}
    assert not benchmark.read_pair({"first": elm, "second": other, "same": False, "kind": "x"}).judge()[0]

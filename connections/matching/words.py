"""Words that say little of who a customer is, as `words.yaml` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_WORDS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))


def _listed(name: str) -> frozenset[str]:
    return frozenset(_WORDS[name].split())


LEGAL_FORMS, ENDINGS, STOPWORDS = _listed("legal_forms"), _listed("endings"), _listed("stopwords")
COMMON, KINDS, STREETS = _listed("common"), _listed("kinds"), _listed("streets")
MAIL_FOR_ALL, PLATFORMS, SECOND_LEVELS = _listed("mail_for_all"), _listed("platforms"), _listed("second_levels")
LEGAL_PHRASES = tuple(f" {phrase} " for phrase in _WORDS["legal_phrases"])
OWNERS: tuple[str, ...] = tuple(_WORDS["owners"])
IN_OTHER_SCRIPTS = {word: f" {said} " for word, said in _WORDS["in_other_scripts"].items()}
SAME = {other: word for word, others in _WORDS["same"].items() for other in others.split()}
"""Each of the others, with the word that stands for all of them."""

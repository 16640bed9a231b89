"""One thing is singular, wherever things are counted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin._text import counts
from pinecone_admin.emulator.model import counts as emulator_counts
from tests.support.resources import name_singular

ROOT = Path(__file__).resolve().parents[2]
_PLURAL = re.compile(r" (?:[\w-]+ ){0,2}(?:\w{2,}s|people)\b")


def test_a_number_has_its_noun_in_the_singular_or_the_plural() -> None:
    """Only one is singular; a plural can be irregular. The emulator, which shares no code, says the same."""
    for count in (counts.count_noun, emulator_counts.count_noun):
        assert [count(number, "project") for number in (0, 1, 2)] == ["0 projects", "1 project", "2 projects"]
        assert [count(number, "policy") for number in (1, 2)] == ["1 policy", "2 policies"]
    assert [counts.count_noun(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]


def test_a_plural_follows_the_end_of_the_noun() -> None:
    """Namespaces, commands and the emulator's names of methods have the same plurals."""
    for singular, plural in {
        "project": "projects",
        "api_key": "api_keys",
        "policy": "policies",
        "index": "indexes",
        "alias": "aliases",
        "branch": "branches",
        "database": "databases",
    }.items():
        assert counts.pluralize(singular) == emulator_counts.pluralize(singular) == plural
    for namespace in (*NAMESPACES, "policies"):
        assert counts.pluralize(name_singular(namespace)) == namespace


def test_no_text_has_a_fixed_plural_after_a_number() -> None:
    """Nothing puts a fixed plural after the number of things, which may be one."""
    files = [path for folder in ("pinecone_admin", "scripts") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 1
    assert [found for path in files for found in _find_fixed_plurals(path)] == []


def _find_fixed_plurals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for number, text in pairwise(parts):
            if not isinstance(text, ast.Constant) or not isinstance(number, ast.FormattedValue):
                continue
            words = str(text.value)
            is_named = "scripts" not in path.parts and _is_named(number, words)
            if (_is_length(number) and _PLURAL.match(words)) or is_named:
                yield f"{path.relative_to(ROOT)}:{text.lineno}: {text.value!s}"


def _is_named(part: ast.FormattedValue, text: str) -> bool:
    """Return whether a number has the name of the plural after it, such as ``{age.days} days``; no constant is 1."""
    value = part.value
    if part.conversion != -1 or ast.unparse(value)[0].isupper():
        return False
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name.endswith("s") and re.match(rf" {name}\b", text) is not None


def _is_length(part: ast.FormattedValue) -> bool:
    call = part.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "len"

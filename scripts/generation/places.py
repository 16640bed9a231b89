"""Find where the hand-written package names an operation, a class, a field or a value of an API document."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST = 5
"""The number of places that a line of the report names; more would hide the others."""


class Places:
    """The names and strings of the hand-written package, each with its files and lines.

    Args:
        root: The folder of the package.
    """

    def __init__(self, root: Path) -> None:
        self._found: dict[str, list[str]] = {}
        self._strings: dict[str, list[str]] = {}
        # What is derived in _sync has the places of _async.
        for path in sorted((root / "pinecone_admin").rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith("pinecone_admin/_sync/"):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    for word in _words_of(node):
                        self._found.setdefault(word, []).append(f"{name}:{getattr(node, 'lineno', 1)}")
                    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
                        self._strings.setdefault(str(node.value), []).append(f"{name}:{node.lineno}")

    def of_strings(self, text: str) -> list[str]:
        """Return the places of a string, or of a number."""
        return _sorted(self._strings.get(text, []))

    def first_in_each_file(self, word: str) -> list[str]:
        """Return the first place in each file that names a word, as code or as a string."""
        first: dict[str, str] = {}
        for place in _sorted(self._found.get(word, []) + self._strings.get(word, [])):
            first.setdefault(place.partition(":")[0], place)
        return [*first.values()]

    def of_change(self, change: str) -> list[str]:
        """Return the places that a change of the document concerns, which its line names.

        Args:
            change: A line of spec_diff, such as ``Project.max_pods: removed``.
        """
        label, _, what = change.partition(": ")
        owner, *members = re.findall(r"\w+", label.replace(" response", ""))
        if value := re.search(r"value (\S+) removed", what):
            return self.of_strings(value[1])
        if label == "servers":
            return [each for word, found in self._found.items() if word == "API_URL" for each in found][:1]
        owners = self._found.get(owner, [])
        files = {place.partition(":")[0] for place in owners}
        named = self._found.get(members[-1], []) + self._strings.get(members[-1], []) if members else []
        return _sorted([each for each in named if each.partition(":")[0] in files] or owners)


def describe_places(places: Iterable[str]) -> str:
    """Return places as the end of a line of the report."""
    listed = list(places)
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return f" ({', '.join(listed[:_MOST])}{more})" if listed else " (no hand-written code names it)"


def _words_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
            yield word
        case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word):
            yield word
        case _:
            pass


def _sorted(places: list[str]) -> list[str]:
    def order(place: str) -> tuple[str, int]:
        file, _, line = place.partition(":")
        return file, int(line)

    return sorted(set(places), key=order)

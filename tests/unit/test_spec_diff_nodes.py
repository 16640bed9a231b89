"""spec_diff held to account: our document is changed at every node, and the report compared with what is generated."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from copy import deepcopy
from functools import partial
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import mypy.api
import pytest

from generation.api_document import METHODS
from generation.normalization import normalize_document
from generation.settings import load_settings
from generation.unsupported_features import find_unsupported, find_unsupported_types
from spec_diff import DocumentChange, DocumentPair, compare_documents
from tests.support.api_documents import read_our_document
from tests.support.generated_trees import Surface, generate_tree, read_surface

OURS = read_our_document()
SETTINGS = load_settings()
NORMALIZED, _ = normalize_document(OURS, SETTINGS)
Edit = Callable[[Any], None]
"""Changes the node that holds the key in place."""
Location = tuple[Any, ...]
NamedEdit = tuple[str, Location, Edit]
"""A change: its name, the location of the node that holds the key, and what changes it."""


def list_edits() -> list[NamedEdit]:
    """Return each change that each node of the document can have, with its name and the location of its holder."""
    found: list[NamedEdit] = []
    for part in (("paths",), ("components", "schemas")):
        for location, node in walk(look_up(OURS, part), part):
            for name, edit in edits_of(location, node):
                found.append((f"{name} {'/'.join(map(str, location))}", location, edit))
    return found


def walk(node: Any, location: Location) -> Iterator[tuple[Location, Any]]:
    """Yield each mapping of a document with its location; prose and examples are no nodes."""
    if isinstance(node, dict):
        yield location, node
        for key, value in node.items():
            if key != "example":
                yield from walk(value, (*location, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from walk(value, (*location, position))


def look_up(document: Any, location: Location) -> Any:
    """Return the node at a location."""
    for key in location:
        document = document[key]
    return document


def edits_of(location: Location, node: Any) -> Iterator[tuple[str, Edit]]:
    """Yield the changes of one mapping: remove, rename, retype, tighten, widen."""
    yield from schema_edits(node)
    if "in" in node and node.get("in") != "header":
        yield "rename", put("name", f"new_{node['name']}")
        yield from [("require", put("required", True))] if node["in"] == "query" else []
    if location[:1] == ("paths",) and location[-1] in METHODS:
        yield from operation_edits(node)
    if len(location) == 2 and location[0] == "paths":
        for method in node:
            yield f"remove {method} of", drop(method)
            yield f"change {method} of", partial(rename, old=method, new="put")
    if "content" in node and str(location[-1]).startswith("2"):
        yield "empty", drop("content")


def schema_edits(node: Any) -> Iterator[tuple[str, Edit]]:
    """Yield the changes of a mapping that is a schema."""
    kind = node.get("type")
    if isinstance(kind, str):
        yield "retype", partial(replace, by={"type": "string" if kind in {"integer", "boolean"} else "integer"})
        yield "free", partial(replace, by={})
    if kind == "string" and "x-enum" not in node:
        yield "enumerate", put("x-enum", ["one", "two"])
    if "x-enum" in node:
        yield "shrink", put("x-enum", node["x-enum"][1:])
        yield "grow", put("x-enum", [*node["x-enum"], "another"])
        yield "forget", drop("x-enum")
    for limit in ("minLength", "minimum", "minItems", "maxLength", "maximum", "maxItems"):
        if limit in node:
            yield f"raise {limit}", put(limit, node[limit] + 1)
            yield f"drop {limit}", drop(limit)
    if "schemas" in node.get("$ref", ""):
        yield "retype", partial(replace, by={"type": "string"})
        yield "redirect", partial(replace, by={"$ref": "#/components/schemas/User"})
    for name in node.get("properties", {}):
        yield f"remove {name} of", drop("properties", name)
        yield f"rename {name} of", partial(rename_property, name=name)
        yield f"toggle {name} of", partial(toggle, name=name)


def operation_edits(node: Any) -> Iterator[tuple[str, Edit]]:
    """Yield the changes of an operation."""
    yield "rename", put("operationId", f"new_{node['operationId']}")
    yield "untag", put("tags", ["Other"])
    if "requestBody" in node:
        yield "remove body of", drop("requestBody")
    for number, parameter in enumerate(node["parameters"]):
        if parameter["in"] == "query":
            yield f"remove parameter {number} of", drop("parameters", number)


def put(key: str, value: Any) -> Edit:
    """Return an edit that sets the value of a key."""
    return lambda node: node.update({key: value})


def drop(*keys: Any) -> Edit:
    """Return an edit that removes what is at the end of some keys."""
    return lambda node: look_up(node, keys[:-1]).pop(keys[-1])


def replace(node: Any, by: Any) -> None:
    """Replace the content of a mapping; its description stays."""
    kept = {key: node[key] for key in ("description",) if key in node}
    node.clear()
    node.update(kept | by)


def rename(node: Any, old: str, new: str) -> None:
    """Rename a key."""
    node[new] = node.pop(old)


def rename_property(node: Any, name: str) -> None:
    """Rename a property, which stays as required as it was."""
    rename(node["properties"], name, f"new_{name}")
    node["required"] = [f"new_{each}" if each == name else each for each in node.get("required", [])]


def toggle(node: Any, name: str) -> None:
    """Make a required field optional, or an optional one required."""
    required = node.get("required", [])
    node["required"] = [each for each in required if each != name] if name in required else [*required, name]


EDITS = list_edits()


def make_changed(*edits: NamedEdit) -> Any:
    """Return our document with some changes, normalized, or None if no client can be generated from it."""
    changed = deepcopy(OURS)
    for _, location, edit in edits:
        edit(look_up(changed, location))
    if find_unsupported(changed):
        return None
    normalized, _ = normalize_document(changed, SETTINGS)
    return None if find_unsupported_types(normalized) else normalized


def list_untold(old: Surface, new: Surface, report: list[DocumentChange]) -> list[str]:
    """Return the differences of two surfaces that a report does not tell, or does not call breaking though names go."""
    told = {change.text.split(": ")[0] for change in report}
    breaking = {change.text.split(": ")[0] for change in report if change.is_breaking}
    removed = {name for name in old if name not in new and re.fullmatch(r"\w+", name)}
    untold = [name for name in removed if name not in breaking]
    for label in {label for label in {*old, *new} if old.get(label) != new.get(label)}:
        owner = re.split(r"[.: ]", label)[0]
        if owner in removed or owner not in old:
            continue
        if ": " in label:
            value = label.split(": ")[1]
            expected = f"{owner}: {f'new value {value}' if label in new else f'value {value} removed'}"
            untold += [label] if expected not in {change.text for change in report} else []
        elif label.endswith(" response"):
            untold += [label] if not {label, owner} & told else []
        else:
            is_api_404 = label not in new or (label not in old and "(" not in label and is_argument(label, new))
            untold += [label] if label not in (breaking if is_api_404 else told) else []
    return untold


def is_argument(label: str, surface: Surface) -> bool:
    """Return whether a label is an argument that a call must have."""
    return label.split(".", maxsplit=1)[0].islower() and not surface[label].endswith("= None")


def combine(edits: list[NamedEdit], most: int) -> Iterator[list[NamedEdit]]:
    """Yield the changes in groups, none with two changes of one path or component, since one could hide the other."""
    by_owner: dict[Location, list[NamedEdit]] = {}
    for edit in edits:
        owner = edit[1][:2] if edit[1][0] == "paths" else edit[1][:3]
        by_owner.setdefault(owner, []).append(edit)
    for some in zip_longest(*by_owner.values()):
        group = [edit for edit in some if edit is not None]
        for start in range(0, len(group), most):
            yield group[start : start + most]


def check_reports(edits: list[NamedEdit], folder: Path) -> None:
    """Generate the package of a document with some changes at once, and compare its surface with the report."""
    before = read_surface(generate_tree(NORMALIZED, folder / "before"))
    possible = [edit for edit in edits if make_changed(edit) is not None]
    assert len(possible) > len(edits) * 0.8
    for group in combine(possible, 8):  # to generate a package takes longer than everything else
        changed = make_changed(*group)
        report = compare_documents(DocumentPair(NORMALIZED, changed))
        after = read_surface(generate_tree(changed, folder / "after"))
        assert not list_untold(before, after, report), ([name for name, *_ in group], report)
        shutil.rmtree(folder / "after")


def test_a_sample_of_changes_is_told(tmp_path: Path) -> None:
    """Each generated name, type and value that differs is a line of the report. A missing one is breaking."""
    check_reports(Random(12).sample(EDITS, 12), tmp_path)


def pick_for_each_node() -> list[NamedEdit]:
    """Return one change of each node; neighbouring nodes get different kinds of changes."""
    by_node: dict[Location, list[NamedEdit]] = {}
    for edit in EDITS:
        by_node.setdefault(edit[1], []).append(edit)
    return [edits[number % len(edits)] for number, edits in enumerate(by_node.values())]


@pytest.mark.long
def test_a_change_of_each_node_is_told(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """The same for a change of every ninth node."""
    changes = pick_for_each_node()
    assert len(changes) > 450
    check_reports(changes[:: stride(9)], tmp_path)


def make_consumer(surface: Surface) -> str:
    """Return a program that calls each builder, makes each request and reads each response with the types of today."""
    names = [name for name in surface if re.fullmatch(r"\w+", name)]
    builders = [name for name in names if surface[name] not in {"class", "literal"}]
    lines = ["import datetime", "from collections.abc import Mapping", "from typing import Any"]
    lines += ["from generated_client.types import Operation"]
    lines += [f"from generated_client.api import {name}" for name in builders]
    lines += [f"from generated_client.models import {name}" for name in names if name not in builders]
    for name in names:
        members = {
            label.split(".")[1]: kind.removesuffix(" = None")
            for label, kind in surface.items()
            if label.startswith(f"{name}.")
        }
        arguments = ", ".join(f"{member}: {kind}" for member, kind in members.items())
        values = ", ".join(f"{member}={member}" for member in members)
        if name in builders:
            lines += [
                f"def call_{name}({arguments}) -> None:",
                f"    _: {surface[f'{name} response']} = {name}({values})",
            ]
        elif surface[name] == "class" and name.endswith(("Request", "Input")):
            lines += [f"def make_{name}({arguments}) -> None:", f"    _: {name} = {name}({values})"]
        elif surface[name] == "class":
            lines += [f"def read_{name}(model: {name}) -> None:"]
            lines += [f"    _{member}: {kind} = model.{member}" for member, kind in members.items()]
    return "\n".join(lines)


@pytest.mark.long
def test_no_break_is_silent(tmp_path: Path) -> None:
    """Errors of mypy in a program for our document are breaking changes in the report, in a sample of fifteen.

    Three more changes list another value in a response, so that the literal means more than requests accept.
    """
    surface = read_surface(generate_tree(NORMALIZED, tmp_path))
    (tmp_path / "consumer.py").write_text(make_consumer(surface), encoding="utf-8")
    assert run_mypy(tmp_path) == ""
    growths = [edit for edit in EDITS if edit[0].startswith("grow components/schemas/RoleBinding/")]
    assert len(growths) == 3
    found = 0
    for number, edit in enumerate(Random(30).sample(EDITS, 15) + growths, start=1):
        if (changed := make_changed(edit)) is None:
            continue
        shutil.rmtree(tmp_path / "generated_client")
        set_times(generate_tree(changed, tmp_path), number)
        if errors := run_mypy(tmp_path):
            found += 1
            report = compare_documents(DocumentPair(NORMALIZED, changed))
            assert any(change.is_breaking for change in report), (edit[0], errors)
    assert found > 4


def set_times(package: Path, seconds: int) -> None:
    """Give each file its own second: mypy takes a file of the same second and size for the one that it has read."""
    for path in package.rglob("*.py"):
        os.utime(path, (seconds, seconds))


def run_mypy(folder: Path) -> str:
    """Type-check the program, and return its errors; unused imports of the package were not removed."""
    options = ("--strict", "--follow-imports=silent", "--no-error-summary", "--config-file", os.devnull)
    limit = sys.getrecursionlimit()
    with chdir(folder):
        output, errors, status = mypy.api.run([*options, "consumer.py"])
    sys.setrecursionlimit(limit)  # mypy raises it, also for other tests of this process
    assert status < 2, errors
    return output

#!/usr/bin/env python3
"""Say what changed between two API documents in the client's terms, breaking changes first.

Usage: spec_diff.py OLD NEW

Prints one line a change. Exits 1 where one of them breaks callers, 0 where none does, and 2 where a document cannot
be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from normalize_spec import Node, drop_version_header, operations, resolve
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LIMITS_DOWN = ("maxLength", "maximum", "maxItems")
LIMITS_UP = ("minLength", "minimum", "minItems")


class Change(NamedTuple):
    """One line of the report."""

    breaking: bool
    line: str


class Field(NamedTuple):
    """What callers meet at one place of a request or an answer."""

    schema: Node
    required: bool


def changes(old: Node, new: Node) -> list[Change]:
    """Compare two documents; breaking changes come first."""
    before, after = _by_id(old), _by_id(new)
    found = [Change(True, f"operation {name} is gone") for name in sorted(before.keys() - after.keys())]
    found += [Change(False, f"new operation {name}") for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        found += _operation_changes(name, old, before[name], new, after[name])
    return sorted(set(found), key=lambda change: (not change.breaking, change.line))


def _by_id(document: Node) -> dict[str, Node]:
    return {
        operation.get("operationId") or f"{method.upper()} {path}": operation | {"where": f"{method.upper()} {path}"}
        for path, method, operation in operations(drop_version_header(document))
    }


def _operation_changes(name: str, old: Node, before: Node, new: Node, after: Node) -> Iterator[Change]:
    if before["where"] != after["where"]:
        yield Change(False, f"{name} moved from {before['where']} to {after['where']}")
    yield from _compare(name, _parameters(old, before), _parameters(new, after), sent=True)
    yield from _compare(name, _body(old, before), _body(new, after), sent=True)
    yield from _compare(name, _answer(old, before), _answer(new, after), sent=False)


def _parameters(document: Node, operation: Node) -> dict[str, Field]:
    found = (resolve(document, parameter) for parameter in operation["parameters"])
    return {
        f"parameter {p['name']}": Field(resolve(document, p.get("schema", {})), p.get("required", False)) for p in found
    }


def _body(document: Node, operation: Node) -> dict[str, Field]:
    return _content(document, resolve(document, operation.get("requestBody", {})))


def _answer(document: Node, operation: Node) -> dict[str, Field]:
    successes = (answer for status, answer in operation.get("responses", {}).items() if str(status).startswith("2"))
    return _content(document, resolve(document, next(successes, {})))


def _content(document: Node, holder: Node) -> dict[str, Field]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema")
    return {} if schema is None else dict(_fields(document, schema, "the body", True, frozenset()))


def _fields(
    document: Node, schema: Node, where: str, required: bool, seen: frozenset[str]
) -> Iterator[tuple[str, Field]]:
    """Walk a schema down to its leaves; fields are named after the component they stand in."""
    ref = str(schema.get("$ref", ""))
    if ref in seen:
        return
    where, seen = (ref.rsplit("/", 1)[-1], seen | {ref}) if ref else (where, seen)
    schema = _merged(document, resolve(document, schema))
    yield where, Field(schema, required)
    for name, inner in schema.get("properties", {}).items():
        yield f"{where}.{name}", Field(_merged(document, resolve(document, inner)), name in schema.get("required", []))
        yield from _fields(document, inner, f"{where}.{name}", name in schema.get("required", []), seen)
    if isinstance(schema.get("items"), dict):
        yield from _fields(document, schema["items"], f"{where}[]", True, seen)


def _merged(document: Node, schema: Node) -> Node:
    """Fold the parts of an allOf into the schema."""
    for part in schema.get("allOf", []):
        inner = _merged(document, resolve(document, part))
        schema = inner | schema | {"properties": inner.get("properties", {}) | schema.get("properties", {})}
    return schema


def _compare(name: str, before: dict[str, Field], after: dict[str, Field], *, sent: bool) -> Iterator[Change]:
    for where in before.keys() - after.keys():
        yield Change(True, f"{name}: {where} is gone")
    for where in after.keys() - before.keys():
        required = sent and after[where].required and bool(before or where.startswith("parameter"))
        yield Change(required, f"{name}: new {'required ' if required else ''}{where}")
    for where in before.keys() & after.keys():
        yield from _field_changes(f"{name}: {where}", before[where], after[where], sent=sent)


def _field_changes(where: str, before: Field, after: Field, *, sent: bool) -> Iterator[Change]:
    if before.required != after.required:
        yield Change(after.required is sent, f"{where} is now {'required' if after.required else 'optional'}")
    if before.schema.get("nullable", False) != after.schema.get("nullable", False):
        nullable = after.schema.get("nullable", False)
        yield Change(nullable is not sent, f"{where} can {'now' if nullable else 'no longer'} be null")
    old_kind, new_kind = _kind(before.schema), _kind(after.schema)
    if old_kind != new_kind:
        yield Change(True, f"{where} is now {new_kind}, and was {old_kind}")
    yield from _limit_changes(where, before.schema, after.schema, sent=sent)
    yield from _value_changes(where, before.schema, after.schema, sent=sent)


def _kind(schema: Node) -> str:
    kind = schema.get("type")
    text = "/".join(map(str, kind)) if isinstance(kind, list) else str(kind or "anything")
    # Ids are opaque text to the client, whatever their format.
    return f"{text} ({schema['format']})" if schema.get("format") in {"date-time", "date", "binary"} else text


def _limit_changes(where: str, before: Node, after: Node, *, sent: bool) -> Iterator[Change]:
    for limit in (*LIMITS_DOWN, *LIMITS_UP):
        old, new = before.get(limit), after.get(limit)
        if old == new:
            continue
        narrower = new is not None and (old is None or (new < old if limit in LIMITS_DOWN else new > old))
        yield Change(sent and narrower, f"{where}: {limit} is now {new}, and was {old}")


def _value_changes(where: str, before: Node, after: Node, *, sent: bool) -> Iterator[Change]:
    old, new = (node.get("x-enum", node.get("enum")) for node in (before, after))
    if not isinstance(old, list) or not isinstance(new, list):
        return
    for value in sorted(set(map(str, old)) - set(map(str, new))):
        yield Change(sent, f"{where} no longer lists {value}")
    for value in sorted(set(map(str, new)) - set(map(str, old))):
        yield Change(False, f"{where} now lists {value}")


def report(found: list[Change]) -> str:
    """Write the changes, one a line."""
    return "".join(f"{'BREAKING ' if change.breaking else ''}{change.line}\n" for change in found)


def main() -> int:
    """Compare two documents from the command line."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - the two documents
        print(__doc__, file=sys.stderr)
        return 2
    documents: list[Node] = []
    for name in sys.argv[1:]:
        try:
            documents.append(json.loads(json.dumps(YAML(typ="safe").load(Path(name)), default=str)))
        except (OSError, YAMLError, ValueError) as exc:
            print(f"{name} cannot be read: {str(exc).splitlines()[0]}", file=sys.stderr)
            return 2
    found = changes(*documents)
    print(report(found) or "nothing changed for callers\n", end="")
    return int(any(change.breaking for change in found))


if __name__ == "__main__":
    sys.exit(main())

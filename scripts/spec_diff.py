#!/usr/bin/env python3
"""Say what changed between two API documents, in the terms of the client that is generated from them.

Usage: spec_diff.py OLD NEW

OLD and NEW are paths or URLs. Prints one line a change, breaking ones first. Exits 1 where something is breaking, 2
where a document cannot be read. Prose and examples do not count; of error answers, the components do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from generation.api_document import DocumentError, Node, read, resolve
from generation.normalization import (
    drop_formats,
    drop_own_headers,
    hoist_marked_schemas,
    name_literal,
    schemas_of,
    spell_out,
)
from generation.plain_schema import COMPONENT, LIMITS

SETTINGS = Path(__file__).resolve().parent.parent / "openapi/generator.yaml"

Lines = Iterator[tuple[bool, str]]
"""Whether a change is breaking, and what is said of it."""


class Change(NamedTuple):
    """One difference; it is breaking where a program written for the old document would have to change."""

    is_breaking: bool
    text: str

    def __str__(self) -> str:
        """Write the line of the report."""
        return f"{'breaking' if self.is_breaking else 'compatible'}: {self.text}"


class Sides(NamedTuple):
    """Two documents side by side, and the pairs of components that were compared, for each direction."""

    old: Node
    new: Node
    compared: set[tuple[str, str, bool]]


class Fields(NamedTuple):
    """Fields of an object, or parameters of an operation."""

    schemas: Node
    required: set[str]


def changes(old: Node, new: Node, settings: Node) -> list[Change]:
    """List what changed, breaking ones first; what comes up in several places, or both ways, is listed once."""
    found: dict[str, bool] = {}
    for is_breaking, text in _documents(Sides(_in_terms(old, settings), _in_terms(new, settings), set())):
        found[text] = is_breaking or found.get(text, False)
    listed = [Change(is_breaking, text) for text, is_breaking in found.items()]
    return sorted(listed, key=lambda change: not change.is_breaking)


def _in_terms(document: Node, settings: Node) -> Node:
    """Put a document in the terms of the client: plain schemas, literals under their names."""
    for rule in (drop_formats, hoist_marked_schemas, spell_out, drop_own_headers):
        document = rule(document)
    for name, place in settings["literals"].items():
        document = name_literal(document, name=name, place=place)
    return document


def _documents(sides: Sides) -> Lines:
    before, after = sides.old["info"]["version"], sides.new["info"]["version"]
    if before != after:
        yield False, f"API version: is now {after}, was {before}"
    old, new = _by_id(sides.old), _by_id(sides.new)
    yield from ((True, f"{name}: operation removed") for name in old if name not in new)
    yield from ((False, f"{name}: new operation") for name in new if name not in old)
    for name in (name for name in old if name in new):
        yield from _operations(sides, name, old[name], new[name])
    met = {name for *names, _ in sides.compared for name in names}
    for name in sorted(schemas_of(sides.old).keys() & schemas_of(sides.new).keys() - met):
        reference = {"$ref": COMPONENT + name}
        yield from _schemas(sides, name, reference, reference, sent=False)


def _by_id(document: Node) -> dict[str, Node]:
    return {
        node["operationId"]: node | {"route": f"{method.upper()} {re.sub(r'{[^{}]*}', '{}', path)}"}
        for path, item in document["paths"].items()
        for method, node in item.items()
    }


def _operations(sides: Sides, name: str, old: Node, new: Node) -> Lines:
    if old["route"] != new["route"]:
        yield True, f"{name}: is now {new['route']}, was {old['route']}"
    yield from _fields(sides, name, _arguments(old), _arguments(new), sent=True)
    before, after = _content(old["responses"]["200"]), _content(new["responses"]["200"])
    if before is None or after is None:
        if before is not after:
            yield after is None, f"{name}: {'answers nothing any more' if after is None else 'has an answer now'}"
    else:
        yield from _schemas(sides, f"{name} answer", before, after, sent=False)


def _arguments(node: Node) -> Fields:
    sent = {p["name"]: p for p in node["parameters"] if p["in"] in {"path", "query"}}
    if body := node.get("requestBody"):
        sent["body"] = {"schema": _content(body), "required": body["required"]}
    required = {name for name, argument in sent.items() if argument.get("required")}
    return Fields({name: argument["schema"] for name, argument in sent.items()}, required)


def _content(node: Node) -> Node:
    return node["content"]["application/json"]["schema"] if "content" in node else None


def _fields(sides: Sides, place: str, old: Fields, new: Fields, *, sent: bool) -> Lines:
    hidden = "readOnly" if sent else "writeOnly"
    for field, schema in (old.schemas | new.schemas).items():
        where, required = f"{place}.{field}", field in new.required
        if schema.get(hidden):
            continue
        if field not in new.schemas:
            yield True, f"{where}: removed"
        elif field not in old.schemas:
            yield sent and required, f"{where}: new{', required' if required else ''}"
        else:
            if (field in old.required) != required:
                yield required == sent, f"{where}: is now {'required' if required else 'optional'}"
            yield from _schemas(sides, where, old.schemas[field], schema, sent=sent)


def _schemas(sides: Sides, place: str, old: Node, new: Node, *, sent: bool) -> Lines:
    """Compare what stands at a place; a component is compared once, under its own name."""
    before, after = resolve(sides.old, old), resolve(sides.new, new)
    was_null, is_null = (any(s.get("nullable") for s in pair) for pair in ((old, before), (new, after)))
    if was_null != is_null:
        yield was_null == sent, f"{place}: {'can be null now' if is_null else 'cannot be null any more'}"
    old_name, new_name = (schema.get("$ref", "").removeprefix(COMPONENT) for schema in (old, new))
    if old_name or new_name:
        if (old_name, new_name, sent) in sides.compared:
            return
        sides.compared.add((old_name, new_name, sent))
    if old_name != new_name and "properties" in before and "properties" in after:
        yield True, f"{place}: is now {new_name or 'an object of its own'}, was {old_name or 'an object of its own'}"
    yield from _contents(sides, new_name or place, before, after, sent=sent)


def _contents(sides: Sides, place: str, old: Node, new: Node, *, sent: bool) -> Lines:
    before, after = _type(old), _type(new)
    if before != after:
        wider, narrower = (after, before) if sent else (before, after)
        yield (wider, narrower) not in _FITTING, f"{place}: is now {after}, was {before}"
        return
    yield from _values(place, old.get("enum"), new.get("enum"), sent=sent)
    yield from _limits(place, old, new, sent=sent)
    if "items" in old:
        yield from _schemas(sides, f"{place}[]", old["items"], new["items"], sent=sent)
    if "properties" in old:
        fields = [Fields(schema["properties"], set(schema["required"])) for schema in (old, new)]
        yield from _fields(sides, place, fields[0], fields[1], sent=sent)


_TYPES = {
    "string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean", "array": "a list",
}  # fmt: skip
# A type, and one whose every value fits it.
_FITTING = {("a number", "an integer"), ("a free-form object", "an object")} | {
    ("any value", kind) for kind in (*_TYPES.values(), "a date-time", "an object", "a free-form object")
}


def _type(schema: Node) -> str:
    """Name the type that the client has for a schema."""
    if schema.get("type") == "object":
        return "an object" if "properties" in schema else "a free-form object"
    return "a date-time" if "format" in schema else _TYPES.get(schema.get("type", ""), "any value")


def _values(place: str, old: list[str] | None, new: list[str] | None, *, sent: bool) -> Lines:
    if old is None or new is None:
        if old is not new:
            yield sent and old is None, f"{place}: is now {'any string' if new is None else 'one of ' + ', '.join(new)}"
        return
    yield from ((sent, f"{place}: value {value} removed") for value in old if value not in new)
    yield from ((False, f"{place}: new value {value}") for value in new if value not in old)


def _limits(place: str, old: Node, new: Node, *, sent: bool) -> Lines:
    for limit in LIMITS:
        before, after = (_limit(schema, limit) for schema in (old, new))
        if before != after:
            texts = ["none" if value is None else value for value in (after, before)]
            yield sent and _is_narrower(limit, before, after), f"{place}: {limit} is now {texts[0]}, was {texts[1]}"


def _limit(schema: Node, limit: str) -> Node:
    """Give a limit, or None where it limits nothing."""
    value = schema.get(limit)
    return None if value is False or (limit in {"minLength", "minItems"} and value == 0) else value


def _is_narrower(limit: str, before: Node, after: Node) -> bool:
    comparable = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    if not comparable or limit == "multipleOf":
        return after is not None
    return bool(after < before if "ax" in limit else after > before)


def main() -> int:
    """Compare the two documents of the command line."""
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):  # noqa: PLR2004 - the script, OLD and NEW
        print("Usage: spec_diff.py OLD NEW", file=sys.stderr)
        return 2
    try:
        found = changes(read(sys.argv[1]), read(sys.argv[2]), YAML(typ="safe").load(SETTINGS))
    except DocumentError as exc:
        print(f"spec_diff.py: {exc}", file=sys.stderr)
        return 2
    print("\n".join(map(str, found)) or "no change for the client")
    return int(any(change.is_breaking for change in found))


if __name__ == "__main__":
    sys.exit(main())

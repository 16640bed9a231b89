#!/usr/bin/env python3
"""Report the changes between two API documents in terms of the generated client.

Usage: spec_diff.py OLD NEW

OLD and NEW are paths or URLs. Prints one line per change, breaking changes first. Exits with status 1 if there are
breaking changes, and 2 if a document cannot be read. What is compared is what the client is generated from: functions
and their arguments, classes and their fields, literals and their values, limits. Prose and examples are ignored.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from generation.api_document import DocumentError, Node, read_document
from generation.normalization import (
    argument_names,
    body_schema,
    component_schemas,
    folder_name,
    list_operations,
    module_name,
    normalize_document,
    reach_components,
)
from generation.plain_schema import LIMITS, referenced_component
from generation.settings import load_settings
from generation.unsupported_features import require_supported

Lines = Iterator[tuple[bool, str]]
"""Whether a change is breaking, and its text."""


class DocumentChange(NamedTuple):
    """One difference; it is breaking if a program written for the old document may have to change."""

    is_breaking: bool
    text: str

    def __str__(self) -> str:
        return f"{'breaking' if self.is_breaking else 'compatible'}: {self.text}"


class Directions(NamedTuple):
    """Whether requests contain values of a place, and whether responses do."""

    sent: bool
    received: bool


SENT, RECEIVED = Directions(sent=True, received=False), Directions(sent=False, received=True)


class Place(NamedTuple):
    """A field, an argument or an item of a list: what the client makes of it is compared."""

    label: str
    directions: Directions


class DocumentPair(NamedTuple):
    """Normalized documents: names are those of the classes, functions and arguments that are generated."""

    old: Node
    new: Node


def list_changes(old: Node, new: Node, settings: Node) -> list[DocumentChange]:
    """Return the changes between two documents, breaking ones first."""
    return compare_documents(DocumentPair(normalize_document(old, settings)[0], normalize_document(new, settings)[0]))


def compare_documents(pair: DocumentPair) -> list[DocumentChange]:
    """Return the changes, breaking ones first; a change in both directions is listed once."""
    found: dict[str, bool] = {}
    for is_breaking, text in chain(_compare_operations(pair), _compare_components(pair)):
        found[text] = is_breaking or found.get(text, False)
    listed = [DocumentChange(is_breaking, text) for text, is_breaking in found.items()]
    return sorted(listed, key=lambda change: not change.is_breaking)


def _compare_operations(pair: DocumentPair) -> Lines:
    before, after = pair.old["info"]["version"], pair.new["info"]["version"]
    if before != after:
        yield False, f"API version: is now {after}, was {before}"
    was_at, is_at = (", ".join(server["url"] for server in document["servers"]) for document in pair)
    if was_at != is_at:
        yield True, f"servers: is now {is_at}, was {was_at}"
    old, new = _operations_by_name(pair.old), _operations_by_name(pair.new)
    names_by_route = {node["route"]: name for name, node in new.items() if name not in old}
    renamed = {
        name: names_by_route[node["route"]]
        for name, node in old.items()
        if name not in new and node["route"] in names_by_route
    }
    for name, node in old.items():
        if name in renamed:
            yield True, f"{name}: renamed to {renamed[name]}"
        if (other := new.get(renamed.get(name, name))) is None:
            yield True, f"{name}: operation removed"
        else:
            yield from _compare_operation(pair, renamed.get(name, name), node, other)
    known = {*old, *renamed.values()}
    yield from ((False, f"{name}: new operation") for name in new if name not in known)


def _operations_by_name(document: Node) -> dict[str, Node]:
    return {
        module_name(node["operationId"]): node | {"route": f"{method.upper()} {re.sub(r'{[^{}]*}', '{}', path)}"}
        for path, item in document["paths"].items()
        for method, node in item.items()
    }


def _compare_operation(pair: DocumentPair, name: str, old: Node, new: Node) -> Lines:
    if old["route"] != new["route"]:
        yield True, f"{name}: is now {new['route']}, was {old['route']}"
    if folder_name(old["tags"][0]) != folder_name(new["tags"][0]):
        yield False, f"{name}: is now in api.{folder_name(new['tags'][0])}, was in api.{folder_name(old['tags'][0])}"
    yield from _compare_marks(Place(name, SENT), old, new)
    yield from _compare_members(pair, Place(name, SENT), _arguments_of(old), _arguments_of(new))
    before, after = body_schema(old["responses"]["200"]), body_schema(new["responses"]["200"])
    if before is None or after is None:
        if before is not after:
            yield after is None, f"{name}: {'no longer has' if after is None else 'now has'} a response body"
    else:
        was_paged, is_paged = _page_fields(pair.old, before), _page_fields(pair.new, after)
        if is_paged is not None and was_paged is None:
            yield True, f"{name}: is now paged, so that one response may not have the whole list"
        if "next" in (was_paged or ()) and "next" not in (is_paged or ()):
            yield True, f"{name}: pages no longer have pagination.next, so that only the first one can be read"
        yield from _compare_types(pair, Place(f"{name} response", RECEIVED), before, after)
        was_sure, is_sure = (not node["responses"]["200"].get("x-may-be-empty") for node in (old, new))
        if was_sure != is_sure:
            yield was_sure, f"{name} response: {'is never' if is_sure else 'may now be'} empty"


def _page_fields(document: Node, response: Node) -> Node:
    """Return the fields of the pagination of a response, or None if it has none."""
    schemas = component_schemas(document)
    fields = schemas.get(referenced_component(response), {}).get("properties", {})
    return schemas.get(referenced_component(fields.get("pagination", {})), {}).get("properties")


class Members(NamedTuple):
    """The fields of a class or the arguments of a function, by their names in Python."""

    schemas: dict[str, Node]
    wire_names: dict[str, str]
    required: set[str]


def _arguments_of(node: Node) -> Members:
    named = list(zip(argument_names(node), node["parameters"], strict=True))
    schemas = {name: parameter["schema"] | {"deprecated": parameter.get("deprecated")} for name, parameter in named}
    wire_names = {name: parameter["name"] for name, parameter in named if parameter["in"] != "path"}
    required = {name for name, parameter in named if parameter.get("required")}
    if body := node.get("requestBody"):
        schemas["body"] = body_schema(body)
        required |= {"body"} if body["required"] else set()
    return Members(schemas, wire_names, required)


def _fields_of(schema: Node) -> Members:
    names = {name: module_name(name) for name in schema["properties"]}
    schemas = {names[name]: field for name, field in schema["properties"].items()}
    wire_names = {field: name for name, field in names.items()}
    return Members(schemas, wire_names, {names[name] for name in schema["required"]})


def _compare_components(pair: DocumentPair) -> Lines:
    old, new = component_schemas(pair.old), component_schemas(pair.new)
    sent, received = (
        {
            name
            for document in pair
            for name in reach_components(document, (node.get(part) for node in list_operations(document)))
        }
        for part in ("requestBody", "responses")
    )
    for name, schema in old.items():
        kind = _kind_of(schema)
        if name not in new:
            yield True, f"{name}: {kind} removed"
        elif kind != _kind_of(new[name]):
            yield True, f"{name}: is now a {_kind_of(new[name])}, was a {kind}"
        else:
            # A component that no operation reaches, such as that of error responses, comes from the server.
            directions = Directions(name in sent, name in received or name not in sent)
            yield from _compare_component(pair, Place(name, directions), schema, new[name])


def _compare_component(pair: DocumentPair, place: Place, old: Node, new: Node) -> Lines:
    yield from _compare_marks(place, old, new)
    if "enum" in old:
        yield from _compare_listed(place, "value", old["enum"], new["enum"])
    elif "x-union" in old:
        yield from _compare_listed(place, "choice", old["x-union"]["classes"], new["x-union"]["classes"])
    else:
        yield from _compare_members(pair, place, _fields_of(old), _fields_of(new))


def _kind_of(schema: Node) -> str:
    return "literal" if "enum" in schema else "union" if "x-union" in schema else "class"


def _compare_members(pair: DocumentPair, place: Place, old: Members, new: Members) -> Lines:
    for name, schema in (old.schemas | new.schemas).items():
        inner, required = Place(f"{place.label}.{name}", place.directions), name in new.required
        if name not in new.schemas:
            yield True, f"{inner.label}: removed"
        elif name not in old.schemas:
            yield place.directions.sent and required, f"{inner.label}: new{', required' if required else ''}"
        else:
            if (name in old.required) != required:
                breaks = place.directions.sent if required else place.directions.received
                yield breaks, f"{inner.label}: is now {'required' if required else 'optional'}"
            if old.wire_names.get(name) != new.wire_names.get(name):
                yield False, f"{inner.label}: is sent as {new.wire_names.get(name)}, was {old.wire_names.get(name)}"
            yield from _compare_marks(inner, old.schemas[name], schema)
            yield from _compare_types(pair, inner, old.schemas[name], schema)


_MARKS = {"deprecated": "deprecated", "readOnly": "read-only", "writeOnly": "write-only"}


def _compare_marks(place: Place, old: Node, new: Node) -> Lines:
    for mark, text in _MARKS.items():
        if (is_marked := bool(new.get(mark))) != bool(old.get(mark)):
            closed = (mark == "readOnly" and place.directions.sent) or (
                mark == "writeOnly" and place.directions.received
            )
            yield is_marked and closed, f"{place.label}: is {'now' if is_marked else 'no longer'} {text}"


def _compare_types(pair: DocumentPair, place: Place, old: Node, new: Node) -> Lines:
    before, after = _type_name(old), _type_name(new)
    if before != after:
        yield _breaks(pair, place.directions, old, new), f"{place.label}: is now {after}, was {before}"
    yield from _compare_details(pair, place, old, new)


def _compare_details(pair: DocumentPair, place: Place, old: Node, new: Node) -> Lines:
    values = component_values(pair.old, old), component_values(pair.new, new)
    # Values of one literal are compared under its own name.
    if referenced_component(old) != referenced_component(new) and values[0] and values[1]:
        yield from _compare_listed(place, "value", values[0], values[1])
    yield from _compare_limits(place, old, new)
    if "items" in old and "items" in new:
        yield from _compare_details(pair, Place(f"{place.label}[]", place.directions), old["items"], new["items"])


def component_values(document: Node, schema: Node) -> list[str] | None:
    """Return the values of the literal that a schema refers to, or None if it refers to none."""
    values: list[str] | None = component_schemas(document).get(referenced_component(schema), {}).get("enum")
    return values


def _classes_of(document: Node, schema: Node) -> set[str]:
    """Return the class that a schema refers to, or the classes of a union."""
    name = referenced_component(schema)
    return set(component_schemas(document).get(name, {}).get("x-union", {}).get("classes", [name] if name else []))


_TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "object": "a free-form object",
}


def _type_name(schema: Node) -> str:
    """Return what the client makes of a schema."""
    if "items" in schema:
        name = f"a list of {_type_name(schema['items'])}"
    elif schema.get("format") == "date-time":
        name = "a date-time"
    else:
        name = referenced_component(schema) or _TYPE_NAMES.get(schema.get("type", ""), "any value")
    return f"{name} or null" if schema.get("nullable") or schema.get("x-null") else name


def _breaks(pair: DocumentPair, directions: Directions, old: Node, new: Node) -> bool:
    """Return whether values of the old type may not fit as they are sent, or new ones as they are received."""
    # A program that names the old type gets what the new document means by this name.
    named = referenced_component(old) in component_schemas(pair.new)
    pairs = [pair, DocumentPair(pair.new, pair.new)] if named else [pair]
    return (directions.sent and not all(_fits(each, old, new) for each in pairs)) or (
        directions.received and not all(_fits(DocumentPair(each.new, each.old), new, old) for each in pairs)
    )


def _fits(pair: DocumentPair, narrow: Node, wide: Node) -> bool:
    """Return whether each value of a type of the first document fits a type of the second."""
    first, second = (_type_name(schema | {"nullable": False, "x-null": False}) for schema in (narrow, wide))
    if second == "any value":
        return True
    if "or null" in _type_name(narrow) and "or null" not in _type_name(wide):
        return False
    if "items" in narrow and "items" in wide:
        # Type checkers let a list stand for no list of another type.
        return second in {first, "a list of any value"}
    classes, wider = _classes_of(pair.old, narrow), _classes_of(pair.new, wide)
    if classes and classes < wider:
        return True
    values, others = component_values(pair.old, narrow), component_values(pair.new, wide)
    listed = values is not None and (second == "a string" or (others is not None and set(values) <= set(others)))
    return listed or first == second or (first, second) == ("an integer", "a number")


def _compare_listed(place: Place, noun: str, old: list[str], new: list[str]) -> Lines:
    yield from ((place.directions.sent, f"{place.label}: {noun} {each} removed") for each in old if each not in new)
    # A program reads the fields of the choices that it knows.
    breaks = noun == "choice" and place.directions.received
    yield from ((breaks, f"{place.label}: new {noun} {each}") for each in new if each not in old)


def _compare_limits(place: Place, old: Node, new: Node) -> Lines:
    for limit in (*LIMITS, "format"):
        before, after = (_effective_limit(schema, limit) for schema in (old, new))
        if before != after:
            texts = ["none" if value is None else value for value in (after, before)]
            breaks = place.directions.sent and _is_narrower(limit, before, after)
            yield breaks, f"{place.label}: {limit} is now {texts[0]}, was {texts[1]}"


def _effective_limit(schema: Node, limit: str) -> Node:
    """Return a limit, or None if it has no effect."""
    value = schema.get(limit)
    without_effect = (limit in {"minLength", "minItems"} and value == 0) or (limit == "format" and value != "email")
    return None if without_effect else value


def _is_narrower(limit: str, before: Node, after: Node) -> bool:
    if before is None or after is None or isinstance(after, str):
        return after is not None
    return bool(after < before if "ax" in limit else after > before)


def main() -> int:
    """Compare the two documents named on the command line."""
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):  # noqa: PLR2004 - the script, OLD and NEW
        print("Usage: spec_diff.py OLD NEW", file=sys.stderr)
        return 2
    settings = load_settings()
    try:
        old, new = (require_supported(read_document(source), source, settings) for source in sys.argv[1:])
    except DocumentError as exc:
        print(f"spec_diff.py: {exc}", file=sys.stderr)
        return 2
    found = list_changes(old, new, settings)
    print("\n".join(map(str, found)) or "no changes for the client")
    return int(any(change.is_breaking for change in found))


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Report the changes between two API documents in terms of the generated client.

Usage: spec_diff.py OLD NEW

OLD and NEW are paths or URLs. Prints one line per change, breaking changes first. Exits with status 1 if there are
breaking changes, and 2 if a document cannot be read. Prose and examples are ignored; error responses are compared by
their components only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from generation.api_document import DocumentError, Node, read_document, resolve_reference
from generation.normalization import (
    body_schema,
    component_schemas,
    drop_client_headers,
    drop_formats,
    expand_operations,
    hoist_marked_schemas,
    name_literal,
)
from generation.plain_schema import COMPONENT_PREFIX, LIMITS
from generation.settings import load_settings

Lines = Iterator[tuple[bool, str]]
"""Whether a change is breaking, and its text."""


class Change(NamedTuple):
    """One difference; it is breaking if a program written for the old document may have to change."""

    is_breaking: bool
    text: str

    def __str__(self) -> str:
        return f"{'breaking' if self.is_breaking else 'compatible'}: {self.text}"


class DocumentPair(NamedTuple):
    """Two documents, and the pairs of components that were compared so far, in each direction."""

    old: Node
    new: Node
    compared: set[tuple[str, str, bool]]


class FieldSet(NamedTuple):
    """The fields of an object or the arguments of an operation."""

    schemas: Node
    required: set[str]


def list_changes(old: Node, new: Node, settings: Node) -> list[Change]:
    """Return the changes, breaking ones first; a change in several places or both directions is listed once."""
    found: dict[str, bool] = {}
    for is_breaking, text in _compare_documents(
        DocumentPair(_to_client_terms(old, settings), _to_client_terms(new, settings), set())
    ):
        found[text] = is_breaking or found.get(text, False)
    listed = [Change(is_breaking, text) for text, is_breaking in found.items()]
    return sorted(listed, key=lambda change: not change.is_breaking)


def _to_client_terms(document: Node, settings: Node) -> Node:
    """Rewrite a document in terms of the client: plain schemas, named literals."""
    for rule in (drop_formats, hoist_marked_schemas, expand_operations, drop_client_headers):
        document = rule(document)
    for name, field_path in settings["literals"].items():
        document = name_literal(document, name=name, field_path=field_path)
    return document


def _compare_documents(pair: DocumentPair) -> Lines:
    before, after = pair.old["info"]["version"], pair.new["info"]["version"]
    if before != after:
        yield False, f"API version: is now {after}, was {before}"
    old, new = _operations_by_id(pair.old), _operations_by_id(pair.new)
    yield from ((True, f"{name}: operation removed") for name in old if name not in new)
    yield from ((False, f"{name}: new operation") for name in new if name not in old)
    for name in (name for name in old if name in new):
        yield from _compare_operations(pair, name, old[name], new[name])
    # Components that no operation reaches, such as those of error responses, are compared last.
    met = {name for *names, _ in pair.compared for name in names}
    for name in sorted(component_schemas(pair.old).keys() & component_schemas(pair.new).keys() - met):
        reference = {"$ref": COMPONENT_PREFIX + name}
        yield from _compare_schemas(pair, name, reference, reference, sent=False)


def _operations_by_id(document: Node) -> dict[str, Node]:
    return {
        node["operationId"]: node | {"route": f"{method.upper()} {re.sub(r'{[^{}]*}', '{}', path)}"}
        for path, item in document["paths"].items()
        for method, node in item.items()
    }


def _compare_operations(pair: DocumentPair, name: str, old: Node, new: Node) -> Lines:
    if old["route"] != new["route"]:
        yield True, f"{name}: is now {new['route']}, was {old['route']}"
    yield from _compare_fields(pair, name, _operation_arguments(old), _operation_arguments(new), sent=True)
    before, after = body_schema(old["responses"]["200"]), body_schema(new["responses"]["200"])
    if before is None or after is None:
        if before is not after:
            yield after is None, f"{name}: {'no longer has' if after is None else 'now has'} a response body"
    else:
        yield from _compare_schemas(pair, f"{name} response", before, after, sent=False)


def _operation_arguments(node: Node) -> FieldSet:
    sent = {p["name"]: p for p in node["parameters"] if p["in"] in {"path", "query"}}
    if body := node.get("requestBody"):
        sent["body"] = {"schema": body_schema(body), "required": body["required"]}
    required = {name for name, argument in sent.items() if argument.get("required")}
    return FieldSet({name: argument["schema"] for name, argument in sent.items()}, required)


def _compare_fields(pair: DocumentPair, location: str, old: FieldSet, new: FieldSet, *, sent: bool) -> Lines:
    hidden = "readOnly" if sent else "writeOnly"
    for field, schema in (old.schemas | new.schemas).items():
        field_location, required = f"{location}.{field}", field in new.required
        if schema.get(hidden):
            continue
        if field not in new.schemas:
            yield True, f"{field_location}: removed"
        elif field not in old.schemas:
            yield sent and required, f"{field_location}: new{', required' if required else ''}"
        else:
            if (field in old.required) != required:
                yield required == sent, f"{field_location}: is now {'required' if required else 'optional'}"
            yield from _compare_schemas(pair, field_location, old.schemas[field], schema, sent=sent)


def _compare_schemas(pair: DocumentPair, location: str, old: Node, new: Node, *, sent: bool) -> Lines:
    """Compare the schemas at a location; components are compared once, under their own name."""
    before, after = resolve_reference(pair.old, old), resolve_reference(pair.new, new)
    was_null, is_null = (any(s.get("nullable") for s in side) for side in ((old, before), (new, after)))
    if was_null != is_null:
        yield was_null == sent, f"{location}: {'can now' if is_null else 'can no longer'} be null"
    old_name, new_name = (schema.get("$ref", "").removeprefix(COMPONENT_PREFIX) for schema in (old, new))
    if old_name or new_name:
        # Components may refer to each other in a circle.
        if (old_name, new_name, sent) in pair.compared:
            return
        pair.compared.add((old_name, new_name, sent))
    if old_name != new_name and "properties" in before and "properties" in after:
        yield True, f"{location}: is now {new_name or 'an inline object'}, was {old_name or 'an inline object'}"
    yield from _compare_contents(pair, new_name or location, before, after, sent=sent)


def _compare_contents(pair: DocumentPair, location: str, old: Node, new: Node, *, sent: bool) -> Lines:
    before, after = _type_name(old), _type_name(new)
    if before != after:
        wider, narrower = (after, before) if sent else (before, after)
        yield (wider, narrower) not in _FITTING_TYPES, f"{location}: is now {after}, was {before}"
        return
    yield from _compare_values(location, old.get("enum"), new.get("enum"), sent=sent)
    yield from _compare_limits(location, old, new, sent=sent)
    if "items" in old:
        yield from _compare_schemas(pair, f"{location}[]", old["items"], new["items"], sent=sent)
    if "properties" in old:
        fields = [FieldSet(schema["properties"], set(schema["required"])) for schema in (old, new)]
        yield from _compare_fields(pair, location, fields[0], fields[1], sent=sent)


_TYPE_NAMES = {
    "string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean", "array": "a list",
}  # fmt: skip
# A type, and a type whose values all fit it.
_FITTING_TYPES = {("a number", "an integer"), ("a free-form object", "an object")} | {
    ("any value", kind) for kind in (*_TYPE_NAMES.values(), "a date-time", "an object", "a free-form object")
}


def _type_name(schema: Node) -> str:
    if schema.get("type") == "object":
        return "an object" if "properties" in schema else "a free-form object"
    return "a date-time" if schema.get("format") == "date-time" else _TYPE_NAMES.get(schema.get("type", ""), "any value")


def _compare_values(location: str, old: list[str] | None, new: list[str] | None, *, sent: bool) -> Lines:
    if old is None or new is None:
        if old is not new:
            now = "any string" if new is None else f"one of {', '.join(new)}"
            yield sent and old is None, f"{location}: is now {now}"
        return
    yield from ((sent, f"{location}: value {value} removed") for value in old if value not in new)
    yield from ((False, f"{location}: new value {value}") for value in new if value not in old)


def _compare_limits(location: str, old: Node, new: Node, *, sent: bool) -> Lines:
    for limit in (*LIMITS, "format"):
        before, after = (_effective_limit(schema, limit) for schema in (old, new))
        if before != after:
            texts = ["none" if value is None else value for value in (after, before)]
            yield sent and _is_narrower(limit, before, after), f"{location}: {limit} is now {texts[0]}, was {texts[1]}"


def _effective_limit(schema: Node, limit: str) -> Node:
    """Return a limit, or None if it has no effect."""
    value = schema.get(limit)
    return None if value is False or (limit in {"minLength", "minItems"} and value == 0) else value


def _is_narrower(limit: str, before: Node, after: Node) -> bool:
    comparable = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    if not comparable or limit == "multipleOf":
        return after is not None
    return bool(after < before if "ax" in limit else after > before)


def main() -> int:
    """Compare the two documents named on the command line."""
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):  # noqa: PLR2004 - the script, OLD and NEW
        print("Usage: spec_diff.py OLD NEW", file=sys.stderr)
        return 2
    try:
        found = list_changes(read_document(sys.argv[1]), read_document(sys.argv[2]), load_settings())
    except DocumentError as exc:
        print(f"spec_diff.py: {exc}", file=sys.stderr)
        return 2
    print("\n".join(map(str, found)) or "no changes for the client")
    return int(any(change.is_breaking for change in found))


if __name__ == "__main__":
    sys.exit(main())

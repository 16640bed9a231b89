"""Keep the words of our API document when another one is adopted: descriptions, examples and limits.

Words belong to a place: an operation, one of its parameters, bodies and responses, or a component schema and its
fields. A place of the other document is one of ours if it has the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO

from ruamel.yaml import YAML

from generation.api_document import Node, iter_operations
from generation.plain_schema import LIMITS

WORDS = ("summary", "description", "example", "examples")


def keep_words(ours: Node, document: Node) -> tuple[Node, list[str]]:
    """Return a document with our words and limits, and the places that have others' words or stated no limit."""
    known, merged = dict(_iter_places(ours)), deepcopy(document)
    # Components that operations share are ours in a new operation, too.
    our_words = [_words_of(each) for each in known.values()]
    foreign: dict[str, list[str]] = {}
    lines: list[str] = []
    for place, node in _iter_places(merged):
        old = known.get(place, {})
        if words := _words_of(old):
            for key in set(WORDS) & node.keys():
                del node[key]
            node.update(deepcopy(words))  # else YAML would write what several nodes share once
        elif _words_of(node) and _words_of(node) not in our_words:
            foreign.setdefault(_owner_of(place), []).append(place)
        lines += _keep_limits(place, old, node)
    new = [owner for owner in foreign if owner not in set(map(_owner_of, known))]
    told = [_describe_foreign(owner, places) for owner, places in foreign.items() if owner not in new]
    if new:
        told.append(f"openapi/admin.yaml: new, in words of the other document: {', '.join(new)}: write your own")
    return merged, [*told, *lines]


def _words_of(node: Node) -> Node:
    return {key: node[key] for key in WORDS if key in node}


def _owner_of(place: str) -> str:
    return place.partition(".")[0].partition(" ")[0]


def _keep_limits(place: str, old: Node, new: Node) -> Iterator[str]:
    for limit in (each for each in LIMITS if each in old and each not in new):
        if old.get("type") == new.get("type"):
            new[limit] = old[limit]
            yield f"openapi/admin.yaml: {place}: keeps {limit} {old[limit]}, which the other document does not state"
        else:
            yield f"openapi/admin.yaml: {place}: lost {limit} {old[limit]}: it is now of another type"


def _describe_foreign(owner: str, places: list[str]) -> str:
    inner = [place.removeprefix(owner).strip(". ") or "itself" for place in dict.fromkeys(places)]
    return f"openapi/admin.yaml: {owner} has words of the other document ({', '.join(inner)}): write your own"


def _iter_places(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield each mapping of a document that can have words or limits, with the name of its place."""
    yield "info", document["info"]
    yield from ((f"servers.{server['url']}", server) for server in document.get("servers", []))
    yield from ((f"tags.{tag['name']}", tag) for tag in document.get("tags", []))
    for endpoint in iter_operations(document):
        name, operation = endpoint.label, endpoint.operation
        yield name, document["paths"][endpoint.path][endpoint.method]
        for parameter in operation["parameters"]:
            yield f"{name}.{parameter['name']}", parameter
            yield from _iter_schema(f"{name}.{parameter['name']} value", parameter.get("schema", {}))
        for status, body in {"body": operation["requestBody"], **operation["responses"]}.items():
            yield f"{name} {status}", body
            for content in body.get("content", {}).values():
                yield f"{name} {status} content", content
                yield from _iter_schema(f"{name} {status} value", content.get("schema", {}))
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from _iter_schema(name, schema)


def _iter_schema(place: str, schema: Node) -> Iterator[tuple[str, Node]]:
    if "$ref" in schema:  # nothing beside a reference counts
        return
    place = schema.get("x-component-name", place)
    yield place, schema
    for name, field in schema.get("properties", {}).items():
        yield from _iter_schema(f"{place}.{name}", field)
    if "items" in schema:
        yield from _iter_schema(f"{place}[]", schema["items"])
    for number, part in enumerate([*schema.get("allOf", []), *schema.get("oneOf", [])], start=1):
        yield from _iter_schema(f"{place} {number}", part)


def write_document(document: Node) -> bytes:
    """Return a document as YAML."""
    stream, writer = BytesIO(), YAML()
    writer.width = 120
    writer.dump(document, stream)
    return stream.getvalue()

#!/usr/bin/env python3
"""Rewrite an API document into what the generator's templates expect: one pure rule after the other.

Usage: normalize_spec.py DOCUMENT SETTINGS OUTPUT [--adopt]

Exits 1 with one line a problem where the document needs something that the templates do not support. A rule
or a configured name that matches nothing is a problem too; with --adopt it is a line of the report instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML

VERSION_HEADER = "x-pinecone-api-version"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")

Node: TypeAlias = Any
"""A mapping of the document; what it holds is known only to the rule that reads it."""


class Rule(NamedTuple):
    """A change of the whole document, and what it is called where it finds nothing to change."""

    label: str
    apply: Callable[[Node], Node]
    may_be_idle: bool = False


def normalize(document: Node, settings: Node) -> tuple[Node, list[str]]:
    """Apply every rule in order; the second value names those that matched nothing."""
    idle: list[str] = []
    for rule in rules(settings):
        before, document = document, rule.apply(document)
        if document == before and not rule.may_be_idle:
            idle.append(rule.label)
    return document, idle


def rules(settings: Node) -> list[Rule]:
    """List the rules in their order; names and secrets are looked up before their places are rewritten."""
    return [
        Rule("drop the version header parameter", drop_version_header),
        Rule("drop format: uuid", drop_uuid_format),
        Rule("hoist schemas marked x-component-name", hoist_marked_schemas),
        *(Rule(f"secret {place}", partial(mark_secret, place=place)) for place in settings["secrets"]),
        *(
            Rule(f"literal {name} at {place}", partial(name_literal, name=name, place=place))
            for name, place in settings["literals"].items()
        ),
        Rule("spell x-enum as enum", spell_enums, may_be_idle=True),
        Rule("make nullable fields optional", make_nullable_optional, may_be_idle=True),
        Rule("describe parameters in their schemas", describe_parameters),
    ]


def drop_version_header(document: Node) -> Node:
    """Leave the version header out of every operation: the client sends it once for all."""

    def is_version(parameter: Node) -> bool:
        target = resolve(document, parameter)
        return target.get("in") == "header" and str(target.get("name")).lower() == VERSION_HEADER

    def change(node: Node) -> Node:
        if isinstance(node.get("parameters"), list):
            return node | {"parameters": [p for p in node["parameters"] if not is_version(p)]}
        return node

    return rewrite(document, change)


def drop_uuid_format(document: Node) -> Node:
    """Make ids opaque strings: the server owns their form."""
    return rewrite(document, lambda node: {k: v for k, v in node.items() if (k, v) != ("format", "uuid")})


def hoist_marked_schemas(document: Node) -> Node:
    """Move each inline schema that bears a component name into the components."""
    hoisted: Node = {}

    def change(node: Node) -> Node:
        if not isinstance(node.get("x-component-name"), str):
            return node
        name = node["x-component-name"]
        hoisted[name] = {k: v for k, v in node.items() if k != "x-component-name"}
        return reference(name)

    return with_schemas(rewrite(document, change), hoisted)


def mark_secret(document: Node, *, place: str) -> Node:
    """Mark a field whose value the model's repr masks."""
    document = deepcopy(document)
    field = find_property(document, place)
    if field is not None:
        field["x-secret"] = True
    return document


def name_literal(document: Node, *, name: str, place: str) -> Node:
    """Give the values at a place a name, and refer to it wherever the same values stand."""
    found = find_property(document, place)
    found = found.get("items", found) if found is not None else {}
    values = string_values(found)
    if not values:
        return document

    def change(node: Node) -> Node:
        if string_values(node) != values:
            return node
        described = {"description": node["description"]} if "description" in node else {}
        return described | {"allOf": [reference(name)]}

    literal = {key: found[key] for key in ("type", "description") if key in found} | {"enum": values}
    return with_schemas(rewrite(document, change), {name: literal})


def spell_enums(document: Node) -> Node:
    """Turn the values that no name is configured for into an enum, which the generator names by its place."""

    def change(node: Node) -> Node:
        values = string_values(node)
        if values is None or "x-enum" not in node:
            return node
        return {k: v for k, v in node.items() if k != "x-enum"} | {"enum": values}

    return rewrite(document, change)


def make_nullable_optional(document: Node) -> Node:
    """Take nullable fields out of required: absent and null mean the same, and the generator loses some nulls."""

    def change(node: Node) -> Node:
        if not isinstance(node.get("required"), list) or not isinstance(node.get("properties"), dict):
            return node
        fields = node["properties"]
        return node | {"required": [name for name in node["required"] if not _is_nullable(fields.get(name, {}))]}

    return rewrite(document, change)


def _is_nullable(schema: Node) -> bool:
    kinds = schema.get("type")
    return schema.get("nullable") is True or kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def describe_parameters(document: Node) -> Node:
    """Repeat a parameter's description in its schema, the only place where the generator reads one."""

    def change(node: Node) -> Node:
        schema = node.get("schema")
        if "in" not in node or "description" not in node or not isinstance(schema, dict) or "$ref" in schema:
            return node
        return node | {"schema": {"description": node["description"]} | schema}

    return rewrite(document, change)


def unsupported(document: Node) -> list[str]:
    """Name everything in the document that the templates cannot express, one line each."""
    return [
        f"{operation.get('operationId', f'{method.upper()} {path}')}: {problem}"
        for path, method, operation in operations(document)
        for problem in (
            *_unsupported_parameters(document, operation),
            *_unsupported_body(document, operation),
            *_unsupported_answers(document, operation),
        )
    ]


def _unsupported_parameters(document: Node, operation: Node) -> Iterator[str]:
    for parameter in (resolve(document, p) for p in operation.get("parameters", [])):
        is_version = str(parameter.get("name")).lower() == VERSION_HEADER
        if parameter.get("in") in {"header", "cookie"} and not is_version:
            yield f"{parameter['in']} parameter {parameter.get('name')} is not supported"


def _unsupported_body(document: Node, operation: Node) -> Iterator[str]:
    content = resolve(document, operation.get("requestBody", {})).get("content", {})
    if content and list(content) != ["application/json"]:
        yield f"a request body of type {', '.join(content)} is not supported, only application/json"
    for media in content.values():
        for where in _nullable_fields(document, media.get("schema", {}), "body", frozenset()):
            yield f"a nullable request field is not supported: {where}"


def _nullable_fields(document: Node, schema: Node, where: str, seen: frozenset[str]) -> Iterator[str]:
    ref = schema.get("$ref")
    if ref in seen:
        return
    schema, seen = resolve(document, schema), seen | ({ref} if ref else set())
    if _is_nullable(schema):
        yield where
    for name, field in schema.get("properties", {}).items():
        yield from _nullable_fields(document, field, f"{where}.{name}", seen)
    if isinstance(schema.get("items"), dict):
        yield from _nullable_fields(document, schema["items"], f"{where}[]", seen)
    for part in (part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])):
        yield from _nullable_fields(document, part, where, seen)


def _unsupported_answers(document: Node, operation: Node) -> Iterator[str]:
    kinds: dict[str, str] = {}
    for status, answer in operation.get("responses", {}).items():
        if not str(status).startswith("2"):
            continue
        content = resolve(document, answer).get("content", {})
        if content and list(content) != ["application/json"]:
            yield f"an answer of type {', '.join(content)} is not supported, only application/json"
        kinds[str(status)] = json.dumps(content.get("application/json", {}).get("schema"), sort_keys=True)
    if len(set(kinds.values())) > 1:
        yield f"two kinds of success answer are not supported: {', '.join(sorted(kinds))}"


def operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    """Yield path, method and operation for each operation, the parameters of its path included."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                yield path, method, operation | {"parameters": parameters}


def resolve(document: Node, node: Node) -> Node:
    """Follow local references; one that leads nowhere or outside is an empty node."""
    seen: set[str] = set()
    while isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
        seen.add(node["$ref"])
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        node = target if isinstance(target, dict) else {}
    return node


def find_property(document: Node, place: str) -> Node | None:
    """Look up ``Schema.property``, at any depth of inline objects."""
    schema, *names = place.split(".")
    node: Any = document.get("components", {}).get("schemas", {}).get(schema)
    for name in names:
        node = node.get("properties", {}).get(name) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None


def string_values(node: Node) -> list[str] | None:
    """Give the values that a schema of strings lists, or None where it lists none."""
    values = node.get("x-enum", node.get("enum"))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return values or None


def reference(name: str) -> Node:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def with_schemas(document: Node, schemas: Node) -> Node:
    """Add schemas to the components."""
    components = document.get("components", {})
    return document | {"components": components | {"schemas": components.get("schemas", {}) | schemas}}


def rewrite(node: Any, change: Callable[[Node], Node]) -> Any:
    """Copy a tree, innermost first, with every mapping in it passed through a change."""
    if isinstance(node, dict):
        return change({key: rewrite(value, change) for key, value in node.items()})
    if isinstance(node, list):
        return [rewrite(item, change) for item in node]
    return node


def main() -> int:
    """Normalize one document from the command line."""
    parser = argparse.ArgumentParser(description="Rewrite an API document for the generator.")
    parser.add_argument("document", type=Path)
    parser.add_argument("settings", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--adopt", action="store_true")
    arguments = parser.parse_args()
    yaml = YAML(typ="safe")
    document, settings = yaml.load(arguments.document), yaml.load(arguments.settings)
    problems = unsupported(document)
    normalized, idle = normalize(document, settings)
    if problems and arguments.adopt:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        problems = [f"the templates do not support the document: {problems[0]}{more}"]
    for line in problems:
        print(line, file=sys.stderr)
    if not problems:
        for line in idle:
            print(f"matches nothing in this document: {line}", file=sys.stdout if arguments.adopt else sys.stderr)
    if problems or (idle and not arguments.adopt):
        return 1
    arguments.output.write_text(json.dumps(normalized, default=str), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

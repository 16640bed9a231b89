"""Name what a document needs and the templates or the client cannot express: one line each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from generation.api_document import Node, Place, json_schema, operations, resolve, successes
from generation.normalization import OWN_HEADERS, module_name, operation_id
from generation.plain_schema import alternatives, is_nullable, kinds

# What the client accepts as a path once the placeholders are filled.
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
_STYLES = {"path": "simple", "query": "form"}


def unsupported(document: Node) -> list[str]:
    """Name everything that is in the way of generating from a document."""
    places = list(operations(document))
    of_operations = [
        f"{place.label}: {problem}"
        for place in places
        for problem in (*_path(place), *_parameters(document, place), *_body(document, place), *_answers(place))
    ]
    return [*_whole(document, places), *of_operations]


def _whole(document: Node, places: list[Place]) -> Iterator[str]:
    if not places:
        yield "it has no operations"
    version = document["info"]["version"]
    if not re.fullmatch(r"[\x21-\x7e]+", version):
        yield f"info.version {version!r} cannot be sent in a header"
    labels: dict[str, str] = {}
    for place in places:
        name = module_name(operation_id(place))
        other = labels.setdefault(name, place.label)
        if other != place.label:
            yield f"{other} and {place.label} would both be named {name}"


def _path(place: Place) -> Iterator[str]:
    if not _PATH.fullmatch(re.sub(r"\{[^{}]*\}", "x", place.path)):
        yield f"the path {place.path} has a character that the client does not send"
    for parameter in place.operation["parameters"]:
        if parameter["in"] == "path" and f"{{{parameter['name']}}}" not in place.path:
            yield f"path parameter {parameter['name']} is not in the path"


def _parameters(document: Node, place: Place) -> Iterator[str]:
    for parameter in place.operation["parameters"]:
        where, name = parameter["in"], parameter["name"]
        if where == "cookie" or (where == "header" and name.lower() not in OWN_HEADERS):
            yield f"{where} parameter {name} is not supported"
        elif where in _STYLES and (form := _unwritable(document, parameter)):
            yield f"{where} parameter {name} is not supported: it is {form}"


def _unwritable(document: Node, parameter: Node) -> str | None:
    """Name the form in which the client cannot write a parameter into a URL; None where it can."""
    schema, style = parameter.get("schema"), _STYLES[parameter["in"]]
    if schema is None:
        return "in a content type of its own"
    found = kinds(document, schema)
    if "object" in found or ("array" in found and parameter["in"] == "path"):
        return "an object" if "object" in found else "a list"
    if "array" in found and kinds(document, resolve(document, schema).get("items", {})) & {"array", "object"}:
        return "a list of lists or objects"
    if parameter.get("style", style) != style:
        return f"in the style {parameter['style']}"
    return "a list in one value" if "array" in found and parameter.get("explode") is False else None


def _body(document: Node, place: Place) -> Iterator[str]:
    content = place.operation["requestBody"].get("content", {})
    schema = json_schema(content, in_answer=False)
    if content and schema is None:
        yield f"a request body of type {', '.join(content)} is not supported, only application/json"
    elif content:
        for where in sorted(set(_nullable_fields(document, schema, "body", frozenset()))):
            yield f"a nullable request field is not supported: {where}"


def _nullable_fields(document: Node, schema: Node, where: str, seen: frozenset[str]) -> Iterator[str]:
    if not isinstance(schema, dict) or schema.get("readOnly") is True:
        return
    if isinstance(reference := schema.get("$ref"), str):
        if reference not in seen:
            yield from _nullable_fields(document, resolve(document, schema), where, seen | {reference})
        return
    if is_nullable(schema):
        yield where
    for name, field in schema.get("properties", {}).items():
        yield from _nullable_fields(document, field, f"{where}.{name}", seen)
    yield from _nullable_fields(document, schema.get("items"), f"{where}[]", seen)
    for part in (*schema.get("allOf", []), *alternatives(schema)):
        if not (isinstance(part, dict) and part.get("type") == "null"):
            yield from _nullable_fields(document, part, where, seen)


def _answers(place: Place) -> Iterator[str]:
    kinds_of_answer: dict[str, list[str]] = {}
    for status, answer in successes(place.operation).items():
        content = answer.get("content", {})
        schema = json_schema(content, in_answer=True)
        if content and schema is None:
            yield f"an answer of type {', '.join(content)} is not supported, only JSON"
        kinds_of_answer.setdefault(json.dumps(schema, sort_keys=True), []).append(status)
    if len(kinds_of_answer) > 1:
        statuses = sorted(status for some in kinds_of_answer.values() for status in some)
        yield f"two kinds of success answer are not supported: {', '.join(statuses)}"

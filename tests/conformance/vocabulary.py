"""The words that a recording may contain: those of the API documents, of the emulator's messages and of the checks."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]

LEAST_LETTERS = 8
"""The least number of letters in the fixed parts of a message. With fewer, it would match unrelated text."""

REQUEST_HEADERS = ("authorization", "content-type", "x-pinecone-api-version")
RESPONSE_HEADERS = ("allow", "content-type", "retry-after", "x-pinecone-api-version", "x-pinecone-request-id")

HEADER_VALUES: Mapping[str, re.Pattern[str]] = {
    "content-type": re.compile(
        r"(application/(json|x-www-form-urlencoded)|text/(plain|html))(; ?charset=utf-8)?", re.IGNORECASE
    ),
    "retry-after": re.compile(r"[0-9]{1,6}"),
    "allow": re.compile(r"(GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS)(, ?(GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS))*"),
    "x-pinecone-api-version": re.compile(r"[0-9]{4}-[0-9]{2}(\.(alpha|beta|rc))?"),
}
"""The values of headers that a recording may contain; all others are replaced."""

ERROR_CODES: Mapping[str, re.Pattern[str]] = {
    "code": re.compile(r"[A-Z]{2,}(_[A-Z]+)*"),
    "error": re.compile(r"[a-z]+(_[a-z]+)+"),
}
"""The forms of error codes of both APIs. A code that no document has stays, because it is a fact to learn."""


_EXAMPLE_VALUE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\S+@\S+|(?:Org|Project)[A-Z][a-z]+")
"""The parts of an example message in an API document that vary: an id, an email or a role."""


@cache
def _read_documents() -> list[Any]:
    return [yaml.safe_load((ROOT / f"openapi/{name}.yaml").read_text(encoding="utf-8")) for name in ("admin", "oauth")]


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(child)


@cache
def read_fields() -> frozenset[str]:
    """Return the names of the fields and parameters of the API documents."""
    found: set[str] = set()
    for node in _walk(_read_documents()):
        if isinstance(node, dict):
            found |= set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
            found |= {node["name"]} if {"in", "name"} <= node.keys() else set()
    return frozenset(found)


@cache
def read_literals() -> Mapping[str, frozenset[str]]:
    """Return the values that the API documents list for a field, by the name of the field."""
    found: dict[str, set[str]] = {}
    for document in _read_documents():
        for node in _walk(document):
            if isinstance(node, dict):
                schemas: dict[str, Any] = node["properties"] if isinstance(node.get("properties"), dict) else {}
                if {"in", "name", "schema"} <= node.keys():
                    schemas = {node["name"]: node["schema"]}
                for name, schema in schemas.items():
                    found.setdefault(name, set()).update(_list_values(document, schema))
    return {name: frozenset(values) for name, values in found.items() if values}


def _list_values(document: Any, schema: Any) -> Iterator[str]:
    """Yield the strings that a schema lists, also by reference, in its alternatives and for its items."""
    if not isinstance(schema, dict):
        return
    yield from (each for key in ("x-enum", "enum") for each in schema.get(key, ()) if isinstance(each, str))
    if isinstance(reference := schema.get("$ref"), str) and reference.startswith("#/components/schemas/"):
        target = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
        # If the reference leads to a resource, its fields are found elsewhere.
        yield from _list_values(document, {} if "properties" in target else target)
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ()), schema.get("items")):
        yield from _list_values(document, part)


@cache
def read_public_fields() -> frozenset[str]:
    """Return the fields of requests that hold no value of an organization, such as a limit or a role."""
    return frozenset({"limit", "x-pinecone-api-version", *read_literals()})


@cache
def read_route_words() -> frozenset[str]:
    """Return the fixed parts of the paths of the API documents."""
    paths = [path for document in _read_documents() for path in document["paths"]]
    return frozenset(part for path in paths for part in path.split("/") if part and "{" not in part)


@cache
def read_nouns() -> frozenset[str]:
    """Return the words for kinds of resources."""
    tags = {tag["name"].removesuffix("s") for document in _read_documents() for tag in document.get("tags", ())}
    return frozenset(tags | {each.lower() for each in tags} | {each.capitalize() for each in tags} | {"API key"})


@cache
def read_message_words() -> tuple[str, ...]:
    """Return nouns, fields and listed values, which may stay where a message varies. The longest come first."""
    listed = [each for values in read_literals().values() for each in values]
    return tuple(sorted({*read_nouns(), *read_fields(), *listed}, key=lambda word: (-len(word), word)))


@cache
def read_templates() -> tuple[tuple[str, ...], ...]:
    """Return the messages of the emulator and the API documents, each as its fixed parts.

    The longest come first, so that a message is matched as closely as possible.
    """
    found = {tuple(_EXAMPLE_VALUE.split(message)) for message in _documented_messages()}
    for path in sorted((ROOT / "pinecone_admin/emulator/api").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add(_fixed_parts(node))
            if isinstance(node, ast.Call):
                found |= {(each,) for each in _constant_messages(node)}
    lettered = {each for each in found if sum(map(str.isalpha, "".join(each))) >= LEAST_LETTERS}
    return tuple(sorted(lettered, key=lambda parts: (-len("".join(parts)), parts)))


def _documented_messages() -> set[str]:
    errors = [node["error"] for node in _walk(_read_documents()) if isinstance(node, dict) and "error" in node]
    return {each["message"] for each in errors if isinstance(each, dict) and isinstance(each.get("message"), str)}


def _constant_messages(call: ast.Call) -> set[str]:
    given = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return {each for each in given if isinstance(each, str) and " " in each}


def _fixed_parts(node: ast.JoinedStr) -> tuple[str, ...]:
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return tuple(parts)


@cache
def read_constants() -> frozenset[str]:
    """Return the strings in the source of the checks. All other strings come from a response or an argument."""
    found: set[str] = set()
    for path in Path(__file__).parent.glob("*_checks.py"):
        found |= _constants_of(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(found | _constants_of(ast.parse((Path(__file__).parent / "service.py").read_text("utf-8"))))


def _constants_of(tree: ast.AST) -> set[str]:
    values = [_evaluate(node) for node in ast.walk(tree)]
    texts = {each for each in values if isinstance(each, str) and each}
    # Also the parts of paths, one of which leads nowhere.
    return texts | {part for each in texts if each.startswith("/admin/") for part in each.split("/") if part}


def _evaluate(node: ast.AST) -> object:
    """Return the value of a constant, also of a sum and of a repetition of constants, such as of names too long."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        left, right = _evaluate(node.left), _evaluate(node.right)
        if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(node.op, ast.Mult) and isinstance(left, str) and isinstance(right, int):
            return left * right
    return None

"""The table of operations that the emulator reads: their routes, and what it needs to serve plain resources.

A plain resource is a collection of records of one schema that can be created from what a request holds, the path, the
time and defaults. An operation on it is plain if it lists, creates, fetches, updates or deletes such records, and
nothing else.
"""

from __future__ import annotations

import json

from generation.api_document import (
    Endpoint,
    Node,
    iter_operations,
    look_up_reference,
    resolve_reference,
    success_responses,
)

_LIMITS = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
_KEPT_KEYS = ("type", "enum", "format", "nullable", *_LIMITS)
_PAGING = frozenset({"limit", "paginationToken"})
_TIMES = ("created_at", "updated_at")


def make_table(document: Node) -> str:
    """Return the table as JSON, with one operation in each line."""
    endpoints = list(iter_operations(document))
    records = {each.path: record for each in endpoints if (record := _find_created_record(document, each)) is not None}
    rows = [_make_row(each) | _describe_plain(document, each, records) for each in endpoints]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def _make_row(endpoint: Endpoint) -> Node:
    status = next(iter(success_responses(endpoint.operation)), "200")
    return {
        "id": endpoint.label,
        "method": endpoint.method.upper(),
        "path": endpoint.path,
        "status": int(status) if status.isdecimal() else 200,
    }


def _find_created_record(document: Node, endpoint: Endpoint) -> Node:
    """Return the schema of the records that an operation creates, or None if it does not create plain ones."""
    record, body = _answer(document, endpoint), _body(document, endpoint)
    if endpoint.method != "post" or endpoint.path.endswith("}") or record is None or not body:
        return None
    is_plain = "id" in record.get("properties", {}) and set(body.get("properties", {})) <= set(record["properties"])
    return record if is_plain and _find_sources(document, endpoint, record, body) is not None else None


def _describe_plain(document: Node, endpoint: Endpoint, records: dict[str, Node]) -> Node:
    """Return what the emulator needs to serve an operation on a plain resource; nothing if it is none."""
    is_member = endpoint.path.endswith("}")
    collection = endpoint.path.rpartition("/")[0] if is_member else endpoint.path
    if collection not in records:
        return {}
    record, answer, body = records[collection], _answer(document, endpoint), _body(document, endpoint)
    fields = record["properties"]
    queries = {each["name"] for each in endpoint.operation["parameters"] if each["in"] == "query"}
    details: Node = None
    match endpoint.method, is_member:
        case "get", False if answer is not None and answer.get("properties", {}).get("data", {}).get("items") == record:
            filters = sorted(queries - _PAGING)
            if all(fields.get(name, {}).get("type") == "string" for name in filters):
                queries = set()
                details = {"plain": "list", "filters": filters, "paged": "pagination" in answer["properties"]}
        case "post", False:
            details = {"plain": "create", "body": body, "made": _find_sources(document, endpoint, record, body)}
        case "get", True if answer == record:
            details = {"plain": "fetch"}
        case "delete", True if answer is None:
            details = {"plain": "delete"}
        case "patch" | "put", True if answer == record and body and set(body.get("properties", {})) <= set(fields):
            details = {"plain": "update", "body": body, "made": {"updated_at": "now"} if "updated_at" in fields else {}}
    return {} if details is None or queries else {"collection": collection} | details


def _find_sources(document: Node, endpoint: Endpoint, record: Node, body: Node) -> Node:
    """Return where each field comes from that a request may lack, or None if that is not known of a required one."""
    arguments = [segment.strip("{}") for segment in endpoint.path.split("/") if segment.startswith("{")]
    sources: Node = {}
    for name, field in record["properties"].items():
        if name in body.get("required", ()):
            continue
        if name in arguments:
            sources[name] = arguments.index(name)
        elif name in {"id", "organization_id"}:
            sources[name] = name
        elif name in _TIMES:
            sources[name] = "now"
        elif (default := _find_default(document, endpoint, name)) is not None or field.get("nullable"):
            sources[name] = {"default": default}
        elif name in record["required"]:
            return None
    return sources


def _find_default(document: Node, endpoint: Endpoint, name: str) -> Node:
    fields = resolve_reference(document, _json_schema(endpoint.operation["requestBody"])).get("properties", {})
    return resolve_reference(document, fields.get(name, {})).get("default")


def _answer(document: Node, endpoint: Endpoint) -> Node:
    """Return the schema of a success, or None if it has no body."""
    response: Node = next(iter(success_responses(endpoint.operation).values()), {})
    return _inline(document, _json_schema(response), without="writeOnly") if "content" in response else None


def _body(document: Node, endpoint: Endpoint) -> Node:
    return _inline(document, _json_schema(endpoint.operation["requestBody"]), without="readOnly")


def _json_schema(body: Node) -> Node:
    return body.get("content", {}).get("application/json", {}).get("schema", {})


def _inline(document: Node, schema: Node, seen: frozenset[str] = frozenset(), *, without: str) -> Node:
    """Return what the emulator needs of a schema, with references followed; a circular one allows any value."""
    reference = schema.get("$ref")
    if reference in seen:
        return {}
    if reference is not None:
        return _inline(document, look_up_reference(document, reference), seen | {reference}, without=without)
    kept = {key: schema[key] for key in _KEPT_KEYS if key in schema}
    if "allOf" in schema:
        return _inline(document, schema["allOf"][0], seen, without=without) | kept
    if "x-enum" in schema:
        kept["enum"] = schema["x-enum"]
    if "items" in schema:
        kept["items"] = _inline(document, schema["items"], seen, without=without)
    if "properties" in schema:
        fields = {name: each for name, each in schema["properties"].items() if not each.get(without)}
        kept["properties"] = {name: _inline(document, each, seen, without=without) for name, each in fields.items()}
        kept["required"] = [name for name in schema.get("required", []) if name in fields]
    return kept

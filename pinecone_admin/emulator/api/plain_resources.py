"""Plain resources: records with no other operations than list, create, fetch, update and delete.

The rows of `operations.json` contain the fields of a request, and the sources of the other fields of a record. The
emulator keeps a record as it returns it. It is assumed that a caller may use a record if it may update the project of
the record, or every project if the record has none.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

from pinecone_admin.emulator.api import checks, paging
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.api.preconditions import FINDERS, require_record
from pinecone_admin.emulator.api.refusals import Refusal
from pinecone_admin.emulator.api.serialization import Document, format_time
from pinecone_admin.emulator.model.listing import Listing
from pinecone_admin.emulator.model.records import PlainRecord

Node: TypeAlias = Mapping[str, Any]
"""A row of the table, or a schema in it."""

_ABSENT = object()


def plain_operation(row: Node) -> Callable[[OperationContext], Document | None] | None:
    """Return the function that runs the operation of a row, or None if it is not one of a plain resource."""
    runs = {"list": _list, "create": _create, "fetch": _fetch, "update": _update, "delete": _delete}
    return partial(runs[row["plain"]], row) if "plain" in row else None


def _list(row: Node, context: OperationContext) -> Document:
    given = {name: context.query.optional(name, checks.string) for name in row["filters"]}
    filters = {name: value for name, value in given.items() if value is not None}
    page_request = paging.read_page_request(context, context.request.path, filters)
    collection = _open_collection(row, context)
    records = [
        record
        for record in context.state.plain_records.listing
        if record.collection == collection and all(record.values.get(name) == filters[name] for name in filters)
    ]
    if not row["paged"]:
        return {"data": [record.values for record in records]}
    return paging.page_document(context, page_request, Listing(records), lambda record: record.values)


def _create(row: Node, context: OperationContext) -> Document:
    sent = _read_object(row["body"], context.fields)
    collection = _open_collection(row, context)
    values = {name: _make_value(context, source) for name, source in row["made"].items()} | sent
    return context.state.add_plain_record(collection, values).values


def _fetch(row: Node, context: OperationContext) -> Document:
    return _find_record(row, context).values


def _update(row: Node, context: OperationContext) -> Document:
    sent = _read_object(row["body"], context.fields)
    record = _find_record(row, context)
    record.values |= sent | {name: _make_value(context, source) for name, source in row["made"].items()}
    return record.values


def _delete(row: Node, context: OperationContext) -> None:
    context.state.remove_plain_record(_find_record(row, context))


def _make_value(context: OperationContext, source: Any) -> object:
    """Return a value that a request lacks: the id in the path with a number, a default, or what a name stands for."""
    if isinstance(source, int):
        return context.targets[source]
    if isinstance(source, dict):
        return cast("Node", source)["default"]
    if source == "organization_id":
        return context.state.organization.id
    return context.state.new_id() if source == "id" else format_time(context.now)


# Existence and permission


def _find_record(row: Node, context: OperationContext) -> PlainRecord:
    return _require_plain(context, _open_collection(row, context), row["path"].rpartition("/")[2], context.targets[-1])


def _open_collection(row: Node, context: OperationContext) -> str:
    """Return the path of the collection, if what it belongs to exists and the caller may use it."""
    collection, targets = "", iter(context.targets)
    for segment in row["collection"].split("/")[1:]:
        if not segment.startswith("{"):
            collection += f"/{segment}"
            continue
        target = next(targets)
        if collection in FINDERS:
            FINDERS[collection](context)
        else:
            _require_plain(context, collection, segment, target)
        collection += f"/{target}"
    in_project = row["collection"].startswith("/admin/projects/")
    permission, resource_id = PERMISSIONS["manage-projects"], context.target if in_project else ""
    if not permission.permits(context.authority, resource_id=resource_id):
        raise Refusal(403, "PERMISSION_DENIED", f"service account {context.caller.id} may not use {collection}")
    return collection


def _require_plain(context: OperationContext, collection: str, argument: str, target: str) -> PlainRecord:
    record = context.state.plain_records.get(target)
    kind = argument.strip("{}").removesuffix("_id").replace("_", " ").capitalize()
    return require_record(kind, target, record if record and record.collection == collection else None)


# Requests


def _read_object(schema: Node, fields: Fields) -> Document:
    """Return the fields of an object that its schema has; the API ignores others."""
    values: Document = {}
    for name, each in schema["properties"].items():
        check = _find_check(each)
        value = fields.required(name, check) if name in schema["required"] else fields.get(name, check, _ABSENT)
        if value is not _ABSENT:
            values[name] = value
    return values


def _find_check(schema: Node) -> Check[object]:
    find = _CHECKS.get(schema.get("type", ""))
    check: Check[object] = find(schema) if find else lambda _, value: value
    return checks.nullable(check) if schema.get("nullable") else check


def _string_check(schema: Node) -> Check[object]:
    if "enum" in schema:
        return checks.one_of(schema["enum"])
    least, most = schema.get("minLength", 0), schema.get("maxLength", sys.maxsize)
    check = checks.email if schema.get("format") == "email" else checks.string
    problem = f"must have {least} to {most} characters"
    return checks.refine(check, lambda text: None if least <= len(text) <= most else f"{problem}, not {len(text)}")


def _integer_check(schema: Node) -> Check[object]:
    check = checks.integer_between(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63))
    listed = schema.get("enum")
    problem = f"must be one of {', '.join(map(str, listed or ()))}"
    return checks.refine(
        check, lambda number: None if listed is None or number in listed else f"{problem}, not {number}"
    )


def _object_check(schema: Node) -> Check[object]:
    if "properties" not in schema:
        return checks.encodable_object
    return lambda name, value: _read_object(schema, Fields(checks.json_object(name, value), f"{name}."))


_CHECKS: Mapping[str, Callable[[Node], Check[object]]] = {
    "string": _string_check,
    "boolean": lambda _: checks.boolean,
    "integer": _integer_check,
    "array": lambda schema: checks.array(
        _find_check(schema["items"]), schema.get("minItems", 0), schema.get("maxItems")
    ),
    "object": _object_check,
}
"""The check of each type; a value of any other type is accepted."""

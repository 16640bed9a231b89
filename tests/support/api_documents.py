"""API documents for tests: ours, the previous version, and small ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from generation.api_document import iter_operations, parse_document, read_document, resolve_reference
from generation.normalization import reach_components
from tests.support.resources import PLAIN, find_method

ROOT = Path(__file__).resolve().parents[2]
OLDER = ROOT.parent / "shared/upstream/admin_2026-04.oas.yaml"
STRING: Any = {"type": "string"}
PET: Any = {"$ref": "#/components/schemas/Pet"}


@cache
def is_our_document(name: str) -> bool:
    """Return whether an API document in openapi/ is ours, and not one that was adopted."""
    return (ROOT / f"openapi/{name}.yaml").read_text(encoding="utf-8").startswith("# Our own API document ")


@cache  # reading one takes half a second
def load_document(name: str) -> Any:
    """Return one of the API documents, not to be changed."""
    return read_document(str(ROOT / f"openapi/{name}.yaml"))


def read_our_document() -> Any:
    """Return our document as a copy that the test may change.

    Whatever the layout of the file, the parameters, bodies and responses stand in their operations, each by itself.
    """
    document = load_document("admin")
    paths: Any = {}
    for endpoint in iter_operations(document):
        paths.setdefault(endpoint.path, {})[endpoint.method] = {
            key: value for key, value in endpoint.operation.items() if value != {}
        }
    schemas = document["components"]["schemas"]
    return json.loads(json.dumps(document | {"paths": paths, "components": {"schemas": schemas}}))


def document_with_more_resources() -> Any:
    """Return our document with the resources in ``more_resources.yaml``."""
    document = json.loads(json.dumps(load_document("admin")))
    added = parse_document((Path(__file__).parent / "more_resources.yaml").read_bytes(), "more_resources.yaml")
    document["paths"] |= added["paths"]
    schemas = document["components"]["schemas"]
    added["schemas"]["LanternList"]["properties"]["pagination"] = schemas["UserList"]["properties"]["pagination"]
    schemas |= added["schemas"]
    return document


def list_plain_records(document: Any) -> list[Any]:
    """Return the records of plain resources that the examples of a document have, as in a state of the emulator."""
    records: list[Any] = []
    for endpoint in iter_operations(document):
        namespace, _, verb = find_method(endpoint.label).partition(".")
        if verb.startswith("list") and namespace in PLAIN:
            schema = endpoint.operation["responses"]["200"]["content"]["application/json"]["schema"]
            items = resolve_reference(document, schema)["example"]["data"]
            examples = {each["name"]: each.get("example") for each in endpoint.operation["parameters"]}
            collection = endpoint.path.format_map(examples)
            records += [{"id": each["id"], "collection": collection, "values": each} for each in items]
    return records


def find_parameters(document: Any, name: str) -> list[Any]:
    """Return the parameters of a name in all operations, to be changed."""
    operations = [node for item in document["paths"].values() for node in item.values()]
    return [parameter for node in operations for parameter in node["parameters"] if parameter["name"] == name]


@cache
def _read_older_text() -> str:
    return json.dumps(read_document(str(OLDER)))


def read_older_document() -> Any:
    """Return the 2026-04 document if it is available, else ours without what was added since."""
    if OLDER.exists():
        return json.loads(_read_older_text())
    document = read_our_document()
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if path.split("/")[2] in {"organizations", "projects", "api-keys"}
    }
    document["info"]["version"] = "2026-04"
    kept = reach_components(document, [document["paths"]])
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in kept}
    return document


def count_new_operations() -> int:
    """Return how many operations were added to our document since the older one."""
    ours, older = (list(iter_operations(each)) for each in (load_document("admin"), read_older_document()))
    return len(ours) - len(older)


def make_document(*, schemas: Any = None, path: str = "/pets", method: str = "get", **operation: Any) -> Any:
    """Return a document with one operation."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pets", "version": "1"},
        "paths": {path: {method: {"operationId": "do_it", "responses": {"200": {"description": "D"}}, **operation}}},
        "components": {"schemas": schemas or {}},
    }


def make_content(schema: Any, kind: str = "application/json") -> Any:
    """Return a body or response with one content type."""
    return {"description": "D", "content": {kind: {"schema": schema}}}


def make_query(schema: Any, name: str = "q", **more: Any) -> Any:
    """Return a query parameter."""
    return {"in": "query", "name": name, "schema": schema, **more}


def make_object(*required: str, **fields: Any) -> Any:
    """Return the schema of an object."""
    return {"type": "object", "properties": fields, "required": list(required)}

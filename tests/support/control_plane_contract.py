"""The responses of the control plane as JSON schemas, by operation and status, with unknown fields forbidden.

They state what the published documents of 2025-10 and 2026-04 require, and of Nexus 2026-07 for workspaces. For later
versions of the others, of which there is no document, an index also has what the official client requires.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

Schema: TypeAlias = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
DIMENSION: Schema = {"type": "integer", "minimum": 1, "maximum": 20_000}
METRIC: Schema = {"enum": ["cosine", "euclidean", "dotproduct"]}
TAGS: Schema = {"type": "object", "additionalProperties": STRING}


def require(required: dict[str, Schema], **optional: Schema) -> Schema:
    """Return the schema of an object without other fields."""
    properties = required | optional
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def one_key_of(**schemas: Schema) -> Schema:
    """Return the schema of an object with one field of several."""
    return {"oneOf": [require({name: schema}) for name, schema in schemas.items()]}


STATUS = require({"state": STRING}, current_replicas=COUNT, current_shards=COUNT, error_message=STRING)
DEDICATED = require({}, node_type=STRING, scaling=STRING, manual={"type": "object"})
CAPACITY: Schema = {
    "oneOf": [
        require({"mode": {"const": "OnDemand"}, "status": STATUS}),
        require({"mode": {"const": "Dedicated"}, "dedicated": DEDICATED, "status": STATUS}),
    ]
}
POD = {name: {"type": "integer", "minimum": 1} for name in ("replicas", "shards", "pods")}
SPEC = one_key_of(
    serverless=require({"cloud": {"enum": ["gcp", "aws", "azure"]}, "region": STRING, "read_capacity": CAPACITY}),
    pod=require({"environment": STRING, "pod_type": STRING}, **POD),
    byoc=require({"environment": STRING, "read_capacity": CAPACITY}),
)
INDEX_STATES = ["Initializing", "Terminating", "Ready"]
INDEX: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 45},
    "metric": METRIC,
    "vector_type": STRING,
    "host": STRING,
    "status": require({"ready": BOOLEAN, "state": {"enum": INDEX_STATES}}),
    "spec": SPEC,
}
OPTIONAL_OF_INDEX = {"dimension": DIMENSION, "tags": TAGS, "deletion_protection": {"enum": ["enabled", "disabled"]}}
SCHEMA = require({"fields": {"type": "object", "additionalProperties": {"type": "object", "required": ["type"]}}})
DEPLOYMENT: Schema = {
    "oneOf": [
        require({"deployment_type": {"const": "managed"}, "cloud": STRING, "region": STRING}),
        require({"deployment_type": {"const": "byoc"}, "environment": STRING}),
        require(
            {"deployment_type": {"const": "pod"}, "environment": STRING, "pod_type": STRING},
            replicas=COUNT,
            shards=COUNT,
        ),
    ]
}
PAGINATION = require({"next": STRING})
COLLECTION = require(
    {"name": STRING, "status": {"enum": ["Initializing", "Ready", "Terminating"]}, "environment": STRING},
    size=COUNT,
    dimension=DIMENSION,
    vector_count=COUNT,
)
BACKUP = dict.fromkeys(("backup_id", "source_index_name", "source_index_id", "status", "cloud", "region"), STRING)
OPTIONAL_OF_BACKUP = (
    dict.fromkeys(("name", "description", "created_at"), STRING)
    | dict.fromkeys(("record_count", "namespace_count", "size_bytes"), COUNT)
    | {"dimension": DIMENSION, "metric": METRIC, "tags": TAGS}
)
ASSISTANT: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 63},
    "status": {"enum": ["Initializing", "Failed", "Ready", "Terminating", "InitializationFailed"]},
}
OPTIONAL_OF_ASSISTANT: dict[str, Schema] = {
    "instructions": {"type": ["string", "null"]},
    "metadata": {"type": ["object", "null"]},
    "host": STRING,
    "created_at": TIME,
    "updated_at": TIME,
}
WORKSPACE = require(
    {
        "name": {"type": "string", "minLength": 1, "maxLength": 45},
        "spec": require({"byoc": require({"environment": STRING})}),
        "host": STRING,
        "created_at": TIME,
        "updated_at": TIME,
        "status": require({"ready": BOOLEAN, "state": {"enum": [*INDEX_STATES, "InitializationFailed"]}}),
    }
)
ERROR = require(
    {
        "status": {"type": "integer"},
        "error": require({"code": STRING, "message": STRING}, details={"type": "object"}),
    }
)


def index_schema(version: str) -> Schema:
    """Return the schema of an index."""
    later = {"schema": SCHEMA, "deployment": DEPLOYMENT} if version > "2026-04" else {}
    capacity = {"read_capacity": CAPACITY} if later else {}
    return require(INDEX | later, **OPTIONAL_OF_INDEX, **capacity)


def backup_schema(version: str) -> Schema:
    """Return the schema of a backup."""
    later = {"schema": SCHEMA, "source_index_deleted_at": TIME} if version > "2026-04" else {}
    return require(BACKUP, **OPTIONAL_OF_BACKUP, **later)


def assistant_schema(version: str, **more: Schema) -> Schema:
    """Return the schema of an assistant, with more required fields."""
    region: dict[str, Schema] = {"region": {"enum": ["us", "eu"]}} if version > "2025-10" else {}
    return require(ASSISTANT | more, **OPTIONAL_OF_ASSISTANT, **region)


def list_schema(field: str, item: Schema, *, paged: bool) -> Schema:
    """Return the schema of a list."""
    return require({field: {"type": "array", "items": item}}, **({"pagination": PAGINATION} if paged else {}))


def success_schemas(version: str) -> dict[str, tuple[int, Schema | None]]:
    """Return the status and the schema of each operation's success; None for an empty body."""
    index, backup, assistant = index_schema(version), backup_schema(version), assistant_schema(version)
    backups = list_schema("data", backup, paged=True)
    return {
        "list_indexes": (200, list_schema("indexes", index, paged=False)),
        "create_index": (201, index),
        "describe_index": (200, index),
        "configure_index": (202, index),
        "delete_index": (202, None),
        "list_index_backups": (200, backups),
        "create_backup": (201, backup),
        "list_collections": (200, list_schema("collections", COLLECTION, paged=False)),
        "create_collection": (201, COLLECTION),
        "describe_collection": (200, COLLECTION),
        "delete_collection": (202, None),
        "list_backups": (200, backups),
        "describe_backup": (200, backup),
        "delete_backup": (202, None),
        "list_assistants": (200, list_schema("assistants", assistant, paged=version > "2025-10")),
        "create_assistant": (200, assistant),
        "describe_assistant": (200, assistant),
        "update_assistant": (200, assistant_schema(version, assistant_name=STRING)),
        "delete_assistant": (200, None),
        "list_workspaces": (200, list_schema("workspaces", WORKSPACE, paged=True)),
        "describe_workspace": (200, WORKSPACE),
        "delete_workspace": (202, None),
    }


@cache
def make_validator(operation_id: str, status: int, version: str) -> Draft202012Validator | None:
    """Return the validator of a response body, or None where the body must be empty."""
    schema: Schema | None = ERROR
    if status < 400:
        expected, schema = success_schemas(version)[operation_id]
        assert status == expected, f"{operation_id} must return {expected}, not {status}"
    return None if schema is None else Draft202012Validator(schema, format_checker=FormatChecker())

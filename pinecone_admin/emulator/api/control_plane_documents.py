"""Resources of the control plane as JSON: what a create request asks for, and what a response shows of it.

The sources are the control-plane documents of 2025-10 and 2026-04. Version 2026-07 describes an index by a schema and a
deployment, and is not published as a document. Its responses add the fields that the official client requires. Its
refusals are those in the live tests of the official SDKs.
"""

import json
import re
from collections.abc import Mapping
from typing import TypeAlias, cast

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.refusals import Refusal, quoted
from pinecone_admin.emulator.api.serialization import Document

Properties: TypeAlias = Document
"""The properties of a resource, without its name and status."""

LAST_VERSION_WITH_SPEC = "2026-04"
LAST_VERSION_WITHOUT_REGION = OLDEST_VERSION = "2025-10"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_DENSE_FIELD, _SPARSE_FIELD = "_values", "_sparse_values"
_METRIC = checks.one_of(("cosine", "euclidean", "dotproduct"))
_VECTOR_TYPE = checks.one_of(("dense", "sparse"))
_CLOUD = checks.one_of(("gcp", "aws", "azure"))
_REGION = checks.one_of(("us", "eu"))
_DIMENSION = checks.integer_between(1, 20_000)
_ASSISTANT_BYTES = 16_384
_TAG_KEY, _TAG_VALUE = re.compile(r"[A-Za-z0-9_-]{1,80}"), re.compile(r"[A-Za-z0-9;@_.+ -]{0,120}")
_COUNT = checks.integer_between(1, 10**6)
_DEPLOYMENT_TYPES = {"managed": "serverless", "pod": "pod", "byoc": "byoc"}
SOURCE_DELETED_AT = "source_index_deleted_at"
DELETION_PROTECTION = checks.one_of(("enabled", "disabled"))


def resource_name(most: int) -> checks.Check[str]:
    """Return the check for a name of 1 to `most` lower-case alphanumerics and inner hyphens."""
    problem = "must have lower-case letters, digits and inner hyphens only"
    return checks.refine(
        checks.max_characters(most), lambda name: None if _NAME.fullmatch(name) else f"{problem}: {quoted(name)}"
    )


_INDEX_NAME, _ASSISTANT_NAME = resource_name(45), resource_name(63)


def require_fields(fields: Fields, *names: str) -> None:
    """Require fields; the control plane responds with 422 where the Admin API responds with 400."""
    for name in names:
        if fields.optional(name, lambda _, value: value) is None:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", f"{name} is missing")


def tags(field: str, value: object) -> dict[str, str]:
    """Check for the tags of an index."""
    given = checks.json_object(field, value)
    checked = {checks.string(field, key): checks.string(f"{field}.{key}", each) for key, each in given.items()}
    for key, each in checked.items():
        if not (_TAG_KEY.fullmatch(key) and _TAG_VALUE.fullmatch(each)):
            limits = "keys of 1 to 80 letters, digits, _ or -, and values of up to 120, also with ; @ . + or spaces"
            raise Refusal(400, "INVALID_ARGUMENT", f"{field} must have {limits}: {quoted(key)}, {quoted(each)}")
    return checked


def merge_tags(current: object, changes: dict[str, str]) -> dict[str, str]:
    """Return tags with changes; an empty value removes a tag."""
    merged = cast("dict[str, str]", current or {}) | changes
    return {key: value for key, value in merged.items() if value}


# Create requests


def read_index(fields: Fields, version: str) -> tuple[str | None, Properties]:
    """Read a request to create an index; return its name, if the request has one, and its properties."""
    shared = {"tags": fields.optional("tags", checks.nullable(tags))}
    if version > LAST_VERSION_WITH_SPEC:
        require_fields(fields, "schema")
        return fields.optional("name", _INDEX_NAME), _properties_of_schema(fields) | shared
    require_fields(fields, "name", "spec")
    return fields.required("name", _INDEX_NAME), _properties_of_spec(fields) | shared


def _properties_of_spec(fields: Fields) -> Document:
    vector_type = fields.get("vector_type", _VECTOR_TYPE, "dense")
    sparse = vector_type == "sparse"
    dimension = fields.optional("dimension", checks.nullable(_DIMENSION))
    if sparse == (dimension is not None):
        raise fields.refusal(
            "dimension", f"{'must not be sent' if sparse else 'is required'} for {vector_type} vectors"
        )
    metric = fields.get("metric", _METRIC, "dotproduct" if sparse else "cosine")
    if sparse and metric != "dotproduct":
        raise fields.refusal("metric", f"must be dotproduct for sparse vectors, not {metric}")
    kind, deployment = _read_spec(Fields(checks.json_object("spec", fields.required("spec", _any_value)), "spec."))
    vectors: Document = {"type": "sparse_vector"}
    if not sparse:
        vectors = {"type": "dense_vector", "dimension": dimension, "metric": metric}
    return {
        "vector_type": vector_type,
        "metric": metric,
        "dimension": dimension,
        "spec": {kind: deployment},
        "schema": {"fields": {_SPARSE_FIELD if sparse else _DENSE_FIELD: vectors}},
    }


def _any_value(_: str, value: object) -> object:
    return value


def _read_spec(spec: Fields) -> tuple[str, Document]:
    given = [kind for kind in ("serverless", "pod", "byoc") if spec.optional(kind, _any_value) is not None]
    if len(given) != 1:
        raise spec.refusal("serverless, pod, byoc", f"are exclusive and one is required, not {len(given)}")
    (kind,) = given
    path = f"spec.{kind}"
    return kind, _read_deployment(kind, Fields(checks.json_object(path, spec.required(kind, _any_value)), f"{path}."))


def _read_deployment(kind: str, fields: Fields, default_capacity: object = None) -> Document:
    if kind == "pod":
        replicas, shards = fields.get("replicas", _COUNT, 1), fields.get("shards", _COUNT, 1)
        return {
            "environment": fields.required("environment", checks.string),
            "pod_type": fields.get("pod_type", checks.string, "p1.x1"),
            "replicas": replicas,
            "shards": shards,
            "pods": replicas * shards,
        }
    capacity = fields.optional("read_capacity", _any_value) or default_capacity
    place: Document = (
        {"environment": fields.required("environment", checks.string)}
        if kind == "byoc"
        else {"cloud": fields.required("cloud", _CLOUD), "region": fields.required("region", checks.string)}
    )
    return place | {"read_capacity": read_capacity("read_capacity", capacity or {"mode": "OnDemand"})}


def read_capacity(field: str, value: object) -> Document:
    """Check for the read capacity of an index."""
    given = checks.encodable_object(field, value)
    mode = Fields(given, "read_capacity.").required("mode", checks.one_of(("OnDemand", "Dedicated")))
    dedicated: Document = {"dedicated": given.get("dedicated") or {}} if mode == "Dedicated" else {}
    return {"mode": mode, **dedicated, "status": {"state": "Ready"}}


def _properties_of_schema(fields: Fields) -> Document:
    schema = fields.required("schema", checks.encodable_object)
    declared = checks.json_object("schema.fields", schema.get("fields"))
    each = [_searched_field(f"schema.fields.{name}", value) for name, value in declared.items()]
    for source in ("source_collection", "source_backup_id"):
        if fields.optional(source, _any_value) is not None:
            raise fields.refusal(source, "is not supported: an index cannot be created from it on this API version")
    dense = next((field for field in each if field.get("type") == "dense_vector"), None)
    vectors: Document = {"vector_type": "sparse", "metric": "dotproduct", "dimension": None}
    if dense is not None:
        own = Fields(dense, "schema.fields.*.")
        vectors = {
            "vector_type": "dense",
            "metric": own.get("metric", _METRIC, "cosine"),
            "dimension": own.required("dimension", _DIMENSION),
        }
        dense["metric"] = vectors["metric"]
    given = fields.optional("deployment", _any_value) or {"deployment_type": "managed"}
    deployment = Fields(
        {"cloud": "aws", "region": "us-east-1"} | checks.json_object("deployment", given), "deployment."
    )
    kind = _DEPLOYMENT_TYPES[deployment.required("deployment_type", checks.one_of(_DEPLOYMENT_TYPES))]
    if kind == "pod":
        raise deployment.refusal("deployment_type", "'pod' is not supported on this API version, only on earlier ones")
    capacity = fields.optional("read_capacity", _any_value)
    return vectors | {"spec": {kind: _read_deployment(kind, deployment, capacity)}, "schema": schema}


def _searched_field(path: str, value: object) -> Document:
    field = checks.json_object(path, value)
    kind, searched = field.get("type"), field.get("full_text_search") is not None
    if kind in {"dense_vector", "sparse_vector"} or (kind == "string" and searched):
        return field
    if kind == "string" and "filterable" not in field:
        raise Refusal(422, "UNPROCESSABLE_ENTITY", f"{path} has neither full_text_search nor filterable")
    raise Refusal(400, "INVALID_ARGUMENT", f"the schema only accepts fields used for search: {path} is not one")


def spec_with_capacity(index: Properties, capacity: Document) -> Document:
    """Return the spec of an index with another read capacity."""
    spec = cast("dict[str, Document]", (DEFAULT_INDEX | index)["spec"])
    return {kind: place | {"read_capacity": capacity} for kind, place in spec.items()}


def read_collection(fields: Fields) -> tuple[str, str]:
    """Read a request to create a collection; return its name and that of its source index."""
    require_fields(fields, "name", "source")
    return fields.required("name", _INDEX_NAME), fields.required("source", checks.string)


def read_backup(fields: Fields) -> Document:
    """Read a request to create a backup."""
    return {name: fields.optional(name, checks.nullable(checks.string)) for name in ("name", "description")}


def read_assistant(fields: Fields) -> tuple[str, Document]:
    """Read a request to create an assistant; return its name and its properties."""
    default: Document = {"instructions": None, "metadata": None, "region": fields.get("region", _REGION, "us")}
    return fields.required("name", _ASSISTANT_NAME), default | read_assistant_changes(fields)


def read_assistant_changes(fields: Fields) -> Document:
    """Read the fields of an assistant that can be updated; new metadata replaces the old."""
    changes: Document = {
        "instructions": fields.optional("instructions", checks.nullable(_instructions)),
        "metadata": fields.optional("metadata", checks.nullable(_metadata)),
    }
    return _without_null(changes)


def _metadata(field: str, value: object) -> Document:
    metadata = checks.encodable_object(field, value)
    # The live tests of the TypeScript SDK look for this text.
    _limit_bytes("Metadata", json.dumps(metadata, ensure_ascii=False))
    return metadata


def _instructions(field: str, value: object) -> str:
    return _limit_bytes("Instructions", checks.string(field, value))


def _limit_bytes(name: str, text: str) -> str:
    if len(text.encode()) > _ASSISTANT_BYTES:
        raise Refusal(400, "INVALID_ARGUMENT", f"{name} exceeds maximum length of {_ASSISTANT_BYTES} bytes")
    return text


# Responses

DEFAULT_INDEX: Properties = read_index(
    Fields({"name": "index", "dimension": 1536, "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}}}),
    LAST_VERSION_WITH_SPEC,
)[1]
"""The properties of an index that was not created on the control plane."""


def index_document(
    name: str, host: str, properties: Properties, version: str, *, state: str, protected: bool
) -> Document:
    """Return an index as a document of an API version.

    Args:
        name: The name of the index.
        host: The first label of its host.
        properties: The properties that it was created with.
        version: The API version.
        state: The state that the index is in.
        protected: Whether it is protected from deletion.
    """
    known = DEFAULT_INDEX | properties
    spec = cast("dict[str, Document]", known["spec"])
    document: Document = {
        "name": name,
        "vector_type": known["vector_type"],
        "metric": known["metric"],
        # A reserved domain: requests to the data plane, with a key, must not reach anybody.
        "host": f"{host}.svc.emulated.pinecone.invalid",
        "deletion_protection": "enabled" if protected else "disabled",
        "status": {"ready": state == "Ready", "state": state},
        "spec": spec,
    }
    document |= {field: known[field] for field in ("dimension", "tags") if known.get(field)}
    return document if version <= LAST_VERSION_WITH_SPEC else document | _additions_of_schema(known["schema"], spec)


def _additions_of_schema(schema: object, spec: Mapping[str, Document]) -> Document:
    ((kind, place),) = spec.items()
    deployment_type = next(each for each, spec_kind in _DEPLOYMENT_TYPES.items() if spec_kind == kind)
    names = [name for name in place if name not in {"read_capacity", "pods"}]
    deployment = {"deployment_type": deployment_type} | {name: place[name] for name in names}
    capacity = {"read_capacity": place["read_capacity"]} if "read_capacity" in place else {}
    return {"schema": schema, "deployment": deployment, **capacity}


def collection_properties(source: str, index: Properties) -> Properties:
    """Return the properties of a collection of an index, which must be pod-based."""
    spec = cast("dict[str, Document]", index.get("spec", {}))
    if "pod" not in spec:
        raise Refusal(400, "INVALID_ARGUMENT", f"only a pod-based index can have collections: {quoted(source)} is none")
    return {"environment": spec["pod"]["environment"], "dimension": index["dimension"]}


def collection_document(name: str, properties: Properties, *, state: str) -> Document:
    """Return a collection as a document."""
    return {"name": name, "status": state, "environment": "us-east1-gcp", **_without_null(properties)}


def backup_properties(source: str, source_id: str, index: Properties, created_at: str) -> Document:
    """Return the properties of a backup of an index."""
    known = DEFAULT_INDEX | index
    place = next(iter(cast("dict[str, Document]", known["spec"]).values()))
    copied = {name: known.get(name) for name in ("dimension", "metric", "tags", "schema")}
    return {
        "source_index_name": source,
        "source_index_id": source_id,
        "cloud": place.get("cloud", "aws"),
        "region": place.get("region", "us-east-1"),
        "record_count": 0,
        "namespace_count": 0,
        "size_bytes": 0,
        "created_at": created_at,
        **copied,
    }


def backup_document(backup_id: str, properties: Properties, version: str, *, state: str) -> Document:
    """Return a backup as a document of an API version."""
    document = {"backup_id": backup_id, "status": state, **_without_null(properties)}
    if version <= LAST_VERSION_WITH_SPEC:
        # There, a schema lists the filterable metadata. The emulator does not have it.
        document.pop("schema", None)
        document.pop(SOURCE_DELETED_AT, None)
    return document


def assistant_document(name: str, properties: Properties, version: str, *, state: str) -> Document:
    """Return an assistant as a document of an API version."""
    region = properties.get("region", "us")
    document = {"name": name, "status": state, "host": f"https://{region}-emulated.pinecone.invalid", **properties}
    if version <= LAST_VERSION_WITHOUT_REGION:
        document.pop("region", None)
    return document


def workspace_document(name: str, created_at: str, *, state: str) -> Document:
    """Return a workspace as a document."""
    return {
        "name": name,
        "status": {"ready": state == "Ready", "state": state},
        "host": f"{name}-emulated.wksp.pinecone.invalid",
        "spec": {"byoc": {"environment": "emulated.byoc"}},
        "created_at": created_at,
        "updated_at": created_at,
    }


def _without_null(properties: Properties) -> Document:
    return {name: value for name, value in properties.items() if value is not None}

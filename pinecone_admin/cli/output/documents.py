"""Results as documents: what was made sure of or changed has its fields where the commands that create it have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

import attrs
from attrs import frozen

from generated_client.types import wire_attributes
from pinecone_admin.models import to_dict

if TYPE_CHECKING:
    from pinecone_admin.models import APIKey, RoleBinding


THINGS: Mapping[str, str] = {
    "Ensured": "value",
    "FailedAccountRotation": "account",
    "FailedRotation": "key",
    "KeptKey": "key",
    "KeyCandidate": "key",
    "RoleChange": "binding",
    "Rotation": "key",
}
"""The records that are about one thing, with their fields that contain it. Their module loads most models."""


@frozen
class KeyOfProject:
    """An API key in a list of the keys of all projects.

    Attributes:
        key: The key.
        project_name: Name of its project.
    """

    key: APIKey
    project_name: str


@frozen
class NamedBinding:
    """A role binding in a list, with names beside its ids.

    Attributes:
        binding: The role binding.
        principal_name: Name or email address of who holds the role; None if it is unknown.
        resource_name: Name of what the role is on; None if it is unknown.
    """

    binding: RoleBinding
    principal_name: str | None
    resource_name: str | None

    @property
    def spelling(self) -> str:
        """How it is written on the command line, with names as far as they are known."""
        binding = self.binding
        project = [self.resource_name or binding.resource_id] if binding.resource_type == "project" else []
        holder = [binding.principal_type.replace("_", "-"), self.principal_name or binding.principal_id]
        return ":".join([*holder, *project, binding.role])

    def to_document(self) -> dict[str, Any]:
        """Return the fields of the role binding, and each name behind the id that it belongs to."""
        document: dict[str, Any] = {}
        names = {"principal_id": self.principal_name, "resource_id": self.resource_name}
        for field, value in to_dict(self.binding).items():
            document[field] = value
            if field in names:
                document[field.replace("_id", "_name")] = names[field]
        return document


def build_document(result: object, *, for_people: bool = False, for_columns: bool = False) -> dict[str, Any]:
    """Return a result as plain JSON values, as ``to_plain`` does.

    What is known of one thing is its fields, then the rest, also in a list; a dry run that would create it has no
    fields.
    """
    if isinstance(result, KeyOfProject):
        return {**to_dict(result.key), "project_name": result.project_name}
    if isinstance(result, NamedBinding):
        return result.to_document()
    if type(result).__module__.startswith("generated_client."):
        return to_dict(result)
    name = THINGS.get(type(result).__name__)
    if name is not None:
        report = to_dict(result)
        if for_people and "steps" in report:
            report["steps"] = [*map(str, cast("Any", result).steps)]
        thing: dict[str, Any] = report.pop(name) or _list_absent_fields(result).get(name, {})
        if name == "value" and thing:
            thing = _with_kind_of_person(cast("Any", result).value, thing)
        return {**thing, **report}
    # The module of the reports loads most models, which takes 5 ms.
    from pinecone_admin.workflows import Provisioned  # noqa: PLC0415 - as above

    if isinstance(result, Provisioned):
        return {
            "project": build_document(result.project, for_people=for_people),
            "key": build_document(result.key, for_people=for_people),
            "bindings": [build_document(each, for_people=for_people) for each in result.bindings],
        }
    fields: dict[str, Any] = attrs.asdict(cast("Any", result), recurse=False)
    things = {
        name: [build_document(each) for each in cast("list[object]", value)]
        for name, value in fields.items()
        if isinstance(value, list) and any(type(each).__name__ in THINGS for each in cast("list[object]", value))
    }
    return {**to_dict(result), **things, **(_list_absent_fields(result) if for_columns else {})}


def _with_kind_of_person(value: object, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a user or an invite in one shape: whoever makes sure of a person gets either."""
    from pinecone_admin.models import Invite, User  # noqa: PLC0415 - other results load neither

    if not isinstance(value, User | Invite):
        return fields
    of_both = [in_json for model in (User, Invite) for _, in_json, _ in wire_attributes(model)]
    return {"kind": type(value).__name__.lower(), **dict.fromkeys(of_both), **fields}


def _list_absent_fields(result: object) -> dict[str, dict[str, None]]:
    """Return the fields of the models that a report could have and lacks, by the name of each."""
    kind: Any = type(result)
    attrs.resolve_types(kind)
    optional = {each.name: next(filter(attrs.has, get_args(each.type)), None) for each in attrs.fields(kind)}
    return {
        name: dict.fromkeys(in_json for _, in_json, _ in wire_attributes(model))
        for name, model in optional.items()
        if model is not None and getattr(result, name) is None
    }

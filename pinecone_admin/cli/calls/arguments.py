"""Turn the values of a command line into the arguments of a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from pinecone_admin.cli.calls.naming import NameLookup, Thing, is_id
from pinecone_admin.cli.calls.roles import WantedGrant, WantedRole, api_type, parse_grant, parse_role
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.registry import CommandSpec, ParameterSpec
from pinecone_admin.models import on_organization, on_project


def parse_values(spec: CommandSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with roles parsed; raise CLIError for what can be known to be wrong before anything is sent."""
    parsed = {each.name: _parse(each, values.get(each.name)) for each in spec.parameters}
    principals = [each for each in spec.parameters if each.kind == "principal"]
    given = [each.option for each in principals if parsed[each.name] is not None]
    if principals and (len(given) > 1 or (not given and spec.effect != "reads")):
        listed = ", ".join(each.option for each in principals)
        raise CLIError(f"give {'only one' if given else 'one'} of {listed}")
    return parsed


def _parse(spec: ParameterSpec, value: Any) -> Any:
    where = spec.option or spec.metavar
    if value is None or value in ((), ""):
        if value == "":
            raise CLIError(f"{where}: the value is empty")
        return None
    if spec.kind == "role":
        return parse_role(where, value)
    if spec.kind == "roles":
        return [parse_role(where, each) for each in value]
    if spec.kind == "grants":
        return [parse_grant(where, each) for each in value]
    return list(value) if spec.repeated else value


@frozen
class Resolved:
    """What a command line means.

    Attributes:
        arguments: The arguments of the method.
        own: The thing that the command is about, if it exists already.
        limit: The greatest number of items to show, or None.
    """

    arguments: dict[str, Any] = field(factory=dict[str, Any])
    own: Thing | None = None
    limit: int | None = None


def resolve_values(spec: CommandSpec, parsed: Mapping[str, Any], names: NameLookup) -> Resolved:
    """Return the arguments of the method, with names looked up.

    Raises:
        NotFoundError: There is no thing with a name.
        AmbiguousNameError: Several things have a name.
    """
    project = _find_scope(spec, parsed, names)
    arguments: dict[str, Any] = {}
    own: Thing | None = None
    limit: int | None = None
    for each in spec.parameters:
        value = parsed[each.name]
        if value is None:
            continue
        if each.kind == "thing":
            thing = names.find(each.noun, value, project=project)
            own = own if each.option else thing
            arguments[each.arguments[0]] = thing.id
        elif each.kind == "limit":
            limit = value
            arguments |= {name: min(value, _LARGEST_PAGE) for name in each.arguments}
        elif each.kind != "scope":
            arguments |= _convert(each, value, names)
    return Resolved(arguments, own, limit)


_LARGEST_PAGE = 100

VALUES: Mapping[str, str] = {"fail": "raise"}
"""Values of arguments that have another spelling on the command line, by that spelling."""


def _find_scope(spec: CommandSpec, parsed: Mapping[str, Any], names: NameLookup) -> str | None:
    scope = next((parsed[each.name] for each in spec.parameters if each.kind == "scope"), None)
    return None if scope is None else names.find("project", scope).id


def _convert(spec: ParameterSpec, value: Any, names: NameLookup) -> dict[str, Any]:
    first, *_ = spec.arguments
    match spec.kind:
        case "principal" | "resource":
            kind, thing = spec.arguments
            return {kind: api_type(spec.noun), thing: names.find(spec.noun, value).id}
        case "role":
            return _role_arguments(first, value, names)
        case "roles":
            return {first: [_to_binding(each, names) for each in value]}
        case "grants":
            return {first: [_to_grant(each, names) for each in value]}
        case "thing_or_name":
            return {spec.arguments[0 if is_id(value) else 1]: value}
        case _:
            return {first: VALUES.get(value, value) if spec.choices and not spec.repeated else value}


def _role_arguments(name: str, wanted: WantedRole, names: NameLookup) -> dict[str, Any]:
    if wanted.project is None:
        return {name: wanted.role, "resource_type": "organization"}
    project = names.find("project", wanted.project)
    return {name: wanted.role, "resource_type": "project", "resource_id": project.id}


def _to_binding(wanted: WantedRole, names: NameLookup) -> Any:
    role: Any = wanted.role
    return (
        on_organization(role) if wanted.project is None else on_project(names.find("project", wanted.project).id, role)
    )


def _to_grant(wanted: WantedGrant, names: NameLookup) -> dict[str, str]:
    return {
        "principal_type": api_type(wanted.noun),
        "principal_id": names.find(wanted.noun, wanted.principal).id,
        "role": wanted.role,
    }

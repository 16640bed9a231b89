"""Client-side request validation: the limits of the API document, and the rules that no document states.

An operation that is built by hand may hold anything, so the types of its parts are checked first.

The generated code carries the limits: a model those of its fields, the module of a builder those of its parameters.
They are compiled into checks once, on first use, so that a call runs only the checks of the values that it sends. They
leave everything that only the server can decide to the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from inspect import iscoroutinefunction
from math import inf
from typing import Any, Literal, NamedTuple, TypeAlias, cast, get_args, get_origin, get_type_hints

import attrs

from generated_client import api, models
from generated_client.types import (
    Null,
    Operation,
    Unlisted,
    listed_fields,
    readers,
    wire_name,
)
from pinecone_admin._http.argument_checks import (
    BINDING_FIELDS,
    as_plain_value,
    check_bool,
    check_email,
    check_header_value,
    check_identifier,
    check_integer,
    check_length,
    check_number,
    check_sequence,
    check_string,
    check_text,
    place_in,
    set_operation_on_errors,
    type_error,
    value_error,
)
from pinecone_admin._text.messages import Name, list_names
from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError

Check: TypeAlias = Callable[[str | Name, object], object]
"""Raises unless a value fits; its first argument is the name of the value in messages."""

# Bounded, because a caller may build operations with any id.
_CACHED_OPERATIONS = 256
_MODELS = f"{models.__name__}."
_IDENTIFIERS = frozenset({"id", "pagination_token"})
_TEXTS = ("id", "method", "path")
_MAPPINGS = ("path_parameters", "query", "headers")


class _FieldCheck(NamedTuple):
    """A field of a model or mapping: its names in Python and in JSON, and how it is checked."""

    attribute: str
    name: str
    required: bool
    check: Check


def check_operation(operation: Operation[Any]) -> None:
    """Raise if an operation cannot succeed.

    Raises:
        PineconeValueError: A value is empty, too long, out of range, or contradicts another one.
        PineconeTypeError: It is no Operation, or a value has the wrong type; a bool is not a number, and bytes are not
            text.
    """
    _check_shape(operation)
    # Not set_operation_on_errors: a context manager costs five calls of functions.
    try:
        for name, value in operation.path_parameters.items():
            check_identifier(name, value)
        for name, header in operation.headers.items():
            if header is not None:
                check_header_value(name, header)
        if operation.path_parameters or operation.query or operation.headers:
            _check_parameters(operation)
        # A JSON value that the caller built for ``send`` is not checked.
        if type(operation.body).__module__.startswith(_MODELS):
            _check_body(operation)
    except PineconeError as exc:
        exc.operation = operation.id
        raise


def _check_shape(operation: object) -> None:
    """Raise unless a value is an Operation whose parts have the types that all later checks rely on."""
    if not isinstance(operation, Operation):
        raise type_error("operation", "an Operation", operation)
    given = cast("Operation[object]", operation)
    id, method, path = given.id, given.method, given.path
    try:
        # Fast path: the texts of nearly all operations are plain ASCII.
        if not (type(id) is type(method) is type(path) is str and (id + method + path).isascii()):
            for name, text in zip(_TEXTS, (id, method, path), strict=True):
                check_string(name, text)
        for name in _MAPPINGS:
            value = getattr(given, name)
            if value.__class__ is not dict or value:  # most operations have none of the three
                _check_names(name, value)
        if given.returns is not None and not (type(given.returns) is type and given.returns in readers):
            _check_function(given.returns)
    except PineconeError as exc:
        exc.operation = id if type(id) is str else None
        raise


def _check_function(returns: object) -> None:
    """Raise unless a value is a function of a JSON value."""
    if get_origin(returns) is not None or isinstance(returns, type):
        # To call it may succeed with any JSON: ``list[int]("12")`` is a list of strings.
        shown = returns.__name__ if isinstance(returns, type) else returns
        remedy = "a function of the JSON value such as MyModel.model_validate"
        raise PineconeTypeError(
            Name("returns"), f" must be a model that comes in responses, None, or {remedy}, not {shown}"
        )
    if not callable(returns) or iscoroutinefunction(returns):
        raise type_error("returns", "a model, None or a synchronous function of the JSON value", returns)


def _check_names(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise type_error(name, "a mapping", value)
    for key in cast("Mapping[object, object]", value):
        check_string(place_in(name, ": a name"), key)


def check_name(value: object, model: Any, *, operation: str) -> None:
    """Raise if nothing that the model describes can have the name.

    Raises:
        PineconeValueError: It is empty, too long, or contains NUL.
        PineconeTypeError: It is not a str.
    """
    with set_operation_on_errors(operation):
        check_string("name", value)
        for field in _fields_of(model):
            if field.name == "name":
                field.check("name", value)


def check_key_roles(argument: str | Name, value: object) -> None:
    """Raise unless the value is a sequence of roles that an API key can have, and has one."""
    roles = check_sequence(argument, value)
    if not roles:
        raise value_error(argument, "is empty: a key has at least one role")
    for position, role in enumerate(roles):
        place = place_in(argument, f"[{position}]")
        check_identifier(place, role)
        _check_role(place, role, "APIKeyRole", "an API key")
    check_each_role_once(argument, [(as_plain_value(role),) for role in roles])


def check_each_role_once(argument: str | Name, roles: Sequence[tuple[object, ...]]) -> None:
    """Raise if a role is given twice: most likely, another one was meant.

    Args:
        argument: The argument that has the roles.
        roles: For each role, what tells it from others; its name is the last part.
    """
    for position, role in enumerate(roles):
        if role in roles[:position]:
            raise value_error(place_in(argument, f"[{position}]"), f"repeats {role[-1]!r}: give each role once")


def _check_role(place: Name, role: object, literal: str, holder: str) -> None:
    from pinecone_admin.models import check_role  # noqa: PLC0415 - takes 0.3 ms, and few operations have roles

    check_role(place, role, literal, holder)


# The limits of the API document.


def _check_parameters(operation: Operation[Any]) -> None:
    checks = _parameter_checks(operation.id)
    for values in (operation.path_parameters, operation.query, operation.headers):
        for name, value in values.items():
            if value is not None and name in checks:
                argument, check = checks[name]
                check(argument, value)
    for dependent, needed in _NEEDED_FILTERS.get(operation.id, ()):
        if operation.query.get(dependent) is not None and needed in checks and operation.query.get(needed) is None:
            raise PineconeValueError(Name(dependent), " requires ", Name(needed))


@lru_cache(_CACHED_OPERATIONS)
def _parameter_checks(operation_id: str) -> Mapping[str, tuple[str, Check]]:
    """Return the argument and the check of each parameter of an operation, by its name in the request."""
    found: dict[str, tuple[str, Check]] = {}
    for name, limits in api.parameters_of(operation_id).items():
        argument = limits.get("argument", name)
        found[name] = argument, _compile_check(argument, limits["type"], limits)
    return found


def _check_body(operation: Operation[Any]) -> None:
    body = operation.body
    model: Any = type(body)
    fields = _fields_of(model)
    given = False
    for attribute, _, required, check in fields:
        value = getattr(body, attribute)
        if required or value is not None:
            given = True
            check(attribute, value)
    if not given and operation.method == "PATCH":
        raise PineconeValueError("pass at least one of ", *list_names(field.attribute for field in fields))
    for rule in _BODY_RULES.get(operation.id, ()):
        rule(body)


@cache
def _fields_of(model: Any) -> tuple[_FieldCheck, ...]:
    """Return the fields of a generated model, in the order of the API document."""
    hints = get_type_hints(model)
    return tuple(
        _FieldCheck(
            each.name,
            wire_name(each),
            each.default is attrs.NOTHING,
            _compile_check(each.name, hints[each.name], each.metadata),
        )
        for each in listed_fields(model)
    )


def _compile_check(name: str, kind: Any, limits: Mapping[str, Any]) -> Check:
    """Return the check of a value, given its name, its type and its limits."""
    kinds = [part for part in _alternatives(kind) if part is not type(None)]
    check = _check_of([part for part in kinds if part is not Null], name, limits)
    return partial(_check_unless_null, check=check) if Null in kinds else check


def _check_of(kinds: Sequence[Any], name: str, limits: Mapping[str, Any]) -> Check:
    if all(part is Unlisted or get_origin(part) is Literal for part in kinds):
        return check_identifier
    # A literal of numbers has int beside it, for those that the API document does not list.
    kinds = [part for part in kinds if get_origin(part) is not Literal] if int in kinds else kinds
    only: Any = kinds[0] if len(kinds) == 1 else Any
    if get_origin(only) is list:
        each = _compile_check(name, get_args(only)[0], limits.get("items", {}))
        return partial(_check_items, each=each, **_range(limits, "minItems", "maxItems"))
    if only is int:
        return partial(check_integer, **_range(limits, "minimum", "maximum"))
    if only is float:
        return partial(check_number, **_range(limits, "minimum", "maximum"))
    if all(map(attrs.has, kinds)):
        return partial(_check_entry, choices=kinds)
    return _compile_text_check(name, limits) if only is str else check_bool if only is bool else _accept


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) not in {None, list, dict, Literal} else (kind,)


def _range(limits: Mapping[str, Any], least: str, most: str) -> dict[str, Any]:
    return {name: limits[key] for name, key in (("least", least), ("most", most)) if key in limits}


def _compile_text_check(name: str, limits: Mapping[str, Any]) -> Check:
    if limits.get("format") == "email":
        return partial(check_email, most=limits.get("maxLength"))
    stated = _range(limits, "minLength", "maxLength")
    if stated:
        check = partial(check_text, unit=limits.get("unit", "characters"), **stated)
        return partial(_check_unless_plain, least=stated.get("least", 0), most=stated.get("most", inf), check=check)
    return check_identifier if name in _IDENTIFIERS or name.endswith("_id") else check_string


def _check_unless_plain(argument: str | Name, value: object, *, least: float, most: float, check: Check) -> None:
    # Fast path: nearly all texts are ASCII, where each character is a byte, and none is a surrogate.
    if not (type(value) is str and value.isascii() and least <= len(value) <= most and "\x00" not in value):
        check(argument, value)


def _accept(argument: str | Name, value: object) -> None:
    """Accept any value: the API document says nothing about it that a client could check."""


def _check_unless_null(argument: str | Name, value: object, *, check: Check) -> None:
    if not isinstance(value, Null):
        check(argument, value)


def _check_items(argument: str | Name, value: object, *, each: Check, **limits: int) -> None:
    for position, entry in enumerate(check_length(argument, value, **limits)):
        each(place_in(argument, f"[{position}]"), entry)


def _check_entry(argument: str | Name, entry: object, *, choices: Sequence[Any]) -> None:
    """Raise unless a value is a valid object of one of some models, given as a model or as a mapping with its keys."""
    model = next((each for each in choices if isinstance(entry, each)), None)
    if model is not None:
        values = {field.name: getattr(entry, field.attribute) for field in _fields_of(model)}
        _check_entry_fields(argument, values, model)
    elif isinstance(entry, Mapping):
        _check_mapping(argument, cast("Mapping[object, object]", entry), choices)
    else:
        names = " or a ".join(each.__name__ for each in choices)
        raise type_error(place_in(argument, ":"), f"a {names} or a mapping", entry)


def _check_mapping(argument: str | Name, values: Mapping[object, object], choices: Sequence[Any]) -> None:
    # Chosen by its keys alone: if each choice were checked, nested alternatives would multiply the work.
    fitting = [model for model in choices if _has_keys_of(model, values)] if len(choices) > 1 else choices
    if not fitting:
        raise value_error(place_in(argument, ":"), f"fits none of {', '.join(model.__name__ for model in choices)}")
    if len(fitting) == 1:
        _check_entry_fields(argument, values, fitting[0])


def _has_keys_of(model: Any, values: Mapping[object, object]) -> bool:
    fields = _fields_of(model)
    return values.keys() <= {field.name for field in fields} and all(
        values.get(field.name) is not None for field in fields if field.required
    )


def _check_entry_fields(argument: str | Name, values: Mapping[Any, object], model: Any) -> None:
    fields = _fields_of(model)
    names = [field.name for field in fields]
    unknown = [key for key in values if key not in names]
    if unknown:
        raise value_error(place_in(argument, ":"), f"{unknown[0]!r} is not one of {', '.join(names)}")
    for _, name, required, check in fields:
        value = values.get(name)
        if value is not None:
            check(place_in(argument, f": {name}"), value)
        elif required:
            raise value_error(place_in(argument, f": {name}"), "is missing")


# Limits that no document states. A rule is silent if the document lacks its operation or one of its fields.


def binding_fields(entry: object) -> Mapping[object, object] | None:
    """Return a role binding, given as a model or a mapping, as a mapping; None for any other value."""
    if isinstance(entry, Mapping):
        return cast("Mapping[object, object]", entry)
    if not attrs.has(type(entry)):
        return None
    return {name: getattr(entry, name, None) for name in BINDING_FIELDS}


def _check_bindings(body: object) -> None:
    model: Any = type(body)
    bindings = getattr(body, "role_bindings", None)
    if bindings is not None and "resource_id" in _entry_names(model, "role_bindings"):
        entries = [binding_fields(entry) or {} for entry in bindings]
        for position, entry in enumerate(entries):
            check_scope(entry, place_in("role_bindings", f"[{position}]"))
        check_each_role_once("role_bindings", [_identify_role(entry) for entry in entries])


def _identify_role(binding: Mapping[object, object]) -> tuple[object, ...]:
    """Return the place and the role of a binding; the caller has only one organization."""
    place, id, role = (as_plain_value(binding.get(name)) for name in ("resource_type", "resource_id", "role"))
    return place, None if place == "organization" else id, role


def _check_own_scope(body: object) -> None:
    if hasattr(body, "resource_id"):
        check_scope(binding_fields(body) or {})


@cache
def _entry_names(model: Any, attribute: str) -> frozenset[str]:
    """Return the names of the fields that the entries of a list of a model may have."""
    (kind,) = [part for part in _alternatives(get_type_hints(model)[attribute]) if get_origin(part) is list]
    entries = filter(attrs.has, _alternatives(get_args(kind)[0]))
    return frozenset(field.name for entry in entries for field in _fields_of(entry))


def check_scope(binding: Mapping[object, object], entry: Name | None = None, *, role_argument: str = "role") -> None:
    """Raise unless the role of a binding fits the resource.

    Args:
        binding: The fields of the binding.
        entry: Where it is; None if its fields are arguments themselves.
        role_argument: Name of the argument that has the role.
    """
    resource_type, role = binding.get("resource_type"), binding.get("role")
    if resource_type == "project" and binding.get("resource_id") is None:
        raise value_error(_place_of("resource_id", entry), "is missing: a project role requires a project id")
    if resource_type in _ROLES_BY_SCOPE:
        _check_role(_place_of(role_argument, entry), role, *_ROLES_BY_SCOPE[resource_type])


def _place_of(field: str, entry: Name | None) -> Name:
    return Name(field) if entry is None else place_in(entry, f": {field}")


_ROLES_BY_SCOPE: Mapping[object, tuple[str, str]] = {
    "organization": ("OrganizationRoleName", "an organization"),
    "project": ("ProjectRoleName", "a project"),
}


def _check_own_roles(body: object) -> None:
    if (roles := getattr(body, "roles", None)) is not None:
        check_key_roles("roles", roles)


def _require_organization_role(body: object) -> None:
    scopes = [
        (binding_fields(entry) or {}).get("resource_type") for entry in getattr(body, "role_bindings", None) or ()
    ]
    if scopes and all(scope == "project" for scope in scopes):
        raise value_error("role_bindings", "must contain at least one organization role")


# Filters that the server accepts only beside another one.
_NEEDED_FILTERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "list_role_bindings": (("principal_id", "principal_type"), ("resource_id", "resource_type")),
}
_BODY_RULES: Mapping[str, tuple[Callable[[object], None], ...]] = {
    "create_api_key": (_check_own_roles,),
    "update_api_key": (_check_own_roles,),
    "create_invite": (_check_bindings, _require_organization_role),
    "create_service_account": (_check_bindings,),
    "create_role_binding": (_check_own_scope,),
}

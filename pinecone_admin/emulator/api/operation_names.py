"""The names of operations: their ids in the published documents, and the methods of clients that call them."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Protocol

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.dispatch import OPERATION_IDS
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.model.counts import pluralize


class OwnOperation(Protocol):
    """An operation that the emulator need not know, such as an `Operation` that a client sends with `send`."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def method(self) -> str:
        """Its HTTP method in capitals."""
        ...

    @property
    def path(self) -> str:
        """Its path. A segment in braces matches any segment."""
        ...


# Ids whose method the rule below does not derive.
_EXCEPTIONS = {
    "get_token": "",
    "list_project_api_keys": "api_keys.list",
}


def derive_method_name(operation_id: str, known_ids: Collection[str]) -> str:
    """Return the name of the method that calls an operation.

    The method names a resource within another resource: `policies.list_members` calls `list_policy_members`.

    Args:
        operation_id: The operation.
        known_ids: All operations, which tell the resources.
    """
    verb, _, noun = operation_id.partition("_")
    resources = {each.partition("_")[2] for each in known_ids}
    resource = min((each for each in resources if noun.startswith(f"{each}_")), key=len, default=noun)
    method = ("describe" if verb == "fetch" else verb) + noun.removeprefix(resource)
    plural = resource if resource.endswith("s") else pluralize(resource)
    return _EXCEPTIONS.get(operation_id, f"{plural}.{method}")


METHOD_NAMES: Mapping[str, str] = {each: derive_method_name(each, OPERATION_IDS) for each in OPERATION_IDS}
"""The method that calls each operation, such as `projects.describe`, by the operation's id; empty for the token's."""

_IDS = {name: operation_id for operation_id, name in METHOD_NAMES.items() if name} | {
    each: each for each in OPERATION_IDS
}


_VERBS = {
    "fetch": "describe",
    "get": "describe",
    "add": "create",
    "grant": "create",
    "remove": "delete",
    "revoke": "delete",
    "patch": "update",
    "rename": "update",
}
"""Other words for the verbs of methods, which spelling does not bring close to them."""


def operation_name(field: str, value: object) -> str:
    """Check for the id or the method name of an operation, and return its id."""
    text = checks.string(field, value)
    if text not in _IDS:
        near = _nearest_name(text)
        raise invalid_argument(f"{field} {quoted(text)} does not exist{f': did you mean {near}?' if near else ''}")
    return _IDS[text]


def is_known_operation(name: str) -> bool:
    """Return whether an operation of the emulator has this id or method name."""
    return name in _IDS


def _nearest_name(text: str) -> str | None:
    """Return the most similar name, of the same kind and the same resource if there is one, or None."""
    is_method = "." in text
    resource, _, verb = (text if is_method else derive_method_name(text, OPERATION_IDS)).partition(".")
    methods = [each for each in METHOD_NAMES.values() if each.startswith(f"{resource}.")]
    if resource and methods:
        near = get_close_matches(f"{resource}.{_VERBS.get(verb, verb)}", methods, 1, cutoff=0)[0]
        return near if is_method else _IDS[near]
    return next(iter(get_close_matches(text, _IDS, 1)), None)

"""The methods of the namespaces, with each of their arguments. A new resource adds its rows to this table.

Tests of requests, validation, least roles, records and examples derive from it what they need of a resource. It imports
only the package, so that ``scripts/smoke.py`` can read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from attrs import frozen

from pinecone_admin import Admin, emulator, on_organization, operations
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator

Place: TypeAlias = Literal["path", "query", "body", "none"]


@frozen
class Argument:
    """The kind of check of an argument, its place in the request, and a valid value."""

    kind: str
    place: Place
    valid: Any


ID = Argument("id", "path", "p")
BINDINGS = [on_organization("OrgMember")]
UPDATE = Argument("choice", "none", "update")
DRY_RUN = Argument("switch", "none", False)
ALLOW_OWN = Argument("switch", "none", False)
CLIENT_ID = Argument("optional id", "none", None)
LIMIT = Argument("optional count", "query", 5)
TOKEN = Argument("optional id", "query", "t")

METHODS: dict[str, dict[str, Argument]] = {
    "organizations.list": {},
    "organizations.describe": {"organization_id": ID},
    "organizations.update": {"organization_id": ID, "name": Argument("only name", "body", "x")},
    "organizations.delete": {"organization_id": ID},
    "projects.list": {},
    "projects.create": {
        "name": Argument("name", "body", "x"),
        "max_pods": Argument("optional count", "body", 0),
        "force_encryption_with_cmek": Argument("optional switch", "body", False),
    },
    "projects.describe": {"project_id": ID},
    "projects.describe_by_name": {"name": Argument("name", "none", "x")},
    "projects.exists": {
        "project_id": Argument("question", "path", None),
        "name": Argument("name question", "none", None),
    },
    "projects.update": {
        "project_id": ID,
        "name": Argument("optional name", "body", "x"),
        "max_pods": Argument("optional count", "body", 0),
        "force_encryption_with_cmek": Argument("optional switch", "body", False),
    },
    "projects.delete": {"project_id": ID},
    "api_keys.list": {"project_id": ID},
    "api_keys.create": {
        "project_id": ID,
        "name": Argument("name", "body", "x"),
        "roles": Argument("optional roles", "body", ["ProjectViewer"]),
    },
    "api_keys.describe": {"api_key_id": ID},
    "api_keys.describe_by_name": {"project_id": ID, "name": Argument("name", "none", "x")},
    "api_keys.update": {
        "api_key_id": ID,
        "name": Argument("optional name", "body", "x"),
        "roles": Argument("optional roles", "body", ["ProjectViewer"]),
    },
    "api_keys.delete": {"api_key_id": ID},
    "users.list": {
        "email": Argument("optional email", "query", "ann@example.com"),
        "limit": LIMIT,
        "pagination_token": TOKEN,
    },
    "users.describe": {"user_id": ID},
    "users.describe_by_email": {"email": Argument("email", "query", "ann@example.com")},
    "users.delete": {"user_id": ID},
    "invites.list": {"limit": LIMIT, "pagination_token": TOKEN},
    "invites.create": {
        "email": Argument("email", "body", "ann@example.com"),
        "role_bindings": Argument("bindings", "body", BINDINGS),
    },
    "invites.describe": {"invite_id": ID},
    "invites.describe_by_email": {"email": Argument("email", "none", "ann@example.com")},
    "invites.delete": {"invite_id": ID},
    "invites.resend": {"invite_id": ID},
    "service_accounts.list": {"limit": LIMIT, "pagination_token": TOKEN},
    "service_accounts.create": {
        "name": Argument("name", "body", "x"),
        "role_bindings": Argument("optional bindings", "body", BINDINGS),
    },
    "service_accounts.describe": {"service_account_id": ID},
    "service_accounts.describe_by_name": {"name": Argument("name", "none", "x")},
    "service_accounts.update": {"service_account_id": ID, "name": Argument("only name", "body", "x")},
    "service_accounts.delete": {"service_account_id": ID},
    "service_accounts.rotate_secret": {"service_account_id": ID},
    "role_bindings.list": {
        "principal_type": Argument("needed type", "query", "user"),
        "principal_id": Argument("optional id", "query", "u"),
        "resource_type": Argument("needed type", "query", "project"),
        "resource_id": Argument("optional id", "query", "p"),
        "role": Argument("optional id", "query", "ProjectViewer"),
        "limit": LIMIT,
        "pagination_token": TOKEN,
    },
    "role_bindings.create": {
        "principal_type": Argument("id", "body", "user"),
        "principal_id": Argument("id", "body", "u"),
        "resource_type": Argument("id", "body", "organization"),
        "resource_id": Argument("optional id", "body", "p"),
        "role": Argument("id", "body", "OrgBillingAdmin"),
    },
    "role_bindings.describe": {"role_binding_id": ID},
    "role_bindings.delete": {"role_binding_id": ID},
    # Workflows: their first request has no place for most of their arguments.
    "projects.ensure": {
        "name": Argument("name", "none", "x"),
        "max_pods": Argument("optional count", "none", 0),
        "force_encryption_with_cmek": Argument("optional switch", "none", False),
        "on_difference": UPDATE,
        "dry_run": DRY_RUN,
    },
    "projects.provision": {
        "name": Argument("name", "none", "x"),
        "key_roles": Argument("roles", "none", ["ProjectViewer"]),
        "store": Argument("function", "none", print),
        "bindings": Argument("bindings", "none", []),
        "dry_run": DRY_RUN,
    },
    "projects.delete_with_cleanup": {
        "project_id": ID,
        "dry_run": Argument("switch", "none", False),
        "time_limit": Argument("duration", "none", timedelta(seconds=60)),
        "lift_protection": Argument("switch", "none", False),
        "progress": Argument("optional function", "none", print),
    },
    "api_keys.ensure": {
        "project_id": ID,
        "name": Argument("name", "none", "x"),
        "roles": Argument("optional roles", "none", ["ProjectViewer"]),
        "store": Argument("optional function", "none", print),
        "on_difference": UPDATE,
        "dry_run": DRY_RUN,
    },
    "api_keys.rotate": {
        "api_key_id": ID,
        "store": Argument("function", "none", print),
        "keep_old_for": Argument("duration", "none", timedelta(hours=1)),
        "dry_run": DRY_RUN,
    },
    "api_keys.rotate_due": {
        "older_than": Argument("duration", "none", timedelta(days=90)),
        "keep_old_for": Argument("duration", "none", timedelta(hours=1)),
        "store": Argument("function", "none", print),
        "project_id": Argument("optional id", "none", "p"),
        "dry_run": DRY_RUN,
    },
    "projects.delete_stale": {
        "name_pattern": Argument("pattern", "none", "ci-*"),
        "older_than": Argument("needed duration", "none", timedelta(days=7)),
        "plan": Argument("optional plan", "none", None),
        "concurrency": Argument("seconds", "none", 4),
        "progress": Argument("optional function", "none", print),
    },
    "api_keys.temporary": {
        "project_id": ID,
        "roles": Argument("roles", "none", ["ProjectViewer"]),
        "ttl": Argument("duration", "none", timedelta(hours=1)),
    },
    "api_keys.identify": {
        "value": Argument("key value", "none", "pcsk_label_x"),
        "project_ids": Argument("ids", "none", ["p"]),
    },
    "api_keys.delete_retired": {"project_id": Argument("optional id", "none", "p"), "dry_run": DRY_RUN},
    "users.offboard": {
        "email": Argument("email", "query", "ann@example.com"),
        "dry_run": Argument("switch", "none", False),
    },
    "users.offboard_many": {
        "emails": Argument("emails", "none", ["ann@example.com"]),
        "plan": Argument("optional plan", "none", None),
    },
    "users.ensure": {
        "email": Argument("email", "query", "ann@example.com"),
        "role_bindings": Argument("bindings", "none", BINDINGS),
        "revoke_unlisted": Argument("switch", "none", False),
        "dry_run": DRY_RUN,
    },
    "invites.ensure": {
        "email": Argument("email", "none", "ann@example.com"),
        "role_bindings": Argument("bindings", "none", BINDINGS),
        "on_difference": UPDATE,
        "revoke_unlisted": Argument("switch", "none", False),
        "dry_run": DRY_RUN,
    },
    "service_accounts.ensure": {
        "name": Argument("name", "none", "x"),
        "role_bindings": Argument("optional bindings", "none", BINDINGS),
        "store": Argument("optional function", "none", print),
        "on_difference": UPDATE,
        "revoke_unlisted": Argument("switch", "none", False),
        "client_id": CLIENT_ID,
        "dry_run": DRY_RUN,
    },
    "service_accounts.rotate": {
        "service_account_id": ID,
        "store": Argument("function", "none", print),
        "allow_own": ALLOW_OWN,
        "client_id": CLIENT_ID,
        "dry_run": DRY_RUN,
    },
    "service_accounts.rotate_due": {
        "older_than": Argument("optional duration", "none", timedelta(days=90)),
        "store": Argument("function", "none", print),
        "names": Argument("optional names", "none", ["x"]),
        "client_id": CLIENT_ID,
        "allow_unreadable": Argument("switch", "none", True),
        "dry_run": DRY_RUN,
    },
    "role_bindings.ensure": {
        "principal_type": Argument("id", "query", "user"),
        "principal_id": Argument("id", "query", "u"),
        "resource_type": Argument("id", "query", "organization"),
        "resource_id": Argument("optional id", "query", "p"),
        "role": Argument("id", "query", "OrgMember"),
        "dry_run": DRY_RUN,
    },
    "role_bindings.change_role": {
        "principal_type": Argument("id", "query", "user"),
        "principal_id": Argument("id", "query", "u"),
        "resource_type": Argument("id", "query", "organization"),
        "resource_id": Argument("optional id", "query", "p"),
        "from_role": Argument("id", "none", "OrgMember"),
        "to_role": Argument("id", "none", "OrgManager"),
        "allow_own": ALLOW_OWN,
        "client_id": CLIENT_ID,
        "dry_run": DRY_RUN,
    },
}


def find_method(operation_id: str) -> str:
    """Return the name of the method that sends an operation, such as ``projects.describe``."""
    namespace = getattr(operations, operation_id).__module__.split(".")[-2]
    verb = operation_id.partition("_")[0].replace("fetch", "describe")
    held = operation_id.partition(f"_{name_singular(namespace)}_")[2]
    return f"{namespace}.{verb}_{held}" if held else f"{namespace}.{verb}"


def name_singular(plural: str) -> str:
    """Return the singular of a name, such as ``policy``."""
    return re.sub("ie$", "y", plural.removesuffix("s"))


_TABLE = json.loads((files(emulator) / "api/operations.json").read_text(encoding="utf-8"))
_SERVED = {each["id"] for each in _TABLE if "plain" in each} & set(operations.__all__)
PLAIN = sorted({find_method(each).split(".")[0] for each in _SERVED} & set(NAMESPACES))
"""The namespaces that the emulator serves from its table alone."""

OLDER_THAN_SDKS = {
    each for each in operations.__all__ if each.islower() and find_method(each).split(".")[0] not in PLAIN
}
"""The operations that official SDKs may have: those of plain resources came later."""

SINGLE = {find_method(each) for each in operations.__all__ if each.islower()}
"""The methods that send one operation, which has a name like theirs."""

PREVIEWED = {method for method, row in METHODS.items() if "dry_run" in row}
"""The workflows that have a preview."""


def fill_ids(method: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return valid arguments of a method, without filters, by the ids of resources, as ``project_id``.

    A workflow gets every argument; an id of its row stands for what does not exist.

    Raises:
        LookupError: Nothing has an id that the method takes.
    """
    row = METHODS[method]
    if method in PREVIEWED:
        return {name: _find_id_or_value(argument, name, ids) for name, argument in row.items()}
    return {
        name: _find_id(method, name, ids) if argument is ID else ids.get(name, argument.valid)
        for name, argument in row.items()
        if argument.place in {"path", "body"}
    }


def _find_id_or_value(argument: Argument, name: str, ids: Mapping[str, str]) -> Any:
    if argument.kind != "id":
        return argument.valid
    try:
        return ids[name]
    except KeyError:
        return argument.valid


def _find_id(method: str, name: str, ids: Mapping[str, str]) -> str:
    try:
        return ids[name]
    except KeyError:
        raise LookupError(
            f"{method} takes {name}, and no method in METHODS creates one: add its id in populate() of "
            "tests/support/resources.py"
        ) from None


def name_created(method: str) -> str:
    """Return the name of what a method creates, such as ``policy``, or ``member`` for ``policies.add_member``."""
    namespace, _, name = method.partition(".")
    return name.partition("_")[2] or name_singular(namespace)


CREATES = {f"{name_created(each)}_id": each for each in METHODS if re.search(r"\.(create|(create|add)_\w+)$", each)}
"""The methods that create, by the argument that takes the id of what was created; what holds others comes first."""


def keep_id(method: str, response: Any, ids: dict[str, str]) -> Any:
    """Add the id of what a method created, by the name of the argument that takes it, and return the resource.

    A member that exists already, such as a user in a group, has no id but its own, which is there.
    """
    made = getattr(response, "key", getattr(response, "service_account", response))
    if hasattr(made, "id"):
        ids[f"{name_created(method)}_id"] = made.id
    return made


def create_resources(admin: Admin, ids: dict[str, str], namespaces: Iterable[str] = NAMESPACES) -> dict[str, Any]:
    """Create one of each resource that can be, add the ids, and return the resources by name, as ``policy``."""
    created: dict[str, Any] = {}
    for method in CREATES.values():
        namespace, _, name = method.partition(".")
        if namespace in namespaces:
            response = getattr(getattr(admin, namespace), name)(**fill_ids(method, ids))
            created[name_created(method)] = keep_id(method, response, ids)
    return created


def add_second(emulator: Emulator, method: str, ids: dict[str, str]) -> None:
    """Create what a method takes as ``from_…_id`` beside ``…_id``, such as a second user, and add the ids."""
    for name in METHODS.get(method, ()):
        kind = name.removeprefix("from_")
        if name == kind or not kind.endswith("_id"):
            continue
        if kind == "user_id":
            ids[name] = emulator.add_user(f"{name}@example.com", roles=["OrgMember"]).id
        else:
            with emulator.admin() as admin:
                namespace, _, verb = CREATES[kind].partition(".")
                made = {**ids}
                keep_id(CREATES[kind], getattr(getattr(admin, namespace), verb)(**fill_ids(CREATES[kind], ids)), made)
                ids[name] = made[kind]


def populate(emulator: Emulator) -> dict[str, str]:
    """Create one of each resource, and return the ids by the names of arguments."""
    user, organization_id = emulator.add_user("u@example.com"), emulator.organization_id
    ids = {"organization_id": organization_id, "user_id": user.id, "principal_id": user.id}
    ids["resource_id"] = organization_id
    with emulator.admin() as admin:
        create_resources(admin, ids)
    return ids

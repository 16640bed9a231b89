#!/usr/bin/env python3
"""Write pinecone_admin/cli/commands.py from the signatures and docstrings of the client's public methods.

Usage: cli_registry.py [--check]

What signatures do not say is in cli_table.py. With --check nothing is written, and the exit status is 1 if the file
differs.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin

from cli_table import COVERED, HAND_WRITTEN, HELPS, TABLE, Row
from pinecone_admin import Admin
from pinecone_admin.cli.calls.arguments import VALUES
from pinecone_admin.cli.registry import CommandSpec, Kind, ParameterSpec
from pinecone_admin.models import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "pinecone_admin/cli/commands.py"
HEADER = '''# Derived from scripts/cli_table.py and the methods of Admin by scripts/cli_registry.py: edit those
"""All commands, as data."""

from pinecone_admin.cli.registry import CommandSpec, ParameterSpec

COMMANDS = (
'''
NAMESPACES = (
    "organizations",
    "projects",
    "api_keys",
    "users",
    "invites",
    "service_accounts",
    "role_bindings",
)
PRINCIPALS = ("user", "service-account", "api-key", "invite")
SPELLINGS = {value: spelling for spelling, value in VALUES.items()}
# Given by other means: the client pages by itself, and shows its progress.
UNSPELT = {"pagination_token", "dry_run", "progress", "store"}


def main(arguments: Sequence[str]) -> int:
    """Write or check the file, and return the exit status."""
    text = render(build_commands())
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{FILE.relative_to(ROOT)} differs from its sources: run scripts/cli_registry.py\n")
    return 1


def public_methods() -> dict[str, Callable[..., Any]]:
    """Return the public methods of every namespace, such as ``projects.list``."""
    with Admin(access_token="none", lazy=True) as admin:  # noqa: S106 - it sends nothing
        spaces = {namespace: type(getattr(admin, namespace)) for namespace in NAMESPACES}
    return {
        f"{namespace}.{name}": function
        for namespace, kind in spaces.items()
        for name, function in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def build_commands() -> list[CommandSpec]:
    """Return all commands, those of methods first."""
    methods = public_methods()
    derived = [build_command(name, methods[name], row) for name, row in TABLE.items()]
    covered = {command: method for method, command in COVERED.items()}
    full = [
        each._replace(methods=(*each.methods, covered[each.name])) if each.name in covered else each for each in derived
    ]
    return [*full, *HAND_WRITTEN]


def build_command(name: str, function: Callable[..., Any], row: Row) -> CommandSpec:
    """Return the command of a method."""
    namespace, verb = name.split(".")
    method = Method(namespace.removesuffix("s").replace("_", "-"), function, row)
    parameters = tuple(build_parameters(method))
    return CommandSpec(
        path=(method.noun, verb.replace("_", "-")),
        effect=row.effect,
        summary=row.summary or plain_text(method.document[""]),
        example=f"pinecone-admin {row.example}",
        details="\n\n".join(filter(None, (row.details, describe_roles(parameters)))),
        methods=(name,),
        parameters=parameters,
        secret=find_secret(method),
        has_dry_run="dry_run" in method.signature.parameters,
        confirms=row.confirms,
        removes_own=row.removes_own,
        makes_temporary_keys=row.makes_temporary_keys,
    )


def describe_roles(parameters: Sequence[ParameterSpec]) -> str:
    """Return which roles a command takes."""
    kinds = {each.kind for each in parameters}
    of_keys = any(each.choices == API_KEY_ROLES for each in parameters)
    lists = {
        "Roles of keys": of_keys and API_KEY_ROLES,
        "Roles on the organization": kinds & {"role", "roles"} and ORGANIZATION_ROLES,
        "Roles on a project": kinds & {"role", "roles", "grants"} and PROJECT_ROLES,
    }
    return "\n\n".join(f"{what}: {', '.join(roles)}." for what, roles in lists.items() if roles)


def read_docstring(function: Callable[..., Any]) -> dict[str, str]:
    """Return the first sentence of a docstring under the empty name, and the texts of its arguments by their names."""
    text = inspect.getdoc(function) or ""
    summary = text.split("\n\n", maxsplit=1)[0].replace("\n", " ")
    section = text.partition("\nArgs:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^ {4}(\w+): ((?:.*\n?)(?: {8}.*\n?)*)", section, re.MULTILINE)
    return {"": summary, **{name: " ".join(entry.split()) for name, entry in entries}}


def plain_text(text: str) -> str:
    """Return a text without the marks of code, and without what only speaks to programmers."""
    text = re.sub(r"\s*Arguments that are None leave a setting unchanged\.", "", text)
    text = re.sub(r"(, )?one page per request| without NUL", "", text)
    return re.sub(r"``\"?([^`\"]*)\"?``", r"\1", text)


class Method:
    """A method whose command is being built.

    Attributes:
        noun: What its namespace is about, such as ``api-key``.
        parameters: Its parameters that have a spelling on the command line, by name.
        hints: Their types.
        document: Its docstring: the first sentence under the empty name, and the texts of its arguments.
        row: What is written by hand about it.
    """

    def __init__(self, noun: str, function: Callable[..., Any], row: Row) -> None:
        self.noun, self.row = noun, row
        self.signature = inspect.signature(function)
        self.parameters = {
            name: each for name, each in self.signature.parameters.items() if name != "self" and name not in UNSPELT
        }
        self.hints = typing.get_type_hints(function)
        self.document = read_docstring(function)

    def is_required(self, name: str) -> bool:
        """Return whether the command needs an argument; how long an old key works is never a default."""
        if name in self.row.optional:
            return False
        return self.parameters[name].default is inspect.Parameter.empty or name == "keep_old_for"

    def help_of(self, name: str) -> str:
        """Return the help of an argument."""
        return self.row.helps.get(name) or HELPS.get(name) or plain_text(self.document[name])

    @property
    def returns_list(self) -> bool:
        """Whether it returns a list, whole or page by page."""
        returns = get_origin(self.hints["return"])
        return returns is not None and returns.__name__ in {"list", "Paginator"}


def build_parameters(method: Method) -> Iterator[ParameterSpec]:
    """Return the parameters of a command, its own thing first."""
    names = dict.fromkeys(method.parameters)
    found = list[ParameterSpec]()
    if "principal_type" in names:
        found += [principal_parameter(kind) for kind in PRINCIPALS]
        names = without(names, "principal_type", "principal_id")
    if "resource_type" in names:
        found += resource_parameters() if method.returns_list else [role_parameter(method)]
        names = without(names, "resource_type", "resource_id", *(() if method.returns_list else ("role", "from_role")))
    if names.keys() == {"project_id", "name"} and not method.is_required("project_id"):
        yield ParameterSpec(
            "thing", "", "thing_or_name", "Name or id of the project.", tuple(names), required=True, metavar="PROJECT"
        )
        return
    found += [build_parameter(method, name) for name in names]
    if method.noun == "api-key" and "api_key_id" in names:
        text = "Project in which the name of the key is looked for; by default in all."
        found.append(ParameterSpec("project", "--project", "scope", text, noun="project"))
    if method.returns_list and "limit" not in names:
        found.append(limit_parameter(()))
    yield from sorted(found, key=lambda each: (bool(each.option), not each.required))


def without(names: Mapping[str, None], *taken: str) -> dict[str, None]:
    """Return the names that are not taken."""
    return {name: None for name in names if name not in taken}


def limit_parameter(arguments: tuple[str, ...]) -> ParameterSpec:
    """Return the parameter that limits a list."""
    return ParameterSpec("limit", "--limit", "limit", "Show at most this many.", arguments)


def principal_parameter(kind: str) -> ParameterSpec:
    """Return the option for a principal of one type; one of the four is given."""
    arguments = ("principal_type", "principal_id")
    text = f"{words_for(kind)} whose role it is."
    return ParameterSpec(kind.replace("-", "_"), f"--{kind}", "principal", text, arguments, noun=kind)


def resource_parameters() -> list[ParameterSpec]:
    """Return the filters of a list by resource."""
    on = ParameterSpec(
        "on",
        "--on",
        "choice",
        "Only roles on the organization, or only roles on projects.",
        ("resource_type",),
        choices=("organization", "project"),
    )
    arguments = ("resource_type", "resource_id")
    return [
        ParameterSpec("project", "--project", "resource", "Only roles on this project.", arguments, noun="project"),
        on,
    ]


def role_parameter(method: Method) -> ParameterSpec:
    """Return the option for a role and what it is held on."""
    name = "from_role" if "from_role" in method.parameters else "role"
    option = method.row.options.get(name, "--role")
    return ParameterSpec(
        name, option, "role", method.help_of(name), (name, "resource_type", "resource_id"), required=True
    )


def build_parameter(method: Method, name: str) -> ParameterSpec:
    """Return the parameter of a command for an argument of its method."""
    required = method.is_required(name)
    if name == "limit":
        return limit_parameter(("limit",))
    if name.endswith("_id"):
        return thing_parameter(method, name)
    kind, choices, repeated = classify(name, method.hints[name])
    describes_own = f"{method.noun.replace('-', '_')}_id" in method.parameters
    is_own = name in {"name", "email"} and required and not describes_own
    default = "--role" if name in {"roles", "role_bindings"} else f"--{name.replace('_', '-')}"
    return ParameterSpec(
        name,
        "" if is_own else method.row.options.get(name, default),
        kind,
        method.help_of(name),
        (name,),
        required,
        repeated,
        choices,
        metavar=name.upper() if is_own else "",
    )


def words_for(noun: str) -> str:
    """Return how a kind of thing is named."""
    words = {"user": "Email address or id", "invite": "Email address or id", "role-binding": "Id"}
    return f"{words.get(noun, 'Name or id')} of the {noun.replace('-', ' ').replace('api', 'API')}"


def thing_parameter(method: Method, name: str) -> ParameterSpec:
    """Return the parameter for the id or name of a thing: positional if the command is about it."""
    noun = name.removesuffix("_id").replace("_", "-")
    required = method.is_required(name)
    is_own = noun == method.noun and required
    return ParameterSpec(
        "thing" if is_own else noun.replace("-", "_"),
        "" if is_own else f"--{noun}",
        "thing",
        method.row.helps.get(name) or f"{words_for(noun)}.",
        (name,),
        required,
        noun=noun,
        metavar=noun.upper() if is_own else "",
    )


def classify(name: str, hint: Any) -> tuple[Kind, tuple[str, ...], bool]:
    """Return what an argument of a type takes, its values if they are few, and whether it can be repeated."""
    parts = [part for part in flatten(hint) if part is not type(None)]
    optional = len(parts) < len(list(flatten(hint)))
    if name == "role_bindings":
        return "roles", (), True
    if name == "bindings":
        return "grants", (), True
    if name in {"roles", "key_roles"}:
        return "choice", API_KEY_ROLES, True
    if literals := tuple(value for part in parts for value in literal_of(part)):
        return "choice", tuple(SPELLINGS.get(value, value) for value in literals), False
    kinds: Mapping[object, Kind] = {
        str: "text",
        int: "integer",
        bool: "switch" if optional else "flag",
        timedelta: "duration",
    }
    return kinds[parts[0]], (), False


def flatten(hint: Any) -> Iterator[Any]:
    """Return the parts of a union."""
    if get_origin(hint) in {typing.Union, types.UnionType}:
        for part in get_args(hint):
            yield from flatten(part)
    else:
        yield hint


def literal_of(hint: Any) -> tuple[str, ...]:
    """Return the values of a literal."""
    return get_args(hint) if get_origin(hint) is typing.Literal else ()


def find_secret(method: Method) -> str:
    """Return what kind of secret a method makes: one that it returns, or passes to ``store``."""
    kinds = {"APIKeyWithSecret": "api-key", "ServiceAccountWithSecret": "service-account"}
    text = f"{method.hints['return']} {method.signature.parameters.get('store', '')}"
    return next((kind for name, kind in kinds.items() if name in text), "")


def render(commands: Sequence[CommandSpec]) -> str:
    """Return the file."""
    body = "".join(f"    {render_tuple(each)},\n" for each in commands)
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(FILE), "-"],
        input=f"{HEADER}{body})\n",
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    )
    return formatted.stdout


def render_tuple(value: CommandSpec | ParameterSpec) -> str:
    """Return the constructor call of a named tuple, without the defaults."""
    shown = [
        f"{name}={render_value(each)}"
        for name, each in value._asdict().items()
        if name not in value._field_defaults or each != value._field_defaults[name]
    ]
    return f"{type(value).__name__}({', '.join(shown)})"


def render_value(value: object) -> str:
    """Return the source of a value."""
    if isinstance(value, ParameterSpec):
        return render_tuple(value)
    if isinstance(value, tuple):
        items = typing.cast("tuple[object, ...]", value)
        return f"({', '.join(map(render_value, items))}{',' if len(items) == 1 else ''})"
    return repr(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

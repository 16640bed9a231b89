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

from cli_table import COVERED, HAND_WRITTEN, TABLE, Row

from pinecone_admin import Admin
from pinecone_admin.cli.registry import CommandSpec, Kind, ParameterSpec
from pinecone_admin.models import API_KEY_ROLES

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "pinecone_admin/cli/commands.py"
HEADER = '''# Derived from the methods of Admin and scripts/cli_table.py by scripts/cli_registry.py: change those, not this file.
"""All commands, as data."""

from pinecone_admin.cli.registry import CommandSpec, ParameterSpec

COMMANDS = (
'''
NAMESPACES = ("organizations", "projects", "api_keys", "users", "invites", "service_accounts", "role_bindings")
PRINCIPALS = ("user", "service-account", "api-key", "invite")
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


def build_command(method: str, function: Callable[..., Any], row: Row) -> CommandSpec:
    """Return the command of a method."""
    namespace, name = method.split(".")
    noun = namespace.removesuffix("s").replace("_", "-")
    document = read_docstring(function)
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    return CommandSpec(
        path=(noun, name.replace("_", "-")),
        effect=row.effect,
        summary=row.summary or plain_text(document[""]),
        example=f"pinecone-admin {row.example}",
        details=row.details,
        methods=(method,),
        parameters=tuple(build_parameters(noun, signature, hints, document, row)),
        secret=find_secret(hints["return"], signature),
        has_dry_run="dry_run" in signature.parameters,
        confirms=row.confirms,
    )


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
    text = re.sub(r"(, )?one page per request", "", text)
    return re.sub(r"``\"?([^`\"]*)\"?``", r"\1", text)


def build_parameters(
    noun: str, signature: inspect.Signature, hints: Mapping[str, Any], document: Mapping[str, str], row: Row
) -> Iterator[ParameterSpec]:
    """Return the parameters of a command: its own thing first."""
    names = [name for name in signature.parameters if name != "self" and name not in UNSPELT]
    found = list[ParameterSpec]()
    if "principal_type" in names:
        found += principal_parameters("from_role" in names or "role" in names)
        names = [name for name in names if name not in {"principal_type", "principal_id"}]
    if "resource_type" in names:
        is_list = "limit" in names
        found += resource_parameters(names) if is_list else [role_parameter(names, document, row)]
        names = [
            name
            for name in names
            if name not in {"resource_type", "resource_id", *(() if is_list else ("role", "from_role"))}
        ]
    if "project_id" in names and "name" in names and signature.parameters["project_id"].default is None:
        found.append(
            ParameterSpec(
                "thing", "", "thing_or_name", "Id or name.", ("project_id", "name"), required=True, noun="project"
            )
        )
        names = []
    found += [build_parameter(noun, name, signature.parameters[name], hints[name], document, row) for name in names]
    if noun == "api-key" and "api_key_id" in names:
        found.append(
            ParameterSpec(
                "project", "--project", "scope", "Project in which a name of a key is looked for.", noun="project"
            )
        )
    if "list" in str(hints.get("return")) and "limit" not in names:
        found.append(limit_parameter(()))
    yield from sorted(found, key=lambda each: (bool(each.option), not each.required))


def limit_parameter(arguments: tuple[str, ...]) -> ParameterSpec:
    """Return the parameter that limits a list."""
    return ParameterSpec("limit", "--limit", "limit", "Show at most this many.", arguments)


def principal_parameters(_: bool) -> list[ParameterSpec]:
    """Return an option for each type of principal, of which one can be given."""
    arguments = ("principal_type", "principal_id")
    return [
        ParameterSpec(
            kind.replace("-", "_"),
            f"--{kind}",
            "principal",
            f"Whose role: {kind.replace('-', ' ')}.",
            arguments,
            noun=kind,
        )
        for kind in PRINCIPALS
    ]


def resource_parameters(_: Sequence[str]) -> list[ParameterSpec]:
    """Return the filters by resource."""
    arguments = ("resource_type", "resource_id")
    return [
        ParameterSpec("project", "--project", "resource", "Only roles on this project.", arguments, noun="project"),
        ParameterSpec(
            "on",
            "--on",
            "choice",
            "Only roles on the organization, or only roles on projects.",
            ("resource_type",),
            choices=("organization", "project"),
        ),
    ]


def role_parameter(names: Sequence[str], document: Mapping[str, str], row: Row) -> ParameterSpec:
    """Return the option for a role with its resource."""
    name = "from_role" if "from_role" in names else "role"
    option = row.options.get(name, "--role")
    arguments = (name, "resource_type", "resource_id")
    return ParameterSpec(
        name, option, "role", row.helps.get(name, plain_text(document[name])), arguments, required=True
    )


def build_parameter(
    noun: str, name: str, parameter: inspect.Parameter, hint: Any, document: Mapping[str, str], row: Row
) -> ParameterSpec:
    """Return the parameter of a command for an argument of its method."""
    text = row.helps.get(name, plain_text(document[name]))
    required = parameter.default is inspect.Parameter.empty or name == "keep_old_for"
    if name == "limit":
        return limit_parameter(("limit",))
    if name.endswith("_id"):
        named = name.removesuffix("_id").replace("_", "-")
        option = "" if named == noun and required else f"--{named}"
        return ParameterSpec(
            named.replace("-", "_") if option else "thing",
            option,
            "thing",
            f"Id or name of the {named.replace('-', ' ')}.",
            (name,),
            required,
            noun=named,
            metavar="" if option else f"{named.upper()}",
        )
    kind, choices, repeated = classify(name, hint)
    is_own = (
        name in {"name", "email"} and required and kind == "text" and f"{noun.replace('-', '_')}_id" not in document
    )
    default_option = {"role_bindings": "--role", "roles": "--role"}.get(name, f"--{name.replace('_', '-')}")
    option = "" if is_own else row.options.get(name, default_option)
    return ParameterSpec(
        name, option, kind, text, (name,), required, repeated, choices, metavar=name.upper() if is_own else ""
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
        return "choice", literals, False
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


def find_secret(returns: Any, signature: inspect.Signature) -> str:
    """Return what kind of secret a method makes: one that it returns, or passes to ``store``."""
    kinds = {"APIKeyWithSecret": "api-key", "ServiceAccountWithSecret": "service-account"}
    text = f"{returns} {signature.parameters.get('store', '')}"
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

"""Find what the hand-written package lacks of an API document: methods, arguments, values and statuses.

scripts/generate.sh reports each, and a test fails until there is none.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from generation.api_document import Node
from generation.normalization import (
    argument_names,
    body_schema,
    component_schemas,
    folder_name,
    list_operations,
    module_name,
    reach_components,
)
from generation.places import Places
from generation.plain_schema import referenced_component

ROOT = Path(__file__).resolve().parents[2]
# Which files name each value of a literal, in quotes or as code.
VALUE_FILES = {
    "APIKeyRole": ("pinecone_admin/emulator/model/roles.py", "pinecone_admin/workflows/roles.py"),
    "InviteStatus": ("pinecone_admin/emulator/model/records.py",),
    "OrganizationPlan": ("pinecone_admin/emulator/model/settings.py",),
    "PaymentStatus": ("pinecone_admin/emulator/model/settings.py",),
    "PrincipalType": ("pinecone_admin/emulator/model/state.py", "pinecone_admin/workflows/findings.py"),
    "ResourceType": ("pinecone_admin/emulator/model/roles.py", "pinecone_admin/_http/operation_checks.py"),
    "RoleName": ("pinecone_admin/emulator/model/roles.py", "pinecone_admin/workflows/roles.py"),
}
_EMULATOR = "pinecone_admin/emulator/api"
_ADDRESSES = "pinecone_admin/_config/addresses.py"


def find_gaps(normalized: Node, table: str, root: Path = ROOT) -> list[str]:
    """Return a line for each thing of a document that the hand-written package lacks, with the remedy.

    Args:
        normalized: The normalized document.
        table: The table that the emulator reads, made from the document.
        root: The folder of the package.
    """
    calls = _collect_calls(root)
    return [
        *_find_missing_methods(normalized, root, calls),
        *_find_missing_fields(normalized, calls),
        *_find_unemulated(normalized, table, root),
        *_find_unsent_fields(normalized, table, root),
        *_find_missing_values(normalized, root),
        *_find_other_server(normalized, root),
    ]


class _Calls:
    """The calls of one function or class: where the first one is, and the arguments that any of them passes."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.arguments: set[str | None] = set()


def _collect_calls(root: Path) -> dict[str, _Calls]:
    calls: dict[str, _Calls] = {}
    for path in [root / "pinecone_admin/models.py", *sorted((root / "pinecone_admin/_async").glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place = f"{path.relative_to(root).as_posix()}:{node.lineno}"
                found = calls.setdefault(node.func.attr, _Calls(place))
                found.arguments |= {keyword.arg for keyword in node.keywords}
    return calls


def _find_missing_methods(normalized: Node, root: Path, calls: dict[str, _Calls]) -> Iterator[str]:
    missing: dict[str, list[str]] = {}
    for node in list_operations(normalized):
        name = module_name(node["operationId"])
        if name not in calls:
            missing.setdefault(folder_name(node["tags"][0]), []).append(name)
        elif None not in calls[name].arguments:
            for argument in argument_names(node):
                if argument not in calls[name].arguments:
                    yield f"{calls[name].place}: {name}.{argument}: no method passes it: {_ADD_ARGUMENT}"
    for namespace, names in missing.items():
        file = f"pinecone_admin/_async/{namespace}.py"
        is_new = not (root / file).exists()
        how = f"run scripts/new_namespace {namespace}" if is_new else "add one, then run scripts/unasync.py"
        yield f"{file}: {', '.join(names)}: no method sends it: {how}"


_ADD_ARGUMENT = "add an argument, then run scripts/unasync.py"


def _find_missing_fields(normalized: Node, calls: dict[str, _Calls]) -> Iterator[str]:
    sent = reach_components(normalized, (node.get("requestBody") for node in list_operations(normalized)))
    for name in sorted(sent & calls.keys()):
        for field, schema in component_schemas(normalized)[name].get("properties", {}).items():
            if module_name(field) not in calls[name].arguments and not schema.get("readOnly"):
                yield f"{calls[name].place}: {name}.{module_name(field)}: no method passes it: {_ADD_ARGUMENT}"


def _find_unemulated(normalized: Node, table: str, root: Path) -> Iterator[str]:
    functions = "".join(path.read_text(encoding="utf-8") for path in (root / _EMULATOR).rglob("*.py"))
    plain = {row["id"] for row in json.loads(table) if "plain" in row}
    for name in (node["operationId"] for node in list_operations(normalized)):
        if name not in plain and f"def {name}(" not in functions:
            yield f"{_EMULATOR}/operations.py: {name} is answered with 501: write its function"
    operations = ast.parse((root / _EMULATOR / "operations.py").read_text(encoding="utf-8")).body
    lines = {each.name: each.lineno for each in operations if isinstance(each, ast.FunctionDef)}
    # The emulator reads a name from its code, or from the table.
    readers = ("operations", "checks", "paging", "preconditions")
    text = table + "".join((root / _EMULATOR / f"{each}.py").read_text(encoding="utf-8") for each in readers)
    for node in list_operations(normalized):
        schema = body_schema(node.get("requestBody", {})) or {}
        fields = component_schemas(normalized).get(referenced_component(schema), {}).get("properties", {})
        names = [*(each["name"] for each in node["parameters"] if each["in"] == "query"), *fields]
        for name in (each for each in names if f'"{each}"' not in text):
            place = f"{_EMULATOR}/operations.py"
            if line := lines.get(node["operationId"]):
                place += f":{line}"
            yield f"{place}: {node['operationId']}: the emulator does not know {name}: read it there"


def _find_unsent_fields(normalized: Node, table: str, root: Path) -> Iterator[str]:
    """Yield the required fields that the emulator's responses lack; records of the table have all of them."""
    file = f"{_EMULATOR}/serialization.py"
    sent = _collect_documents(root / file)
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in (root / _EMULATOR).rglob("*.py")]
    written = {node.value for each in modules for node in ast.walk(each) if _is_text(node)}  # type: ignore[attr-defined]
    plain = {row["id"] for row in json.loads(table) if "plain" in row}
    others = (node["responses"] for node in list_operations(normalized) if node["operationId"] not in plain)
    for name in sorted(reach_components(normalized, others)):
        line, fields = sent.get(f"{module_name(name)}_document", (0, set[str]()))
        required = component_schemas(normalized)[name].get("required", [])
        place, known = (f"{file}:{line}", fields) if line else (f"{_EMULATOR}/operations.py", written)
        if missing := [each for each in required if each not in known]:
            yield f"{place}: {name} has no {', '.join(missing)}, which the document requires: send it"


def _collect_documents(path: Path) -> dict[str, tuple[int, set[str]]]:
    """Return the line of each function of a module, and the strings in it, among which are the fields that it sends."""
    functions = [each for each in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(each, ast.FunctionDef)]
    return {
        each.name: (each.lineno, {node.value for node in ast.walk(each) if _is_text(node)})  # type: ignore[attr-defined]
        for each in functions
    }


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def find_removed_names(old: Node, new: Node, places: Places) -> list[str]:
    """Return each file of the hand-written package that names what the new document has nowhere any more.

    That can be an operation, a class, a field or a parameter.

    Type checkers do not find strings, and they find a caller only after what it calls was changed.

    Args:
        old: The normalized document from before.
        new: The normalized document that is adopted.
        places: The names and strings of the package.
    """
    gone = _names_of(old) - _names_of(new)
    return [
        f"{place}: names {name}, which the document has no more: follow the document in this file"
        for name in sorted(gone)
        for place in places.first_in_each_file(name)
    ]


def _names_of(normalized: Node) -> set[str]:
    schemas, operations = component_schemas(normalized), list_operations(normalized)
    fields = {name for each in schemas.values() for name in each.get("properties", {})}
    parameters = {each["name"] for node in operations for each in node["parameters"]}
    return fields | parameters | set(schemas) | {module_name(node["operationId"]) for node in operations}


def _find_missing_values(normalized: Node, root: Path) -> Iterator[str]:
    for literal, files in VALUE_FILES.items():
        values = component_schemas(normalized).get(literal, {}).get("enum", [])
        for file in files:
            text = (root / file).read_text(encoding="utf-8")
            if missing := [each for each in values if f'"{each}"' not in text and f"`{each}`" not in text]:
                lines = enumerate(text.splitlines(), 1)
                first = next((n for n, line in lines if any(f'"{each}"' in line for each in values)), 1)
                yield f"{file}:{first}: names not all values of {literal}: add {', '.join(missing)}"


def _find_other_server(normalized: Node, root: Path) -> Iterator[str]:
    for server in normalized["servers"][:1]:
        if f'"{server["url"]}"' not in (root / _ADDRESSES).read_text(encoding="utf-8"):
            yield f"{_ADDRESSES}: API_URL is not {server['url']}, the server of the document: change it"

"""Layers: each room of the package imports only the rooms that stand above it in one table."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent


@frozen
class Room:
    """A package or module, and the imports that it may have besides the standard library and attrs.

    Attributes:
        name: Dotted name; a module belongs to the room with the longest name that matches.
        packages: Third-party packages that it may import, separated by spaces.
        sees: Rooms that it may import; by default all rooms in the rows above its own.
    """

    name: str
    packages: str = ""
    sees: tuple[str, ...] | None = None


EMULATOR = "pinecone_admin.emulator"

# The lowest room first.
ROOMS = [
    Room("generated_client", "dateutil"),
    Room("pinecone_admin._text"),
    Room("pinecone_admin.errors"),
    Room("pinecone_admin.models"),
    Room("pinecone_admin.operations"),
    Room("pinecone_admin._concurrency", "httpcore anyio trio"),
    Room("pinecone_admin._http", "httpx"),
    Room("pinecone_admin._config", "httpx"),
    Room("pinecone_admin.auth", "httpx filelock platformdirs"),
    Room("pinecone_admin.workflows"),
    Room("pinecone_admin._config.assembly", "httpx"),
    Room("pinecone_admin._sync.transports", "httpx httpcore"),
    Room("pinecone_admin._async.transports", "httpx httpcore"),
    Room("pinecone_admin._sync.workflows"),
    Room("pinecone_admin._async.workflows"),
    Room("pinecone_admin._sync", "httpx"),
    Room("pinecone_admin._async", "httpx"),
    Room("pinecone_admin.retry"),
    Room("pinecone_admin"),
    # The emulator imports nothing of the client, so that the two cannot share a mistake.
    Room(f"{EMULATOR}.model", sees=()),
    Room(f"{EMULATOR}.api.rule_catalogue", sees=()),
    Room(f"{EMULATOR}.api", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api.rule_catalogue")),
    Room(f"{EMULATOR}.control", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api")),
    Room(
        f"{EMULATOR}.http",
        "httpx starlette uvicorn",
        sees=tuple(f"{EMULATOR}.{room}" for room in ("model", "api", "control")),
    ),
    Room(EMULATOR, sees=tuple(f"{EMULATOR}.{room}" for room in ("model", "api", "control", "http"))),
    # Black-box checks import the names of the rules, not their implementation.
    Room(f"{EMULATOR}.conformance", "httpx", sees=(f"{EMULATOR}.api.rule_catalogue",)),
    Room("pinecone_admin.testing", "httpx anyio pytest", sees=(EMULATOR, "pinecone_admin._concurrency")),
    Room("pinecone_admin.cli", "click rich jmespath yaml platformdirs tomlkit httpx"),
]
NAMES = [room.name for room in ROOMS]

PUBLIC_MODULES = {"__init__.py", "errors.py", "models.py", "operations.py", "retry.py", "py.typed"}
CLOCK_AND_RANDOM_MODULES = {"time", "random", "asyncio", "anyio"}
DECISION_MODULES = ["_text", "_http", "_config", "workflows", "auth/token.py", "auth/credentials.py"]


def source_files() -> list[Path]:
    """List every module of the wheel."""
    return sorted(path for package in ("generated_client", "pinecone_admin") for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> Room:
    """Return the room that a module belongs to."""
    return max(
        (room for room in ROOMS if module == room.name or module.startswith(f"{room.name}.")),
        key=lambda room: len(room.name),
    )


def imported_modules(path: Path) -> set[str]:
    """List every module that a file imports at run time, including within functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name for name in names if is_module(name)} or {module}
    return found


def is_module(name: str) -> bool:
    """Return whether a dotted name is a module of the wheel."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def is_ours(module: str) -> bool:
    """Return whether a module belongs to a package of the wheel."""
    return module.split(".", maxsplit=1)[0] in {"generated_client", "pinecone_admin"}


def visible_rooms(room: Room) -> set[str]:
    """Return the names of the rooms that a room may import, including itself."""
    below = NAMES[: NAMES.index(room.name)] if room.sees is None else room.sees
    return {*below, room.name}


def test_rooms_import_lower_rooms_only() -> None:
    """An import of a higher room would mean that neither can be understood without the other."""
    violations = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if is_ours(module) and room_of(module).name not in visible_rooms(room_of(module_name(path)))
    ]
    # Emulator.admin() and async_admin() import the clients that they return.
    assert violations == ["pinecone_admin.emulator.emulator imports pinecone_admin"]


def test_rooms_use_no_other_packages() -> None:
    """A room imports a third-party package only if the table lists it."""
    foreign = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if not is_ours(module)
        and module.split(".")[0]
        not in {*sys.stdlib_module_names, "attrs", *room_of(module_name(path)).packages.split()}
    ]
    assert foreign == []


def test_every_row_of_the_table_is_a_room() -> None:
    """A room that is moved or removed leaves no row in the table."""
    assert [name for name in NAMES if not is_module(name)] == []


def test_the_root_contains_only_public_modules_and_rooms() -> None:
    """There are no private modules beside the rooms."""
    assert {path.name for path in (ROOT / "pinecone_admin").iterdir() if path.is_file()} == PUBLIC_MODULES


def test_no_two_classes_share_a_name() -> None:
    """A reader who meets a name need not ask which class it is; derived classes share the name of their source."""
    counts = Counter(
        node.name.strip("_")
        for folder in ("pinecone_admin", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        if "_sync" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in counts.items() if count > 1] == []


def test_decision_modules_import_no_clock_and_no_random_numbers() -> None:
    """A module with a policy gets the time and random numbers as arguments."""
    for name in DECISION_MODULES:
        path = ROOT / "pinecone_admin" / name
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            assert imported_modules(file) & CLOCK_AND_RANDOM_MODULES == set(), file


def test_the_two_clients_share_the_token_exchange_only() -> None:
    """The async client uses the transports of the sync one, and the sync client nothing of the async one."""
    crossing = {
        (room_of(module_name(path)).name, room_of(module).name)
        for path in source_files()
        for module in imported_modules(path)
        if {"_async", "_sync"} == {part for name in (module_name(path), module) for part in name.split(".")[1:2]}
    }
    assert crossing == {("pinecone_admin._async", "pinecone_admin._sync.transports")}


def test_workflows_use_only_the_public_api_of_the_client() -> None:
    """They access no private attribute of it, but in the module for what only they need to know of a client."""
    paths = (ROOT / "pinecone_admin/_async/workflows").glob("*.py")
    private = [path.name for path in paths if re.search(r"\b(admin|keyed)\._", path.read_text(encoding="utf-8"))]
    assert private == ["client_state.py"]
